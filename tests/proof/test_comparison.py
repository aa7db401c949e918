"""The comparison accepts reports that can be true, and rejects all others."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.proof.acceptance import Incident
from tests.proof.clock import Clock
from tests.proof.comparison import Account, Figures, Row, Sighting, lost, problems
from tests.proof.spans import Span, common, contains, length, union, without
from tests.proof.truth import Answer, Life, Subject, Term, Truth

NOW = (1060.0, 1060.1)
OUTAGE = Incident("one", 1021.0, 1030.0)
GOOD = Figures(up=51.0, down=9.0, runs=60, inconclusive=0, wrong=0, failures=10)
ROW = Row(NOW, known=60.0, down=9.0, availability=51 / 60)


def truth(*bad: tuple[int, int], terms: list[Term] | None = None, **more: Any) -> Truth:
    """One check that runs every second from 1000 s on; its target is bad from the first to the last second of each."""
    found = Truth(**{"lives": [Life(1000.0, 1000.0)], **more})
    subject = Subject("a", terms=terms or [Term((1000.0, 1000.0))])
    spans = common(
        [(life.spawned, life.ended or 2000.0) for life in found.lives],
        [(term.since[0], term.until[0] if term.until else 2000.0) for term in subject.terms],
    )
    asked = [n for n in range(60) if contains(spans, 1000 + n)]
    subject.answers += [Answer(1000.0 + n, not any(first <= n < end for first, end in bad)) for n in asked]
    found.subjects["a"] = subject
    return found


def found(model: Truth, *incidents: Incident, **more: Any) -> list[str]:
    return list(problems(model, model.subjects["a"], Account(NOW, incidents, **more)))


def test_what_happened_is_no_problem() -> None:
    assert not found(truth((20, 30)), OUTAGE, figures=GOOD, row=ROW, state="up")


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        [OUTAGE, OUTAGE._replace(id="two")],
        [OUTAGE, Incident("two", 1040.0, 1041.0)],
        [OUTAGE._replace(started=1019.0)],
        [OUTAGE._replace(started=1023.0)],
        [OUTAGE._replace(ended=None)],
        [OUTAGE._replace(ended=1028.0)],
        [OUTAGE._replace(ended=1032.0)],
    ],
    ids=["missing", "twice", "invented", "early", "late", "ongoing", "short", "long"],
)
def test_other_incidents_are_a_problem(wrong: list[Incident]) -> None:
    assert found(truth((20, 30)), *wrong)


def test_an_outage_that_is_too_short_is_none() -> None:
    assert not found(truth((20, 21)))
    assert found(truth((20, 21)), Incident("one", 1020.0, 1021.0))


def test_an_incident_of_another_check_is_a_problem() -> None:
    assert found(truth(), OUTAGE)


def test_a_target_that_is_down_has_an_incident_that_lasts() -> None:
    lasting = Incident("one", 1021.0, None)
    assert not found(truth((20, 60)), lasting, state="down")
    assert found(truth((20, 60)), OUTAGE)
    assert found(truth((20, 60)), lasting, state="up")


@pytest.mark.parametrize(
    "wrong",
    [
        {"down": 12.0}, {"down": 6.0}, {"up": 54.0}, {"up": 48.0}, {"runs": 70}, {"runs": 40}, {"failures": 11},
        {"inconclusive": 40},
    ],
    ids=str,
)  # fmt: skip
def test_other_figures_are_a_problem(wrong: dict[str, Any]) -> None:
    assert found(truth((20, 30)), OUTAGE, figures=replace(GOOD, **wrong))


@pytest.mark.parametrize(
    "wrong", [{"known": 63.0}, {"down": 12.0}, {"availability": 0.9}, {"availability": None}], ids=str
)
def test_another_row_of_the_report_is_a_problem(wrong: dict[str, Any]) -> None:
    assert found(truth((20, 30)), OUTAGE, row=replace(ROW, **wrong))


# processes that end


def test_a_killed_process_may_lose_the_incident_that_it_just_began() -> None:
    killed = truth((20, 30), lives=[Life(1000.0, 1000.0, ended=1021.8, killed=True), Life(1021.9, 1022.0)])
    assert not found(killed, OUTAGE)
    assert not found(killed, OUTAGE._replace(started=1022.0)), "the second failure was lost"
    assert not found(killed, OUTAGE._replace(started=1023.0)), "both were"
    assert found(killed, OUTAGE._replace(started=1024.0))
    assert found(killed, OUTAGE, OUTAGE._replace(id="two", started=1023.0)), "one outage is one incident"


def test_a_stopped_process_loses_nothing() -> None:
    stopped = truth((20, 30), lives=[Life(1000.0, 1000.0, ended=1021.8), Life(1021.9, 1022.0)])
    assert not found(stopped, OUTAGE)
    assert found(stopped, OUTAGE._replace(started=1022.0))


def test_an_incident_goes_on_over_a_restart() -> None:
    killed = truth((20, 50), lives=[Life(1000.0, 1000.0, ended=1030.0, killed=True), Life(1035.0, 1035.2)])
    assert not found(killed, OUTAGE._replace(ended=1050.0))
    assert found(killed, OUTAGE, Incident("two", 1036.0, 1050.0))


def test_an_outage_that_nobody_saw_is_none() -> None:
    unseen = truth((31, 35), lives=[Life(1000.0, 1000.0, ended=1030.5), Life(1035.5, 1035.6)])
    assert not found(unseen)
    assert found(unseen, Incident("one", 1032.0, 1036.0))


def test_what_is_not_written_may_be_lost() -> None:
    def killed(away: Span) -> Truth:
        lives = [Life(1000.0, 1000.0, ended=1035.0, killed=True), Life(1035.5, 1035.6)]
        return truth((20, 30), lives=lives, away=[away])

    assert not found(killed((1018.0, 1035.2)))
    assert found(killed((1018.0, 1019.0))), "it was written after that"


def test_time_without_a_process_is_no_time_up() -> None:
    killed = truth(lives=[Life(1000.0, 1000.0, ended=1020.0, killed=True), Life(1040.0, 1040.2)])
    counted = replace(GOOD, down=0.0, failures=0, runs=40)
    assert not found(killed, figures=replace(counted, up=39.5))
    assert not found(killed, figures=replace(counted, up=37.0)), "its last seconds may be lost"
    assert found(killed, figures=replace(counted, up=45.0))
    assert found(killed, figures=replace(counted, up=33.0))


def test_a_standstill_is_no_time_up() -> None:
    still = truth(standstills=[(1020.0, 1030.0)])
    counted = replace(GOOD, down=0.0, failures=0)
    assert not found(still, figures=replace(counted, up=49.5))
    assert found(still, figures=replace(counted, up=59.5))


def test_a_late_start_may_count_from_its_own_first_failure() -> None:
    late = truth((20, 30), lives=[Life(1000.0, 1000.0, ended=1020.8), Life(1020.9, 1020.95)], away=[(1020.85, 1022.5)])
    assert not found(late, OUTAGE)
    assert not found(late, OUTAGE._replace(started=1022.0))
    assert found(late, OUTAGE._replace(started=1024.0))


def test_a_check_that_was_down_when_it_was_removed_begins_anew() -> None:
    terms = [Term((1000.0, 1000.0), (1040.0, 1040.1), removed_at=1040.1), Term((1044.5, 1044.6))]
    model = truth((20, 60), terms=terms)
    assert not found(model, Incident("one", 1021.0, 1040.05), Incident("two", 1046.0, None))
    assert found(model, Incident("one", 1021.0, None))
    assert found(model, Incident("one", 1021.0, 1040.05), Incident("two", 1044.0, None))


def test_a_removal_that_a_killed_process_lost_is_made_by_the_next_one() -> None:
    lives = [Life(1000.0, 1000.0, ended=1040.2, killed=True), Life(1045.0, 1045.2)]
    killed = truth((20, 60), terms=[Term((1000.0, 1000.0), (1040.0, 1040.1), removed_at=1040.1)], lives=lives)
    assert not found(killed, OUTAGE._replace(ended=1039.3)), "its last sign of life"
    assert found(killed, OUTAGE._replace(ended=1045.1))
    assert found(killed, OUTAGE._replace(ended=None))


def test_a_starved_machine_may_miss_an_answer() -> None:
    starved = truth((20, 22), hiccups=[(1020.5, 1021.5)])
    assert not found(starved)
    assert not found(starved, OUTAGE._replace(ended=1022.0))
    assert found(truth((20, 22)))


def test_an_incident_is_by_the_clock_of_its_end(tmp_path: Path) -> None:
    clock = Clock(tmp_path, None)
    begun = time.time()
    clock.set(7200.0)
    ended = Incident("one", begun - 20, begun - 10)
    assert clock.true(ended) == ended
    assert clock.true(Incident("two", begun + 7180, None)) == Incident("two", pytest.approx(begun - 20), None)
    assert clock.true(Incident("two", begun + 7180, begun + 7200)).ended == pytest.approx(begun)


def test_a_removed_check_has_no_incident() -> None:
    model = truth((20, 60), terms=[Term((1000.0, 1000.0), (1040.0, 1040.1), removed_at=1040.1)])
    assert not found(model, Incident("one", 1021.0, 1040.05))
    assert found(model, Incident("one", 1021.0, None))


def test_a_reported_incident_stays() -> None:
    model, accounts = truth((20, 30)), {"a": Account(NOW, [OUTAGE])}
    seen = Sighting(1040.0, "a", OUTAGE, "on it")
    assert not list(lost(model, [seen], accounts, {"one": "on it"}))
    assert list(lost(model, [seen], accounts, {"one": None})), "the acknowledgement is gone"
    assert list(lost(model, [replace(seen, incident=OUTAGE._replace(id="two"))], accounts, {"one": "on it"}))
    assert list(lost(model, [replace(seen, incident=OUTAGE._replace(ended=1029.0))], accounts, {"one": "on it"}))


def test_an_incident_reported_just_before_a_kill_may_vanish() -> None:
    model = truth((20, 30), lives=[Life(1000.0, 1000.0, ended=1041.0, killed=True), Life(1041.5, 1041.6)])
    accounts = {"a": Account(NOW, [OUTAGE])}
    assert not list(lost(model, [Sighting(1040.0, "a", OUTAGE, "on it")], accounts, {"one": None}))
    assert list(lost(model, [Sighting(1036.0, "a", OUTAGE, "on it")], accounts, {"one": None}))


def test_spans() -> None:
    assert union([(3, 4), (1, 2), (2, 2.5), (9, 8)]) == [(1, 2.5), (3, 4)]
    assert common([(0, 5), (7, 9)], [(4, 8)]) == [(4, 5), (7, 8)]
    assert without([(0, 10)], [(2, 3), (9, 12)]) == [(0, 2), (3, 9)]
    assert length([(0, 2), (1, 3)]) == 3
    assert [contains([(1, 2), (4, 5)], at) for at in (0, 1, 2, 3, 4.5, 6)] == [False, True, True, False, True, False]
