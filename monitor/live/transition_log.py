"""Logs transitions: one line per change of state, none per run."""

from __future__ import annotations

import structlog

from monitor.live.ledger import Ledger
from monitor.live.view import view_check
from monitor.model.clock import Clock, rfc3339
from monitor.model.outcome import State
from monitor.model.transition import Transition

_log = structlog.get_logger("monitor.live")


class TransitionLog:
    """Subscribes to transitions; the checks in the ledger say why they are in their state."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._clock = clock
        self._ledger = ledger

    def on_transition(self, transition: Transition) -> None:
        """Logs a transition; that of a removed check is part of the reload."""
        record = self._ledger.get(transition.check)
        if record is None:
            return
        state, found = transition.after.state, transition.after.conclusive
        write = _log.warning if state is State.DOWN else _log.info
        write(
            "state changed",
            check=transition.check,
            state=state.value,
            before=transition.before.state.value,
            cause=transition.cause.value,
            at=rfc3339(transition.at),
            incident=transition.incident.id if transition.incident else None,
            why=view_check(record, self._clock()).reading,
            reason=found.reason.value if found else None,
            detail=found.detail if found else None,
        )
