"""Decides whether the incidents that a monitor reports can follow from the answers of a check's target.

The history of a check is a list of steps. Around a signal the monitor may have recorded an answer or not, and a killed
process loses its last seconds. So a check has several possible positions at a time. A position that opens or ends an
incident survives only if the report has that incident at that time. If no position survives, the report is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

EARLY = 0.1
"""Seconds by which a reported time may precede the true time: clocks are read and rounded."""


@dataclass(frozen=True)
class Run:
    """An answer of the target at `at`, recorded by `until` (Unix seconds); one that is not `sure` may be missing."""

    at: float
    until: float
    good: bool
    sure: bool = True


@dataclass(frozen=True)
class Loss:
    """The end of a process at `at`; everything that it recorded after `durable` may be lost."""

    at: float
    durable: float


@dataclass(frozen=True)
class LateStart:
    """The start of a process that cannot read its database: failures count from 0 until it adopts the stored past."""

    at: float


@dataclass(frozen=True)
class Removal:
    """The removal of the check from the configuration: an incident ends between `earliest` and `until`."""

    at: float
    earliest: float
    until: float


@dataclass(frozen=True)
class Return:
    """The return of the check to the configuration: earlier failures may count or not."""

    at: float


Step = Run | Loss | LateStart | Removal | Return


class Incident(NamedTuple):
    """An incident that the monitor reports; Unix seconds, `ended` is None while it lasts."""

    id: str
    started: float
    ended: float | None


class Position(NamedTuple):
    """Failures in a row, the index of the incident that lasts, and the number of incidents so far."""

    failures: int = 0
    open: int | None = None
    begun: int = 0


Positions = dict[Position, int]
"""Positions, each with the least number of answers that the monitor must have called inconclusive to get there."""


@dataclass(frozen=True)
class Verdict:
    """The problem, None if there is none; the final positions; the least number of inconclusive answers."""

    problem: str | None
    positions: frozenset[Position] = frozenset()
    inconclusive: int = 0


def judge(steps: Sequence[Step], reported: Sequence[Incident], down_after: int, budget: int = 0) -> Verdict:
    """Follows all positions through the steps. Incidents are oldest first; `budget` answers may be inconclusive."""
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
    def __init__(self, reported: Sequence[Incident], down_after: int, budget: int) -> None:
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
        """The position after an answer; None if it contradicts the report."""
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
        """The present positions, and all positions since the last one that is surely stored."""
        first = next(n for n in reversed(range(len(self._past))) if self._past[n][0] <= loss.durable)
        self._past = self._past[first:]
        return _cheapest(item for _, positions in self._past for item in positions.items())

    def is_whole(self, one: Position) -> bool:
        lasting = None if one.open is None else self.reported[one.open]
        return one.begun == len(self.reported) and (lasting is None or lasting.ended is None)


def _within(reported: float, earliest: float, until: float) -> bool:
    return earliest - EARLY <= reported <= until + EARLY


def _cheapest(items: Iterable[tuple[Position, int]]) -> Positions:
    found: Positions = {}
    for one, cost in items:
        found[one] = min(cost, found.get(one, cost))
    return found


def _impossible(steps: Sequence[Step], number: int, before: Positions, reported: Sequence[Incident]) -> str:
    begun = {one.begun for one in before}
    near = reported[max(0, min(begun) - 2) : max(begun) + 2]
    what = f"the report contradicts {steps[number]}; positions before: {list(before)}"
    return _explained(what, steps[max(0, number - 6) : number + 4], near)


def _unfinished(positions: Positions, steps: Sequence[Step], reported: Sequence[Incident]) -> str:
    begun = max(one.begun for one in positions)
    if begun == len(reported):
        return _explained("an incident has to last that has ended", steps[-8:], reported[-2:])
    odd = reported[begun]
    near = [step for step in steps if odd.started - 6 < step.at < odd.started + 3]
    return _explained(
        f"nothing began {odd}; positions {list(positions)}", near, reported[max(0, begun - 1) : begun + 2]
    )


def _explained(what: str, steps: Sequence[Step], reported: Sequence[Incident]) -> str:
    return "\n    ".join([what, "steps:", *map(str, steps), "reported:", *map(str, reported)])
