"""Due times: spread by name, on a grid that does not drift, and untouched by what concerns other checks."""

from __future__ import annotations

import asyncio
import itertools
import math
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model.clock import Moment, system_clock
from monitor.rules.due import DueTimes, due_times, fraction_of
from monitor.scheduling import schedule as module
from monitor.scheduling.schedule import BEAT, Grid, Job, Schedule, SteadyTime
from tests.made import spec

names = st.from_regex(r"[A-Za-z0-9_.-]{1,100}", fullmatch=True)


# spread


@given(names)
def test_a_fraction_is_in_the_interval_and_the_same_each_time(name: str) -> None:
    assert 0 <= fraction_of(name) < 1
    assert fraction_of(name) == fraction_of(name)


def test_fractions_are_the_same_for_ever() -> None:
    """After an update of this program, too: a fleet must not be asked at other times because of it."""
    assert [round(fraction_of(n), 6) for n in ("shop-api", "a", "")] == [0.425026, 0.253794, 0.893168]


@pytest.mark.parametrize("pattern", ["check-{}", "{}", "https-{}.example.com", "c{:05}"])
def test_names_are_spread_evenly(pattern: str) -> None:
    count, bins = 5000, 50
    filled = [0] * bins
    for n in range(count):
        filled[int(fraction_of(pattern.format(n)) * bins)] += 1
    expected = count / bins
    chi_squared = sum((f - expected) ** 2 / expected for f in filled)
    assert chi_squared < 95, filled  # 49 degrees of freedom: more by chance once in 10,000


starts = st.builds(Moment, st.floats(0, 4e9), st.floats(0, 1e7))
intervals = st.floats(0.05, 1e5) | st.sampled_from([0.05, 0.1, 0.3, 0.7, 1 / 3, 1.1, 1.3, 2.5, 10.0, 60.0])


@given(names, intervals, st.floats(0, 1), starts, st.floats(0, 1e6))
def test_a_retry_comes_after_its_interval_or_the_grid_comes_first(
    name: str, interval: float, share: float, start: Moment, later: float
) -> None:
    times, now = due_times(name, interval, start), start.steady + later
    retry = max(0.1, share * interval)
    at, grid = times.retry(retry, now), times.next(now)
    if at is None:
        assert grid <= now + retry, "a failure is looked at again within the retry interval, one way or the other"
    else:
        assert at == now + retry < grid, "no due time moves, and none is doubled"


def test_a_retry_that_would_come_at_a_due_time_is_left_to_it() -> None:
    times = DueTimes(0.0, 10.0)
    assert times.retry(5.0, 15.0) is None
    assert times.retry(5.0, 14.5) == 19.5


@given(st.floats(0, 1e7), intervals, st.floats(0, 1e6))
def test_nothing_is_due_before_the_first_due_time(first: float, interval: float, before: float) -> None:
    times, earlier = DueTimes(first, interval), first - before
    assert times.until(math.nextafter(earlier, -math.inf)) == times.number_from(earlier) == 0
    assert times.next(earlier) == first
    assert times.between(earlier, first) == (earlier < first)
    assert times.between(first + interval, earlier) == 0, "to an earlier moment, none"


@given(names, intervals, starts, st.floats(0, 1e6), st.floats(0, 1e4))
def test_due_times_are_counted_between_any_two_moments(
    name: str, interval: float, start: Moment, later: float, more: float
) -> None:
    times = due_times(name, interval, start)
    assert start.steady <= times.first <= start.steady + interval
    now = start.steady + later
    due = times.next(now)
    assert due >= max(now, times.first)
    assert due - max(now, times.first) <= interval * (1 + 1e-6)
    before, end = start.steady - 1, now + more
    assert times.between(before, now) + times.between(now, end) == times.between(before, end)
    assert times.between(due - interval / 2, due + interval / 2) == 1


@given(st.floats(0, 1e7), intervals, st.integers(0, 10**6), st.integers(0, 1000))
def test_a_run_that_was_answered_is_not_outstanding(first: float, interval: float, number: int, more: int) -> None:
    """Answered up to one due time, at a later one exactly those between them are outstanding: not one more or less."""
    times = DueTimes(first, interval)
    settled, now = times.at(number), times.at(number + more)
    assert times.between(settled, now) == more
    assert times.between(settled, math.nextafter(now, -math.inf)) == max(0, more - 1)
    assert times.number_from(settled) == number
    assert times.until(settled) == number + 1


@given(names, intervals, starts, st.floats(0, 1e7), st.floats(0, 1e6))
def test_due_times_are_the_same_after_a_restart(
    name: str, interval: float, start: Moment, steady: float, later: float
) -> None:
    """In Unix time, whatever the steady clock of the next process, or machine, says."""
    restarted = Moment(start.wall + later, steady)
    first, second = due_times(name, interval, start), due_times(name, interval, restarted)
    apart = (first.first - start.steady + start.wall) - (second.first - restarted.steady + restarted.wall)
    assert abs(math.remainder(apart, interval)) < 1e-5
    unix = second.first - restarted.steady + restarted.wall
    assert abs(math.remainder(unix - fraction_of(name) * interval, interval)) < 1e-5


