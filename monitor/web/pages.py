"""The pages: templates filled with a view, in short turns of the loop, since thousands of rows take their time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from monitor.history.archive import Announcement
from monitor.live.view import CheckView, MonitorView, Overview
from monitor.model.clock import rfc3339, utc
from monitor.model.incident import Incident
from monitor.model.outcome import State
from monitor.model.result import Result
from monitor.protocols.registry import facts_of, protocol_of
from monitor.rules.state import ends_soon
from monitor.secrets.visible import legible
from monitor.stats.availability import percent
from monitor.web import wording
from monitor.web.charts import RANGES, Axis, availability_bars, latency_lines, scale_of, ticks
from monitor.web.commands import curl_command, probe_command
from monitor.web.configured import configured
from monitor.web.csrf import FIELD, csrf_token
from monitor.web.one_check import CheckPast
from monitor.web.overview_query import SORTS, OverviewQuery
from monitor.web.paths import base, link
from monitor.web.rendering import Parts, encoded
from monitor.web.rows import arrange, certificate_words, detail_path, headline, latest_ending
from monitor.web.static import asset_path, icon_path
from monitor.web.viewer import Viewer
from monitor.web.waterfall import waterfall

REFRESH = 5
"""Seconds between two looks of an open page."""
_WITHOUT_SCRIPT = 15
_EXPRESSIONS_AT_ONCE = 100
"""Pieces of the template joined between two looks at the clock."""


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("monitor.web"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: legible(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals |= {
        "asset": asset_path,
        "detail_path": detail_path,
        "label_path": lambda key, value: link("/status?") + urlencode({"label": f"{key}={value}"}),
        "refresh": REFRESH,
        "reload_after": _WITHOUT_SCRIPT,
        "facts_of": facts_of,
        "words": wording,
        "certificate_words": certificate_words,
        "waterfall": waterfall,
        "csrf_field": FIELD,
        "percent": percent,
        "urlencode": urlencode,
        "urlencode_path": lambda name: quote(name, safe=""),
        "base": base,
        "report_path": lambda since, groups: (
            link("/report?") + urlencode([("from", since), *(("group", g) for g in groups)])
        ),
        "iso": rfc3339,
        "day": lambda at: f"{utc(at):%-d %b %Y}",
    }
    return environment


_ENVIRONMENT = _environment()
_OVERVIEW = _ENVIRONMENT.get_template("overview.html")
_WALL = _ENVIRONMENT.get_template("wall.html")
_INCIDENTS = _ENVIRONMENT.get_template("incidents.html")
_INCIDENT = _ENVIRONMENT.get_template("incident.html")
_REPORT = _ENVIRONMENT.get_template("report.html")
_CHECK = _ENVIRONMENT.get_template("check.html")
_ERROR = _ENVIRONMENT.get_template("error.html")


async def overview_page(
    view: Overview, wanted: OverviewQuery, announcements: Sequence[Announcement], compress: bool
) -> Parts:
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
    """Renders the checks that are down or degraded, for a screen across the room."""
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


async def check_page(monitor: MonitorView, check: CheckView, past: CheckPast, viewer: Viewer, compress: bool) -> Parts:
    """The page of one check."""
    spec, incident = check.spec, check.standing.incident
    first = incident.first if incident else None
    limit = spec.latency
    scale = scale_of(past.slots, limit)
    axis = Axis(past.range, check.now)
    texts = _CHECK.generate(
        monitor=monitor,
        check=check,
        spec=spec,
        now=check.now,
        past=past,
        incident=incident,
        failure=first or check.last_failure,
        first=first,
        success=check.last_success,
        evidence=_evidence(incident, past),
        certified=check.history.certified,
        first_ending=latest_ending(check),
        ends_soon=ends_soon,
        bars=availability_bars(past.slots, axis),
        scale=scale,
        lines=latency_lines(past.slots, axis, scale, past.marked, limit) if scale else None,
        ticks=ticks(axis),
        ranges=RANGES,
        configured=configured(spec),
        viewer=viewer,
        commands=tuple(filter(None, (probe_command(spec), curl_command(spec)))),
        unsaid=protocol_of(spec).unsaid(spec),
        csrf=csrf_token(),
        here="",
        title=f"{check.display_name} {check.state.value} · {monitor.title or 'monitor'}",
        icon=icon_path(int(check.state is State.DOWN)),
    )
    return await encoded(texts, compress)


async def incidents_page(view: Overview, compress: bool, **shown: Any) -> Parts:
    """The incidents of all checks in time."""
    return await _page(_INCIDENTS, view, compress, "incidents", "Incidents", **shown)


async def incident_page(view: Overview, compress: bool, **shown: Any) -> Parts:
    """One incident."""
    name = shown["incident"].check
    return await _page(_INCIDENT, view, compress, "", f"Incident of {shown['titles'].get(name, name)}", **shown)


async def report_page(view: Overview, compress: bool, **shown: Any) -> Parts:
    """The figures of a period."""
    return await _page(_REPORT, view, compress, "report", "Report", **shown)


async def _page(template: Template, view: Overview, compress: bool, here: str, title: str, **shown: Any) -> Parts:
    texts = template.generate(
        view=view,
        monitor=view.monitor,
        now=view.now,
        here=here,
        title=f"{title} · {_title(view.summary, view.monitor)}",
        icon=icon_path(view.summary["down"]),
        **shown,
    )
    return await encoded(texts, compress)


def _evidence(incident: Incident | None, past: CheckPast) -> Result | None:
    """The first failing run of the incident that lasts, or of the last one, if an answer came."""
    newest = incident or next(iter(past.incidents), None)
    first = newest.first if newest else None
    return first if first is not None and first.evidence is not None else None


def template(name: str) -> Template:
    """One of our templates, for modules that fill it themselves."""
    return _ENVIRONMENT.get_template(name)


def render_error(status: int, title: str, sentence: str, lines: list[str]) -> str:
    """A small page that says what went wrong."""
    return _ERROR.render(status=status, title=title, sentence=sentence, lines=lines, here="", icon=icon_path(0))


def _title(summary: dict[str, int], monitor: MonitorView) -> str:
    name = monitor.title or "monitor"
    return f"({summary['down']} down) {name}" if summary["down"] else name
