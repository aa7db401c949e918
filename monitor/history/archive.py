"""Queries of a past that is longer than this process: their types, and the interface `Archive`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Never, Protocol

from msgspec import Struct

from monitor.model.errors import HistoryError
from monitor.model.incident import Incident
from monitor.model.result import Result, Seconds
from monitor.stats.rollups import Stretch
from monitor.stats.tally import Tally


class Announcement(Struct, frozen=True, array_like=True, gc=False):
    """An announcement of the team to readers of the page, valid from `starts` until `ends` or until withdrawn.

    Times are Unix seconds; it is about all groups if `groups` is empty.
    """

    id: str
    text: str
    by: str
    starts: Seconds
    ends: Seconds | None = None
    groups: tuple[str, ...] = ()

    def shown(self, now: float) -> bool:
        """True if the page shows the announcement at this time."""
        return self.starts <= now and (self.ends is None or now < self.ends)


class Outage(Struct, frozen=True, array_like=True, gc=False):
    """A stretch in which the monitor itself was not running or stood still, in Unix seconds."""

    started_at: float
    ended_at: float


Cursor = tuple[float, str]
"""The end of a page of a list: the beginning of its last item (Unix seconds), and the item's id."""


@dataclass(frozen=True, slots=True)
class IncidentQuery:
    """Selects incidents of these checks (all if None) that overlap [start, end) in Unix seconds.

    `ongoing`: only those that last, or only those that ended; None for both. At most `limit` incidents are returned,
    newest first, only those that follow `before` in that order.
    """

    checks: Sequence[str] | None = None
    start: float | None = None
    end: float | None = None
    ongoing: bool | None = None
    limit: int = 100
    before: Cursor | None = None


_NOT_KEPT = "no history is kept: monitor.history.enabled is false"


class NoArchive:
    """The archive of a monitor that keeps no history."""

    async def _refuse(self, *_: object, **__: object) -> Never:
        raise HistoryError(_NOT_KEPT)

    stretches = totals = results = incidents = incident = outages = announcements = _refuse


class Archive(Protocol):
    """The past of all checks, also of those that are configured no more; what is not written yet is in every answer.

    Every method raises `HistoryError` if nothing can be read now.
    """

    async def stretches(self, check: str, start: float, end: float, step: int) -> list[Stretch]:
        """Returns the tallies of [start, end) (Unix seconds), oldest first, each of `step` seconds.

        Stretches begin at multiples of `step`; those of which nothing is known are left out.

        `step` is a multiple of a minute. Where it is kept no longer as finely as that, the stretches are hours or days.
        """

    async def totals(self, checks: Sequence[str], start: float, end: float) -> Mapping[str, Tally]:
        """Returns the total of [start, end) (Unix seconds) for each check, as exactly as it is kept."""

    async def results(
        self, check: str, limit: int, before: float | None = None, *, failed: bool | None = None
    ) -> list[Result]:
        """The last results that began before that (Unix seconds), newest first; failures are kept longer."""

    async def incidents(self, asked: IncidentQuery) -> list[Incident]:
        """Incidents, newest first."""

    async def incident(self, name: str) -> Incident | None:
        """One incident by its id."""

    async def outages(self, start: float, end: float) -> list[Outage]:
        """Returns the times in which the monitor was not running, within [start, end) (Unix seconds), oldest first."""

    async def announcements(self, start: float, end: float) -> list[Announcement]:
        """Returns the announcements of [start, end) (Unix seconds), newest first."""
