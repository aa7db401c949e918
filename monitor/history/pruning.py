"""Takes away what is older than it is kept for, a little with every checkpoint, never much at once."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from monitor.history.statements import OLD_ANNOUNCEMENTS, OLD_INCIDENTS, OLD_PRESENCE, OLD_TALLIES, SURPLUS_RESULTS
from monitor.model.retention import HistorySpec
from monitor.stats.rollups import DAY, HOUR, MINUTE

_STEPS_OF_A_ROUND = 720
"""Checkpoints in which each check comes up once; with one in five seconds, that is an hour."""


class Pruning:
    """Goes round all checks by their numbers."""

    def __init__(self, spec: HistorySpec) -> None:
        self._spec = spec
        self._low = 0

    def use(self, spec: HistorySpec) -> None:
        """Sets the spans for which history is kept, from the next step on."""
        self._spec = spec

    def step(self, connection: Connection, highest: int, now: float) -> None:
        """Prune the next few checks, in the transaction that is open; `now` is Unix seconds."""
        spec = self._spec
        low = self._low if self._low <= highest else 0
        high = low + -(-highest // _STEPS_OF_A_ROUND) + 1
        self._low = high
        of = {"low": low, "high": high}
        kept = ((MINUTE, spec.minutes), (HOUR, spec.hours), (DAY, spec.days))
        rows = [{**of, "step": step, "before": now - seconds} for step, seconds in kept]
        connection.execute(OLD_TALLIES, rows)
        surplus = ((False, spec.results), (True, spec.failures))
        connection.execute(SURPLUS_RESULTS, [{**of, "failed": failed, "keep": count} for failed, count in surplus])
        if low == 0:
            connection.execute(OLD_INCIDENTS, {"before": now - spec.incidents})
            connection.execute(OLD_PRESENCE, {"before": now - spec.days})
            connection.execute(OLD_ANNOUNCEMENTS, {"before": now - spec.incidents})
