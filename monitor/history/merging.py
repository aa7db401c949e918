"""Joins the stored standing of a check with the one that its results since the start have made. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

from msgspec.structs import replace

from monitor.live.events import RecordedResult
from monitor.model.incident import Ending, Incident
from monitor.model.outcome import Outcome, State
from monitor.model.transition import Standing


@dataclass(slots=True)
class EarlySummary:
    """Summary of the results of a check that came before its stored past was adopted.

    `recovered`: when its results first could end an incident (Unix seconds). `succeeded`, `failed`: whether
    any was good, or bad. `first`: times of the good ones before the first bad one. `moves`: changes of state.
    """

    recovered: float | None = None
    succeeded: bool = False
    failed: bool = False
    first: list[float] = field(default_factory=list)
    moves: int = 0

    def see(self, recorded: RecordedResult, up_after: int) -> None:
        """Takes in a result."""
        result, at, standing = recorded.result, recorded.now.wall, recorded.standing
        self.succeeded |= result.outcome is Outcome.SUCCESS
        self.failed |= result.failed
        if result.outcome is Outcome.SUCCESS and not self.failed and len(self.first) < up_after:
            self.first.append(at)
        if self.recovered is None and standing.consecutive_successes >= up_after:
            self.recovered = at

    def recovery(self, successes: int, up_after: int) -> float | None:
        """Returns the time at which an incident ended that already has `successes` stored; None if it goes on."""
        lacking = max(up_after - successes, 1)
        return self.first[lacking - 1] if len(self.first) >= lacking else self.recovered


class Merge(NamedTuple):
    """The standing of the check, the stored incident if it ended, and the time from which its own incidents count."""

    standing: Standing
    ended: Incident | None = None
    own_from: float = -inf


def merge(stored: Standing, own: Standing, early: EarlySummary, up_after: int) -> Merge:
    """Join them. What is stored holds on until the check's own results contradict it."""
    if stored.state is State.DOWN or stored.incident is not None:
        return _down(stored, own, early, up_after)
    undecided = own.state is State.UNKNOWN and own.incident is None  # not enough failures for a verdict
    if undecided and stored.state in (State.UP, State.DEGRADED):
        return Merge(
            replace(own, state=stored.state, since=stored.since, consecutive_failures=_failures(stored, own, early))
        )
    if own.state is stored.state and early.moves <= 1:  # it was nothing else in between
        return Merge(replace(own, since=stored.since))
    return Merge(own)


def _down(stored: Standing, own: Standing, early: EarlySummary, up_after: int) -> Merge:
    over = early.recovery(stored.consecutive_successes, up_after)
    by = Ending.RECOVERY
    if over is None and own.state in _PLANNED:
        over, by = own.since, _PLANNED[own.state]
    if over is not None:
        return Merge(own, stored.incident and stored.incident.ended(over, by), over)
    incident = stored.incident or own.incident
    if incident is not None and own.incident is not None and own.incident.acknowledged is not None:
        incident = replace(incident, acknowledged=own.incident.acknowledged)
    first = own.failing if early.succeeded else stored.failing or own.failing
    since = stored.since if incident is None else incident.started_at
    down = replace(own, state=State.DOWN, since=since, incident=incident, failing=first)
    successes = own.consecutive_successes + (0 if early.failed else stored.consecutive_successes)
    failures = _failures(stored, own, early)
    return Merge(replace(down, consecutive_failures=failures, consecutive_successes=successes), own_from=inf)


_PLANNED = {State.PAUSED: Ending.PAUSE, State.MAINTENANCE: Ending.MAINTENANCE}


def _failures(stored: Standing, own: Standing, early: EarlySummary) -> int:
    """Failures in a row, with the stored ones if no success came in between."""
    before = 0 if early.succeeded else stored.consecutive_failures
    return before + own.consecutive_failures
