"""Badges of checks, for other pages: of public ones to everybody, of the others to those who may view."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from monitor.live.view import CheckView
from monitor.model.outcome import State
from monitor.model.settings import PublicSpec
from monitor.stats.availability import percent
from monitor.web.backend import Backend
from monitor.web.badge import Badge, badge_svg
from monitor.web.caching import kept, send_kept
from monitor.web.middleware import MAY, USER, error
from monitor.web.public_view import shows
from monitor.web.public_words import WORDS
from monitor.web.wording import latency

_SHOWN = ("state", "uptime", "latency")
_DAYS = ("1", "7", "30", "90")
_LONGEST_LABEL = 100
_FRESH = "max-age=30"


class Badges:
    """`/badge/{check}.svg`"""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def badge(self, request: web.Request) -> web.StreamResponse:
        """One badge. Whom it is not for, and who asks for a check that there is not, get the same answer."""
        show, days = request.query.get("show", "state"), request.query.get("days", "30")
        check, public = self._backend.check(request.match_info["check"]), self._backend.public()
        outside = check is not None and _for_everybody(public, check, show)
        if check is None or not (outside or "view" in request[MAY]):
            raise web.HTTPNotFound
        if show not in _SHOWN:
            return error(request, 400, "show is one of state, uptime and latency")
        if days not in _DAYS:
            return error(request, 400, "days is one of 1, 7, 30 and 90")
        badge = _made(check, show, int(days))
        label = request.query.get("label")
        svg = badge_svg(badge if label is None else badge._replace(label=_cut(label)))
        return await send_kept(request, kept((svg.encode(),)), _headers(outside or request[USER] is None))


def _for_everybody(public: PublicSpec, check: CheckView, show: str) -> bool:
    return shows(public, check.spec) and (show == "state" or public.history)


def _made(check: CheckView, show: str, days: int) -> Badge:
    label = _cut(check.display_name)
    if show == "uptime":
        value = percent(check.availability(days))
        return Badge(label, f"{value} in {days} d" if days > 1 else f"{value} in 24 h")
    if show == "latency":
        serves = check.state in (State.UP, State.DEGRADED) and check.last_success is not None
        return Badge(label, latency(check.last_success.duration if serves and check.last_success else None))
    return Badge(label, WORDS[check.state], check.state)


def _cut(label: str) -> str:
    return label if len(label) <= _LONGEST_LABEL else label[: _LONGEST_LABEL - 1] + "…"


def _headers(shared: bool) -> Mapping[str, str]:
    """Pages of other sites may show what needs no login; by what does need one, they could tell how a check is."""
    return {
        "Content-Type": "image/svg+xml; charset=utf-8",
        "Cache-Control": f"{'public' if shared else 'private'}, {_FRESH}",
        "Cross-Origin-Resource-Policy": "cross-origin" if shared else "same-origin",
    } | ({} if shared else {"Vary": "Authorization"})
