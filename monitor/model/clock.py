"""The two clocks: wall time to show, monotonic time to measure and to decide with; tests hold both."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple


class Moment(NamedTuple):
    """One instant on both clocks: `wall` in Unix seconds, `steady` in monotonic seconds.

    `slept` counts the seconds that the machine was suspended, which the monotonic clock leaves out.
    """

    wall: float
    steady: float
    slept: float = 0.0


Clock = Callable[[], Moment]


def system_clock() -> Moment:
    """Read the machine's clocks; `steady` is the one that asyncio's loops use."""
    steady = time.monotonic()
    return Moment(time.time(), steady, slept(steady))


def slept(steady: float) -> float:
    """Seconds that the machine was suspended so far: CLOCK_BOOTTIME counts them, the monotonic clock does not."""
    return time.clock_gettime(_BOOTTIME) - steady if _BOOTTIME is not None else 0.0


_BOOTTIME = getattr(time, "CLOCK_BOOTTIME", None)
_STEP, _SLEW = 1.0, 0.1
"""Seconds, and the share of the elapsed time: NTP slews a clock by less, and sets it if it is wrong by more."""


def stepped(before: Moment, now: Moment) -> float:
    """Returns the seconds by which the wall clock was set between two moments; 0 if it was not."""
    elapsed = now.steady - before.steady
    step = now.wall - before.wall - elapsed - (now.slept - before.slept)
    return step if abs(step) > _STEP + _SLEW * elapsed else 0.0


EARLIEST, LATEST = -62135596800.0, 253402300799.0
"""The first and the last whole second that Python has a date for, in Unix seconds: of the years 1 and 9999."""


def utc(wall: float) -> datetime:
    """Unix seconds as a date in UTC; the first or last one that there is for a time beyond, so that none fails."""
    return datetime.fromtimestamp(EARLIEST if math.isnan(wall) else min(max(wall, EARLIEST), LATEST), UTC)


def rfc3339(wall: float) -> str:
    """Unix seconds as UTC, with milliseconds: «2026-01-31T03:00:12.250Z»."""
    return utc(wall).isoformat(timespec="milliseconds").replace("+00:00", "Z")
