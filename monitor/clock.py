"""The two clocks: wall time to show, monotonic time to measure and to decide with; tests hold both."""

from __future__ import annotations

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


def rfc3339(wall: float) -> str:
    """Unix seconds as UTC, with milliseconds: «2026-01-31T03:00:12.250Z»."""
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
