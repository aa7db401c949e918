"""The pages: templates filled with a view, in short turns of the loop, since thousands of rows take their time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined

from monitor.archive import Announcement
from monitor.clock import rfc3339
from monitor.outcome import State
from monitor.view import CheckView, MonitorView, Overview
from monitor.web import wording
from monitor.web.bars import strip
from monitor.web.rendering import Parts, encoded
from monitor.web.rows import (
    arrange,
    certificate_words,
    detail_path,
    headline,
    latest_certificate,
)
from monitor.web.static import asset_path, icon_path
from monitor.web.wanted import SORTS, Wanted
from monitor.web.waterfall import waterfall

REFRESH = 5
"""Seconds between two looks of an open page."""
_WITHOUT_SCRIPT = 15
_DETAIL_PLACES = 120
_EXPRESSIONS_AT_ONCE = 100
"""Pieces of the template that are joined before anybody looks at the time."""


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("monitor.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals |= {
        "asset": asset_path,
        "detail_path": detail_path,
        "label_path": lambda key, value: "/status?" + urlencode({"label": f"{key}={value}"}),
        "refresh": REFRESH,
        "reload_after": _WITHOUT_SCRIPT,
        "words": wording,
        "certificate_words": certificate_words,
        "waterfall": waterfall,
        "iso": rfc3339,
        "day": lambda at: f"{datetime.fromtimestamp(at, UTC):%-d %b %Y}",
    }
    return environment


_ENVIRONMENT = _environment()
_OVERVIEW = _ENVIRONMENT.get_template("overview.html")
_WALL = _ENVIRONMENT.get_template("wall.html")
_CHECK = _ENVIRONMENT.get_template("check.html")
_ERROR = _ENVIRONMENT.get_template("error.html")


async def overview_page(view: Overview, wanted: Wanted, announcements: Sequence[Announcement], compress: bool) -> Parts:
    """The page of all checks, or of those that are wanted."""
    summary = view.summary
    page = _OVERVIEW.stream(
        view=view,
        monitor=view.monitor,
        now=view.now,
        summary=summary,
        order=("down", "degraded", "unknown", "maintenance", "paused", "up"),
        arranged=await arrange(view, wanted),
        wanted=wanted,
        sorts=SORTS,
        announcements=announcements,
        headline=headline(view),
        here="status",
        title=_title(summary, view.monitor),
        icon=icon_path(summary["down"]),
    )
    page.enable_buffering(_EXPRESSIONS_AT_ONCE)
    return await encoded(page, compress)


async def wall_page(view: Overview, announcements: Sequence[Announcement], compress: bool) -> Parts:
    """What is wrong, for a screen across the room."""
    summary = view.summary
    wrong = [check for check in view.checks if check.state in (State.DOWN, State.DEGRADED)]
    wrong.sort(key=lambda check: (check.state is not State.DOWN, check.standing.since))
    texts = _WALL.generate(
        view=view,
        monitor=view.monitor,
        now=view.now,
        summary=summary,
        order=("down", "degraded", "unknown", "maintenance", "up"),
        wrong=wrong,
        announcements=announcements,
        headline=headline(view),
        here="wall",
        title=_title(summary, view.monitor),
        icon=icon_path(summary["down"]),
    )
    return await encoded(texts, compress)


async def check_page(monitor: MonitorView, check: CheckView, compress: bool) -> Parts:
    """The page of one check."""
    recent = check.recent
    spec = check.spec
    texts = _CHECK.generate(
        monitor=monitor,
        check=check,
        spec=spec,
        now=check.now,
        failure=check.last_failure,
        success=check.last_success,
        chain=check.history.chain,
        recent=recent,
        first_ending=latest_certificate(check),
        bars=strip(recent, spec.interval, spec.expect.latency, _places(check)),
        title=f"{check.name} {check.state.value} · {monitor.title or 'monitor'}",
        here="",
        icon=icon_path(int(check.state is State.DOWN)),
    )
    return await encoded(texts, compress)


def render_error(status: int, title: str, sentence: str, lines: list[str]) -> str:
    """A small page that says what went wrong."""
    return _ERROR.render(status=status, title=title, sentence=sentence, lines=lines, here="", icon=icon_path(0))


def _title(summary: dict[str, int], monitor: MonitorView) -> str:
    name = monitor.title or "monitor"
    return f"({summary['down']} down) {name}" if summary["down"] else name


def _places(check: CheckView) -> int:
    return min(max(len(check.history), 30), _DETAIL_PLACES)
