"""Selects what outsiders may know, at this one place: page, document and feed can show no more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from monitor.history.archive import Announcement, Archive, IncidentQuery, NoArchive
from monitor.live.view import CheckView, Overview
from monitor.model.errors import HistoryError
from monitor.model.incident import Incident
from monitor.model.outcome import State
from monitor.model.settings import PublicSpec
from monitor.model.spec import CheckSpec
from monitor.rules.maintenance import fits, upcoming
from monitor.stats.rollups import Stretch
from monitor.stats.windows import DAY
from monitor.system.turns import turns
from monitor.web.backend import Backend
from monitor.web.selection import titles_of

DAYS = 90
"""Days shown, including today."""
INCIDENT_DAYS = 14
PLANNED_DAYS = 7
DRAWN = 300
"""With more checks than this, no days are shown: the page would be too long, and each check costs a query."""
MOST_INCIDENTS = 100


class Day(NamedTuple):
    """Seconds in each state on one day (UTC) that begins at `start` (Unix seconds)."""

    start: float
    up: float = 0.0
    degraded: float = 0.0
    down: float = 0.0
    maintenance: float = 0.0
    paused: float = 0.0

    @property
    def known(self) -> float:
        """Seconds in which it is known whether the service was there."""
        return self.up + self.degraded + self.down


@dataclass(frozen=True, slots=True)
class PublicCheck:
    """One service; times are Unix seconds, `until` is the end of the maintenance that it is in.

    `days` are oldest first; None if they are not shown, or not known now.
    """

    name: str
    group: str
    description: str
    state: State
    since: float
    until: float | None
    days: tuple[Day, ...] | None = None
    title: str = ""

    @property
    def availability(self) -> float | None:
        """The share of the known time of these days in which the service was there, 0 to 1; None if none is known."""
        known = sum(day.known for day in self.days or ())
        return 1 - sum(day.down for day in self.days or ()) / known if known > 0 else None


class PublicIncident(NamedTuple):
    """Downtime of a service, in Unix seconds; `ended_at` is None while it lasts. `id` identifies it."""

    id: str
    check: str
    started_at: float
    ended_at: float | None
    title: str = ""


class PublicAnnouncement(NamedTuple):
    """An announcement for outsiders, with those of its groups that they may see; without groups it is for all."""

    id: str
    text: str
    starts: float
    ends: float | None
    groups: tuple[str, ...]


class PlannedMaintenance(NamedTuple):
    """Maintenance to come, in Unix seconds, and of which services; `titles` are their titles, or names."""

    starts: float
    ends: float
    checks: tuple[str, ...]
    titles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PublicView:
    """Everything that outsiders may know at one moment; `incidents` are newest first, None as `PublicCheck.days` is.

    `away` tells that the past is to be shown and cannot be read now.
    """

    now: float
    title: str
    checks: tuple[PublicCheck, ...]
    announcements: tuple[PublicAnnouncement, ...] = ()
    planned: tuple[PlannedMaintenance, ...] = ()
    incidents: tuple[PublicIncident, ...] | None = None
    away: bool = False

    @property
    def groups(self) -> dict[str, list[PublicCheck]]:
        """The checks by group, in the order of the configuration."""
        found: dict[str, list[PublicCheck]] = {}
        for check in self.checks:
            found.setdefault(check.group, []).append(check)
        return found

    @property
    def counts(self) -> Counter[State]:
        """The number of checks in each state."""
        return Counter(check.state for check in self.checks)


def shows(public: PublicSpec, check: CheckSpec) -> bool:
    """True if outsiders may know of this check."""
    return public.enabled and fits(public.groups, check.group)


def title_of(public: PublicSpec) -> str:
    """Returns the title of the public page; never the monitor's own title, which may tell internals."""
    return public.title or "Status"


