"""The half of the service that deals with the history: the memory beyond one process."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from monitor.history.archive import Announcement, Archive, NoArchive
from monitor.live.ledger import Ledger, Record, Transition
from monitor.model.clock import system_clock
from monitor.model.errors import HistoryError
from monitor.model.incident import Acknowledgement, Incident
from monitor.model.result import Result
from monitor.model.retention import HistorySpec
from monitor.model.spec import CheckSpec
from monitor.stats.meters import HistoryMeter

if TYPE_CHECKING:
    from monitor.history.keeper import Keeper


class Memory:
    """Keeps what happens, if a history is kept; `told` is called for what a database that came late changed."""

    def __init__(self, spec: HistorySpec, ledger: Ledger, told: Callable[[Record, Transition], None]) -> None:
        self._remembered = ledger
        self._keeper = _keeper(spec, ledger, told)
        self.archive: Archive = self._keeper.archive if self._keeper else NoArchive()

    # what the service tells

    async def remember(self) -> None:
        """Restores the state of every check from the last process."""
        if self._keeper is not None:
            await self._keeper.start()

    async def forget(self) -> None:
        """Write everything that is known, and close."""
        if self._keeper is not None:
            await self._keeper.stop()

    def keep(self, spec: HistorySpec, checks: Iterable[CheckSpec]) -> None:
        """Applies these settings of the history, for these checks."""
        if self._keeper is not None:
            self._keeper.use(spec, checks)

    def note(self, record: Record, result: Result, runs: int, at: float) -> None:
        """A result that the record has just taken in, at Unix seconds."""
        if self._keeper is not None:
            self._keeper.note(record, result, runs, at)

    def moved(self, record: Record, transition: Transition) -> None:
        """A check changed its state."""
        if self._keeper is not None:
            self._keeper.moved(record, transition)

    @property
    def forgetful(self) -> str | None:
        """Returns why the history is not written at the moment; None if it is."""
        return self._keeper.trouble if self._keeper else None

    def history_meter(self) -> HistoryMeter | None:
        """Returns the history's own counts; None if no history is kept."""
        return self._keeper.meter if self._keeper else None

    # what the web server asks for

    def announcements(self) -> tuple[Announcement, ...]:
        """Returns the current announcements, newest first."""
        return self._keeper.notices.shown(system_clock().wall) if self._keeper else ()

    async def announce(self, said: Announcement) -> None:
        """Announce it, in place of what was announced by the same id; raises HistoryError if it cannot be kept."""
        if self._keeper is None:
            raise HistoryError("no history is kept, and announcements are kept there")
        await self._keeper.notices.announce(said)

    async def withdraw(self, announcement: str) -> bool:
        """Ends an announcement now; False if no announcement of this id is still valid."""
        return self._keeper is not None and await self._keeper.notices.withdraw(announcement, system_clock().wall)

    async def acknowledge(self, incident: str, said: Acknowledgement | None) -> Incident | None:
        """Sets or withdraws the acknowledgement of an ongoing incident; None if there is no such incident."""
        for record in self._remembered:
            lasting = record.standing.incident
            if lasting is not None and lasting.id == incident:
                noted = record.acknowledge(said)
                if self._keeper is not None and noted is not None:
                    self._keeper.acknowledged(noted)
                return noted
        return None


def _keeper(spec: HistorySpec, ledger: Ledger, told: Callable[[Record, Transition], None]) -> Keeper | None:
    """Returns the keeper of the history, None if history is off."""
    if not spec.enabled:
        return None
    from monitor.history.keeper import Keeper

    return Keeper(spec, ledger, told)
