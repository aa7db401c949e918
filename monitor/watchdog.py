"""Notices that this process stood still (stopped, starved, suspended), so that no target is blamed for it."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

TICK = 0.1
"""Seconds between two looks at the clock; what stands still for less is seen only as lag."""
_NOTICED = 0.05
"""A tick this late is a gap."""
_KEPT_SECONDS = 3600.0
"""Longer than any run lasts."""


class Gap(NamedTuple):
    """The process stood still from `began` to `ended` (steady seconds), `lost` seconds in all, sleep included."""

    began: float
    ended: float
    lost: float


class Watchdog:
    """A tick on the event loop that knows how late it is. `observe` is told the lag of every tick, in seconds."""

    def __init__(self, observe: Callable[[float], None]) -> None:
        self._observe = observe
        self._gaps: deque[Gap] = deque()
        self._handle: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ticked = 0.0
        self._slept = 0.0

    def start(self) -> None:
        """Begin to tick on the running loop."""
        self._loop = asyncio.get_running_loop()
        self._ticked = time.monotonic()
        self._slept = _slept()
        self._handle = self._loop.call_later(TICK, self._tick)

    def stop(self) -> None:
        """Tick no more."""
        if self._handle is not None:
            self._handle.cancel()

    def lost_between(self, began: float, ended: float) -> float:
        """Seconds for which the process stood still in gaps that overlap this stretch of steady time.

        Looks at the clock first: after a stop, the timers of runs fire before the next tick does.
        """
        self._look()
        return sum(gap.lost for gap in self._gaps if gap.began < ended and gap.ended > began)

    def _tick(self) -> None:
        assert self._loop is not None
        self._observe(max(0.0, time.monotonic() - self._ticked - TICK))
        self._look()
        self._ticked, self._slept = time.monotonic(), _slept()
        self._handle = self._loop.call_later(TICK, self._tick)

    def _look(self) -> None:
        """Note how late the tick after the last one is by now; a second look sees the same gap, only longer."""
        now = time.monotonic()
        lost = max(0.0, now - self._ticked - TICK) + max(0.0, _slept() - self._slept)
        if lost < _NOTICED:
            return
        if self._gaps and self._gaps[-1].began == self._ticked:
            self._gaps.pop()
        self._gaps.append(Gap(self._ticked, now, lost))
        while self._gaps[0].ended < now - _KEPT_SECONDS:
            self._gaps.popleft()


def _slept() -> float:
    """How long the machine has been suspended so far: the monotonic clock stops for that, CLOCK_BOOTTIME does not."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return 0.0 if clock is None else time.clock_gettime(clock) - time.monotonic()
