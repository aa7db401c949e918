"""Decides whether reported incidents can have come from what a check's target served.

What happened to a check is a list of steps. The monitor may have taken in an answer or not where a signal hit it, and a
killed process loses its last seconds: so the check is in one of several positions at a time. A position that opens or
ends an incident survives only if the report has that incident there. No position left means that the report is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

EARLY = 0.1
"""Seconds that a reported time may be before the true one: clocks are read and rounded."""


@dataclass(frozen=True)
class Run:
    """The target answered at `at`; the monitor took it in until `until` (Unix seconds), or not at all unless `sure`."""

    at: float
    until: float
    good: bool
    sure: bool = True


@dataclass(frozen=True)
class Loss:
    """A process ended at `at`; what it learned after `durable` may be lost."""

    at: float
    durable: float


@dataclass(frozen=True)
class LateStart:
    """A process began at `at` without what is stored: its own failures count from 0 until that is adopted."""

    at: float


@dataclass(frozen=True)
class Removal:
    """The check left the configuration; an incident ends between `earliest` and `until`."""

    at: float
    earliest: float
    until: float


@dataclass(frozen=True)
class Return:
    """The check is configured again; what failed before may count or not."""

    at: float


Step = Run | Loss | LateStart | Removal | Return


class Reported(NamedTuple):
    """An incident as the monitor tells it; Unix seconds, `ended` is None while it goes on."""

    id: str
    started: float
    ended: float | None


class Position(NamedTuple):
    """Failures in a row, the reported incident that lasts, and how many of them have begun so far."""

    failures: int = 0
    open: int | None = None
    begun: int = 0


Positions = dict[Position, int]
"""Each with the least number of answers that the monitor must have called inconclusive to be there."""


@dataclass(frozen=True)
class Verdict:
    """What is wrong, None if nothing is; the positions at the end; the inconclusive answers that this takes."""

    problem: str | None
    positions: frozenset[Position] = frozenset()
    inconclusive: int = 0


def judge(steps: Sequence[Step], reported: Sequence[Reported], down_after: int, budget: int = 0) -> Verdict:
    """Follows all positions through the steps. Reports are oldest first; `budget` answers may be inconclusive."""
    walk, wrong = _Walk(reported, down_after, budget), ""
    for number, step in enumerate(steps):
        before, walk.now = walk.now, walk.step(step)
        if before and not walk.now:  # unless a loss undoes what led here
            wrong = _impossible(steps, number, before, reported)
        walk.remember(step.at)
    if not walk.now:
        return Verdict(wrong)
    final = {one: cost for one, cost in walk.now.items() if walk.is_whole(one)}
    if not final:
        return Verdict(_unfinished(walk.now, steps, reported))
    return Verdict(None, frozenset(final), min(final.values()))


class _Walk:
    def __init__(self, reported: Sequence[Reported], down_after: int, budget: int) -> None:
        self.reported, self.down_after, self.budget = reported, down_after, budget
        self.now: Positions = {Position(): 0}
        self._past: list[tuple[float, Positions]] = [(float("-inf"), self.now)]

    def remember(self, at: float) -> None:
        self._past.append((at, self.now))

    def step(self, step: Step) -> Positions:
        match step:
            case Run():
                return self._run(step)
            case Loss():
                return self._loss(step)
            case LateStart() | Return():
                return _cheapest([*self.now.items(), *((one._replace(failures=0), n) for one, n in self.now.items())])
            case Removal():
                closed = ((self._closed(one, step.earliest, step.until), n) for one, n in self.now.items())
                return _cheapest((one, n) for one, n in closed if one is not None)

    def _run(self, run: Run) -> Positions:
        taken = ((self._after(one, run), n) for one, n in self.now.items())
        found = [(one, n) for one, n in taken if one is not None]
        price = 1 if run.sure else 0
        skipped = [(one, n + price) for one, n in self.now.items() if n + price <= self.budget]
        return _cheapest([*found, *skipped])

    def _after(self, one: Position, run: Run) -> Position | None:
        """The position after an answer; None if the report contradicts it."""
        if run.good:
            closed = self._closed(one, run.at, run.until)
            return closed and closed._replace(failures=0)
        failures = min(one.failures + 1, self.down_after)
        if one.open is not None or failures < self.down_after:
            return one._replace(failures=failures)
        if one.begun == len(self.reported) or not _within(self.reported[one.begun].started, run.at, run.until):
            return None
        return Position(failures, one.begun, one.begun + 1)

    def _closed(self, one: Position, earliest: float, until: float) -> Position | None:
        if one.open is None:
            return one
        ended = self.reported[one.open].ended
        return one._replace(open=None) if ended is not None and _within(ended, earliest, until) else None

    def _loss(self, loss: Loss) -> Positions:
        """What it is now, or was at any time since it was surely stored."""
        first = next(n for n in reversed(range(len(self._past))) if self._past[n][0] <= loss.durable)
        self._past = self._past[first:]
        return _cheapest(item for _, positions in self._past for item in positions.items())

    def is_whole(self, one: Position) -> bool:
        lasting = None if one.open is None else self.reported[one.open]
        return one.begun == len(self.reported) and (lasting is None or lasting.ended is None)


def _within(told: float, earliest: float, until: float) -> bool:
    return earliest - EARLY <= told <= until + EARLY


def _cheapest(items: Iterable[tuple[Position, int]]) -> Positions:
    found: Positions = {}
    for one, cost in items:
        found[one] = min(cost, found.get(one, cost))
    return found


def _impossible(steps: Sequence[Step], number: int, before: Positions, reported: Sequence[Reported]) -> str:
    begun = {one.begun for one in before}
    near = reported[max(0, min(begun) - 2) : max(begun) + 2]
    what = f"the report contradicts {steps[number]}; positions before: {list(before)}"
    return _told(what, steps[max(0, number - 6) : number + 4], near)


def _unfinished(positions: Positions, steps: Sequence[Step], reported: Sequence[Reported]) -> str:
    begun = max(one.begun for one in positions)
    if begun == len(reported):
        return _told("an incident has to last that has ended", steps[-8:], reported[-2:])
    odd = reported[begun]
    near = [step for step in steps if odd.started - 6 < step.at < odd.started + 3]
    return _told(f"nothing began {odd}; positions {list(positions)}", near, reported[max(0, begun - 1) : begun + 2])


def _told(what: str, steps: Sequence[Step], reported: Sequence[Reported]) -> str:
    return "\n    ".join([what, "steps:", *map(str, steps), "reported:", *map(str, reported)])
