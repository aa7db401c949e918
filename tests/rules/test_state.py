"""The state as a pure function: what holds for every history of results, and the rules one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from monitor.model.clock import Moment
from monitor.model.outcome import Outcome, Reason, State
from monitor.model.result import Ending, Evidence, Result
from monitor.model.route import TlsSpec
from monitor.model.spec import CheckSpec
from monitor.model.transition import Standing
from monitor.rules.state import (
    STALE_AFTER_INTERVALS,
    after,
    aged,
    beginning,
    degradation,
    ends_soon,
    in_words,
    maintained,
    reconfigured,
    seconds,
    stale,
    undecided,
)
from tests.made import EPOCH, INCONCLUSIVE, INTERVAL, at, certificate, result, spec, specs, steps

GOOD, BAD, SHRUG = result(), result(Reason.REFUSED), result(Reason.MONITOR_STALLED)
History = list[tuple[Result, float]]


def walk(check: CheckSpec, history: History) -> Iterator[tuple[Standing, Standing, Result, Moment]]:
    """Before and after each result of a history, and when it came."""
    now = at(0)
    standing = beginning(check, now)
    for found, passed in history:
        now = at(now.steady + passed)
        before, standing = standing, after(standing, found, check, now)
        yield before, standing, found, now


def ended(check: CheckSpec, *found: Result) -> Standing:
    """Where a check stands after these results, one per interval."""
    return [now for _, now, _, _ in walk(check, [(r, check.interval) for r in found])][-1]


# for every history


@given(specs, steps)
def test_an_inconclusive_result_neither_counts_nor_resets(check: CheckSpec, history: History) -> None:
    for before, now, found, moment in walk(check, history):
        if found.outcome is Outcome.INCONCLUSIVE:
            assert now == aged(before, check, moment)
            assert now.consecutive_failures == before.consecutive_failures
            assert now.consecutive_successes == before.consecutive_successes
            assert now.conclusive is before.conclusive
            assert now.state in (before.state, State.UNKNOWN)


@given(specs, steps)
def test_consecutive_counts_are_those_of_the_conclusive_results(check: CheckSpec, history: History) -> None:
    conclusive: list[Result] = []
    for _, now, found, _ in walk(check, history):
        if found.conclusive:
            conclusive.append(found)
        run = 0
        for r in reversed(conclusive):
            if r.failed is not conclusive[-1].failed:
                break
            run += 1
        failing = bool(conclusive) and conclusive[-1].failed
        assert now.consecutive_failures == (run if failing else 0)
        assert now.consecutive_successes == (0 if failing else run)


@given(specs, steps)
def test_down_begins_at_the_threshold_and_not_before(check: CheckSpec, history: History) -> None:
    for before, now, found, _ in walk(check, history):
        if now.incident is not None and before.incident is None:
            assert found.failed
            assert now.consecutive_failures >= check.down_after
        if found.failed and (now.consecutive_failures >= check.down_after or before.incident is not None):
            assert now.state is State.DOWN
        elif found.failed:
            assert now.state is before.state


@given(specs, steps)
def test_down_ends_at_up_after_and_up_after_ends_nothing_else(check: CheckSpec, history: History) -> None:
    for before, now, found, _ in walk(check, history):
        if found.outcome is not Outcome.SUCCESS:
            continue
        good = now.state in (State.UP, State.DEGRADED)
        if before.incident is not None:
            assert good is (now.consecutive_successes >= check.up_after)
        else:
            assert good, "one success is enough where nothing is down"


@given(specs, steps)
def test_since_is_the_time_of_the_change_but_an_outage_counts_from_its_beginning(
    check: CheckSpec, history: History
) -> None:
    for before, now, _, moment in walk(check, history):
        if now.state is before.state:
            assert now.since == before.since
        elif now.state is State.DOWN and before.incident is not None:
            assert now.since == before.incident.started_at
        else:
            assert now.since == moment.wall


@given(specs, steps)
def test_an_incident_begins_with_down_and_only_successes_end_it(check: CheckSpec, history: History) -> None:
    for before, now, found, moment in walk(check, history):
        assert now.incident is not None or now.state is not State.DOWN
        if now.incident is None:
            if before.incident is not None:
                assert found.outcome is Outcome.SUCCESS
                assert now.state in (State.UP, State.DEGRADED)
            continue
        assert now.state in (State.DOWN, State.UNKNOWN)
        assert now.incident.ended_at is None
        if before.incident is not None:
            assert now.incident is before.incident
        else:
            assert now.state is State.DOWN
            assert (now.incident.reason, now.incident.detail) == (found.reason, found.detail)
            assert now.incident.started_at == now.since == moment.wall


@given(specs, steps)
def test_an_incident_holds_the_first_of_its_failures_in_a_row(check: CheckSpec, history: History) -> None:
    first: Result | None = None
    for before, now, found, _ in walk(check, history):
        if found.conclusive:
            first = (first or found) if found.failed else None
        assert now.failing is first
        if now.incident is not None and before.incident is None:
            assert now.incident.first is first


def test_only_an_incident_keeps_the_answer_that_began_it() -> None:
    failed = result(Reason.UNEXPECTED_STATUS, evidence=Evidence(body="why"))
    standing = ended(spec(down_after=1), failed)
    assert standing.incident is not None
    assert standing.incident.first is failed
    assert standing.conclusive == structs.replace(failed, evidence=None)


def test_what_failed_in_maintenance_is_not_the_first_failure_of_an_incident_after_it() -> None:
    check, now = spec(down_after=2), at(0)
    standing = maintained(beginning(check, now), check, due=True, now=now)
    standing = maintained(after(standing, BAD, check, now), check, due=False, now=now)
    first, second = result(Reason.RESET), result(Reason.REFUSED)
    for found in (first, second):
        standing = after(standing, found, check, at(1))
    assert standing.incident is not None
    assert standing.incident.first is first


@given(specs, steps)
def test_unknown_comes_from_nothing_but_age(check: CheckSpec, history: History) -> None:
    for before, now, found, moment in walk(check, history):
        if now.state is State.UNKNOWN and before.state is not State.UNKNOWN:
            assert not found.conclusive
            assert before.concluded is not None
            assert moment.steady - before.concluded > STALE_AFTER_INTERVALS * check.interval


@given(specs, steps, st.floats(0, 1e5))
def test_ageing_twice_is_ageing_once(check: CheckSpec, history: History, passed: float) -> None:
    for _, now, _, moment in walk(check, history):
        later = at(moment.steady + passed)
        once = aged(now, check, later)
        assert aged(once, check, later) == once
        assert aged(now, check, moment) == now


@given(specs, steps, st.floats(-1e6, 1e6))
def test_a_stepped_wall_clock_changes_no_state(check: CheckSpec, history: History, stepped: float) -> None:
    plain, moved = (beginning(check, at(0)),) * 2
    now = 0.0
    for found, passed in history:
        now += passed
        quiet = structs.replace(found, certificates=())  # what is left of a certificate is a matter of the wall clock
        plain = after(plain, quiet, check, at(now))
        moved = after(moved, quiet, check, at(now, stepped))
        assert (moved.state, moved.consecutive_failures) == (plain.state, plain.consecutive_failures)


# rules, one by one


def test_nothing_is_known_in_the_beginning() -> None:
    assert beginning(spec(), at(0)).state is State.UNKNOWN
    assert beginning(spec(enabled=False), at(0)).state is State.PAUSED


def test_below_the_threshold_unknown_stays_unknown() -> None:
    standing = ended(spec(down_after=3), BAD, BAD)
    assert (standing.state, standing.consecutive_failures) == (State.UNKNOWN, 2)
    assert standing.conclusive is BAD


def test_a_success_between_failures_starts_the_count_again() -> None:
    assert ended(spec(down_after=2), GOOD, BAD, GOOD, BAD).state is State.UP


def test_inconclusive_results_between_failures_do_not() -> None:
    assert ended(spec(down_after=2), GOOD, BAD, SHRUG, SHRUG, BAD).state is State.DOWN


@pytest.mark.parametrize("reason", INCONCLUSIVE)
def test_no_inconclusive_reason_ever_makes_a_check_down(reason: Reason) -> None:
    assert ended(spec(down_after=1), GOOD, *[result(reason)] * 3).state is State.UP
    assert ended(spec(down_after=1), *[result(reason)] * 9).state is State.UNKNOWN


def test_up_after_wants_its_successes_in_a_row() -> None:
    check = spec(down_after=1, up_after=2)
    assert ended(check, BAD, GOOD, BAD, GOOD).state is State.DOWN
    assert ended(check, BAD, GOOD, SHRUG, GOOD).state is State.UP


def test_three_intervals_without_a_conclusive_result_are_still_known() -> None:
    standing = ended(spec(), GOOD)
    assert aged(standing, spec(), at(INTERVAL + STALE_AFTER_INTERVALS * INTERVAL)).state is State.UP
    late = at(INTERVAL + STALE_AFTER_INTERVALS * INTERVAL + 0.001)
    old = aged(standing, spec(), late)
    assert (old.state, old.since) == (State.UNKNOWN, late.wall)
    assert old.conclusive is GOOD


def lost_sight(check: CheckSpec, *found: Result) -> tuple[Standing, Moment]:
    """Where a check stands that was down after these results and then found nothing for long, and when."""
    standing, now = ended(check, *found), at(1000)
    assert standing.state is State.DOWN
    old = aged(standing, check, now)
    assert (old.state, old.since) == (State.UNKNOWN, now.wall)
    assert old.incident is standing.incident
    return old, at(1001)


def test_down_then_unknown_then_down_is_one_incident() -> None:
    check = spec(down_after=2)
    old, now = lost_sight(check, BAD, BAD)
    again = after(old, BAD, check, now)
    assert (again.state, again.consecutive_failures) == (State.DOWN, 3)
    assert again.incident is old.incident
    assert again.incident is not None
    assert again.since == again.incident.started_at


def test_one_failure_is_enough_for_down_while_an_incident_lasts() -> None:
    check = spec(down_after=3, up_after=2)
    old, now = lost_sight(check, BAD, BAD, BAD, GOOD)
    again = after(old, BAD, check, now)
    assert (again.state, again.consecutive_failures) == (State.DOWN, 1)
    assert again.incident is old.incident
    assert not undecided(old, check)
    assert not undecided(again, check)


def test_nothing_is_undecided_while_an_incident_lasts_be_its_check_unknown() -> None:
    check = spec(down_after=3, up_after=2)
    old, _ = lost_sight(check, BAD, BAD, BAD, GOOD, BAD)
    assert old.consecutive_failures == 1
    assert not undecided(old, check)


def test_a_success_ends_an_incident_of_a_check_that_was_unknown_meanwhile() -> None:
    check = spec(down_after=2)
    old, now = lost_sight(check, BAD, BAD)
    assert after(old, SHRUG, check, now) == old
    found = after(old, GOOD, check, now)
    assert (found.state, found.since, found.incident) == (State.UP, now.wall, None)


def test_up_after_holds_for_an_incident_of_a_check_that_was_unknown_meanwhile() -> None:
    check = spec(down_after=1, up_after=3)
    old, now = lost_sight(check, BAD, GOOD)
    second = after(old, GOOD, check, now)
    assert (second.state, second.consecutive_successes) == (State.DOWN, 2)
    assert second.incident is old.incident
    assert after(second, GOOD, check, at(1002)).state is State.UP


def test_a_pause_and_maintenance_end_an_incident_of_a_check_that_is_unknown() -> None:
    check = spec(down_after=1)
    old, now = lost_sight(check, BAD)
    paused = reconfigured(old, check, replace(check, enabled=False), now)
    assert (paused.state, paused.incident) == (State.PAUSED, None)
    planned = maintained(old, check, due=True, now=now)
    assert (planned.state, planned.incident) == (State.MAINTENANCE, None)
    assert after(maintained(planned, check, due=False, now=now), BAD, check, now).incident is not old.incident


def test_what_is_paused_or_maintained_does_not_age() -> None:
    known, off = ended(spec(), GOOD), spec(enabled=False)
    for standing in (reconfigured(known, spec(), off, at(11)), maintained(known, spec(), due=True, now=at(11))):
        assert aged(standing, off, at(1e6)) is standing


def test_maintenance_without_any_result_ends_as_unknown() -> None:
    planned = maintained(beginning(spec(), at(0)), spec(), due=True, now=at(0))
    assert maintained(planned, spec(), due=False, now=at(1)).state is State.UNKNOWN


# degraded


def test_slower_than_expected_is_degraded_and_exactly_as_expected_is_not() -> None:
    check = spec(latency=0.5)
    assert ended(check, result(duration=0.5)).state is State.UP
    slow = ended(check, result(duration=0.501))
    assert slow.state is State.DEGRADED
    assert slow.consecutive_failures == 0
    assert after(slow, result(duration=0.1), check, at(20)).state is State.UP


def test_a_certificate_that_ends_soon_is_degraded() -> None:
    warned = spec(tls=TlsSpec(expiry_warning=86400.0 * 14))
    now = at(INTERVAL).wall
    assert ended(warned, result(certificates=(certificate(now + 13 * 86400),))).state is State.DEGRADED
    assert ended(warned, result(certificates=(certificate(now + 15 * 86400),))).state is State.UP
    assert ended(warned, result()).state is State.UP


@pytest.mark.parametrize(("left", "said"), [(13 * 86400, "13 days"), (86400, "24 hours"), (1800, "30 minutes")])
def test_degradation_says_why(left: float, said: str) -> None:
    sentence = degradation(spec(), result(certificates=(certificate(EPOCH + left),)), EPOCH)
    assert sentence == f"the certificate ends in {said}"
    slow = degradation(spec(latency=0.2), result(duration=1.5), EPOCH)
    assert slow == "answered in 1.5 s, expected within 200 ms"


ENDS = EPOCH + 3 * 86400


def ending(days: float, what: str = "a") -> Ending:
    return Ending(what, EPOCH - 86400, EPOCH + days * 86400)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"certificates": (certificate(ENDS + 86400), certificate(ENDS))}, "the certificate ends in 3 days"),
        ({"endings": (ending(5, "a"), ending(3, "b"), ending(4, "c"))}, "b ends in 3 days"),
        ({"endings": (ending(5),), "certificates": (certificate(ENDS),)}, "a ends in 5 days"),
        ({"endings": (ending(5),), "client_ending": ending(3, "ours")}, "ours ends in 3 days"),
        ({"endings": (ending(30),), "client_ending": ending(3, "ours")}, "ours ends in 3 days"),
        ({"endings": (ending(1 / 86400),)}, "a ends in 1 second"),
        ({"endings": (ending(0.5 / 86400),)}, "a ends in 0 seconds"),
        ({"endings": (ending(0),)}, "a ended 0 seconds ago"),
        ({"endings": (ending(-0.5 / 86400),)}, "a ended 0 seconds ago"),
        ({"endings": (ending(-3),)}, "a ended 3 days ago"),
        ({"endings": (ending(14),)}, None),
    ],
)  # fmt: skip
def test_the_certificate_that_ends_first_is_named(facts: dict[str, Any], said: str | None) -> None:
    assert degradation(spec(), result(**facts), EPOCH) == said


@pytest.mark.parametrize(
    ("tls", "seconds_left", "soon"),
    [
        (TlsSpec(expiry_warning=100.0), 99.0, True),
        (TlsSpec(expiry_warning=100.0), 100.0, False),
        (TlsSpec(expiry_warning=0.5), 0.25, True),
        (TlsSpec(expiry_warning=0.0), -5.0, False),
        (TlsSpec(expiry_warning=0.0, expiry_share=0.1), 99.0, True),
        (TlsSpec(expiry_warning=0.0, expiry_share=0.1), 101.0, False),
        (TlsSpec(expiry_warning=0.0, expiry_share=0.0), -5.0, False),
    ],
)
def test_a_certificate_ends_soon_within_a_time_or_a_share_of_its_lifetime(
    tls: TlsSpec, seconds_left: float, soon: bool
) -> None:
    lifetime = 1000.0
    assert ends_soon(tls, Ending("a", EPOCH + seconds_left - lifetime, EPOCH + seconds_left), EPOCH) is soon


def test_a_run_without_a_duration_is_not_slow() -> None:
    assert ended(spec(latency=0.1), result(duration=None)).state is State.UP


def test_a_failure_degrades_nothing() -> None:
    check = spec(down_after=2, latency=0.1)
    assert ended(check, GOOD, result(Reason.RESPONSE_TIMEOUT, duration=5)).state is State.UP


# slow runs in a row


SLOW, QUICK = result(duration=0.5), result(duration=0.1)


@given(
    st.integers(1, 4),
    st.integers(1, 4),
    st.lists(st.sampled_from([SLOW, QUICK, BAD, SHRUG]), max_size=40),
)
def test_slow_runs_in_a_row_degrade_and_only_a_good_run_or_an_outage_ends_that(
    degraded_after: int, down_after: int, found: list[Result]
) -> None:
    """A model beside it that keeps the conclusive results and counts them afresh each time."""
    check = spec(degraded_after=degraded_after, down_after=down_after, latency=0.2)
    conclusive: list[Result] = []
    degraded = False
    for before, now, one, _ in walk(check, [(one, INTERVAL) for one in found]):
        if one.conclusive:
            conclusive.append(one)
        newest = conclusive[::-1]
        slow = next((n for n, r in enumerate(newest) if r is not SLOW), len(newest))
        if now.state is State.DOWN or one is QUICK:
            degraded = False
        elif one is SLOW:
            degraded = degraded or slow >= degraded_after
        if one is SLOW:
            assert now.state is (State.DEGRADED if degraded else State.UP)
        if one is QUICK:
            assert now.state is State.UP
        if one is BAD and now.state is not State.DOWN:
            assert now.state is before.state


def test_an_outage_ends_the_row_of_slow_runs() -> None:
    check = spec(degraded_after=2, down_after=1, latency=0.2)
    assert ended(check, SLOW, SLOW).state is State.DEGRADED
    assert ended(check, SLOW, SLOW, BAD).state is State.DOWN
    assert ended(check, SLOW, SLOW, BAD, SLOW).state is State.UP
    assert ended(check, SLOW, SLOW, BAD, SLOW, SLOW).state is State.DEGRADED


@pytest.mark.parametrize(
    ("found", "state"),
    [
        ((QUICK, SLOW), State.UP),
        ((QUICK, SLOW, SLOW), State.DEGRADED),
        ((QUICK, BAD, SLOW), State.UP),
        ((QUICK, BAD, SLOW, SLOW), State.DEGRADED),
        ((SLOW, BAD, SLOW), State.UP),
        ((SLOW, result(Reason.RESPONSE_TIMEOUT, duration=5.0), SLOW), State.UP),
        ((SLOW, SLOW, BAD, SLOW), State.DEGRADED),
        ((SLOW, SLOW, BAD, QUICK, SLOW), State.UP),
    ],
)
def test_a_failure_below_down_after_ends_a_row_of_slow_runs_unless_it_has_degraded(
    found: tuple[Result, ...], state: State
) -> None:
    assert ended(spec(degraded_after=2, down_after=3, latency=0.2), *found).state is state


def test_maintenance_ends_the_row_of_slow_runs() -> None:
    check = spec(degraded_after=2, latency=0.2)
    planned = maintained(ended(check, SLOW), check, due=True, now=at(11))
    assert after(maintained(planned, check, due=False, now=at(12)), SLOW, check, at(13)).state is State.UP


def test_slow_runs_do_not_put_off_the_warning_of_a_certificate() -> None:
    check = spec(degraded_after=3, latency=0.2)
    ending = certificate(EPOCH + 86400)
    assert ended(check, result(duration=0.1, certificates=(ending,))).state is State.DEGRADED
    found = result(duration=0.5, certificates=(ending,))
    assert ended(check, found).state is State.DEGRADED
    assert degradation(check, found, EPOCH, 1) == "the certificate ends in 24 hours"
    assert degradation(check, found, EPOCH, 3) == "answered in 500 ms, expected within 200 ms"


# not decided yet


@given(specs, steps)
def test_a_check_is_undecided_from_its_first_failure_until_it_is_down_or_succeeds(
    check: CheckSpec, history: History
) -> None:
    for before, now, found, _ in walk(check, history):
        if found.failed and before.incident is None:
            assert undecided(now, check) is (now.state is not State.DOWN)
        if found.outcome is Outcome.SUCCESS or now.state is State.DOWN:
            assert not undecided(now, check)
        if not found.conclusive and now.state is before.state:
            assert undecided(now, check) is undecided(before, check)


def test_down_is_decided_even_where_a_restored_check_lacks_its_incident() -> None:
    assert undecided(Standing(State.UP, 0.0, consecutive_failures=1), spec(down_after=2))
    assert not undecided(Standing(State.DOWN, 0.0, consecutive_failures=1), spec(down_after=2))


def test_a_check_that_failed_as_often_as_a_reload_now_wants_is_not_undecided() -> None:
    assert not undecided(Standing(State.UP, 0.0, consecutive_failures=2), spec(down_after=2))


# reconfigured


@given(specs, steps, specs)
def test_pausing_and_resuming_starts_afresh(check: CheckSpec, history: History, other: CheckSpec) -> None:
    standing = beginning(check, at(0))
    now = at(0)
    for _, standing, _, now in walk(check, history):  # noqa: B007 - the last of them
        pass
    later = at(now.steady + 5)
    off = replace(other, enabled=False)
    paused = reconfigured(standing, check, off, later)
    assert (paused.state, paused.since, paused.incident) == (State.PAUSED, later.wall, None)
    assert paused.consecutive_failures == 0
    again = at(later.steady + 5)
    resumed = reconfigured(paused, off, other, again)
    assert (resumed.state, resumed.since) == (State.UNKNOWN, again.wall)
    assert (resumed.consecutive_failures, resumed.consecutive_successes) == (0, 0)
    assert after(resumed, GOOD, replace(other, latency=None), at(again.steady + 1)).state is State.UP


@given(specs, steps, specs)
def test_a_changed_check_keeps_what_is_known(check: CheckSpec, history: History, other: CheckSpec) -> None:
    for _, standing, _, now in walk(check, history):
        kept = reconfigured(standing, check, other, now)
        assert (kept.state, kept.since, kept.incident) == (standing.state, standing.since, standing.incident)
        if not stale(standing, check, now):
            assert not stale(kept, other, now), "by a new interval no run was due yet"


changes = st.lists(st.tuples(st.floats(0, 200), st.sampled_from([0.5, 1.0, 10.0, 60.0])), min_size=1, max_size=20)


@given(st.sampled_from([0.5, 1.0, 10.0, 60.0]), changes)
def test_however_often_it_is_changed_a_check_without_results_becomes_unknown(
    interval: float, reloads: list[tuple[float, float]]
) -> None:
    check = spec(interval=interval)
    concluded = now = at(100)
    standing = after(beginning(check, now), GOOD, check, now)
    assert standing.state is State.UP
    longest = interval
    for wait, changed_to in reloads:
        now = at(now.steady + wait)
        standing = aged(standing, check, now)
        if now.steady > concluded.steady + STALE_AFTER_INTERVALS * longest:
            assert standing.state is State.UNKNOWN
        other = replace(check, interval=changed_to)
        standing, check = reconfigured(standing, check, other, now), other
        longest = max(longest, changed_to)


@given(st.integers(1, 50), st.floats(0.05, 0.95))
def test_reloads_at_one_interval_do_not_keep_a_check_fresh(count: int, share: float) -> None:
    check = spec(interval=10.0)
    standing = after(beginning(check, at(0)), GOOD, check, at(0))
    for n in range(1, count + 1):
        now = at(n * share * 10.0)
        other = replace(check, down_after=n)
        standing = aged(reconfigured(standing, check, other, now), other, now)
        check = other
        assert (standing.state is State.UNKNOWN) is (now.steady > 30.0)


@pytest.mark.parametrize(("before", "changed_to", "fresh"), [(60.0, 2.0, 6.0), (1.0, 60.0, 179.0), (10.0, 10.0, 29.0)])
def test_a_changed_interval_has_its_due(before: float, changed_to: float, fresh: float) -> None:
    """Changed a second after the last result: seconds from then on until nothing is known any more."""
    check, other = spec(interval=before), spec(interval=changed_to)
    standing = after(beginning(check, at(0)), GOOD, check, at(0))
    standing = reconfigured(standing, check, other, at(1))
    assert aged(standing, other, at(1 + fresh)).state is State.UP
    assert aged(standing, other, at(1 + fresh + 0.01)).state is State.UNKNOWN


def test_a_late_result_does_not_wake_what_is_paused() -> None:
    check = spec(enabled=False)
    paused = beginning(check, at(0))
    for found in (GOOD, BAD, SHRUG):
        assert after(paused, found, check, at(1)).state is State.PAUSED


# sentences


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.0, "0.0 ms"),
        (0.0008501, "0.9 ms"),
        (0.0009499, "0.9 ms"),
        (0.001, "1 ms"),
        (0.084, "84 ms"),
        (0.9994, "999 ms"),
        (0.9995, "1.0 s"),
        (5.0, "5.0 s"),
        (61.24, "61.2 s"),
    ],
)
def test_durations_are_said_as_people_say_them(value: float, said: str) -> None:
    assert seconds(value) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.4, "0 seconds"),
        (0.6, "1 second"),
        (1.4, "1 second"),
        (1.6, "2 seconds"),
        (119.4, "119 seconds"),
        (120.0, "2 minutes"),
        (7199.0, "120 minutes"),
        (7200.0, "2 hours"),
        (72_000.0, "20 hours"),
        (172_799.0, "48 hours"),
        (172_800.0, "2 days"),
        (86_400.0 * 1500, "1,500 days"),
    ],
)
def test_lengths_of_time_are_said_in_the_largest_unit_that_holds_two_of_them(value: float, said: str) -> None:
    assert in_words(value) == said


@given(st.floats(0, 1e6))
def test_no_duration_is_said_as_a_thousand_milliseconds(value: float) -> None:
    assert "1000 ms" not in seconds(value)
    assert "1.0 ms" not in seconds(value) or value >= 0.0009
