"""A loop that outlives the examples of a test, and what has to be the same after a thousand of them as before."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import uvloop

from tests.checks.harness import LagMeter
from tests.starvation import Starvation

HELD = 0.1
"""Seconds for which nothing that comes from outside may hold the loop; what the machine was starved for is added."""
GROWTH = 24 << 20
"""Bytes that a process may grow by, over all examples but the first few."""


@contextmanager
def loop() -> Iterator[asyncio.Runner]:
    """Runs one example after the other on a loop of the kind that the daemon has."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        yield runner


def run(runner: asyncio.Runner, work: Coroutine[Any, Any, None]) -> None:
    """One example; the loop must not be held meanwhile, and nothing may be left running."""
    runner.run(_watched(work))


async def _watched(work: Coroutine[Any, Any, None]) -> None:
    before, starvation = asyncio.all_tasks(), Starvation()
    async with LagMeter() as lag:
        await work
    assert lag.worst < HELD + starvation.seconds, f"the loop was held for {1000 * lag.worst:.0f} ms"
    left = asyncio.all_tasks() - before
    assert not left, left


class Kept:
    """Descriptors and memory of this process, from the moment on at which it is warm."""

    def __init__(self, warm: int = 20) -> None:
        self._process = psutil.Process()
        self._warm = warm
        self._count = 0
        self._before: tuple[int, int] | None = None

    def example(self) -> None:
        """Count one example."""
        self._count += 1
        if self._count == self._warm:
            self._before = self._now()

    def assert_flat(self) -> None:
        """Nothing has grown since."""
        assert self._before is not None, f"only {self._count} examples"
        descriptors, memory = self._now()
        assert descriptors <= self._before[0] + 2, (self._before[0], descriptors)
        assert memory - self._before[1] < GROWTH, f"grew by {(memory - self._before[1]) >> 20} MiB"

    def _now(self) -> tuple[int, int]:
        gc.collect()
        return self._process.num_fds(), self._process.memory_info().rss
