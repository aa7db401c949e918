"""The API below /api/v1: what the page knows, and what can be done there, for programs."""

from __future__ import annotations

from aiohttp import web

from monitor.web.api.checks import CheckHandlers
from monitor.web.api.events import EventHandlers
from monitor.web.api.incidents import IncidentHandlers
from monitor.web.api.openapi import serve_openapi
from monitor.web.api.reports import ReportHandlers
from monitor.web.api.team import TeamHandlers
from monitor.web.backend import Backend

__all__ = ["routes"]


def routes(backend: Backend) -> list[web.RouteDef]:
    """Everything below /api/v1."""
    checks, incidents, reports = CheckHandlers(backend), IncidentHandlers(backend), ReportHandlers(backend)
    team, events = TeamHandlers(backend), EventHandlers(backend)
    return [
        web.get("/api/v1/checks", checks.all),
        web.get("/api/v1/checks/{check}", checks.one),
        web.get("/api/v1/checks/{check}/history", checks.history),
        web.post("/api/v1/checks/{check}/run", team.run),
        web.get("/api/v1/incidents", incidents.all),
        web.get("/api/v1/incidents/{incident}", incidents.one),
        web.put("/api/v1/incidents/{incident}/acknowledgement", team.acknowledge),
        web.delete("/api/v1/incidents/{incident}/acknowledgement", team.take_back),
        web.get("/api/v1/announcements", team.announcements),
        web.post("/api/v1/announcements", team.announce),
        web.delete("/api/v1/announcements/{announcement}", team.withdraw),
        web.get("/api/v1/report", reports.report),
        web.get("/api/v1/events", events.events, allow_head=False),
        web.get("/api/v1/openapi.json", serve_openapi),
    ]
