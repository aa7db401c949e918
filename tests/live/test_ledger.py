"""Counters, last results and incidents of a check, for every history."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from monitor.live.ledger import INCIDENTS_KEPT, Ledger, Record
from monitor.model.incident import Ending
from monitor.model.outcome import FAILURES, Outcome, Reason, State
from monitor.model.result import Result
from monitor.model.settings import MonitorSpec
from monitor.model.spec import CheckSpec
from monitor.model.transition import Cause, Transition
from monitor.stats.meters import Latency
from tests.made import at, result, results, spec, specs, steps

History = list[tuple[Result, float]]
MONITOR = MonitorSpec()
GOOD, BAD = result(), result(Reason.REFUSED)


@given(specs, st.lists(st.tuples(results, st.integers(1, 5)), max_size=40))
def test_attempts_are_successes_failures_and_inconclusive(check: CheckSpec, found: list[tuple[Result, int]]) -> None:
    record = Record(check, MONITOR, at(0))
    runs: Counter[Outcome] = Counter()
    for number, (one, count) in enumerate(found):
        stands_for = 1 if one.conclusive else count  # only runs that were missed together are one result
        record.add(one, at(number + 1), stands_for)
        runs[one.outcome] += stands_for
    assert record.attempts == sum(runs.values())
    assert record.inconclusive == runs[Outcome.INCONCLUSIVE]
    assert record.failures == {outcome: runs[outcome] for outcome in FAILURES}
    assert sum(record.latency.counts) == runs[Outcome.SUCCESS]
    assert record.attempts == sum(record.latency.counts) + sum(record.failures.values()) + record.inconclusive


def test_failures_are_there_from_the_start() -> None:
    assert Record(spec(), MONITOR, at(0)).failures == {
        Outcome.HTTP_ERROR: 0,
        Outcome.CONNECTION_ERROR: 0,
        Outcome.TIMEOUT: 0,
        Outcome.UNEXPECTED_ANSWER: 0,
    }


@given(specs, steps)
def test_transitions_are_told_exactly_when_the_state_changes(check: CheckSpec, history: History) -> None:
    record = Record(check, MONITOR, at(0))
    now = 0.0
    for found, passed in history:
        now += passed
        before = record.standing
        transition = record.add(found, at(now))
        assert (transition is not None) is (record.standing.state is not before.state)
        if transition is not None:
            moved = Transition(check.name, before, record.standing, at(now).wall, transition.cause)
            assert replace(transition, incident=None, last=None) == moved
            assert transition.last is record.last


@given(specs, steps)
def test_past_incidents_have_an_end_and_do_not_overlap(check: CheckSpec, history: History) -> None:
    record = Record(check, MONITOR, at(0))
    now = 0.0
    for found, passed in history:
        now += passed
        record.age(at(now))
        record.add(found, at(now))
    past = list(record.incidents)
    assert len(past) <= INCIDENTS_KEPT
    for incident in past:
        assert incident.ended_at is not None
        assert incident.started_at <= incident.ended_at
    for later, earlier in pairwise(past):
        assert earlier.ended_at <= later.started_at
    assert record.standing.incident is not None or record.standing.state is not State.DOWN


@given(steps)
def test_the_last_result_and_the_last_success_are_the_last(history: History) -> None:
    record = Record(spec(), MonitorSpec(recent_results=5), at(0))
    now = 0.0
    for found, passed in history:
        now += passed
        record.add(found, at(now))
        assert record.last is found
        assert record.last_run_at == at(now).wall
        if found.outcome is Outcome.SUCCESS:
            assert record.last_success_at == at(now).wall
    assert list(record.recent.results()) == [found for found, _ in history][-5:][::-1]


@given(st.lists(st.floats(0, 100), max_size=50))
def test_a_histogram_counts_every_value_once_and_in_its_bucket(values: list[float]) -> None:
    bounds = (0.1, 1.0, 10.0)
    latency = Latency.over(bounds)
    for value in values:
        latency.observe(value)
    assert sum(latency.counts) == len(values)
    assert abs(latency.total - sum(values)) < 1e-6
    for number, bound in enumerate(bounds):
        assert sum(latency.counts[: number + 1]) == sum(value <= bound for value in values)


def test_a_reload_keeps_records_that_stay_and_their_past() -> None:
    ledger = Ledger()
    ledger.apply([spec(name="a"), spec(name="b")], MONITOR, at(0))
    kept = ledger.get("a")
    assert kept is not None
    kept.add(GOOD, at(1))
    ledger.apply([spec(name="c"), spec(name="a")], MONITOR, at(2))
    assert ledger.get("a") is kept
    assert kept.attempts == 1
    assert ledger.get("b") is None
    assert [record.spec.name for record in ledger] == ["c", "a"]
    assert len(ledger) == 2


def test_a_changed_check_keeps_its_counters_and_tells_of_a_pause() -> None:
    ledger = Ledger()
    ledger.apply([spec(name="a")], MONITOR, at(0))
    record = ledger.get("a")
    assert record is not None
    record.add(BAD, at(1))
    record.add(BAD, at(2))
    assert record.standing.state is State.DOWN
    moved = ledger.apply([spec(name="a", enabled=False)], MONITOR, at(3))
    assert [(t.check, t.before.state, t.after.state) for t in moved] == [("a", State.DOWN, State.PAUSED)]
    assert record.attempts == 2
    assert record.incidents[0].ended_at == at(3).wall
    assert [t.after.state for t in ledger.apply([spec(name="a")], MONITOR, at(4))] == [State.UNKNOWN]


def test_a_transition_names_the_incident_that_begins_goes_on_and_ends() -> None:
    record = Record(spec(down_after=1), MONITOR, at(0))
    began, lost = record.add(BAD, at(1)), record.age(at(100))
    back, over = record.add(BAD, at(101)), record.add(GOOD, at(102))
    assert began is not None
    assert lost is not None
    assert back is not None
    assert over is not None
    assert [t.cause for t in (began, lost, back, over)] == [Cause.RESULT, Cause.AGE, Cause.RESULT, Cause.RESULT]
    assert began.incident is lost.incident is back.incident
    assert (back.at, back.after.since) == (at(101).wall, at(1).wall)
    assert began.incident is not None
    assert over.incident == began.incident.ended(at(102).wall, Ending.RECOVERY)
    assert record.incidents == (over.incident,)


def test_an_inconclusive_result_that_finds_what_is_known_too_old_is_age() -> None:
    record = Record(spec(), MONITOR, at(0))
    record.add(GOOD, at(1))
    transition = record.add(result(Reason.MONITOR_OFFLINE), at(100))
    assert transition is not None
    assert (transition.after.state, transition.cause) == (State.UNKNOWN, Cause.AGE)
    assert transition.last is record.last


def test_a_reload_is_the_cause_of_a_pause() -> None:
    ledger = Ledger()
    ledger.apply([spec(name="a")], MONITOR, at(0))
    (transition,) = ledger.apply([spec(name="a", enabled=False)], MONITOR, at(1))
    assert (transition.cause, transition.at, transition.incident) == (Cause.RELOAD, at(1).wall, None)


@pytest.mark.parametrize("until", [3, 300])
def test_the_incident_of_a_removed_check_ends(until: float) -> None:
    ledger = Ledger()
    ledger.apply([spec(name="a"), spec(name="b"), spec(name="c", down_after=1)], MONITOR, at(0))
    for record in ledger:
        record.add(GOOD if record.spec.name == "b" else result(Reason.REFUSED), at(1))
    removed = ledger.get("c")
    assert removed is not None
    removed.age(at(until))
    incident = removed.standing.incident
    assert incident is not None
    (transition,) = ledger.apply([], MONITOR, at(until))
    assert (transition.check, transition.after.state, transition.cause) == ("c", State.UNKNOWN, Cause.RELOAD)
    assert transition.incident == incident.ended(at(until).wall, Ending.REMOVAL)


def test_changed_settings_of_the_monitor_reach_every_record() -> None:
    ledger = Ledger()
    ledger.apply([spec(name="a")], MONITOR, at(0))
    record = ledger.get("a")
    assert record is not None
    for n in range(9):
        record.add(GOOD, at(n))
    ledger.apply([spec(name="a")], MonitorSpec(recent_results=3, latency_buckets=(1.0,)), at(10))
    assert len(record.recent) == 3
    record.add(GOOD, at(11))
    assert len(record.recent) == 3
    assert record.latency.bounds == (1.0,)
    assert record.attempts == 10


def test_the_ledger_may_be_walked_while_it_changes() -> None:
    ledger = Ledger()
    ledger.apply([spec(name=f"c{n}") for n in range(5)], MONITOR, at(0))
    for _ in ledger:
        ledger.apply([spec(name="other")], MONITOR, at(1))
    assert [r.spec.name for r in ledger] == ["other"]
