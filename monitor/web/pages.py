"""The pages: templates filled with a view, in short turns of the loop, since thousands of rows take their time."""

from __future__ import annotations

from datetime import UTC, datetime

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from monitor.clock import rfc3339
from monitor.outcome import State
from monitor.view import CheckView, MonitorView, Overview
from monitor.web import wording
from monitor.web.bars import strip
from monitor.web.rendering import Parts, encoded
from monitor.web.rows import (
    Wanted,
    arrange,
    certificate_words,
    detail_path,
    headline,
    latest_certificate,
)
from monitor.web.static import asset_path
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
_CHECK = _ENVIRONMENT.get_template("check.html")
_ERROR = _ENVIRONMENT.get_template("error.html")


async def overview_page(view: Overview, wanted: Wanted, compress: bool) -> Parts:
    """The page of all checks."""
    summary = view.summary
    page = _OVERVIEW.stream(
        view=view,
        monitor=view.monitor,
        now=view.now,
        summary=summary,
        order=("down", "degraded", "unknown", "maintenance", "paused", "up"),
        arranged=await arrange(view, wanted),
        headline=headline(view),
        title=_title(summary, view.monitor),
        icon="icon-down.svg" if summary["down"] else "icon.svg",
    )
    page.enable_buffering(_EXPRESSIONS_AT_ONCE)
    return await encoded(page, compress)


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
        icon="icon-down.svg" if check.state is State.DOWN else "icon.svg",
    )
    return await encoded(texts, compress)


def template(name: str) -> Template:
    """One of our templates, for modules that fill it themselves."""
    return _ENVIRONMENT.get_template(name)


def render_error(status: int, title: str, sentence: str, lines: list[str]) -> str:
    """A small page that says what went wrong."""
    return _ERROR.render(status=status, title=title, sentence=sentence, lines=lines, icon="icon.svg")


def _title(summary: dict[str, int], monitor: MonitorView) -> str:
    name = monitor.title or "monitor"
    return f"({summary['down']} down) {name}" if summary["down"] else name


def _places(check: CheckView) -> int:
    return min(max(len(check.history), 30), _DETAIL_PLACES)
