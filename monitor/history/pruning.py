"""Takes away what is older than it is kept for, a little with every checkpoint, never much at once."""

from __future__ import annotations

from collections.abc import Container

from sqlalchemy import delete, func, select
from sqlalchemy.engine import Connection

from monitor.history.statements import (
    OLD_ANNOUNCEMENTS,
    OLD_INCIDENTS,
    OLD_PRESENCE,
    OLD_TALLIES,
    OLD_TRANSITIONS,
    SURPLUS_RESULTS,
)
from monitor.history.tables import check_events, checks, incidents, results, states, tallies, transitions
from monitor.model.clock import Moment
from monitor.model.retention import HistorySpec
from monitor.stats.rollups import DAY, HOUR, MINUTE

_STEPS_OF_A_ROUND = 720
"""Checkpoints in which each check comes up once; with one in five seconds, that is an hour."""


class Pruning:
    """Goes round all checks by their numbers."""

    def __init__(self, spec: HistorySpec) -> None:
        self._spec = spec
        self._low = 0
        self._trusted = Moment(0.0, 0.0)

    def use(self, spec: HistorySpec) -> None:
        """Sets the spans for which history is kept, from the next step on."""
        self._spec = spec

    def trust(self, known: float, now: Moment) -> None:
        """Counts ages from the last time that is known from before (Unix seconds), or from now if there is none.

        A clock that runs ahead must not make everything old; after a day it is believed.
        """
        self._trusted = Moment(min(known or now.wall, now.wall), now.steady)

    def _now(self, now: Moment) -> float:
        uptime = now.steady - self._trusted.steady
        if uptime > DAY:
            self._trusted = now
        return min(now.wall, self._trusted.wall + uptime)

    def step(self, connection: Connection, watched: Container[int | None], highest: int, moment: Moment) -> None:
        """Prunes the next few checks, in the transaction that is open; `watched` are those that are configured."""
        spec, now = self._spec, self._now(moment)
        low = self._low if self._low <= highest else 0
        high = low + -(-highest // _STEPS_OF_A_ROUND) + 1
        self._low = high
        of = {"low": low, "high": high}
        kept = ((MINUTE, spec.minutes), (HOUR, spec.hours), (DAY, spec.days))
        rows = [{**of, "step": step, "before": now - seconds} for step, seconds in kept]
        connection.execute(OLD_TALLIES, rows)
        surplus = ((False, spec.results), (True, spec.failures))
        connection.execute(SURPLUS_RESULTS, [{**of, "failed": failed, "keep": count} for failed, count in surplus])
        self._prune_unwatched(connection, of, watched, now - spec.days)
        if low == 0:
            connection.execute(OLD_INCIDENTS, {"before": now - spec.incidents})
            connection.execute(OLD_TRANSITIONS, {"before": now - spec.incidents})
            connection.execute(OLD_PRESENCE, {"before": now - spec.days})
            connection.execute(OLD_ANNOUNCEMENTS, {"before": now - spec.incidents})

    @staticmethod
    def _prune_unwatched(
        connection: Connection, of: dict[str, int], watched: Container[int | None], before: float
    ) -> None:
        """Removes checks that are configured no more, once all that is known of them is older."""
        stored = connection.scalars(select(checks.c.id).where(checks.c.id >= of["low"], checks.c.id < of["high"]))
        for number in [one for one in stored if one not in watched]:
            lasts = (
                connection.scalar(select(func.max(column)).where(table.c.check_id == number)) for table, column in _LAST
            )
            if max((last for last in lasts if last is not None), default=0.0) < before:
                for table in _OF_A_CHECK:
                    connection.execute(delete(table).where(table.c.check_id == number))
                connection.execute(delete(checks).where(checks.c.id == number))


_LAST = ((tallies, tallies.c.start), (results, results.c.last_at), (incidents, incidents.c.started_at))
"""Tables with the past of a check, each with the column that says how old it is."""
_OF_A_CHECK = (tallies, results, incidents, transitions, states, check_events)