async def public_view(backend: Backend, public: PublicSpec) -> PublicView:
    """Returns the view of outsiders at this moment."""
    overview = await backend.overview()
    views = [check async for check in turns(overview.checks) if shows(public, check.spec)]
    incidents, days, away = await _past(backend.archive, views, overview.now, public)
    return PublicView(
        now=overview.now,
        title=title_of(public),
        checks=tuple([_check(view, days.get(view.name), public) async for view in turns(views)]),
        announcements=announced(backend.announcements(), public, _groups(overview, public)),
        planned=await _planned(views, overview.now),
        incidents=incidents,
        away=away,
    )


_Past = tuple[tuple[PublicIncident, ...] | None, dict[str, tuple[Day, ...]], bool]


async def _past(archive: Archive, views: Sequence[CheckView], now: float, public: PublicSpec) -> _Past:
    """Incidents, days by the name of the check, and whether they could not be read."""
    if not public.history or isinstance(archive, NoArchive):
        return None, {}, False
    names = [view.name for view in views]
    try:
        found = await incidents_of(archive, names, now)
        days = {name: await _days(archive, name, now) for name in (names if len(names) <= DRAWN else ())}
    except HistoryError:
        return None, {}, True
    titles = titles_of(views)
    return tuple(stripped(one, titles) for one in found), days, False


async def incidents_of(archive: Archive, names: Sequence[str] | None, now: float) -> list[Incident]:
    """The incidents of the last days, of these checks or of all, newest first."""
    asked = IncidentQuery(names, now - INCIDENT_DAYS * DAY, limit=MOST_INCIDENTS)
    return await archive.incidents(asked)


async def _days(archive: Archive, name: str, now: float) -> tuple[Day, ...]:
    """The last days, also those of which nothing is known."""
    today = int(now) // DAY * DAY
    starts = range(today - (DAYS - 1) * DAY, today + 1, DAY)
    found = {one.start: _day(one) for one in await archive.stretches(name, starts[0], now, DAY)}
    return tuple(found.get(start, Day(start)) for start in starts)


def _day(stretch: Stretch) -> Day:
    tally = stretch.tally
    return Day(stretch.start, tally.up, tally.degraded, tally.down, tally.maintenance, tally.paused)


def _check(view: CheckView, days: tuple[Day, ...] | None, public: PublicSpec) -> PublicCheck:
    spec, window = view.spec, view.maintenance
    return PublicCheck(
        name=spec.name,
        group=spec.group,
        description=spec.description if public.descriptions else "",
        state=view.state,
        since=view.standing.since,
        until=None if window is None else window.ends,
        days=days,
        title=spec.title,
    )


def stripped(incident: Incident, titles: Mapping[str, str]) -> PublicIncident:
    """An incident without its reason, and who takes care of it; `titles` are those of checks, by name."""
    title = titles.get(incident.check, "")
    return PublicIncident(incident.id, incident.check, incident.started_at, incident.ended_at, title)


def _groups(overview: Overview, public: PublicSpec) -> frozenset[str]:
    """The groups that are shown."""
    return frozenset(check.spec.group for check in overview.checks if shows(public, check.spec))


def announced(
    said: Iterable[Announcement], public: PublicSpec, shown: frozenset[str]
) -> tuple[PublicAnnouncement, ...]:
    """Returns announcements to everyone or about shown groups, without their authors."""
    found = []
    for one in said:
        groups = tuple(group for group in one.groups if group in shown)
        if public.enabled and (groups or not one.groups):
            found.append(PublicAnnouncement(one.id, one.text, one.starts, one.ends, groups))
    return tuple(found)


async def _planned(views: Sequence[CheckView], now: float) -> tuple[PlannedMaintenance, ...]:
    """The next maintenance of each check, together with that of others at the same time, soonest first."""
    known = {}
    found: dict[tuple[float, float], list[CheckView]] = {}
    async for view in turns(views):
        plan = view.plan
        if id(plan) not in known:  # checks with the same windows share one
            known[id(plan)] = upcoming(plan.windows, now, PLANNED_DAYS * DAY)
        if window := known[id(plan)]:
            found.setdefault((window.starts, window.ends), []).append(view)
    return tuple(
        PlannedMaintenance(*times, tuple(view.name for view in some), tuple(view.display_name for view in some))
        for times, some in sorted(found.items(), key=lambda one: one[0])
    )
