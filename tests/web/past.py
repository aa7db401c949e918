"""A past that a test lays out by hand, answered as the real archive answers it."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from monitor.history.archive import Announcement, IncidentQuery, Outage
from monitor.live.view import CheckView
from monitor.model.errors import HistoryError
from monitor.model.incident import Incident
from monitor.model.outcome import Reason
from monitor.model.result import Result
from monitor.stats.rollups import Stretch
from monitor.stats.tally import Tally, total


@dataclass
class LaidOut:
    """An `Archive` of lists; `away` is the sentence with which it refuses to answer."""

    minutes: dict[str, list[Stretch]] = field(default_factory=dict)
    """What each check's stretches held, of any length, oldest first."""
    found: dict[str, list[Result]] = field(default_factory=dict)
    logged: list[Incident] = field(default_factory=list)
    missed: list[Outage] = field(default_factory=list)
    said: list[Announcement] = field(default_factory=list)
    away: str | None = None

    def _there(self) -> None:
        if self.away is not None:
            raise HistoryError(self.away)

    async def stretches(self, check: str, start: float, end: float, step: int) -> list[Stretch]:
        self._there()
        sums: dict[int, Tally] = {}
        for one in self._within(check, start, end):
            sums.setdefault(one.start // step * step, Tally()).add(one.tally)
        return [Stretch(step, at, tally) for at, tally in sorted(sums.items())]

    async def totals(self, checks: Sequence[str], start: float, end: float) -> dict[str, Tally]:
        self._there()
        return {name: total([one.tally for one in self._within(name, start, end)]) for name in checks}

    def _within(self, check: str, start: float, end: float) -> list[Stretch]:
        return [one for one in self.minutes.get(check, []) if start <= one.start < end]

    async def results(
        self, check: str, limit: int, before: float | None = None, *, failed: bool | None = None
    ) -> list[Result]:
        self._there()
        of_check = sorted(self.found.get(check, []), key=lambda r: -r.started_at)
        kept = [r for r in of_check if failed in (None, r.failed) and (before is None or r.started_at < before)]
        return kept[:limit]

    async def incidents(self, asked: IncidentQuery) -> list[Incident]:
        self._there()
        newest = sorted(self.logged, key=lambda i: (i.started_at, i.id), reverse=True)
        return [one for one in newest if _asked_for(one, asked)][: asked.limit]

    async def incident(self, name: str) -> Incident | None:
        self._there()
        return next((one for one in self.logged if one.id == name), None)

    async def outages(self, start: float, end: float) -> list[Outage]:
        self._there()
        return [one for one in self.missed if one.started_at < end and one.ended_at > start]

    async def announcements(self, start: float, end: float) -> list[Announcement]:
        self._there()
        return [one for one in self.said if one.starts < end and (one.ends is None or one.ends > start)]


def _asked_for(one: Incident, asked: IncidentQuery) -> bool:
    return (
        (asked.checks is None or one.check in asked.checks)
        and (asked.end is None or one.started_at < asked.end)
        and (asked.start is None or one.ended_at is None or one.ended_at > asked.start)
        and (asked.ongoing is None or asked.ongoing is (one.ended_at is None))
        and (asked.before is None or (one.started_at, one.id) < asked.before)
    )


def quarter(view: CheckView, outages: Sequence[tuple[float, float]] = (), slots: int = 90 * 90) -> list[Stretch]:
    """Ninety days of a check by slots of sixteen minutes, or the last slots of it; outages began so many hours ago and
    lasted so many.
    """
    found = []
    for number in range(slots):
        start = (int(view.now // 960) - number) * 960
        ago = (view.now - start) / 3600
        down = any(began >= ago > began - hours for began, hours in outages)
        tally = Tally(down=960.0, runs=30, connection_errors=30) if down else _well(number)
        found.append(Stretch(960, start, tally))
    return found[::-1]


@functools.cache
def _well(number: int) -> Tally:
    """What a slot without an outage held; counted once, as a quarter of runs takes seconds, and only ever read."""
    tally = Tally(up=960.0)
    for n in range(30):
        took = 0.06 * (1.3 + 0.4 * math.sin(number / 70) + 0.5 * ((n * 7 + number) % 13 == 0) + 0.02 * (n % 5))
        tally.count(Result("", 0.0, Reason.OK, "", took))
    return tally
