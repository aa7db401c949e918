"""The truth: answers of targets, lives of daemons, times without a database."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise, takewhile
from math import inf

from tests.proof.acceptance import LateStart, Loss, Removal, Return, Run, Step
from tests.proof.spans import Span, Spans, common, contains, union, without

SLACK = 0.6
"""Seconds until an answer is recorded and shown, on a machine that is not starved."""
LOSS = 2.0 + SLACK
"""Seconds of writing that a killed process may lose: two by docs/history.md, and the time to record an answer."""
RESUMES = 8.0
"""Seconds until the monitor writes again to a database that is back: it tries every five."""
GAP = 3.2
"""Seconds; a longer standstill is unknown time, a shorter one may count as known."""
BEAT = 1.2
"""Seconds between two signs of life: a standstill takes as much known time besides its own length."""


Recognition = Callable[[float, float], float]


@dataclass
class Life:
    """A process from fork to end; `started` is the time of its log line, None without one."""

    spawned: float
    started: float | None = None
    ended: float | None = None
    killed: bool = False
    stored_until: float | None = None
    """The result of `durable`."""


@dataclass(frozen=True)
class Answer:
    """An answer of a target; Unix seconds."""

    at: float
    good: bool


@dataclass
class Term:
    """A time in which a check is configured and not paused; a span for each end, in which it took place."""

    since: Span
    until: Span | None = None
    removed_at: float = 0.0
    """The time at which the monitor noticed the end."""
    paused: bool = False
    """True if it ended with a pause."""


@dataclass
class Subject:
    """A check under any of its names."""

    key: str
    down_after: int = 2
    answers: list[Answer] = field(default_factory=list)
    terms: list[Term] = field(default_factory=list)
    changes: list[Span] = field(default_factory=list)
    """Reloads that changed the check and cancelled a run."""


@dataclass
class Truth:
    """All events; Unix seconds by the clock of the machine."""

    subjects: dict[str, Subject] = field(default_factory=dict)
    lives: list[Life] = field(default_factory=list)
    standstills: list[Span] = field(default_factory=list)
    away: list[Span] = field(default_factory=list)
    """Times without writes."""
    clock_steps: list[Span] = field(default_factory=list)
    """Steps of the daemon's wall clock."""
    hiccups: list[Span] = field(default_factory=list)
    """Times in which the machine was starved."""

    # the database

    def writing(self, life: Life, until: float) -> Spans:
        """Times in which the process could write."""
        kept_out = [*self.standstills, *((start, end + RESUMES) for start, end in self.away)]
        return without([(life.spawned, until)], kept_out)

    def durable(self, life: Life) -> float:
        """The time up to which everything is stored, for a process without a clean end."""
        if life.stored_until is None:
            assert life.ended is not None
            life.stored_until = self._durable(life, life.ended)
        return life.stored_until

    def _durable(self, life: Life, ended: float) -> float:
        lacking = LOSS
        for start, end in reversed(self.writing(life, ended)):
            if end - start >= lacking:
                return end - lacking
            lacking -= end - start
        return life.spawned

    def clean(self, life: Life) -> bool:
        """True if the process stored everything before its end."""
        assert life.ended is not None
        return not life.killed and not common([(life.ended - SLACK, life.ended)], self._troubled())

    def late(self, life: Life) -> bool:
        """True if the process may have started without its stored past."""
        return bool(common([(life.spawned, (life.started or life.spawned) + SLACK)], self._troubled()))

    def _troubled(self) -> Spans:
        return union((start, end + RESUMES) for start, end in self.away)

    def losses(self, until: float) -> Spans:
        """Spans whose records may be lost by that time."""
        ended = [life for life in self.lives if life.ended is not None and life.ended <= until]
        return union((self.durable(life), life.ended or until) for life in ended if not self.clean(life))

    # steps of a check

    def steps(self, subject: Subject, horizon: Span) -> list[Step]:
        """The steps of a check until the horizon, the span of the requests."""
        found: list[Step] = [*self._runs(subject, horizon)]
        for life in self.lives:
            if life.ended is not None and not self.clean(life):
                found.append(Loss(life.ended, self.durable(life)))
            if self.late(life):
                found.append(LateStart(life.spawned))
        for number, term in enumerate(subject.terms):
            if number:
                found += [Return(term.since[0]), *(Return(life.spawned) for _, life in self._again(term.since[0]))]
            if term.until is not None:
                found.append(Removal(term.removed_at, term.until[0], term.until[1] + SLACK))
                for lost, life in self._again(term.removed_at):
                    until = (life.started or inf) if term.paused else lost.ended or inf
                    found.append(Removal(life.spawned, self.durable(lost), until + SLACK))
        return sorted(found, key=lambda step: step.at)

    def _again(self, at: float) -> Iterator[tuple[Life, Life]]:
        """Yields processes that may have lost a reload of that time, each with the next one, which reads the file."""
        for lost, following in pairwise(self.lives):
            if lost.ended is not None and not self.clean(lost) and self.durable(lost) <= at <= lost.ended:
                yield lost, following

    def _runs(self, subject: Subject, horizon: Span) -> Iterator[Run]:
        alive, disturbed = self._alive(), self._disturbed(subject)
        slow = union([*self.standstills, *self.hiccups])
        for one in takewhile(lambda answer: answer.at <= horizon[1], subject.answers):
            if contains(alive, one.at):
                sure = one.at < horizon[0] - SLACK and not contains(disturbed, one.at)
                began_by_then = bisect_right(slow, (one.at + SLACK, inf))
                delayed = slow[began_by_then - 1][1] if began_by_then and not sure else one.at
                yield Run(one.at, max(one.at, delayed) + SLACK, one.good, sure)

    def _alive(self) -> Spans:
        return union((life.spawned, inf if life.ended is None else life.ended) for life in self.lives)

    def _disturbed(self, subject: Subject) -> Spans:
        """Spans whose answers may never have been recorded."""
        ends = [term.until for term in subject.terms if term.until is not None]
        spans = (*ends, *subject.changes, *self.standstills, *self.hiccups)
        return union((start - SLACK, end + SLACK) for start, end in spans)

    # known time

    def perhaps_watched(self, subject: Subject, horizon: Span) -> Spans:
        """The most time that can be known."""
        lives = [(life.spawned, horizon[1] if life.ended is None else life.ended + 0.1) for life in self.lives]
        terms = [(term.since[0], horizon[1] if term.until is None else term.until[1]) for term in subject.terms]
        return without(common(lives, terms), [span for span in self.standstills if span[1] - span[0] > GAP])

    def surely_watched(self, subject: Subject, horizon: Span) -> Spans:
        """The least time that must be known."""
        lives = [(life.started or horizon[0], self._stored_until(life, horizon)) for life in self.lives]
        terms = [(term.since[1], horizon[0] if term.until is None else term.until[0]) for term in subject.terms]
        still = [(start - BEAT, end) for start, end in self.standstills if end - start > GAP - BEAT]
        recognized = self._recognition(subject)
        starts = self._blind_starts(subject, recognized)
        blind = [*starts, *(term.since[0] for term in subject.terms), *(end for _, end in still)]
        steps = [(start - BEAT, end + BEAT) for start, end in self.clock_steps]
        starved = [(start, end) for start, end in union(self.hiccups) if end - start > GAP - BEAT]
        doubtful = [*still, *steps, *starved, *((at, recognized(at, horizon[0])) for at in blind)]
        return without(common(lives, terms), doubtful)

    def _stored_until(self, life: Life, horizon: Span) -> float:
        if life.ended is None:
            return horizon[0]
        return life.ended - SLACK if self.clean(life) else self.durable(life)

    def _blind_starts(self, subject: Subject, recognized: Recognition) -> Iterator[float]:
        """The starts of processes that may have had no stored state of the check."""
        stored = 0.0
        for life in self.lives:
            began = max((term.since[1] for term in subject.terms if term.since[0] < life.spawned), default=inf)
            if self.late(life) or recognized(began, stored) >= stored:
                yield life.spawned
            if life.ended is not None:
                stored = max(stored, self._stored_until(life, (0.0, 0.0)))

    def _recognition(self, subject: Subject) -> Recognition:
        """Returns when a state is known again after a time: after a success, or `down_after` failures."""
        alive, disturbed = self._alive(), self._disturbed(subject)
        sure = [one for one in subject.answers if contains(alive, one.at) and not contains(disturbed, one.at)]

        def recognized(since: float, otherwise: float) -> float:
            first = bisect_left(sure, since, key=lambda answer: answer.at)
            for count, one in enumerate(sure[first : first + subject.down_after], 1):
                if one.good or count == subject.down_after:
                    return one.at + SLACK
            return otherwise

        return recognized