# the grid

FIRST = datetime(2026, 1, 1, tzinfo=UTC)


@given(st.sampled_from([0.05, 0.1, 1 / 3, 0.7, 1.0, 2.5, 10.0, 3600.0]), st.integers(1, 3000))
def test_a_grid_does_not_drift(interval: float, runs: int) -> None:
    grid = Grid(FIRST, interval)
    fire = grid.get_next_fire_time(None, FIRST)
    assert fire == FIRST
    for _ in range(runs):
        fire = grid.get_next_fire_time(fire, fire)
    assert abs((fire - FIRST).total_seconds() - runs * interval) < 2e-6


@given(st.sampled_from([0.05, 0.1, 1 / 3, 1.0, 10.0]), st.floats(0, 1e5))
def test_after_a_gap_a_grid_goes_on_where_it_would_have_been(interval: float, gap: float) -> None:
    grid = Grid(FIRST, interval)
    now = FIRST + timedelta(seconds=gap)
    fire = grid.get_next_fire_time(None, now)
    n = (fire - FIRST).total_seconds() / interval
    assert abs(n - round(n)) < 1e-3
    assert -1e-3 < (fire - now).total_seconds() <= interval + 1e-3


def test_a_grid_never_fires_twice_at_one_time() -> None:
    grid = Grid(FIRST, 1 / 3)
    fires = [FIRST]
    for _ in range(5000):
        fires.append(grid.get_next_fire_time(fires[-1], fires[-1]))
    gaps = {round((b - a).total_seconds(), 4) for a, b in itertools.pairwise(fires)}
    assert gaps == {0.3333}


def test_a_grid_waits_for_its_first_time() -> None:
    assert Grid(FIRST, 10).get_next_fire_time(None, FIRST - timedelta(seconds=35)) == FIRST


# steady time


class Clocks:
    """Two clocks that tests hold, in the place of the module's `time`."""

    def __init__(self) -> None:
        self.steady, self.ahead = 100.0, 1_700_000_000.0

    def time(self) -> float:
        return self.steady + self.ahead

    def monotonic(self) -> float:
        return self.steady


@given(st.lists(st.tuples(st.floats(0, 1e5), st.floats(-1e8, 1e8)), max_size=10))
def test_steady_time_follows_the_monotonic_clock_only(moves: list[tuple[float, float]]) -> None:
    clocks = Clocks()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "time", clocks)
        zone = SteadyTime()
        began = zone.at(clocks.steady)
        for passed, step in moves:
            clocks.steady += passed
            clocks.ahead = max(0.0, clocks.ahead + step)
            now = zone.fromutc(datetime.fromtimestamp(clocks.time(), UTC).replace(tzinfo=zone))
            assert abs((now - began).total_seconds() - (clocks.steady - 100.0)) < 1e-4
            assert abs((now - zone.at(clocks.steady)).total_seconds()) < 1e-4


def test_steady_time_is_utc_as_long_as_nobody_sets_the_clock() -> None:
    zone = SteadyTime()
    assert abs(datetime.now(zone).replace(tzinfo=UTC) - datetime.now(UTC)) < timedelta(seconds=1)
    assert datetime.now(zone).utcoffset() == timedelta(0)
    assert zone.tzname(None)


# the schedule on a loop


class Diary:
    """A schedule, and what it said was due."""

    def __init__(self) -> None:
        self.runs: list[tuple[str, float, int, float]] = []
        self.beats = 0
        self.news = asyncio.Event()
        self.schedule = Schedule(self._due, self._beat, system_clock)

    def _due(self, job: Job, due: float, missed: int) -> None:
        self.runs.append((job.spec.name, due, missed, time.monotonic()))
        self.news.set()

    def _beat(self) -> None:
        self.beats += 1
        self.news.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                self.news.clear()
                await self.news.wait()

    def of(self, name: str) -> list[float]:
        return [due for n, due, _, _ in self.runs if n == name]


def job(name: str, interval: float, **over: object) -> Job:
    return Job(spec(name=name, interval=interval, **over))


def named(*jobs: Job) -> dict[str, Job]:
    return {each.spec.name: each for each in jobs}


@pytest.fixture
async def diary() -> AsyncIterator[Diary]:
    made = Diary()
    made.schedule.start()
    yield made
    made.schedule.stop()


