"""Lets time pass for every check: what is known becomes too old, planned maintenance begins and ends."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from itertools import islice

from monitor.live.events import EventBus
from monitor.live.ledger import Ledger, Record
from monitor.model.clock import Clock
from monitor.rules.maintenance import Plan, Window
from monitor.system.supervision import Turn

_PER_BEAT = 500
"""Records looked at per beat for results that have become too old; the page ages what it shows by itself."""
_PER_TURN = 100
"""Records taken into or out of maintenance in one turn of the loop: some milliseconds, with their lines in the log."""


class Aging:
    """Ages the records of the ledger: a slice per beat, or all in turns when maintenance begins or ends."""

    def __init__(self, ledger: Ledger, bus: EventBus, clock: Clock) -> None:
        self._ledger = ledger
        self._bus = bus
        self._clock = clock
        self._round: Iterator[Record] = iter(())
        self._sweep: asyncio.Handle | None = None
        self._windows: dict[Plan, Window | None] = {}

    def use(self, plans: Iterable[Plan]) -> None:
        """Watch these plans from now on; the ledger follows them already."""
        now = self._clock().wall
        self._windows = {plan: plan.at(now) for plan in plans if plan.windows}
        self.stop()

    def stop(self) -> None:
        """End a sweep that is under way."""
        if self._sweep is not None:
            self._sweep.cancel()

    def beat(self) -> None:
        """Once a second."""
        now = self._clock().wall
        windows = {plan: plan.at(now) for plan in self._windows}
        if windows != self._windows:
            self._windows = windows
            self.stop()
            self._sweep_on(iter(self._ledger))
        elif not self._age(self._round, _PER_BEAT):
            self._round = iter(self._ledger)

    def _sweep_on(self, records: Iterator[Record]) -> None:
        more = self._age(records, _PER_TURN)
        self._sweep = asyncio.get_running_loop().call_soon(self._sweep_on, records) if more else None

    def _age(self, records: Iterator[Record], count: int) -> bool:
        """Ages the next `count` records; False if none were left."""
        now, some = self._clock(), list(islice(records, count))
        for record in some:
            with Turn("aging"):
                if transition := record.age(now):
                    self._bus.transition(transition)
        return bool(some)
