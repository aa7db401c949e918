"""Puts every result into the record of its check, and publishes it with the transition that it brings about."""

from __future__ import annotations

from monitor.live.events import EventBus, RecordedResult
from monitor.live.ledger import Ledger
from monitor.model.clock import Clock
from monitor.model.result import Result


class Recorder:
    """Receives the results of all checks."""

    def __init__(self, ledger: Ledger, bus: EventBus, clock: Clock) -> None:
        self._ledger = ledger
        self._bus = bus
        self._clock = clock

    def on_result(self, check: str, result: Result, runs: int) -> None:
        """Records a result that stands for `runs` runs; drops that of a check that was removed while it ran."""
        record = self._ledger.get(check)
        if record is None:
            return
        now = self._clock()
        self._ledger.presence.seen(now)
        transition = record.add(result, now, runs)
        self._bus.result(RecordedResult(check, record.last or result, runs, now, record.standing))
        if transition is not None:
            self._bus.transition(transition)
