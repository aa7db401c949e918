"""Compares what the monitor reports on a check with what happened to the check."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tests.proof.acceptance import Incident, Verdict, judge
from tests.proof.spans import Span, common, contains, length, without
from tests.proof.truth import Subject, Truth

TOLERANCE = 1.0
"""Seconds by which a sum may be off, besides the uncertainty of the events."""
OFTEN = 0.02
"""Share of runs that a busy machine may make inconclusive, besides some around each event."""


@dataclass(frozen=True)
class Figures:
    """The sums over the slots of a check's history."""

    up: float
    down: float
    runs: int
    inconclusive: int
    wrong: int
    """Failures that the target never caused: the machine was too slow for the limits."""
    failures: int


@dataclass(frozen=True)
class Row:
    """The row of a check in the report, with the span of the request for it."""

    asked: Span
    known: float
    down: float
    availability: float | None


@dataclass(frozen=True)
class Account:
    """The report on a check, with the span of the requests for it. Incidents are oldest first."""

    asked: Span
    incidents: Sequence[Incident]
    figures: Figures | None = None
    row: Row | None = None
    state: str | None = None


@dataclass(frozen=True)
class Sighting:
    """An incident, as reported at some time."""

    at: float
    subject: str
    incident: Incident
    note: str | None = None
    """The note of an acknowledgement that the monitor had accepted by then."""


def problems(truth: Truth, subject: Subject, told: Account) -> Iterator[str]:
    """Yields a sentence on every contradiction."""
    figures = told.figures
    budget = 0 if figures is None else figures.inconclusive + figures.wrong
    verdict = judge(truth.steps(subject, told.asked), told.incidents, subject.down_after, budget)
    if verdict.problem:
        yield verdict.problem
    elif told.state is not None:
        yield from _state(verdict, told.state)
    if figures is not None:
        yield from _seconds(truth, subject, told, told.asked, figures.up, figures.down)
        yield from _runs(truth, subject, told, figures)
    if told.row is not None:
        yield from _row(truth, subject, told, told.row)


def _state(verdict: Verdict, state: str) -> Iterator[str]:
    down = {one.open is not None for one in verdict.positions}
    if state in ("up", "down") and (state == "down") not in down:
        yield f"state {state}, but an incident lasts: {down}"


def _row(truth: Truth, subject: Subject, told: Account, row: Row) -> Iterator[str]:
    yield from _seconds(truth, subject, told, row.asked, row.known - row.down, row.down)
    share = 1 - row.down / row.known if row.known else 0.0
    if row.known > 1 and (row.availability is None or abs(row.availability - share) > 1 / row.known):
        yield f"availability {row.availability}, but it was down for {row.down:.2f} of {row.known:.2f} s"


def _seconds(truth: Truth, subject: Subject, told: Account, asked: Span, up: float, down: float) -> Iterator[str]:
    least, most = truth.surely_watched(subject, asked), truth.perhaps_watched(subject, asked)
    outages = [(one.started, one.ended or asked[1]) for one in told.incidents]
    for what, counted, low, high in (
        ("down", down, common(least, outages), common(most, outages)),
        ("up", up, without(least, outages), without(most, outages)),
        ("known", up + down, least, most),
    ):
        if not length(low) - TOLERANCE <= counted <= length(high) + TOLERANCE:
            yield f"{what} for {counted:.2f} s, but it was {length(low):.2f} to {length(high):.2f} s"


def _runs(truth: Truth, subject: Subject, told: Account, figures: Figures) -> Iterator[str]:
    answers = [one for one in subject.answers if one.at <= told.asked[1]]
    losses = truth.losses(told.asked[0])
    stored = [one for one in answers if one.at < told.asked[0] and not contains(losses, one.at)]
    conclusive = figures.runs - figures.inconclusive - figures.wrong
    if conclusive > len(answers):
        yield f"{conclusive} conclusive runs, but the target answered {len(answers)} times"
    if figures.failures > sum(not one.good for one in answers):
        yield f"{figures.failures} failures, but the target failed {sum(not one.good for one in answers)} times"
    events = len(truth.standstills) + len(truth.lives) + len(subject.changes) + 2 * len(subject.terms)
    if figures.runs < len(stored) - events:
        yield f"{figures.runs} runs, but the target answered {len(stored)} times that must be stored"
    if figures.wrong + figures.inconclusive > 2 + OFTEN * len(answers) + 12 * events:
        yield f"{figures.inconclusive} inconclusive runs and {figures.wrong} at odds with {len(answers)} answers"


def lost(truth: Truth, sightings: Iterable[Sighting], told: dict[str, Account], notes: dict[str, Any]) -> Iterator[str]:
    """Yields incidents that vanished or changed since they were reported. `notes` are acknowledgements by incident."""
    losses = {key: truth.losses(now.asked[0]) for key, now in told.items()}
    for one in sightings:
        now = told.get(one.subject)
        if now is None or contains(losses[one.subject], one.at):
            continue
        found = next((other for other in now.incidents if other.id == one.incident.id), None)
        if found is None:
            yield f"{one} has vanished; now: {now.incidents[-4:]}"
            continue
        if abs(found.started - one.incident.started) > 0.01:
            yield f"the beginning of {one} has become {found.started}"
        if one.incident.ended is not None and (found.ended is None or abs(found.ended - one.incident.ended) > 0.01):
            yield f"the end of {one} has become {found.ended}"
        if one.note is not None and notes.get(found.id) != one.note:
            yield f"the acknowledgement of {one} has become {notes.get(found.id)!r}"
