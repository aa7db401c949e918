"""Answers the requests of the web server from the parts of the running monitor."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from monitor.history.archive import Announcement, Archive
from monitor.history.optional import OptionalHistory
from monitor.live.events import EventBus
from monitor.live.ledger import Ledger
from monitor.live.lifecycle import Lifecycle
from monitor.live.run_now import RunNow
from monitor.live.view import CheckView, MonitorView, Overview, overview, troubles, view_check
from monitor.metrics import Overload
from monitor.model.clock import Clock
from monitor.model.errors import NoProbeNow, NoRunNow, Problem
from monitor.model.incident import Acknowledgement, Incident
from monitor.model.probe import ProbeAnswer, ProbeRequest
from monitor.model.result import Result
from monitor.model.settings import PublicSpec
from monitor.web.entrance import Entrance


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """The monitor as the web server sees it; every method that is no coroutine answers at once."""

    lifecycle: Lifecycle
    ledger: Ledger
    bus: EventBus
    history: OptionalHistory
    requested: RunNow
    overload: Overload
    entrance: Entrance
    prober: Callable[[ProbeRequest], Awaitable[ProbeAnswer]]
    health: Callable[[], str | None]
    loader: Callable[[], Awaitable[list[Problem]]]
    now: Clock

    async def overview(self) -> Overview:
        """Returns everything as it stands now."""
        return await overview(self.ledger, self.monitor(), self.now())

    def check(self, name: str) -> CheckView | None:
        """Returns one check as it stands now, None if there is no such check."""
        record = self.ledger.get(name)
        return None if record is None else view_check(record, self.now())

    def monitor(self) -> MonitorView:
        """Returns the monitor itself."""
        ours = (self.overload.trouble(), self.history.trouble)
        return self.lifecycle.view((*filter(None, ours), *troubles(self.ledger), *self.entrance.troubles))

    def unhealthy(self) -> str | None:
        """Returns why the monitor should be restarted; None if it is healthy, starts or ends."""
        return self.health() if self.lifecycle.unready is None else None

    def unready(self) -> str | None:
        """Returns why clients should not rely on the monitor now; None if it is ready."""
        return self.lifecycle.unready

    def public(self) -> PublicSpec:
        """Returns the settings for outsiders."""
        return self.lifecycle.config.monitor.public

    def cors_origins(self) -> tuple[str, ...]:
        """Returns the sites whose scripts may read the API."""
        return self.lifecycle.config.monitor.cors_origins

    async def run_now(self, check: str) -> Result | None:
        """Runs a check once more, outside of its schedule, and records the result; None if it is not configured.

        Raises NoRunNow, with the reason in a sentence, if it is paused, under way, or was asked for too often.
        """
        if self.lifecycle.unready is not None:
            raise NoRunNow(f"the monitor is {self.lifecycle.unready}")
        return await self.requested.run(check)

    async def probe(self, request: ProbeRequest) -> ProbeAnswer:
        """Runs the check for a request of `/probe`. Raises ProbeError if it is not allowed or not possible."""
        if self.lifecycle.unready is not None:
            raise NoProbeNow(f"the monitor is {self.lifecycle.unready}")
        return await self.prober(request)

    async def reload(self) -> list[Problem]:
        """Loads the configuration again; returns its problems, none once it is in force."""
        return await self.loader()

    @property
    def archive(self) -> Archive:
        """The past."""
        return self.history.archive

    def announcements(self) -> tuple[Announcement, ...]:
        """Returns the current announcements, newest first."""
        return self.history.announcements()

    async def announce(self, said: Announcement) -> None:
        """Announces it, in place of an announcement with the same id. Raises HistoryError if it cannot be kept."""
        await self.history.announce(said)

    async def withdraw(self, announcement: str) -> bool:
        """Ends an announcement now; False if no announcement of this id is still valid."""
        return await self.history.withdraw(announcement)

    async def acknowledge(self, incident: str, said: Acknowledgement | None) -> Incident | None:
        """Sets or withdraws the acknowledgement of an ongoing incident; None if there is no such incident."""
        return await self.history.acknowledge(incident, said)
