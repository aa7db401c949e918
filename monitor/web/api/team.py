"""Handlers for what the team does by the API: acknowledge incidents, make announcements, run checks now."""

from __future__ import annotations

import secrets
from typing import TypeVar

from aiohttp import web
from msgspec import DecodeError, ValidationError, json

from monitor.history.archive import Announcement
from monitor.model.incident import Acknowledgement
from monitor.secrets.visible import legible, visible
from monitor.web.api import schemas
from monitor.web.api.answers import answered, json_answer
from monitor.web.api.documents import announcement, incident, result
from monitor.web.api.parameters import LONGEST, BadParameter, Parameters, duration, moment
from monitor.web.backend import Backend
from monitor.web.middleware import USER, error

_Given = TypeVar("_Given")

NOBODY = "anonymous"
"""The author's name if access needs no login."""


class TeamHandlers:
    """Handlers of the team's paths."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    @answered
    async def run(self, request: web.Request) -> web.StreamResponse:
        """Run a check now, and say what it found."""
        Parameters(request, ())
        name = request.match_info["check"]
        found = await self._backend.run_now(name)
        if found is None:
            return error(request, 404, f"there is no check named {name!r}")
        return await json_answer(request, result(found))

    @answered
    async def acknowledge(self, request: web.Request) -> web.StreamResponse:
        """Acknowledges an incident."""
        Parameters(request, ())
        given = await _given(request, schemas.NewAcknowledgement)
        now = self._backend.now().wall
        said = Acknowledgement(who(request), text_of("note", given.note), now, _until(given, now))
        return await self._note(request, said)

    @answered
    async def take_back(self, request: web.Request) -> web.StreamResponse:
        """Withdraws an acknowledgement."""
        Parameters(request, ())
        return await self._note(request, None)

    async def _note(self, request: web.Request, said: Acknowledgement | None) -> web.StreamResponse:
        name = request.match_info["incident"]
        noted = await self._backend.acknowledge(name, said)
        if noted is None:
            known = await self._backend.archive.incident(name)
            if known is None:
                return error(request, 404, f"there is no incident {name!r}")
            return error(request, 409, "the incident is over")
        view = self._backend.check(noted.check)
        return await json_answer(request, incident(noted, view.spec if view else None, self._backend.now().wall))

    @answered
    async def announcements(self, request: web.Request) -> web.StreamResponse:
        """Lists the current announcements, or those of a period."""
        asked = Parameters(request, ("from", "to"))
        if asked.text("from") or asked.text("to"):
            start, end = asked.period(7 * 86400.0, self._backend.now().wall)
            found = await self._backend.archive.announcements(start, end)
        else:
            found = list(self._backend.announcements())
        return await json_answer(request, schemas.Announcements(list(map(announcement, found))))

    @answered
    async def announce(self, request: web.Request) -> web.StreamResponse:
        """Announce something."""
        Parameters(request, ())
        given = await _given(request, schemas.NewAnnouncement)
        said = announced(given, who(request), self._backend.now().wall)
        await self._backend.announce(said)
        return await json_answer(request, announcement(said), 201)

    @answered
    async def withdraw(self, request: web.Request) -> web.StreamResponse:
        """End an announcement."""
        Parameters(request, ())
        name = request.match_info["announcement"]
        if not await self._backend.withdraw(name):
            return error(request, 404, f"nothing is announced by the id {name!r}")
        return web.Response(status=204)


def who(request: web.Request) -> str:
    """Returns the name of the caller."""
    return request.get(USER) or NOBODY


def announced(given: schemas.NewAnnouncement, by: str, now: float) -> Announcement:
    """The announcement that a document asks for; raises BadParameter."""
    starts = moment("starts", str(given.starts), now) if given.starts else now
    if starts > now + LONGEST:
        raise BadParameter("starts must be within ten years")
    ends = _until(given, starts)
    if ends is not None and ends <= starts:
        raise BadParameter("until must be after it starts")
    text, groups = text_of("text", given.text), tuple(map(legible, given.groups or ()))
    if not text:
        raise BadParameter("text is missing")
    if any(len(group) > schemas.LONGEST_GROUP for group in groups):
        raise BadParameter(f"groups have at most {schemas.LONGEST_GROUP} characters")
    return Announcement(secrets.token_hex(8), text, by, starts, ends, groups)


def text_of(name: str, given: str | None) -> str:
    """A text of some lines at most; raises BadParameter."""
    text = "".join(c if c.isprintable() or c == "\n" else " " for c in (given or "").replace("\r\n", "\n")).strip()
    if len(text) > schemas.LONGEST_NOTE:
        raise BadParameter(f"{name} is longer than {schemas.LONGEST_NOTE} characters")
    return text


def _until(given: schemas.NewAcknowledgement | schemas.NewAnnouncement, now: float) -> float | None:
    if given.until and given.lasts:
        raise BadParameter("until and for say the same; give one of them")
    if given.lasts:
        return now + duration("for", given.lasts)
    if not given.until:
        return None
    until = moment("until", str(given.until), now)
    if not now < until <= now + LONGEST:
        raise BadParameter("until must be a time to come, within ten years")
    return until


async def _given(request: web.Request, kind: type[_Given]) -> _Given:
    """The JSON object that was sent; nothing sent is an empty one."""
    body = await request.read()
    try:
        return json.decode(body if body.strip() else b"{}", type=kind)
    except ValidationError as wrong:
        raise BadParameter(f"the JSON cannot be used: {visible(str(wrong)[:200])}") from None
    except (DecodeError, RecursionError) as wrong:
        raise BadParameter(f"the body is not JSON: {wrong}") from None
