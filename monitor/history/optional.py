"""Keeps a history if the configuration says so; offers the same to service and web server if not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.history.archive import Announcement, Archive, NoArchive
from monitor.live.events import EventBus
from monitor.live.ledger import Ledger
from monitor.model.clock import Clock
from monitor.model.errors import HistoryError
from monitor.model.incident import Acknowledgement, Incident
from monitor.model.retention import HistorySpec
from monitor.stats.meters import HistoryMeter

if TYPE_CHECKING:
    from monitor.history.keeper import Keeper


class OptionalHistory:
    """The keeper of the history, or none; without one nothing is stored, and queries raise HistoryError."""

    def __init__(self, spec: HistorySpec, ledger: Ledger, bus: EventBus, clock: Clock) -> None:
        self._clock = clock
        self._ledger = ledger
        self._keeper = _keeper(spec, ledger, bus, clock)
        self.archive: Archive = self._keeper.archive if self._keeper else NoArchive()

    async def start(self) -> None:
        """Restores the state of every check from the last process."""
        if self._keeper is not None:
            await self._keeper.start()

    async def stop(self) -> None:
        """Writes everything that is known, and closes the database."""
        if self._keeper is not None:
            await self._keeper.stop()

    def use(self, spec: HistorySpec) -> None:
        """Applies these settings, for the checks that the ledger has now."""
        if self._keeper is not None:
            self._keeper.use(spec)

    @property
    def trouble(self) -> str | None:
        """Returns why the history is not written at the moment; None if it is."""
        return self._keeper.trouble if self._keeper else None

    def meter(self) -> HistoryMeter | None:
        """Returns the history's own counts; None if no history is kept."""
        return self._keeper.meter if self._keeper else None

    def announcements(self) -> tuple[Announcement, ...]:
        """Returns the current announcements, newest first."""
        return self._keeper.notices.shown(self._clock().wall) if self._keeper else ()

    async def announce(self, said: Announcement) -> None:
        """Announces it, in place of an announcement with the same id. Raises HistoryError if it cannot be kept."""
        if self._keeper is None:
            raise HistoryError("no history is kept, and announcements are kept there")
        await self._keeper.notices.announce(said)

    async def withdraw(self, announcement: str) -> bool:
        """Ends an announcement now; False if no announcement of this id is still valid."""
        return self._keeper is not None and await self._keeper.notices.withdraw(announcement, self._clock().wall)

    async def acknowledge(self, incident: str, said: Acknowledgement | None) -> Incident | None:
        """Sets or withdraws the acknowledgement of an ongoing incident; None if there is no such incident."""
        for record in self._ledger:
            lasting = record.standing.incident
            if lasting is not None and lasting.id == incident:
                noted = record.acknowledge(said)
                if self._keeper is not None and noted is not None:
                    self._keeper.acknowledged(record, noted)
                return noted
        return None


def _keeper(spec: HistorySpec, ledger: Ledger, bus: EventBus, clock: Clock) -> Keeper | None:
    """Returns the keeper, None if history is off, which saves the memory that SQLAlchemy takes."""
    if not spec.enabled:
        return None
    from monitor.history.keeper import Keeper

    return Keeper(spec, ledger, bus, clock)
