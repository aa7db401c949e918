"""Handles the forms of the pages; each answer redirects to the page of the form."""

from __future__ import annotations

import re
from urllib.parse import quote

from aiohttp import web

from monitor.model.errors import HistoryError, NoRunNow
from monitor.model.incident import Acknowledgement
from monitor.web.api.parameters import BadParameter, duration
from monitor.web.api.schemas import NewAnnouncement
from monitor.web.api.team import announced, text_of, who
from monitor.web.backend import Backend
from monitor.web.middleware import error
from monitor.web.paths import link

_OWN_PAGE = re.compile(r"/(?:status|incidents)(?:/[A-Za-z0-9_.%-]+)?")


class Forms:
    """Handlers of the forms."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def run(self, request: web.Request) -> web.StreamResponse:
        """Run a check now."""
        name = request.match_info["check"]
        try:
            result = await self._backend.run_now(name)
        except NoRunNow as refused:
            return error(request, 409, str(refused))
        if result is None:
            return error(request, 404, f"there is no check named {name!r}")
        return _back(link(quote(request.path.removesuffix("/run"))))

    async def acknowledge(self, request: web.Request) -> web.StreamResponse:
        """Take care of an incident, or take that back."""
        name, form = request.match_info["incident"], await _form(request)
        now = self._backend.now().wall
        try:
            until = now + duration("for", form["for"]) if form.get("for") else None
            said = Acknowledgement(who(request), text_of("note", form.get("note")), now, until)
        except BadParameter as wrong:
            return error(request, 400, str(wrong))
        noted = await self._backend.acknowledge(name, None if form.get("take_back") else said)
        if noted is None:
            return error(request, 409, "the incident is over, or there is none of this id")
        back = str(form.get("back", ""))
        return _back(back if back.startswith(link("/status/")) else link(f"/incidents/{name}"))

    async def announce(self, request: web.Request) -> web.StreamResponse:
        """Announce something."""
        form = await _form(request)
        groups = [group.strip() for group in form.get("groups", "").split(",") if group.strip()]
        given = NewAnnouncement(form.get("text", ""), lasts=form.get("for"), groups=groups)
        try:
            await self._backend.announce(announced(given, who(request), self._backend.now().wall))
        except BadParameter as wrong:
            return error(request, 400, str(wrong))
        except HistoryError as away:
            return error(request, 503, str(away))
        return _back(link("/incidents#announcements"))

    async def withdraw(self, request: web.Request) -> web.StreamResponse:
        """End an announcement."""
        try:
            if not await self._backend.withdraw(request.match_info["announcement"]):
                return error(request, 409, "it is announced no more")
        except HistoryError as away:
            return error(request, 503, str(away))
        return _back(link("/incidents#announcements"))

    async def login(self, request: web.Request) -> web.StreamResponse:
        """Redirects back to the page: access has checked the login already."""
        back = request.query.get("back", "")
        return _back(link(back if _OWN_PAGE.fullmatch(back) else "/status"))


async def _form(request: web.Request) -> dict[str, str]:
    return {key: value for key, value in (await request.post()).items() if isinstance(value, str)}


def _back(path: str) -> web.Response:
    """See the page again (RFC 9110, 15.4.4)."""
    return web.Response(status=303, headers={"Location": path})
