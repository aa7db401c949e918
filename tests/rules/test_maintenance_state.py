"""What planned maintenance makes of a check: before it, in it, at its end, and what is held against it afterwards."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.live.ledger import Ledger, Record
from monitor.live.view import detail_document, view_check
from monitor.metrics.lines import shown, state_lines, up_lines
from monitor.model.maintenance import MaintenanceSpec
from monitor.model.outcome import Reason, State
from monitor.model.result import Result
from monitor.model.settings import MonitorSpec
from monitor.model.spec import CheckSpec
from monitor.model.transition import Cause
from monitor.rules.maintenance import Plan
from tests.made import EPOCH, INTERVAL, at, result, spec, specs, steps

MONITOR = MonitorSpec()
GOOD, BAD, SLOW = result(), result(Reason.REFUSED), result(duration=2.0)
STARTS, ENDS = 100.0, 200.0
UPGRADE = MaintenanceSpec("database upgrade", EPOCH + STARTS, ENDS - STARTS)


def record(check: CheckSpec | None = None) -> Record:
    return Record(check or spec(), MONITOR, at(0), Plan((UPGRADE,)))


def ran(one: Record, *found: tuple[float, Result]) -> Record:
    for when, what in found:
        one.add(what, at(when))
    return one


def state_at(one: Record, when: float) -> State:
    one.age(at(when))
    return one.standing.state


def test_a_check_is_in_maintenance_from_start_to_end() -> None:
    one = ran(record(), (90, GOOD))
    assert state_at(one, STARTS - 0.1) is State.UP
    transition = one.age(at(STARTS + 0.5))
    assert transition is not None
    assert (transition.before.state, transition.after.state) == (State.UP, State.MAINTENANCE)
    assert (transition.cause, transition.at) == (Cause.MAINTENANCE, at(STARTS + 0.5).wall)
    assert one.standing.since == at(STARTS + 0.5).wall
    ran(one, (195, GOOD))
    assert state_at(one, ENDS - 0.1) is State.MAINTENANCE
    assert state_at(one, ENDS) is State.UP


def test_a_check_that_begins_in_maintenance_is_in_it_at_once() -> None:
    assert Record(spec(), MONITOR, at(150), Plan((UPGRADE,))).standing.state is State.MAINTENANCE


def test_a_result_finds_the_edge_by_itself() -> None:
    """Nobody looked since the start, or the end, of the window: a failure within a second of it is no exception."""
    one = ran(record(spec(down_after=1)), (90, GOOD))
    began = one.add(BAD, at(STARTS))
    assert began is not None
    assert (began.after.state, began.cause) == (State.MAINTENANCE, Cause.MAINTENANCE)
    ended = one.add(BAD, at(ENDS))
    assert ended is not None
    assert (ended.before.state, ended.after.state, ended.cause) == (State.MAINTENANCE, State.DOWN, Cause.RESULT)


def test_failures_in_maintenance_count_for_nothing() -> None:
    one = ran(record(), (90, GOOD), (110, BAD), (120, BAD), (195, BAD))
    assert one.standing.state is State.MAINTENANCE
    assert one.standing.consecutive_failures == 0
    assert sum(one.failures.values()) == 3  # counters of runs count all of them
    assert one.last is BAD


def test_a_target_that_does_not_come_back_is_down_after_as_many_failures_as_ever() -> None:
    one = ran(record(), (90, GOOD), (195, BAD))
    assert state_at(one, ENDS) is State.UNKNOWN
    reading = view_check(one, at(ENDS + 1)).reading
    assert reading == "nothing conclusive since the planned maintenance, in which it failed: found refused"
    ran(one, (205, BAD))
    assert one.standing.state is State.UNKNOWN
    assert view_check(one, at(206)).reading == "failure 1 of 2: found refused"
    ran(one, (215, BAD))
    assert one.standing.state is State.DOWN
    assert one.standing.incident is not None
    assert one.standing.incident.started_at == at(215).wall


def test_a_success_in_maintenance_is_believed_at_its_end() -> None:
    assert state_at(ran(record(), (195, GOOD)), ENDS) is State.UP
    slow = spec(latency=1.0)
    assert state_at(ran(record(slow), (195, SLOW)), ENDS) is State.DEGRADED


def test_nothing_is_believed_that_is_too_old() -> None:
    assert state_at(ran(record(), (150, GOOD)), ENDS) is State.UNKNOWN
    assert state_at(record(), ENDS) is State.UNKNOWN
    one = ran(record(), (110, GOOD))
    transition = one.reconfigure(spec(), MONITOR, at(150), Plan())
    assert transition is not None
    assert transition.after.state is State.UNKNOWN


def test_an_incident_ends_where_maintenance_begins_and_another_may_begin_after_it() -> None:
    one = ran(record(), (80, BAD), (90, BAD))
    assert one.standing.state is State.DOWN
    one.age(at(STARTS))
    assert one.standing.incident is None
    assert [(i.started_at, i.ended_at) for i in one.incidents] == [(at(90).wall, at(STARTS).wall)]
    ran(one, (195, BAD), (205, BAD))
    assert one.standing.state is State.UNKNOWN
    ran(one, (215, BAD))
    assert one.standing.state is State.DOWN
    assert len(one.incidents) == 1


def test_up_after_begins_anew() -> None:
    """What was down before is up with the first success after, for it is no longer down."""
    one = ran(record(spec(up_after=3)), (80, BAD), (90, BAD), (195, BAD))
    assert state_at(one, ENDS) is State.UNKNOWN
    assert ran(one, (205, GOOD)).standing.state is State.UP


def test_paused_goes_before_maintenance() -> None:
    ledger = Ledger()
    plans = {"c": Plan((UPGRADE,))}
    ledger.apply([spec(enabled=False)], MONITOR, at(50), plans)
    one = next(iter(ledger))
    assert state_at(one, 150) is State.PAUSED
    ledger.apply([spec()], MONITOR, at(160), plans)
    assert one.standing.state is State.MAINTENANCE
    ledger.apply([spec(enabled=False)], MONITOR, at(170), plans)
    assert one.standing.state is State.PAUSED
    assert state_at(one, ENDS + 1) is State.PAUSED


def test_a_reload_begins_and_ends_maintenance_and_tells() -> None:
    ledger = Ledger()
    ledger.apply([spec()], MONITOR, at(140))
    one = next(iter(ledger))
    ran(one, (145, GOOD))
    moved = ledger.apply([spec()], MONITOR, at(150), {"c": Plan((UPGRADE,))})
    assert [(t.before.state, t.after.state) for t in moved] == [(State.UP, State.MAINTENANCE)]
    assert one.standing.since == at(150).wall  # not the start of the window: until now it was watched
    moved = ledger.apply([spec()], MONITOR, at(160))
    assert [(t.before.state, t.after.state) for t in moved] == [(State.MAINTENANCE, State.UP)]


@given(specs, steps, st.floats(0, 500), st.floats(1, 500))
def test_no_history_makes_a_check_down_in_maintenance_or_leaves_an_incident_open(
    check: CheckSpec, history: list[tuple[Result, float]], start: float, length: float
) -> None:
    window = MaintenanceSpec("a", EPOCH + start, length)
    one = Record(check, MONITOR, at(0), Plan((window,)))
    now = failed = 0.0
    for found, passed in history:
        now += passed
        one.add(found, at(now))
        inside = EPOCH + start <= at(now).wall < EPOCH + start + length
        failed = 0 if inside or (found.conclusive and not found.failed) else failed + found.failed
        assert (one.standing.state is State.MAINTENANCE) is inside
        assert one.standing.incident is None or one.standing.state in (State.DOWN, State.UNKNOWN)
        assert failed <= one.standing.consecutive_failures or inside or not found.failed
        if inside:
            assert one.standing.consecutive_failures == one.standing.consecutive_successes == 0


@given(steps)
def test_a_window_without_any_result_changes_nothing_of_what_is_known(history: list[tuple[Result, float]]) -> None:
    """Neither counters nor the last results."""
    plain, kept = (Record(spec(), MONITOR, at(0), plan) for plan in (Plan(), Plan((UPGRADE,))))
    now = 0.0
    for found, passed in history:
        now += passed
        for one in (plain, kept):
            one.add(found, at(now))
    assert (plain.attempts, plain.failures, plain.inconclusive) == (kept.attempts, kept.failures, kept.inconclusive)
    assert plain.recent.results() == kept.recent.results()


def test_metrics_say_the_state_and_nothing_about_up_or_down() -> None:
    one = ran(record(), (90, GOOD), (110, BAD))
    check = shown(one, at(111))
    assert up_lines(check) == ""
    assert 'state="maintenance"' in state_lines(check)


def test_the_documents_name_the_window_and_the_next_one() -> None:
    later = MaintenanceSpec("later", EPOCH + 90_000, 60.0)
    one = ran(Record(spec(), MONITOR, at(0), Plan((UPGRADE, later))), (110, BAD))
    view = view_check(one, at(111))
    assert view.reading == "planned maintenance «database upgrade» until 22:16 UTC"
    document = detail_document(view)
    assert document["state"] == "maintenance"
    assert document["maintenance"] == {
        "name": "database upgrade",
        "starts_at": "2023-11-14T22:15:00.000Z",
        "ends_at": "2023-11-14T22:16:40.000Z",
    }
    assert document["next_maintenance"]["name"] == "later"
    long = Record(spec(), MONITOR, at(0), Plan((MaintenanceSpec("move", EPOCH, 86400.0 * 2),)))
    assert view_check(long, at(1)).reading == "planned maintenance «move» until 16 Nov 2023 22:13 UTC"
    quiet = detail_document(view_check(Record(spec(), MONITOR, at(0)), at(INTERVAL)))
    assert (quiet["maintenance"], quiet["next_maintenance"]) == (None, None)


def test_a_renamed_check_keeps_its_record() -> None:
    ledger = Ledger()
    ledger.apply([spec(name="old"), spec(name="other")], MONITOR, at(0))
    one = ledger.get("old")
    assert one is not None
    ran(one, (1, BAD), (2, BAD))
    ledger.apply([spec(name="other"), spec(name="new", was=("older", "old"))], MONITOR, at(3))
    assert ledger.get("new") is one
    assert ledger.get("old") is None
    assert (one.spec.name, one.standing.state, one.attempts) == ("new", State.DOWN, 2)
    assert one.standing.since == at(2).wall


def test_a_former_name_that_is_given_up_goes_before_its_own() -> None:
    """The file could not name another check in `was`. After the reload that renamed it, `was` may stay for ever."""
    ledger = Ledger()
    ledger.apply([spec(name="old"), spec(name="new")], MONITOR, at(0))
    one = ledger.get("old")
    for again in (1, 2):
        ledger.apply([spec(name="new", was=("old", "older"))], MONITOR, at(again))
        assert ledger.get("new") is one
        assert one is not None
        assert one.spec.was == ("old", "older")
