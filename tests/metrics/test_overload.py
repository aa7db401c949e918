"""When the monitor says that it is overloaded, and when it does not."""

from __future__ import annotations

import pytest

from monitor.metrics import Overload
from monitor.stats.meters import Meter
from tests.metrics.conftest import Bench


def watched(bench: Bench) -> Overload:
    overload = Overload(lambda: [bench.meter])
    overload.look(0.0)
    return overload


def runs(bench: Bench, count: int, lag: float) -> None:
    for _ in range(count):
        bench.meter.schedule_lag.observe(lag)


def test_a_monitor_that_keeps_up_says_nothing(bench: Bench) -> None:
    assert Overload(lambda: [bench.meter]).trouble() is None
    overload = watched(bench)
    runs(bench, 1000, 0.2)
    runs(bench, 10, 2.0)
    overload.look(1.0)
    assert overload.trouble() is None


@pytest.mark.parametrize("reason", ["overlap", "late"])
def test_a_skipped_run_is_said_with_what_to_do_and_forgotten_after_a_minute(bench: Bench, reason: str) -> None:
    overload = watched(bench)
    bench.meter.skipped[reason] += 31
    overload.look(1.0)
    trouble = overload.trouble()
    assert trouble is not None
    assert "31 were skipped" in trouble
    assert "raise intervals or add probe workers" in trouble
    overload.look(60.0)
    assert overload.trouble() is not None
    overload.look(61.5)
    assert overload.trouble() is None


def test_runs_missed_while_everything_stood_still_are_no_overload(bench: Bench) -> None:
    overload = watched(bench)
    bench.meter.skipped["stalled"] += 31
    overload.look(1.0)
    assert overload.trouble() is None


def test_late_starts_are_said_once_they_are_more_than_a_few(bench: Bench) -> None:
    overload = watched(bench)
    runs(bench, 2900, 0.001)
    runs(bench, 100, 4.0)
    overload.look(1.0)
    assert "100 of 3,000 started more than a second late" in (overload.trouble() or "")


def test_what_was_before_the_first_look_does_not_count(bench: Bench) -> None:
    runs(bench, 10, 4.0)
    bench.meter.skipped["late"] += 1
    overload = watched(bench)
    overload.look(1.0)
    assert overload.trouble() is None


def test_a_worker_that_begins_anew_with_its_counters_is_no_overload(bench: Bench) -> None:
    runs(bench, 100, 4.0)
    overload = watched(bench)
    bench.meter = Meter()
    runs(bench, 10, 0.001)
    overload.look(1.0)
    assert overload.trouble() is None
