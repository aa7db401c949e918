"""Declares what the HTTP side needs from the rest of the monitor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from monitor.history.archive import Announcement, Archive
from monitor.live.events import EventBus
from monitor.live.view import CheckView, MonitorView, Overview
from monitor.model.clock import Clock
from monitor.model.errors import Problem
from monitor.model.incident import Acknowledgement, Incident
from monitor.model.probe import ProbeAnswer, ProbeRequest
from monitor.model.result import Result
from monitor.model.settings import PublicSpec


class Served(Protocol):
    """The service, as the HTTP side sees it; every method that is no coroutine answers at once."""

    @property
    def now(self) -> Clock:
        """Tells the time."""

    async def overview(self) -> Overview:
        """Everything as it stands now."""

    def check(self, name: str) -> CheckView | None:
        """One check as it stands now, None if there is no such check."""

    def monitor(self) -> MonitorView:
        """The monitor itself."""

    def unhealthy(self) -> str | None:
        """Returns why the monitor should be restarted, in a sentence; None if it is healthy."""

    def unready(self) -> str | None:
        """Returns why clients should not rely on the monitor now, in a sentence; None if it is ready."""

    @property
    def archive(self) -> Archive:
        """The past."""

    @property
    def bus(self) -> EventBus:
        """The bus of current events."""

    def public(self) -> PublicSpec:
        """The settings for outsiders."""

    def cors_origins(self) -> tuple[str, ...]:
        """The sites whose scripts may read the API."""

    def announcements(self) -> tuple[Announcement, ...]:
        """The current announcements, newest first."""

    async def announce(self, said: Announcement) -> None:
        """Announce it, in place of what was announced by the same id."""

    async def withdraw(self, announcement: str) -> bool:
        """Ends an announcement now; False if no announcement of this id is still valid."""

    async def acknowledge(self, incident: str, said: Acknowledgement | None) -> Incident | None:
        """Sets or withdraws the acknowledgement of an ongoing incident; None if there is no such incident."""

    async def run_now(self, check: str) -> Result | None:
        """Run a check once more, outside of its schedule, and record what it finds; None if it is not configured.

        Raises NoRunNow, with the reason in a sentence, if it is paused, under way, or was asked for too often.
        """

    async def probe(self, request: ProbeRequest) -> ProbeAnswer:
        """Runs the check for a request of `/probe`. Raises ProbeError if it is not allowed or not possible."""

    async def reload(self) -> list[Problem]:
        """Load the configuration again; what is wrong with it, or nothing once it is in force."""


class Scraped(Protocol):
    """One answer to a scrape, as `monitor.metrics.Scrape` is."""

    @property
    def parts(self) -> Sequence[bytes | bytearray]:
        """The exposition in pieces, compressed if `content_encoding` says so."""

    @property
    def content_type(self) -> str:
        """The format, with its version."""

    @property
    def content_encoding(self) -> str | None:
        """`gzip`, or None."""


class Exposition(Protocol):
    """Answers scrapes, as `monitor.metrics.Registry` does."""

    async def scrape(self, accept: str, accept_encoding: str) -> Scraped:
        """The answer for these two request headers."""
