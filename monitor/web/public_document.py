"""Builds the document of `/public.json` from what outsiders may know."""

from __future__ import annotations

from typing import Any

from msgspec import json

from monitor.live.view import count_states
from monitor.model.clock import rfc3339, utc
from monitor.secrets.visible import legible
from monitor.web.public_view import Day, PlannedMaintenance, PublicAnnouncement, PublicCheck, PublicIncident, PublicView
from monitor.web.public_words import sentence
from monitor.web.rendering import Parts, encoded


async def public_json(view: PublicView, compress: bool) -> Parts:
    """`/public.json`."""
    return await encoded((json.encode(public_document(view)).decode(), "\n"), compress)


def public_document(view: PublicView) -> dict[str, Any]:
    """Everything that the page says; what is not known, or not shown, is null."""
    return {
        "title": view.title,
        "as_of": rfc3339(view.now),
        "sentence": sentence(view.counts),
        "summary": count_states(check.state for check in view.checks),
        "history": None if view.away else view.incidents is not None,
        "announcements": [_announcement(one) for one in view.announcements],
        "checks": [_check(check) for check in view.checks],
        "planned_maintenance": [_planned(one) for one in view.planned],
        "incidents": None if view.incidents is None else [_incident(one) for one in view.incidents],
    }


def _check(check: PublicCheck) -> dict[str, Any]:
    return {
        "name": check.name,
        "title": check.title or None,
        "group": check.group or None,
        "description": check.description or None,
        "state": check.state.value,
        "since": rfc3339(check.since),
        "maintenance_ends_at": _time(check.until),
        "availability": _share(check.availability),
        "days": None if check.days is None else [_day(day) for day in check.days],
    }


def _day(day: Day) -> dict[str, Any]:
    return {
        "date": f"{utc(day.start):%Y-%m-%d}",
        "availability": _share(1 - day.down / day.known if day.known > 0 else None),
        "known_seconds": round(day.known, 1),
        "down_seconds": round(day.down, 1) if day.known > 0 else None,
        "maintenance_seconds": round(day.maintenance, 1),
    }


def _announcement(one: PublicAnnouncement) -> dict[str, Any]:
    return {
        "text": legible(one.text),
        "groups": list(map(legible, one.groups)),
        "starts_at": rfc3339(one.starts),
        "ends_at": _time(one.ends),
    }


def _planned(one: PlannedMaintenance) -> dict[str, Any]:
    return {"starts_at": rfc3339(one.starts), "ends_at": rfc3339(one.ends), "checks": list(one.checks)}


def _incident(one: PublicIncident) -> dict[str, Any]:
    ended = one.ended_at
    return {
        "check": one.check,
        "title": one.title or None,
        "started_at": rfc3339(one.started_at),
        "ended_at": _time(ended),
        "duration_seconds": None if ended is None else round(ended - one.started_at, 3),
    }


def _time(at: float | None) -> str | None:
    return None if at is None else rfc3339(at)


def _share(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
