"""/api/v1/incidents: those of all checks, and one with its evidence."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from monitor.history.archive import IncidentQuery
from monitor.model.spec import CheckSpec
from monitor.web.api import schemas
from monitor.web.api.answers import answered, json_answer
from monitor.web.api.documents import incident, incident_alone
from monitor.web.api.parameters import Parameters, cursor_of
from monitor.web.backend import Backend
from monitor.web.middleware import error

_MOST = 1000


class IncidentHandlers:
    """Handlers of the paths of incidents."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    @answered
    async def all(self, request: web.Request) -> web.StreamResponse:
        """Incidents, newest first, page by page."""
        asked = Parameters(request, ("check", "group", "state", "from", "to", "limit", "cursor"))
        now = self._backend.now().wall
        limit, state = asked.count("limit", 100, _MOST), asked.choice("state", "ongoing", "resolved")
        specs = {check.name: check.spec for check in (await self._backend.overview()).checks}
        query = IncidentQuery(
            checks=_checks(asked, specs),
            start=asked.time("from", 0.0, now) if asked.text("from") else None,
            end=asked.time("to", now, now) if asked.text("to") else None,
            ongoing=None if state is None else state == "ongoing",
            limit=limit + 1,
            before=asked.cursor(),
        )
        found = await self._backend.archive.incidents(query)
        page = found[:limit]
        more = len(found) > limit
        document = schemas.Incidents(
            incidents=[incident(one, specs.get(one.check), now) for one in page],
            next_cursor=cursor_of(page[-1].started_at, page[-1].id) if more else None,
        )
        return await json_answer(request, document)

    @answered
    async def one(self, request: web.Request) -> web.StreamResponse:
        """One incident."""
        Parameters(request, ())
        name = request.match_info["incident"]
        found = await self._backend.archive.incident(name)
        if found is None:
            return error(request, 404, f"there is no incident {name!r}")
        view = self._backend.check(found.check)
        spec = view.spec if view else None
        return await json_answer(request, incident_alone(found, spec, self._backend.now().wall))


def _checks(asked: Parameters, specs: Mapping[str, CheckSpec]) -> list[str] | None:
    """Returns the names of the selected checks; None for all."""
    names, wanted = asked.texts("check"), asked.texts("group")
    if not names and not wanted:
        return None
    of_groups = [name for name, spec in specs.items() if spec.group in wanted]
    if names and wanted:
        return [name for name in names if name in of_groups]
    return names or of_groups
