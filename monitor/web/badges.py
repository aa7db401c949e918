"""Badges: the state, the availability or the latency of one check as a small picture, for wikis and dashboards."""

from __future__ import annotations

from aiohttp import web
from markupsafe import escape

from monitor.outcome import State
from monitor.spec import Right
from monitor.state import seconds
from monitor.summary import percent
from monitor.view import CheckView
from monitor.web.api.parameters import BadParameter, Parameters
from monitor.web.middleware import error
from monitor.web.public import STATES, cached, is_public
from monitor.web.served import Served

_COLOURS = {
    State.UP: "#197a3a",
    State.DEGRADED: "#8a5600",
    State.DOWN: "#c8141e",
    State.UNKNOWN: "#59626d",
    State.PAUSED: "#59626d",
    State.MAINTENANCE: "#1259b0",
}
_SHAPES = {
    State.UP: '<circle cx="6" cy="6" r="4.6"/>',
    State.DEGRADED: '<path d="M6 .4 11.6 6 6 11.6.4 6z"/>',
    State.DOWN: '<path d="M.8 1.8h10.4L6 11z"/>',
    State.UNKNOWN: '<circle cx="6" cy="6" r="4" fill="none" stroke="#fff" stroke-width="1.8"/>',
    State.PAUSED: '<path d="M2 1.5h2.8v9H2zM7.2 1.5H10v9H7.2z"/>',
    State.MAINTENANCE: '<path d="M6 1.2 10.8 6 6 10.8 1.2 6z" fill="none" stroke="#fff" stroke-width="1.8"/>',
}
_DAYS = {"1": 1, "7": 7, "30": 30, "90": 90}
_WIDE, _NARROW = set("mwMWOQG@%—…"), set("iljtfrI.,:;'|!()[] ")
_SUFFIX = ".svg"


class Badges:
    """What /badge answers: to everybody for public checks, for others to those who may view."""

    def __init__(self, served: Served) -> None:
        self._served = served

    def needed(self, request: web.Request) -> Right | None:
        """Who may have it; asked by `monitor.web.access`."""
        view = self._view(request)
        public = view is not None and is_public(self._served.public(), view.spec.group)
        return None if public else "view"

    async def badge(self, request: web.Request) -> web.StreamResponse:
        """The badge of one check."""
        view = self._view(request)
        if view is None:
            return error(request, 404)
        try:
            asked = Parameters(request, ("show", "days", "label"))
            show = asked.choice("show", "state", "uptime", "latency") or "state"
            days = _DAYS[asked.choice("days", *_DAYS) or "30"]
        except BadParameter as wrong:
            return error(request, 400, str(wrong))
        label = (asked.text("label") or view.name)[:100]
        return cached(request, drawn(label, _words(view, show, days), view.state).encode(), "image/svg+xml")

    def _view(self, request: web.Request) -> CheckView | None:
        name = request.match_info["badge"]
        return self._served.check(name.removesuffix(_SUFFIX)) if name.endswith(_SUFFIX) else None


def _words(view: CheckView, show: str, days: int) -> str:
    if show == "uptime":
        return percent(view.availability(days))
    if show == "latency":
        last = view.last_success
        return "–" if last is None or last.duration is None else seconds(last.duration)
    return STATES[view.state]


def drawn(label: str, words: str, state: State) -> str:
    """The picture: a name on grey, words on the colour of the state, and its shape."""
    left, right = _width(label) + 16, _width(words) + 32
    title = escape(f"{label}: {words}, {STATES[state]}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" aria-label="{title}">'
        f"<title>{title}</title>"
        f'<rect width="{left}" height="20" fill="#3a4149"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{_COLOURS[state]}"/>'
        '<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
        f'<text x="8" y="14" textLength="{left - 16}">{escape(label)}</text>'
        f'<g transform="translate({left + 7} 4)">{_SHAPES[state]}</g>'
        f'<text x="{left + 24}" y="14" textLength="{right - 32}">{escape(words)}</text></g></svg>'
    )


def _width(text: str) -> int:
    """How wide a text is at eleven pixels, near enough: it is fitted to this width."""
    return round(sum(10 if c in _WIDE else 4 if c in _NARROW else 7 for c in text))