async def test_due_times_are_on_the_grid_of_unix_time(diary: Diary) -> None:
    jobs = [job(f"r{n}", interval) for n, interval in enumerate((0.05, 0.1, 0.3, 1.0, 1.3))]
    diary.schedule.apply(named(*jobs))
    await diary.until(lambda: all(len(diary.of(r.spec.name)) >= 2 for r in jobs))
    epoch = diary.schedule.epoch
    for r in jobs:
        interval = r.spec.interval
        for _, due, missed, fired in [run for run in diary.runs if run[0] == r.spec.name]:
            unix = due - epoch.steady + epoch.wall
            assert abs(math.remainder(unix - fraction_of(r.spec.name) * interval, interval)) < 1e-5
            assert due_times(r.spec.name, interval, epoch).next(due) == due, "the same float, whoever computes it"
            assert fired >= due - 0.002
            assert missed >= 0
        dues = diary.of(r.spec.name)
        skipped = sum(missed for name, _, missed, _ in diary.runs if name == r.spec.name)
        assert round((dues[-1] - dues[0]) / interval) == len(dues) - 1 + skipped - diary.runs[0][2]


async def test_the_beat_goes_on_without_checks(diary: Diary) -> None:
    diary.schedule.apply(named())
    await diary.until(lambda: diary.beats >= 2)
    assert time.monotonic() - diary.schedule.last_beat < 5


async def test_runs_that_were_missed_are_counted(diary: Diary) -> None:
    one = job("one", 0.2)
    diary.schedule.apply(named(one))
    await diary.until(lambda: bool(diary.runs))
    count = len(diary.runs)
    time.sleep(1.1)  # noqa: ASYNC251 - what is tested
    await diary.until(lambda: len(diary.runs) > count + 1)
    missed = [m for _, _, m, _ in diary.runs[count:]]
    assert 3 <= sum(missed) <= 8
    dues = diary.of("one")
    assert round((dues[-1] - dues[0]) / 0.2) == len(dues) - 1 + sum(m for _, _, m, _ in diary.runs[1:])


async def test_a_check_that_is_scheduled_already_is_not_touched(diary: Diary) -> None:
    kept, other = job("kept", 5.0), job("other", 5.0)
    diary.schedule.apply(named(kept, other))
    entry = diary.schedule._entries["kept"]
    handle, due = entry.handle, entry.due
    for checks in ([kept], [kept, job("new", 5.0)], [kept, job("new", 3.0)]):
        diary.schedule.apply(named(*checks))
        assert diary.schedule._entries["kept"] is entry
        assert entry.due == due
        assert entry.handle is handle
    assert set(diary.schedule._entries) == {"kept", "new"}


async def test_a_changed_interval_moves_to_its_own_grid(diary: Diary) -> None:
    one = job("one", 5.0)
    diary.schedule.apply(named(one))
    one.spec = spec(name="one", interval=0.2)
    diary.schedule.apply(named(one))
    await diary.until(lambda: len(diary.runs) >= 2)
    assert diary.runs[0][1] in {due_times("one", 0.2, diary.schedule.epoch).at(n) for n in range(200)}


async def test_a_paused_check_is_not_scheduled(diary: Diary) -> None:
    diary.schedule.apply(named(job("off", 0.05, enabled=False), job("on", 0.05)))
    await diary.until(lambda: len(diary.of("on")) >= 3)
    assert not diary.of("off")


async def test_a_new_check_runs_within_its_interval_whenever_it_comes(diary: Diary) -> None:
    for n in range(5):
        one = job(f"late-{n}", 1.0)
        before = time.monotonic()
        diary.schedule.apply(named(one))
        assert before <= diary.schedule._entries[f"late-{n}"].due <= time.monotonic() + 1.0
        await asyncio.sleep(0.07)


async def test_no_slot_and_no_job_stays_behind(diary: Diary) -> None:
    for turn in range(20):
        diary.schedule.apply(named(*(job(f"r{turn}-{n}", 1.0 + turn) for n in range(10))))
    diary.schedule.apply(named())
    assert not diary.schedule._slots
    assert [job.id for job in diary.schedule._scheduler.get_jobs()] == ["beat"]


async def test_nothing_is_due_after_the_stop(diary: Diary) -> None:
    diary.schedule.apply(named(job("one", 0.05)))
    await diary.until(lambda: len(diary.runs) >= 2)
    diary.schedule.stop()
    count = len(diary.runs)
    diary.news.clear()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(diary.news.wait(), 0.3)
    assert len(diary.runs) == count
    diary.schedule.stop()


def hold_up_loop_for(seconds: float) -> None:
    time.sleep(seconds)


async def test_a_beat_that_is_due_at_the_stop_is_no_error(diary: Diary, caplog: pytest.LogCaptureFixture) -> None:
    hold_up_loop_for(BEAT)
    diary.schedule._scheduler.wakeup()
    diary.schedule.stop()
    for _ in range(5):
        await asyncio.sleep(0)
    assert not caplog.records


async def test_ten_thousand_checks_are_scheduled_at_once_and_cheaply(diary: Diary) -> None:
    jobs = [job(f"many-{n}", 60.0) for n in range(10_000)]
    began = time.process_time()
    diary.schedule.apply(named(*jobs))
    assert time.process_time() - began < 3
    assert len(diary.schedule._scheduler.get_jobs()) <= 61
    began = time.process_time()
    diary.schedule.apply(named(*jobs))
    assert time.process_time() - began < 0.5
