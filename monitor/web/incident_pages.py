"""The pages of incidents: all of them in time, one alone, and the report of a period."""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from monitor.history.archive import IncidentQuery
from monitor.live.view import CheckView, Overview
from monitor.model.errors import HistoryError
from monitor.model.incident import Incident
from monitor.rules.maintenance import windows_between
from monitor.web.api.parameters import BadParameter, Parameters, cursor_of
from monitor.web.api.reports import made_of
from monitor.web.backend import Backend
from monitor.web.csrf import csrf_token
from monitor.web.middleware import error, viewer_of
from monitor.web.negotiation import HTML
from monitor.web.pages import incident_page, incidents_page, report_page
from monitor.web.rendering import Parts
from monitor.web.selection import Selection, groups_of, titles_of
from monitor.web.sending import compressed, sent
from monitor.web.timeline import MOST_LANES, PERIODS, Period, clusters, lanes, together_with

_IN_TIME = 1000
_ON_A_PAGE = 100
_WEEK = 7 * 86400.0


class IncidentPages:
    """Handlers of the pages about incidents."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def incidents(self, request: web.Request) -> web.StreamResponse:
        """The incidents of all checks."""
        try:
            asked = Parameters(request, ("range", "group", "check", "state", "cursor"))
            state = asked.choice("state", "ongoing", "resolved")
            before = asked.cursor()
        except BadParameter as wrong:
            return error(request, 400, str(wrong))
        view = await self._backend.overview()
        period = next((one for one in PERIODS if one.name == request.query.get("range")), PERIODS[1])
        names = _names(view, asked.texts("group"), asked.texts("check"))
        start = view.now - period.length
        query = IncidentQuery(names, start, view.now, None if state is None else state == "ongoing", _IN_TIME)
        away, outages = None, []
        try:
            found = await self._backend.archive.incidents(query)
            outages = await self._backend.archive.outages(start, view.now)
        except HistoryError as problem:
            away, found = str(problem), _remembered(view, names)
        planned = {c.name: windows_between(c.plan.windows, start, view.now) for c in view.checks if c.plan.windows}
        listed = [one for one in found if before is None or (one.started_at, one.id) < before]
        page = listed[:_ON_A_PAGE]
        titles = titles_of(view.checks)
        drawn = lanes(found, start, view.now, outages, planned, titles=titles)
        parts = await incidents_page(
            view,
            compressed(request),
            period=period,
            periods=PERIODS,
            found=found,
            page=page,
            more=cursor_of(page[-1].started_at, page[-1].id) if len(listed) > _ON_A_PAGE else None,
            lanes=drawn,
            left_out=max(0, len({one.check for one in found}) - MOST_LANES),
            clusters=clusters(found)[:5],
            outages=outages,
            groups=groups_of(view.checks),
            titles=titles,
            away=away,
            query=_others(request, period),
            announcements=self._backend.announcements(),
            csrf=csrf_token(),
            viewer=viewer_of(request),
        )
        return await _page(request, parts)

    async def incident(self, request: web.Request) -> web.StreamResponse:
        """One incident."""
        name = request.match_info["incident"]
        view = await self._backend.overview()
        try:
            found = await self._backend.archive.incident(name)
            others = await self._around(found) if found else []
        except HistoryError as away:
            remembered = (one for one in _remembered(view, None) if one.id == name)
            found, others = next(remembered, None), []
            if found is None:
                return error(request, 503, str(away))
        if found is None:
            return error(request, 404, f"there is no incident {name!r}")
        parts = await incident_page(
            view,
            compressed(request),
            incident=found,
            check=self._backend.check(found.check),
            others=others,
            titles=titles_of(view.checks),
            planned=_ended_by_maintenance(found, self._backend.check(found.check)),
            csrf=csrf_token(),
            viewer=viewer_of(request),
        )
        return await _page(request, parts)

    async def _around(self, incident: Incident) -> list[Incident]:
        at = incident.started_at
        query = IncidentQuery(start=at - 1, end=at + 121, limit=_IN_TIME)
        near = await self._backend.archive.incidents(query)
        return together_with(incident, near)

    async def report(self, request: web.Request) -> web.StreamResponse:
        """The figures of a period."""
        now = self._backend.now().wall
        try:
            asked = Parameters(request, ("from", "to", "group", "label"))
            start, end = asked.period(_WEEK, now)
        except BadParameter as wrong:
            return error(request, 400, str(wrong))
        view = await self._backend.overview()
        selection = Selection.of(request.query)
        selection = replace(selection, groups=tuple(filter(None, selection.groups)))  # the form's word for all
        titles = {check.name: check.spec.title for check in view.checks if check in selection}
        made, away = None, None
        try:
            made = await made_of(self._backend, titles, start, end)
        except HistoryError as problem:
            away = str(problem)
        every = sorted({check.spec.group for check in view.checks if check.spec.group})
        parts = await report_page(
            view,
            compressed(request),
            report=made,
            away=away,
            start=start,
            end=end,
            chosen=selection.groups,
            groups=every,
            query=request.query_string,
        )
        return await _page(request, parts)


async def _page(request: web.Request, parts: Parts) -> web.StreamResponse:
    return await sent(request, parts, f"{HTML}; charset=utf-8", "gzip" if compressed(request) else None)


def _names(view: Overview, groups: list[str], checks: list[str]) -> list[str] | None:
    if not groups and not checks:
        return None
    of_groups = [check.name for check in view.checks if check.spec.group in groups]
    return [*checks, *of_groups]


def _remembered(view: Overview, names: list[str] | None) -> list[Incident]:
    """Returns the incidents in memory: those that last, and the latest of each check."""
    found = [one for check in view.checks if names is None or check.name in names for one in check.incidents]
    return sorted(found, key=lambda one: -one.started_at)


def _others(request: web.Request, period: Period) -> list[tuple[str, str]]:
    """The query without the place in the list."""
    return [(key, value) for key, value in request.query.items() if key not in ("cursor", "range")] + [
        ("range", period.name)
    ]


def _ended_by_maintenance(incident: Incident, check: CheckView | None) -> str | None:
    """The planned maintenance that began when the incident ended, if one did."""
    if check is None or incident.ended_at is None:
        return None
    windows = windows_between(check.plan.windows, incident.ended_at - 2, incident.ended_at + 2)
    return next((w.name for w in windows if abs(w.starts - incident.ended_at) <= 2), None)
