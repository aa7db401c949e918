"""Incidents and announcements as entries of a feed, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from monitor.history.archive import Announcement
from monitor.model.clock import utc
from monitor.model.incident import Incident
from monitor.web.atom import Entry, urn
from monitor.web.paths import link
from monitor.web.public_view import PublicAnnouncement, PublicIncident, stripped
from monitor.web.wording import span

_LONGEST_TITLE = 100


def incident_entry(incident: Incident, titles: Mapping[str, str]) -> Entry:
    """An incident with its reason, for who may see everything; `titles` are those of checks, by name."""
    times = stripped(incident, titles)
    reason = f"{incident.detail} ({incident.reason.value})"
    return _incident(times, "incident", link(f"/incidents/{quote(incident.id)}"), f"{_when(times)}\n{reason}")


def public_incident_entry(incident: PublicIncident) -> Entry:
    """An incident as outsiders may know it."""
    return _incident(incident, "public incident", link(f"/public#i-{quote(incident.id)}"), _when(incident))


def _incident(incident: PublicIncident, kind: str, path: str, text: str) -> Entry:
    began, ended = incident.started_at, incident.ended_at
    lasted = "is down" if ended is None else f"was down for {span(ended - began)}"
    return Entry(
        urn(kind, incident.id), f"{incident.title or incident.check} {lasted}", text, began, ended or began, path
    )


def _when(incident: PublicIncident) -> str:
    began, ended = _time(incident.started_at), incident.ended_at
    return f"Down since {began} UTC." if ended is None else f"Down from {began} to {_time(ended)} UTC."


def announcement_entry(said: Announcement, now: float) -> Entry:
    """An announcement, with who made it."""
    public = PublicAnnouncement(said.id, said.text, said.starts, said.ends, said.groups)
    return _announcement(public, "announcement", link("/status"), now, said.by or None)


def public_announcement_entry(said: PublicAnnouncement, now: float) -> Entry:
    """An announcement as outsiders may know it."""
    return _announcement(said, "public announcement", link("/public"), now, None)


def _announcement(said: PublicAnnouncement, kind: str, path: str, now: float, author: str | None) -> Entry:
    over = said.ends is not None and said.ends <= now
    about = f"\nAbout: {', '.join(said.groups)}" if said.groups else ""
    end = f"\nUntil {_time(said.ends)} UTC." if said.ends is not None else ""
    updated = said.ends if over and said.ends is not None else said.starts
    return Entry(urn(kind, said.id), _title(said.text), said.text + about + end, said.starts, updated, path, author)


def _title(text: str) -> str:
    first = text.strip().partition("\n")[0].strip() or "Announcement"
    return first if len(first) <= _LONGEST_TITLE else first[: _LONGEST_TITLE - 1] + "…"


def _time(at: float) -> str:
    return f"{utc(at):%-d %b %Y %H:%M}"
