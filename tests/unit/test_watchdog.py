"""The watchdog knows for how long the loop stood still, whoever looks first."""

from __future__ import annotations

import asyncio
import time

import pytest

from monitor import watchdog
from monitor.watchdog import TICK, Watchdog


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
    count = len(watched.lags)
    began = time.monotonic()
    while len(watched.lags) == count:
        watched.dog.lost_between(began, time.monotonic())
        if time.monotonic() - began > TICK * 0.6:
            stand_still(TICK * 1.4)
        await asyncio.sleep(0.005)
    assert watched.lags[count] >= TICK * 0.5


async def test_suspension_counts_though_the_monotonic_clock_stops(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CLOCK_BOOTTIME goes on while the machine sleeps; no test can suspend the machine it runs on."""
    await watched.ticks()
    before = time.monotonic()
    slept = watchdog._slept()
    monkeypatch.setattr(watchdog, "_slept", lambda: slept + 3600.0)
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
