"""Long work on the event loop, in turns so short that nothing else there is held up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from time import perf_counter
from typing import TypeVar

T = TypeVar("T")

_TURN = 0.0005
"""Seconds. A thread would hold Python's lock for ten times as long whenever it computes (`sys.getswitchinterval`)."""


async def turns(items: Iterable[T]) -> AsyncIterator[T]:
    """Yields the items, and gives the event loop a turn whenever the consumer's work takes long."""
    until = perf_counter() + _TURN
    for item in items:
        yield item
        if perf_counter() >= until:
            await asyncio.sleep(0)
            until = perf_counter() + _TURN
