"""Runs that follow a failure sooner than the schedule does, until it is decided whether the check is down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from monitor.live.events import RecordedResult
from monitor.live.ledger import Ledger
from monitor.rules.state import undecided
from monitor.system.supervision import Turn


class Retries:
    """Asks for runs by `again`, which takes the name of a check. The schedule goes on beside them."""

    def __init__(self, ledger: Ledger, again: Callable[[str], None]) -> None:
        self._ledger = ledger
        self._again = again
        self._waiting: dict[str, asyncio.TimerHandle] = {}

    def on_result(self, recorded: RecordedResult) -> None:
        """Plans the run that follows a result, or none."""
        record = self._ledger.get(recorded.check)
        if record is None or record.spec.retry_interval is None:
            return
        spec, now, interval = record.spec, recorded.now.steady, record.spec.retry_interval
        if waiting := self._waiting.pop(spec.name, None):
            waiting.cancel()
        record.retry_at = None
        if undecided(record.standing, spec):
            times = record.due_times
            record.retry_at = now + interval if times is None else times.retry(interval, now)
        if record.retry_at is not None:
            timer = asyncio.get_running_loop().call_later(record.retry_at - now, self._retry, spec.name)
            self._waiting[spec.name] = timer

    def stop(self) -> None:
        """Ask for nothing more."""
        for waiting in self._waiting.values():
            waiting.cancel()
        self._waiting.clear()

    def _retry(self, name: str) -> None:
        del self._waiting[name]
        with Turn("retry"):
            self._retry_if_open(name)

    def _retry_if_open(self, name: str) -> None:
        """Ask for the run, unless a reload or the beginning of maintenance has made it pointless."""
        record = self._ledger.get(name)
        if record is not None and record.spec.retry_interval is not None and undecided(record.standing, record.spec):
            self._again(name)
