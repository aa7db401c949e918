"""/api/v1/checks: all of them, one alone, and its history."""

from __future__ import annotations

import math

from aiohttp import web

from monitor.live.view import CheckView, count_states
from monitor.model.clock import rfc3339
from monitor.model.errors import HistoryError
from monitor.model.outcome import State
from monitor.model.result import Result
from monitor.system.turns import turns
from monitor.web.api import schemas
from monitor.web.api.answers import answered, json_answer
from monitor.web.api.documents import detailed, listed, slot
from monitor.web.api.parameters import BadParameter, Parameters, cursor_of
from monitor.web.backend import Backend
from monitor.web.middleware import error
from monitor.web.selection import Selection

_MOST = 1000
_RESULTS = 100
_SLOTS_WANTED, _SLOTS_MOST = 200, 5000
_STEPS = (60, 300, 900, 1800, 3600, 7200, 14400, 28800, 86400)
"""Steps that are chosen for those who ask for none."""
DAY = 86400.0


class CheckHandlers:
    """Handlers of the paths of checks."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    @answered
    async def all(self, request: web.Request) -> web.StreamResponse:
        """The checks, in the order of the configuration, page by page."""
        asked = Parameters(request, ("group", "state", "label", "q", "limit", "cursor"))
        limit, after = asked.count("limit", 100, _MOST), asked.cursor()
        selection = _selection(request)
        view = await self._backend.overview()
        chosen = [check async for check in turns(view.checks) if check in selection]
        first = 0 if after is None else int(after[0])
        page = chosen[first : first + limit]
        more = first + limit < len(chosen)
        document = schemas.Checks(
            checks=[listed(check) async for check in turns(page)],
            summary=schemas.Summary(**count_states(check.state for check in chosen)),
            next_cursor=cursor_of(first + limit, "") if more else None,
        )
        return await json_answer(request, document)

    @answered
    async def one(self, request: web.Request) -> web.StreamResponse:
        """One check, with what is kept of its last results."""
        Parameters(request, ())
        view = self._view(request)
        if view is None:
            return _unknown(request)
        return await json_answer(request, detailed(view, await self._recent(view)))

    async def _recent(self, view: CheckView) -> list[Result]:
        try:
            return await self._backend.archive.results(view.name, _RESULTS)
        except HistoryError:
            return list(view.recent)

    @answered
    async def history(self, request: web.Request) -> web.StreamResponse:
        """A check's figures in slots."""
        asked = Parameters(request, ("from", "to", "step"))
        view = self._view(request)
        if view is None:
            return _unknown(request)
        start, end = asked.period(DAY, view.now)
        step = _step(asked, start, end)
        found = await self._backend.archive.stretches(view.name, start, end, step)
        document = schemas.History(
            check=view.name,
            start=rfc3339(start),
            end=rfc3339(end),
            step_seconds=found[0].step if found else step,
            slots=[slot(one) async for one in turns(found)],
        )
        return await json_answer(request, document)

    def _view(self, request: web.Request) -> CheckView | None:
        return self._backend.check(request.match_info["check"])


def _unknown(request: web.Request) -> web.Response:
    return error(request, 404, f"there is no check named {request.match_info['check']!r}")


def _selection(request: web.Request) -> Selection:
    selection = Selection.of(request.query)
    for state in selection.states:
        if state not in list(State):
            raise BadParameter(f"state must be of {', '.join(State)}")
    return selection


def _step(asked: Parameters, start: float, end: float) -> int:
    text = asked.text("step")
    if text is None:
        fitting = (step for step in _STEPS if (end - start) / step <= _SLOTS_WANTED)
        return next(fitting, math.ceil((end - start) / _SLOTS_WANTED / DAY) * int(DAY))
    if not text.isdecimal() or len(text) > 9 or int(text) < 60 or int(text) % 60:
        raise BadParameter("step must be a number of seconds that is whole minutes: 60, 3600, 86400")
    if (end - start) / int(text) > _SLOTS_MOST:
        raise BadParameter(f"step makes more than {_SLOTS_MOST} slots; make it longer, or the period shorter")
    return int(text)
