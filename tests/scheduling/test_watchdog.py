"""The watchdog knows for how long the loop stood still, whoever looks first."""

from __future__ import annotations

import asyncio
import time
import timeit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model.clock import slept
from monitor.scheduling import stall as watchdog
from monitor.scheduling.stall import TICK, Gaps, Watchdog


class Watched:
    """A watchdog on the running loop, and the lags that it told."""

    def __init__(self) -> None:
        self.lags: list[float] = []
        self.told = asyncio.Event()
        self.dog = Watchdog(self._observe)

    def _observe(self, lag: float) -> None:
        self.lags.append(lag)
        self.told.set()

    async def ticks(self, count: int = 1) -> None:
        for _ in range(count):
            self.told.clear()
            async with asyncio.timeout(10):
                await self.told.wait()


@pytest.fixture
async def watched():
    made = Watched()
    made.dog.begin_run()
    made.dog.start()
    yield made
    made.dog.stop()


def stand_still(seconds: float) -> tuple[float, float]:
    """Block the loop, and say from when to when."""
    began = time.monotonic()
    time.sleep(seconds)  # what is tested
    return began, time.monotonic()


async def test_a_stand_still_is_seen_before_the_next_tick(watched: Watched) -> None:
    await watched.ticks()
    began, ended = stand_still(0.4)
    assert watched.dog.lost_between(began, ended) >= 0.4 - TICK


async def test_the_first_run_after_a_quiet_time_is_watched_from_its_beginning(watched: Watched) -> None:
    watched.dog.end_run()
    await watched.ticks(2)  # the next look is a second away
    watched.dog.begin_run()
    began, ended = stand_still(0.4)
    assert watched.dog.lost_between(began, ended) >= 0.4 - TICK


async def test_without_runs_it_looks_at_the_clock_once_a_second(watched: Watched) -> None:
    watched.dog.end_run()
    await watched.ticks()
    began = time.monotonic()
    await watched.ticks()
    assert time.monotonic() - began > 3 * TICK


async def test_a_run_that_begins_after_the_stop_starts_no_ticks(watched: Watched) -> None:
    watched.dog.end_run()
    watched.dog.stop()
    watched.dog.begin_run()
    watched.told.clear()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(watched.told.wait(), 3 * TICK)


async def test_a_stand_still_is_remembered_after_the_next_tick(watched: Watched) -> None:
    await watched.ticks()
    began, ended = stand_still(0.4)
    await watched.ticks(2)
    assert 0.4 - TICK <= watched.dog.lost_between(began, ended) < 5
    assert watched.dog.lost_between(began - 50, began - 40) == 0


async def test_only_gaps_that_overlap_count(watched: Watched) -> None:
    await watched.ticks()
    stand_still(0.3)
    await watched.ticks()
    after = time.monotonic()
    await watched.ticks(2)
    assert watched.dog.lost_between(after, time.monotonic()) < 0.2  # a noisy machine stands still by itself
    first = watched.dog.lost_between(0, time.monotonic())
    stand_still(0.3)
    assert watched.dog.lost_between(0, time.monotonic()) >= first + 0.3 - TICK


async def test_the_lag_is_told_with_every_tick(watched: Watched) -> None:
    await watched.ticks(2)
    stand_still(0.5)
    await watched.ticks()
    assert watched.lags[-1] >= 0.5 - TICK
    assert all(lag >= 0 for lag in watched.lags)


async def test_a_look_before_the_tick_hides_no_lag(watched: Watched) -> None:
    """Runs that failed look at the clock, too; the metric must still see the whole stand-still."""
    await watched.ticks(2)
    began, ended = stand_still(0.5)
    watched.dog.lost_between(began, ended)
    await watched.ticks()
    assert watched.lags[-1] >= 0.5 - TICK


async def test_many_looks_hide_no_lag(watched: Watched) -> None:
    """With a failing run every few milliseconds, a loop that is late by less than a tick is still late."""
    await watched.ticks(2)
    began = time.monotonic()
    while time.monotonic() - began < 2 * TICK:
        watched.dog.lost_between(began, time.monotonic())
        stand_still(0.005)
    await watched.ticks()
    assert watched.lags[-1] >= TICK * 0.9


async def test_suspension_counts_though_the_monotonic_clock_stops(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CLOCK_BOOTTIME goes on while the machine sleeps; no test can suspend the machine it runs on."""
    await watched.ticks()
    before = time.monotonic()
    monkeypatch.setattr(watchdog, "slept", lambda steady: slept(steady) + 3600.0)
    assert watched.dog.lost_between(before, time.monotonic()) >= 3599.9
    await watched.ticks()
    assert watched.dog.lost_between(before, time.monotonic()) < 3700.0


async def test_nothing_ticks_after_the_stop(watched: Watched) -> None:
    await watched.ticks()
    watched.dog.stop()
    count = len(watched.lags)
    watched.told.clear()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(watched.told.wait(), 3 * TICK)
    assert len(watched.lags) == count


GAPS = st.lists(st.tuples(*[st.floats(0.0, 100.0)] * 3), max_size=30)


@given(GAPS, st.floats(0.0, 5000.0), st.floats(0.0, 5000.0))
def test_the_sum_is_that_of_the_gaps_that_overlap(
    steps: list[tuple[float, float, float]], began: float, more: float
) -> None:
    gaps, known, at = Gaps(), [], 0.0
    for pause, length, lost in steps:
        known.append((at + pause + 1.0, at + pause + 1.0 + length, lost))
        gaps.note(*known[-1])
        at = known[-1][1]
    ended = began + more
    expected = sum(lost for begin, end, lost in known if begin < ended and end > began)
    assert gaps.lost_between(began, ended) == pytest.approx(expected, abs=1e-6)
    gaps.forget(began)
    assert gaps.lost_between(began, ended) == pytest.approx(expected, abs=1e-6)


def test_a_gap_that_is_looked_at_again_counts_once_and_old_ones_are_forgotten() -> None:
    gaps = Gaps()
    for number in range(10_000):
        gaps.note(float(number), number + 0.5, 0.1)
        gaps.note(float(number), number + 0.6, 0.2)
        gaps.forget(number - 100.0)
    assert len(gaps) <= 210
    assert gaps.lost_between(9_950.0, 10_000.0) == pytest.approx(50 * 0.2)


def test_overload_does_not_feed_itself_a_sum_costs_no_more_after_a_bad_hour() -> None:
    def cost(count: int) -> float:
        gaps = Gaps()
        for number in range(count):
            gaps.note(float(number), number + 0.5, 0.1)
        return min(timeit.repeat(lambda: gaps.lost_between(0.0, count + 1.0), number=200, repeat=5))

    assert cost(30_000) < 10 * cost(30)
