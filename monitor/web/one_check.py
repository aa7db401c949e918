"""Gathers the past for the page of one check, once per answer; from memory if the archive is unavailable."""

from __future__ import annotations

import math
from dataclasses import dataclass

from monitor.history.archive import Archive, IncidentQuery
from monitor.live.view import CheckView
from monitor.model.errors import HistoryError
from monitor.model.incident import Incident
from monitor.model.result import Result
from monitor.stats.availability import percent
from monitor.stats.rollups import Stretch
from monitor.stats.tally import Tally
from monitor.web.charts import RANGES, Range, laid_out

_RESULTS, _FAILURES, _INCIDENTS = 100, 100, 20
_DAYS = {"24h": 1, "7d": 7, "30d": 30, "90d": 90}


@dataclass(frozen=True, slots=True)
class Figure:
    """The availability over one range, and how much of its time is known, in words."""

    range: Range
    availability: str
    coverage: str


@dataclass(frozen=True, slots=True)
class CheckPast:
    """The past of one check as its page shows it; `away`: why the archive is unavailable, None if it is not."""

    range: Range
    slots: list[Tally | None]
    figures: list[Figure]
    incidents: list[Incident]
    marked: list[Incident]
    """Incidents within the range."""
    results: list[Result]
    only_failures: bool
    away: str | None = None


def chosen_range(name: str | None) -> Range:
    """The range of that name, the first unless there is one."""
    return next((one for one in RANGES if one.name == name), RANGES[0])


async def gathered(view: CheckView, archive: Archive, of: Range, *, only_failures: bool) -> CheckPast:
    """Everything, asked of the archive."""
    try:
        return await _asked(view, archive, of, only_failures=only_failures)
    except HistoryError as away:
        return _remembered(view, of, str(away), only_failures=only_failures)


async def _asked(view: CheckView, archive: Archive, of: Range, *, only_failures: bool) -> CheckPast:
    now, start = view.now, of.start(view.now)
    stretches = await archive.stretches(view.name, start, now, of.step)
    incidents = await archive.incidents(IncidentQuery([view.name], limit=_INCIDENTS))
    marked = await archive.incidents(IncidentQuery([view.name], start, now, limit=1000))
    return CheckPast(
        range=of,
        slots=laid_out(stretches, of, now),
        figures=[await _figure(view, archive, one) for one in RANGES],
        incidents=incidents,
        marked=marked,
        results=await archive.results(view.name, _RESULTS, failed=True if only_failures else None),
        only_failures=only_failures,
    )


async def _figure(view: CheckView, archive: Archive, of: Range) -> Figure:
    length = _DAYS[of.name] * 86400.0
    tally = (await archive.totals([view.name], view.now - length, view.now)).get(view.name, Tally())
    return Figure(of, percent(tally.availability), percent(tally.coverage(length)))


def _remembered(view: CheckView, of: Range, away: str, *, only_failures: bool) -> CheckPast:
    """Returns the past that is known without the archive: slots of the last day, latest results and incidents."""
    known = []
    for number, slot in enumerate(view.slots):
        tally = Tally(up=slot.up, degraded=slot.degraded, down=slot.down, maintenance=slot.maintenance)
        start = (math.floor(view.now / 960) - len(view.slots) + 1 + number) * 960
        if slot.known or slot.maintenance:
            known.append(Stretch(960, start, tally))
    results = [result for result in view.recent if result.failed or not only_failures]
    figures = [Figure(one, percent(view.availability(_DAYS[one.name])), "–") for one in RANGES]
    incidents = list(view.incidents)
    return CheckPast(of, laid_out(known, of, view.now), figures, incidents, incidents, results, only_failures, away)
