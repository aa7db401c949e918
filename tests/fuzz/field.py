"""A loop that outlives the examples of a test, and what has to be the same after a thousand of them as before."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import uvloop

from monitor.protocols.registry import PROTOCOLS, client_of

HELD = 0.1
"""Seconds of CPU between two turns of the loop, above which something held it."""
GROWTH = 24 << 20
"""Bytes that a process may grow by, over all examples but the first few."""


@contextmanager
def loop() -> Iterator[asyncio.Runner]:
    """Runs one example after the other on a loop of the kind that the daemon has.

    Garbage is collected between examples: a look through all that the tests hold would count as holding the loop, and
    so would loading what asks, which a daemon has before its first run.
    """
    for protocol in PROTOCOLS:
        client_of(protocol)
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            yield runner
    finally:
        gc.enable()


def run(runner: asyncio.Runner, work: Coroutine[Any, Any, None]) -> None:
    """One example; the loop must not be held meanwhile, and nothing may be left running."""
    runner.run(_watched(work))
    gc.collect()


async def _watched(work: Coroutine[Any, Any, None]) -> None:
    before, turns = asyncio.all_tasks(), list[float]()
    meter = asyncio.create_task(_measure(turns))
    try:
        await work
    finally:
        meter.cancel()
        await asyncio.gather(meter, return_exceptions=True)
    assert max(turns, default=0) < HELD, f"the loop was held for {1000 * max(turns):.0f} ms of CPU"
    left = asyncio.all_tasks() - before
    assert not left, left


async def _measure(turns: list[float]) -> None:
    """CPU of this thread from one turn to the next: however busy the machine is, it counts only what runs here."""
    while True:
        before = time.thread_time()
        await asyncio.sleep(0.002)
        turns.append(time.thread_time() - before)


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
