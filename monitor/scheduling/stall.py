"""Notices that this process stood still (stopped, starved, suspended), so that no target is blamed for it."""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable

from monitor.model.clock import slept
from monitor.system.supervision import Turn

TICK = 0.1
"""Seconds between two looks at the clock while a run is under way; a shorter stall shows only as lag."""
_IDLE_TICK = 1.0
"""Seconds between two looks at the clock otherwise: nobody asks about that time, and a wake-up costs."""
_NOTICED = 0.05
"""A tick this late is a gap."""
_KEPT_SECONDS = 3600.0
"""Longer than any run lasts."""


class Gaps:
    """Stretches of steady time in which the process stood still, oldest first; none overlaps another.

    Every failing run asks for a sum of them, and an overloaded hour has thousands: running sums make that two searches.
    """

    def __init__(self) -> None:
        self._began: list[float] = []
        self._ended: list[float] = []
        self._lost = [0.0]
        """Seconds that were lost before each gap, and in all."""

    def __len__(self) -> int:
        return len(self._began)

    def note(self, began: float, ended: float, lost: float) -> None:
        """Add a gap of `lost` seconds, sleep included, or replace the last one if that began then."""
        if self._began and self._began[-1] == began:
            for column in (self._began, self._ended, self._lost):
                column.pop()
        self._began.append(began)
        self._ended.append(ended)
        self._lost.append(self._lost[-1] + lost)

    def lost_between(self, began: float, ended: float) -> float:
        """Seconds lost in the gaps that overlap this stretch."""
        first, beyond = bisect_right(self._ended, began), bisect_left(self._began, ended)
        return self._lost[beyond] - self._lost[first] if first < beyond else 0.0

    def forget(self, before: float) -> None:
        """Drop what ended before that, once it is half of all, so that each gap is moved once at most."""
        old = bisect_left(self._ended, before)
        if old > len(self) // 2:
            del self._began[:old], self._ended[:old], self._lost[:old]


class Watchdog:
    """Ticks on the event loop and measures the delay of each tick; `observe` receives it in seconds."""

    def __init__(self, observe: Callable[[float], None]) -> None:
        self._observe = observe
        self._gaps = Gaps()
        self._handle: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._runs = 0
        self._ticked = 0.0
        self._due = 0.0
        """Steady time of the next tick."""
        self._slept = 0.0

    def start(self) -> None:
        """Begins to tick on the running loop."""
        self._loop = asyncio.get_running_loop()
        self._plan()

    def begin_run(self) -> None:
        """Ticks often enough for a run, until `end_run`."""
        self._runs += 1
        if self._runs == 1 and self._due > time.monotonic() + TICK:
            self._cancel()
            self._plan()

    def end_run(self) -> None:
        """The run is over."""
        self._runs -= 1

    def stop(self) -> None:
        """Ticks no more."""
        self._loop = None
        self._cancel()

    def _cancel(self) -> None:
        if self._handle is not None:
            self._handle.cancel()

    def lost_between(self, began: float, ended: float) -> float:
        """Seconds for which the process stood still in gaps that overlap this stretch of steady time.

        Looks at the clock first: after a stop, the timers of runs fire before the next tick does.
        """
        self._look()
        return self._gaps.lost_between(began, ended)

    def _tick(self) -> None:
        with Turn("watchdog"):
            self._observe(max(0.0, time.monotonic() - self._due))
            self._look()
        self._plan()

    def _plan(self) -> None:
        self._ticked, self._slept = (now := time.monotonic()), slept(now)
        self._due = self._ticked + (TICK if self._runs else _IDLE_TICK)
        if self._loop is not None:
            self._handle = self._loop.call_at(self._due, self._tick)

    def _look(self) -> None:
        """Note how late the tick after the last one is by now; a second look sees the same gap, only longer."""
        now = time.monotonic()
        lost = max(0.0, now - self._due) + max(0.0, slept(now) - self._slept)
        if lost < _NOTICED:
            return
        self._gaps.note(self._ticked, now, lost)
        self._gaps.forget(now - _KEPT_SECONDS)
