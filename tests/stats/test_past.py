"""Time and results, counted once each, whatever the clocks and the process do."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import Struct, msgpack

from monitor.model.clock import Moment
from monitor.model.outcome import Outcome, Reason, State
from monitor.model.result import Result
from monitor.stats.presence import Presence
from monitor.stats.rollups import DAY, HOUR, MINUTE, Past, SavedPast, decode_tally, encode_tally
from monitor.stats.tally import Tally, bucket_of, total
from monitor.stats.windows import DAY as RING_DAY
from monitor.stats.windows import SLOT, Recent, Ring
from tests.made import reasons

WALL = 1_790_000_000.0
START = Moment(WALL, 1000.0)


def good(at: float, took: float = 0.1) -> Result:
    return Result("a", at, Reason.OK, "", took)


def everything(past: Past) -> Tally:
    """All that was counted, closed or not."""
    closed = [decode_tally(data) for step, _, data in past.closed() if step == MINUTE]
    return total([*closed, past.minute.tally])


class Living:
    """A past that lives by clocks of its own."""

    def __init__(self) -> None:
        self.now = START
        self.past = Past(Presence(START), START)
        self.kept: list[tuple[int, int, bytes]] = []

    def lives(self, seconds: float, state: State = State.UP) -> None:
        self.now = Moment(self.now.wall + seconds, self.now.steady + seconds)
        self.past.presence.seen(self.now)
        self.past.stand(state, self.now)
        rows = self.past.closed()
        self.kept += rows
        self.past.kept(rows)

    def lives_through(self, step: float, *, counting: bool = False) -> None:
        """Two minutes, a step of the wall clock, and two more minutes, maybe with a result every two seconds."""
        for _ in range(60):
            self.lives(2.0)
        self.now = Moment(self.now.wall + step, self.now.steady)
        for _ in range(60):
            self.lives(2.0)
            if counting:
                self.past.count(good(self.now.wall), self.now)

    def all(self, step: int) -> list[Tally]:
        """Every stretch of a length, the open one last."""
        opened = {MINUTE: self.past.minute, HOUR: self.past.hour, DAY: self.past.day}[step]
        closed = [decode_tally(data) for length, _, data in (*self.kept, *self.past.closed()) if length == step]
        return [*closed, opened.tally]


STATES = st.sampled_from([s for s in State if s is not State.UNKNOWN])


@given(st.lists(st.tuples(st.floats(0.01, 2.9), STATES), min_size=1, max_size=300))
def test_time_is_neither_lost_nor_counted_twice(lived: list[tuple[float, State]]) -> None:
    living = Living()
    for seconds, state in lived:
        living.lives(seconds, state)
    for state in {state for _, state in lived}:
        asked = sum(seconds for seconds, s in lived if s is state)
        assert sum(getattr(t, state.value) for t in living.all(MINUTE)) == pytest.approx(asked, abs=0.1)
    for tally in living.all(MINUTE)[:-1]:
        assert sum((tally.up, tally.degraded, tally.down, tally.maintenance, tally.paused)) <= MINUTE + 0.01


@given(st.lists(st.floats(0.5, 2.9), min_size=30, max_size=300), st.integers(1, 60))
def test_minutes_sum_up_to_hours_and_days(steps: list[float], runs_every: int) -> None:
    living = Living()
    for number, seconds in enumerate(steps * 20):
        living.lives(seconds)
        if number % runs_every == 0:
            living.past.count(good(living.now.wall), living.now)
    minutes = total(living.all(MINUTE))
    for step in (HOUR, DAY):
        summed = total([*living.all(step), living.past.minute.tally])
        assert summed.runs == minutes.runs
        assert summed.up == pytest.approx(minutes.up, abs=0.5)
        assert summed.latencies == minutes.latencies


LIVED = st.tuples(
    st.sampled_from([0.25, 1.0, 2.5, 3.0, 3.25, 30.0, 61.0, 3600.0, 90_000.0]),
    st.sampled_from(State),
    st.integers(0, 2),
)


@example([(2.5, State.MAINTENANCE, 0)] * 30, 0.25, State.MAINTENANCE)
@example([(2.5, State.PAUSED, 0)] * 30, 0.25, State.PAUSED)
@example([(2.5, State.UNKNOWN, 1)] * 30, 59.0, State.DOWN)
@given(st.lists(LIVED, max_size=60), st.sampled_from([0.0, 0.25, 59.0]), st.sampled_from(State))
def test_each_minute_hour_and_day_holds_the_time_and_the_runs_that_were_in_it(
    lived: list[tuple[float, State, int]], since: float, last: State
) -> None:
    """A model beside it that cuts each stretch of time at every boundary. More than 3 s are a gap."""
    living, model = Living(), defaultdict[tuple[int, float], Tally](Tally)

    def stood(state: State, start: float, end: float) -> None:
        for step in (MINUTE, HOUR, DAY):
            at = start
            while at < end:
                until = min(end, at // step * step + step)
                model[step, at // step * step].stand(state, until - at)
                at = until

    for seconds, state, runs in lived:
        before = living.now.wall
        living.lives(seconds, state)
        if seconds <= 3:
            stood(state, before, living.now.wall)
        if runs:
            living.past.count(good(before, 0.25), living.now, runs)
            for step in (MINUTE, HOUR, DAY):
                model[step, living.now.wall // step * step].count(good(before, 0.25), runs)
    now = Moment(living.now.wall + since, living.now.steady + since)
    stood(last, living.now.wall, min(now.wall, living.past.minute.start + MINUTE))
    rows = [(step, start, decode_tally(data)) for step, start, data in living.kept]
    found = [
        (step, start, tally) for step, start, tally in [*rows, *living.past.stretches(last, now)] if tally != Tally()
    ]
    assert sorted(found) == sorted((*key, tally) for key, tally in model.items() if tally != Tally())
    *_, minute, hour, day = living.past.stretches(last, now)
    assert (minute.step, hour.step, day.step) == (60, 3600, 86400)
    assert minute.tally == living.past.open_minute(last, now)


@pytest.mark.parametrize("put_back", [30.0, 1800.0, 3600.0, 3661.0])
def test_a_time_that_a_clock_shows_again_is_counted_again(put_back: float) -> None:
    living = Living()
    for _ in range(30):
        living.lives(2.0)
    living.now = Moment(living.now.wall - put_back, living.now.steady)
    for _ in range(30):
        living.lives(2.0)
    assert sum(t.up for t in living.all(MINUTE)) == pytest.approx(120)
    assert sum(t.up for t in living.all(HOUR)) + living.past.minute.tally.up == pytest.approx(120)


def test_a_result_counts_to_the_open_minute_if_it_is_a_minute_older_and_to_its_own_after_more() -> None:
    past, minute = Past(Presence(START), START), WALL // MINUTE * MINUTE
    for at, opened, runs in ((WALL, minute, 1), (WALL - 60, minute, 2), (WALL - 120, minute - 120, 1)):
        past.count_at(good(WALL), at)
        assert (past.minute.start, past.minute.tally.runs) == (opened, runs)
    past.count(good(WALL), Moment(WALL - 120, 1000.0))
    assert past.minute.tally.runs == 2


def test_no_minute_holds_time_from_before_it() -> None:
    past = Past(Presence(START), START)
    begins = WALL // MINUTE * MINUTE + MINUTE
    past.count_at(good(begins), begins)
    for second in range(1, 47):
        now = Moment(WALL + second, START.steady + second)
        past.presence.seen(now)
        if now.wall in (begins - 10, begins + 6):
            past.stand(State.UP, now)
            assert everything(past).up == past.minute.tally.up == max(0.0, now.wall - begins)
    assert past.minute.tally.up == 6.0


def test_a_minute_that_a_clock_goes_through_again_is_stored_once() -> None:
    presence, now = Presence(START), START
    past = Past(presence, now)
    for put_back in (0.0, 7200.0, -7200.0, 7200.0, -7200.0):
        now = Moment(now.wall - put_back, now.steady)
        for _ in range(60):
            now = Moment(now.wall + 1, now.steady + 1)
            presence.seen(now)
            past.stand(State.UP, now)
    past.count_at(good(now.wall), now.wall + DAY)
    keys = [(step, start) for step, start, _ in past.closed()]
    assert len(keys) == len(set(keys))
    assert sum(decode_tally(data).up for step, _, data in past.closed() if step == DAY) == 300


def test_presence_is_what_lies_between_the_gaps() -> None:
    presence = Presence(Moment(0.0, 0.0))
    for seen in (3.0, 10.0, 13.0, 20.0, 22.0):
        presence.seen(Moment(seen, seen))
    assert list(presence.gaps) == [(3.0, 10.0), (13.0, 20.0)]
    for (start, end), there in {
        (0.0, 22.0): [(0.0, 3.0), (10.0, 13.0), (20.0, 22.0)],
        (3.0, 13.0): [(10.0, 13.0)],
        (4.0, 9.0): [],
        (5.0, 12.0): [(10.0, 12.0)],
        (1.0, 5.0): [(1.0, 3.0)],
        (10.0, 12.0): [(10.0, 12.0)],
        (12.0, 13.0): [(12.0, 13.0)],
        (20.0, 30.0): [(20.0, 30.0)],
        (21.0, 21.0): [],
    }.items():
        assert list(presence.within(start, end)) == there, (start, end)
    assert [presence.since(start) for start in (19.0, 20.0, 21.0)] == [False, True, True]
    for number in range(200):
        presence.seen(Moment(30.0 + number * 10, 30.0 + number * 10))
    assert len(presence.gaps) == 100


def test_a_stretch_in_which_the_process_stood_still_is_unknown() -> None:
    living = Living()
    living.lives(2.0)
    living.lives(300.0)  # SIGSTOP: without a sign of life
    living.lives(2.0)
    assert sum(t.up for t in living.all(MINUTE)) == pytest.approx(4.0)


def test_a_clock_that_is_put_forward_leaves_a_gap() -> None:
    living = Living()
    living.lives(2.0)
    living.now = Moment(living.now.wall + 7200, living.now.steady)
    living.lives(2.0)
    assert sum(t.up for t in living.all(MINUTE)) == pytest.approx(4.0)
    starts = [start for step, start, _ in living.kept if step == MINUTE]
    assert len(starts) == 1


@given(st.floats(-9000, 9000))
def test_time_after_a_step_of_the_clock_counts_like_any_other(step: float) -> None:
    """To within the second below which a step is taken for a correction."""
    living = Living()
    living.lives_through(step, counting=True)
    assert sum(t.up for t in living.all(MINUTE)) == pytest.approx(240, abs=2.5)
    assert sum(t.runs for t in living.all(MINUTE)) == 60
    lately = living.past.recent.availability(living.now.wall, 1, living.past.minute.tally)
    assert lately == 1.0


@given(st.floats(-1, -0.001))
def test_a_clock_that_is_corrected_by_little_makes_no_minute_begin_twice(step: float) -> None:
    living = Living()
    living.lives_through(step)
    starts = [start for length, start, _ in living.kept if length == MINUTE]
    assert starts == sorted(set(starts))
    assert all(t.up <= MINUTE + 0.01 for t in living.all(MINUTE))


@pytest.mark.parametrize(
    ("step", "minutes", "hours", "days"), [(MINUTE, 30, 1, 0), (HOUR, 30, 48, 3), (DAY, 30, 48, 30)]
)
def test_a_database_that_is_away_costs_the_oldest_stretches_of_each_length(
    step: int, minutes: int, hours: int, days: int
) -> None:
    past, count = Past(Presence(START), START), 61
    for number in range(count + 1):
        past.count_at(good(WALL), WALL + number * step)
    for length, kept in ((MINUTE, minutes), (HOUR, hours), (DAY, days)):
        starts = [start for one, start, _ in past.closed() if one == length]
        assert len(starts) == kept
        assert starts == sorted(starts)
        assert not starts or WALL + count * step - starts[-1] < length + max(length, step)
        assert not starts or starts[-1] - starts[0] == (kept - 1) * max(length, step)


@given(st.integers(0, 4000), st.integers(0, 4000), st.integers(0, 7200))
def test_what_was_kept_and_what_came_since_add_up(before: int, after: int, pause: int) -> None:
    """As after a restart, and as after a database that came late."""
    old = Living()
    for _ in range(before // 2):
        old.lives(2.0)
    saved = msgpack.decode(msgpack.encode(old.past.saved()), type=SavedPast)
    new = Living()
    new.now = Moment(old.now.wall + pause, 5.0)
    new.past = Past(Presence(new.now), new.now)
    for _ in range(after // 2):
        new.lives(2.0)
    new.past.absorb(Past.of(saved), new.now)
    new.lives(0.0)
    for step in (MINUTE, HOUR, DAY):
        kept = [*old.kept, *new.kept]
        known = [decode_tally(data) for length, _, data in kept if length == step]
        opened = {MINUTE: new.past.minute, HOUR: new.past.hour, DAY: new.past.day}[step].tally
        extra = new.past.minute.tally.up if step != MINUTE else 0.0
        summed = sum(t.up for t in known) + opened.up + extra
        assert summed == pytest.approx(before // 2 * 2 + after // 2 * 2, abs=1)


SECONDS = st.lists(st.tuples(st.sampled_from([1.0, 3.0, 30.0, 61.0, 3600.0, 90_000.0]), STATES), max_size=12)


@given(SECONDS, SECONDS, st.sampled_from([4.0, 70.0, 4000.0, 100_000.0]))
@example([(3.0, State.UP)] * 20, [(3.0, State.DOWN)] * 20, 4.0)
@example([(3.0, State.UP), (61.0, State.UP)] * 3, [(3.0, State.DOWN), (61.0, State.UP)] * 3, 4.0)
def test_a_restart_is_a_gap_in_one_past(
    before: list[tuple[float, State]], after: list[tuple[float, State]], pause: float
) -> None:
    whole, old = Living(), Living()
    for lived in before:
        for living in (whole, old):
            living.lives(*lived)
            living.past.count(good(WALL, 0.25), living.now)
    saved = msgpack.decode(msgpack.encode(old.past.saved()), type=SavedPast)
    whole.lives(pause)
    new = Living()
    new.now = Moment(whole.now.wall, 5.0)
    new.past = Past(Presence(new.now), new.now)
    for seconds, state in after:
        whole.lives(seconds, state)
        new.now = Moment(new.now.wall + seconds, new.now.steady + seconds)
        new.past.presence.seen(new.now)
        new.past.stand(state, new.now)
        for living in (whole, new):
            living.past.count(good(WALL, 0.25), living.now)
    new.past.absorb(Past.of(saved), new.now)
    whole.past._minute(whole.now.wall)  # as a restart begins with it

    def all_of(rows: list[tuple[int, int, bytes]], past: Past, now: Moment) -> list[tuple[int, int, Tally]]:
        stored = [(step, start, decode_tally(data)) for step, start, data in rows]
        return sorted(one for one in [*stored, *past.stretches(State.UNKNOWN, now)] if one[2] != Tally())

    stored = [*old.kept, *old.past.closed()]
    assert all_of(stored, new.past, new.now) == all_of(whole.kept, whole.past, whole.now)
    ours, theirs = new.past, whole.past
    assert ours.recent.day(new.now.wall, ours.minute.tally) == theirs.recent.day(new.now.wall, theirs.minute.tally)
    for days in (1, 7):
        seen = ours.recent.availability(new.now.wall, days, ours.minute.tally)
        assert seen == theirs.recent.availability(new.now.wall, days, theirs.minute.tally)


@pytest.mark.parametrize(("put_back", "closed"), [(600.0, [MINUTE]), (DAY, [MINUTE, HOUR, DAY])])
def test_what_a_past_holds_from_before_a_clock_was_put_back_is_closed(put_back: float, closed: list[int]) -> None:
    now = Moment(WALL - put_back, 5.0)
    old, past = Past(Presence(START), START), Past(Presence(now), now)
    old.count_at(good(WALL), WALL)
    past.count_at(good(WALL), now.wall)
    past.absorb(old, now)
    rows = {(step, start): decode_tally(data).runs for step, start, data in past.closed()}
    assert rows == {(step, WALL // step * step): 1 for step in closed}
    assert (past.minute.start, past.minute.tally.runs) == (now.wall // MINUTE * MINUTE, 1)


TALLIES = st.builds(
    Tally,
    **{name: st.floats(0, 86400) for name in ("up", "degraded", "down", "maintenance", "paused")},
    **{
        name: st.integers(0, 10**6)
        for name in ("runs", "http_errors", "connection_errors", "timeouts", "unexpected_answers", "inconclusive")
    },
    duration_sum=st.floats(0, 1e6),
    duration_min=st.none() | st.floats(0, 1e4),
    duration_max=st.none() | st.floats(0, 1e4),
    latencies=st.dictionaries(st.integers(0, 250), st.integers(1, 10**6), max_size=5),
)


@given(TALLIES)
@example(Tally(runs=9, http_errors=2, unexpected_answers=1, latencies={0: 6}))
@example(Tally(runs=9, http_errors=2, unexpected_answers=3, latencies={1: 4}))
@example(Tally(runs=9, http_errors=2, latencies={1: 7}))
@example(Tally(runs=2, http_errors=2))
def test_a_tally_comes_back_as_it_was(tally: Tally) -> None:
    again = decode_tally(encode_tally(tally))
    for name in Tally.__struct_fields__:
        ours, theirs = getattr(tally, name), getattr(again, name)
        assert theirs == (pytest.approx(ours, abs=0.0011) if isinstance(ours, float) else ours), name


_older = msgpack.Decoder(
    tuple[int, int, int, int, int, int, int, int, int, int, int, int | None, int | None, dict[int, int]]
).decode
"""How versions read a tally that know no unexpected answers."""


def test_a_tally_is_stored_in_milliseconds_and_microseconds() -> None:
    tally = Tally(1.5, 2.5, 3.5, 4.5, 5.5, 12, 1, 2, 3, 1, 0.75, 0.25, 0.5, {0: 2, 80: 1}, 2)
    latencies = {0: 2, 80: 1, -2: 0}
    assert _older(encode_tally(tally)) == (
        *(1500, 2500, 3500, 4500, 5500, 12, 3, 2, 3, 1, 750_000, 250_000, 500_000),
        latencies,
    )
    assert -2 not in decode_tally(encode_tally(tally)).latencies


def test_no_more_answers_are_unexpected_than_the_errors_they_were_written_among() -> None:
    found = decode_tally(msgpack.encode((0, 0, 0, 0, 0, 3, 1, 0, 0, 0, 0, None, None, {-3: 0})))
    assert (found.unexpected_answers, found.http_errors) == (1, 0)


@given(TALLIES)
def test_an_older_version_reads_unexpected_answers_as_http_errors(tally: Tally) -> None:
    found = _older(encode_tally(tally))
    assert found[5:10] == (
        tally.runs,
        tally.http_errors + tally.unexpected_answers,
        tally.connection_errors,
        tally.timeouts,
        tally.inconclusive,
    )
    assert sum(found[-1].values()) == sum(tally.latencies.values())
    assert {bucket: count for bucket, count in found[-1].items() if count} == tally.latencies


class _OlderTally(Struct, array_like=True):
    """A tally as such a version keeps it within what it saves of a check."""

    up: float = 0.0
    degraded: float = 0.0
    down: float = 0.0
    maintenance: float = 0.0
    paused: float = 0.0
    runs: int = 0
    http_errors: int = 0
    connection_errors: int = 0
    timeouts: int = 0
    inconclusive: int = 0
    duration_sum: float = 0.0
    duration_min: float | None = None
    duration_max: float | None = None
    latencies: dict[int, int] = {}


@given(TALLIES)
def test_what_is_saved_of_a_check_is_read_by_older_and_newer_versions(tally: Tally) -> None:
    older = msgpack.decode(msgpack.encode(tally), type=_OlderTally)
    assert (older.runs, older.timeouts, older.latencies) == (tally.runs, tally.timeouts, tally.latencies)
    newer = msgpack.decode(msgpack.encode(older), type=Tally)
    assert (newer.runs, newer.unexpected_answers, newer.latencies) == (tally.runs, 0, tally.latencies)


@given(st.lists(st.floats(1e-5, 3600), min_size=1, max_size=200), st.floats(0.01, 1.0))
def test_percentiles_are_true_to_within_five_hundredths(took: list[float], share: float) -> None:
    tally = Tally()
    for seconds in took:
        tally.count(good(0.0, seconds))
    exact = sorted(took)[max(0, -(-int(share * len(took) * 1e9) // 10**9) - 1)]
    near = [v for v in took if bucket_of(v) == bucket_of(exact)]
    found = tally.percentile(share)
    assert found is not None
    neighbours = [v for v in (exact, *near, *took) if abs(v - found) <= 0.055 * v + 1e-4]
    assert neighbours, "no duration near it"
    assert min(took) <= found <= max(took)


RESULTS = st.builds(
    Result,
    st.just("a"),
    st.just(0.0),
    reasons,
    st.just(""),
    st.none() | st.sampled_from([0.0, 0.25, 1.0, 2.5, 3600.0]),
)


@example([(good(0.0, took), 2) for took in (1.0, 0.25, 2.5, 1.0)] + [(Result("a", 0.0, Reason.REFUSED, ""), 1)], [])
@given(st.lists(st.tuples(RESULTS, st.integers(1, 3)), max_size=20), st.lists(st.tuples(STATES, st.integers(1, 9))))
def test_a_tally_is_the_sum_of_its_parts_and_of_its_results(
    found: list[tuple[Result, int]], stood: list[tuple[State, int]]
) -> None:
    whole, parts = Tally(), list[Tally]()
    for result, runs in found:
        parts.append(Tally())
        for tally in (whole, parts[-1]):
            tally.count(result, runs)
    for state, seconds in stood:
        parts.append(Tally())
        for tally in (whole, parts[-1]):
            tally.stand(state, seconds)
    assert total(parts) == whole
    assert (whole.good, whole.known) == (whole.up + whole.degraded, whole.up + whole.degraded + whole.down)
    for outcome, counted in (
        (Outcome.SUCCESS, whole.successes),
        (Outcome.HTTP_ERROR, whole.http_errors),
        (Outcome.CONNECTION_ERROR, whole.connection_errors),
        (Outcome.TIMEOUT, whole.timeouts),
        (Outcome.UNEXPECTED_ANSWER, whole.unexpected_answers),
        (Outcome.INCONCLUSIVE, whole.inconclusive),
    ):
        assert counted == sum(runs for result, runs in found if result.outcome is outcome), outcome
    assert whole.failures == whole.runs - whole.successes - whole.inconclusive
    took = [r.duration for r, _ in found if r.outcome is Outcome.SUCCESS and r.duration is not None]
    assert whole.duration_sum == sum(took)
    assert (whole.duration_min, whole.duration_max) == (min(took, default=None), max(took, default=None))
    assert whole.mean == (sum(took) / len(took) if took else None)


@given(st.floats(0, 1e6))
def test_each_bucket_is_a_tenth_wider_than_the_one_below(seconds: float) -> None:
    bucket = bucket_of(seconds)
    if bucket:
        assert seconds >= 1e-4 * 1.1**bucket * (1 - 1e-9)
    if seconds <= DAY:
        assert seconds < 1e-4 * 1.1 ** (bucket + 1) * (1 + 1e-9)


def test_the_first_bucket_holds_what_is_quicker_and_the_last_what_is_longer_than_a_day() -> None:
    assert [bucket_of(seconds) for seconds in (0.0, 1e-4, 1.0999e-4, 1.1001e-4)] == [0, 0, 0, 1]
    assert [bucket_of(seconds) for seconds in (75_000.0, 80_000.0, 86_400.0, 1e9)] == [214, 215, 215, 215]


def test_a_percentile_is_the_middle_of_its_bucket_within_what_was_measured() -> None:
    tally = Tally()
    assert tally.percentile(0.5) is None
    for seconds in (1.0, 0.1, 0.1, 0.1):
        tally.count(good(0.0, seconds))
    assert tally.runs == 4
    assert tally.percentile(0.75) == pytest.approx(0.1, rel=0.05)
    assert tally.percentile(0.76) == tally.percentile(1.0) == pytest.approx(1.0, rel=0.05)
    assert Tally(latencies={72: 1}).percentile(0.5) == pytest.approx(1e-4 * 1.1**72.5)
    quick = Tally(latencies={0: 1, 72: 1}, duration_min=0.0, duration_max=0.1)
    assert quick.percentile(0.5) == pytest.approx(1e-4 * 1.1**0.5)
    assert Tally(latencies={72: 1}, duration_min=0.2, duration_max=0.3).percentile(0.5) == 0.2
    assert Tally(latencies={72: 1}, duration_min=0.01, duration_max=0.02).percentile(0.5) == 0.02


def test_availability_leaves_out_what_is_not_known() -> None:
    tally = Tally(up=50.0, degraded=40.0, down=10.0, maintenance=100.0)
    assert tally.availability == 0.9
    assert tally.coverage(300.0) == 0.5
    assert Tally().availability is None
    assert Tally(maintenance=60.0).coverage(60.0) is None
    assert Tally(maintenance=20.0, paused=40.0).coverage(60.0) is None
    assert Tally(up=10.0, maintenance=20.0, paused=20.0).coverage(60.0) == 0.5
    assert Tally(up=0.5, maintenance=59.0).coverage(60.0) == 0.5
    assert Tally(up=61.0).coverage(60.0) == 1.0
    assert Tally(down=0.5).availability == 0.0


# the ring


@given(st.lists(st.integers(0, 300), max_size=100), st.integers(0, 400))
def test_a_ring_holds_the_last_ninety_and_nothing_else(numbers: list[int], now: int) -> None:
    ring, expected = Ring(RING_DAY), dict[int, float]()
    newest = 0
    for number in numbers:
        newest = max(newest, number)
        ring.add(number * RING_DAY, (1.0, 0.0))
        if number > newest - 91:
            expected[number] = expected.get(number, 0.0) + 1
        expected = {n: count for n, count in expected.items() if n > newest - 91}
    shown = [good_ for good_, _ in ring.values(now * RING_DAY)]
    assert shown == [expected.get(n, 0.0) for n in range(now - 89, now + 1)]


@given(st.lists(st.integers(0, 200), max_size=60), st.lists(st.integers(0, 200), max_size=60))
def test_rings_are_merged_as_if_all_had_been_added_to_one(one: list[int], other: list[int]) -> None:
    def made(numbers: list[int]) -> Ring:
        ring = Ring(RING_DAY)
        for number in sorted(numbers):
            ring.add(number * RING_DAY, (1.0, 2.0))
        return ring

    merged = made(other)
    merged.merge(made(one))
    newest = max([*one, *other], default=0)
    assert merged.values(newest * RING_DAY) == made([*one, *other]).values(newest * RING_DAY)


def test_the_last_day_is_shown_with_the_minute_that_is_not_over() -> None:
    recent = Recent()
    recent.add(WALL, Tally(up=60.0, runs=2, duration_sum=0.4, latencies={72: 2}))
    slots = recent.day(WALL, Tally(down=30.0))
    assert (slots[-1].up, slots[-1].down, slots[-1].latency) == (60.0, 30.0, pytest.approx(0.2))
    assert slots[0].known == 0
    assert len(slots) == 90
    assert recent.availability(WALL, 7, Tally(down=60.0)) == 0.5
    assert recent.availability(WALL + 100 * DAY, 7) is None
    assert recent.day(WALL + 2 * SLOT)[-1].known == 0


def test_the_overview_shows_what_was_lived() -> None:
    living = Living()
    for state in [State.UP] * 70 + [State.DOWN] * 30:
        living.lives(2.0, state)
    slots = living.past.recent.day(living.now.wall, living.past.minute.tally)
    assert (sum(slot.up for slot in slots), sum(slot.down for slot in slots)) == (140.0, 60.0)
    assert living.past.recent.availability(living.now.wall, 7, living.past.minute.tally) == 0.7


def test_an_empty_past_is_written_nowhere() -> None:
    living = Living()
    for _ in range(100):
        living.lives(2.0, State.UNKNOWN)
    for _ in range(3):
        living.lives(90_000.0, State.UNKNOWN)
        living.lives(2.0, State.UNKNOWN)
    assert living.kept == []
    assert not living.past.recent.slots.data, "and takes no memory"


def test_nothing_is_kept_twice() -> None:
    past: Any = Living().past
    past.count(good(WALL), START)
    past._minute(WALL + 60)
    rows = past.closed()
    past._minute(WALL + 120)
    past.kept(rows)
    assert past.closed() == []


def test_after_a_pause_time_is_counted_without_looking_at_the_pause_again(monkeypatch: pytest.MonkeyPatch) -> None:
    presence = Presence(START)
    past = Past(presence, START)
    looks = []
    within = Presence.within
    monkeypatch.setattr(Presence, "within", lambda *args: looks.append(args) or within(*args))
    back = Moment(START.wall + 10, START.steady + 10)
    presence.seen(back)
    past.stand(State.UP, back)
    assert (len(presence.gaps), len(looks)) == (1, 1)
    for second in range(1, 40):
        now = Moment(back.wall + second, back.steady + second)
        presence.seen(now)
        past.stand(State.UP, now)
    assert len(looks) <= 2  # the pause itself, and the end of a minute
    assert everything(past).up == pytest.approx(39)
