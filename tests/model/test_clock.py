"""The clocks, and how a moment is written."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from monitor.model.clock import rfc3339, system_clock


def test_both_clocks_are_the_machines() -> None:
    before = (time.time(), time.monotonic())
    now = system_clock()
    assert before[0] <= now.wall <= time.time()
    assert before[1] <= now.steady <= time.monotonic()


def test_times_are_rfc_3339_in_utc_with_milliseconds() -> None:
    assert rfc3339(1769828412.25) == "2026-01-31T03:00:12.250Z"
    assert rfc3339(0) == "1970-01-01T00:00:00.000Z"


@given(st.floats(0, 4e9))
def test_what_is_written_can_be_read(wall: float) -> None:
    text = rfc3339(wall)
    assert len(text) == 24
    read = datetime.fromisoformat(text)
    assert read.tzinfo == UTC
    assert abs(read.timestamp() - wall) <= 0.0011
