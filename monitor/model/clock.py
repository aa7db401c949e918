"""The two clocks: wall time to show, monotonic time to measure and to decide with; tests hold both."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple


class Moment(NamedTuple):
    """One instant on both clocks: `wall` in Unix seconds, `steady` in monotonic seconds."""

    wall: float
    steady: float


Clock = Callable[[], Moment]


def system_clock() -> Moment:
    """Read the machine's clocks; `steady` is the one that asyncio's loops use."""
    return Moment(time.time(), time.monotonic())


EARLIEST, LATEST = -62135596800.0, 253402300799.0
"""The first and the last whole second that Python has a date for, in Unix seconds: of the years 1 and 9999."""


def utc(wall: float) -> datetime:
    """Unix seconds as a date in UTC; the first or last one that there is for a time beyond, so that none fails."""
    return datetime.fromtimestamp(EARLIEST if math.isnan(wall) else min(max(wall, EARLIEST), LATEST), UTC)


def rfc3339(wall: float) -> str:
    """Unix seconds as UTC, with milliseconds: «2026-01-31T03:00:12.250Z»."""
    return utc(wall).isoformat(timespec="milliseconds").replace("+00:00", "Z")
