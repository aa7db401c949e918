"""Feeds of incidents and announcements (Atom, RFC 4287): everything for the team, times alone for the public."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree import ElementTree as Xml

from aiohttp import web

from monitor.archive import Announcement, IncidentQuery
from monitor.clock import rfc3339, system_clock
from monitor.errors import HistoryError
from monitor.state import Incident
from monitor.web.middleware import error
from monitor.web.public import cached, is_public
from monitor.web.served import Served
from monitor.web.wording import span

_NAMESPACE = "http://www.w3.org/2005/Atom"
_TYPE = "application/atom+xml; charset=utf-8"
_DAYS = 30
_MOST = 100


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry; times are Unix seconds, `path` is where more is said of it, on this server."""

    name: str
    title: str
    published: float
    updated: float
    text: str
    path: str | None
    by: str


class Feeds:
    """What the paths of the feeds answer."""

    def __init__(self, served: Served) -> None:
        self._served = served

    async def team(self, request: web.Request) -> web.StreamResponse:
        """All incidents, with what was found."""
        return await self._feed(request, public=False)

    async def public(self, request: web.Request) -> web.StreamResponse:
        """The incidents of public groups, without a reason."""
        if not self._served.public().enabled:
            return error(request, 404)
        return await self._feed(request, public=True)

    async def _feed(self, request: web.Request, *, public: bool) -> web.StreamResponse:
        now, spec = system_clock().wall, self._served.public()
        names = [c.name for c in (await self._served.overview()).checks if is_public(spec, c.spec.group)]
        start = now - _DAYS * 86400
        try:
            found = await self._served.archive.incidents(IncidentQuery(names if public else None, start, limit=_MOST))
            said = await self._served.archive.announcements(start, now)
        except HistoryError as away:
            return error(request, 503, "the history cannot be read now" if public else str(away))
        if public:
            groups = {check.spec.group for n in names if (check := self._served.check(n))}
            said = [one for one in said if not one.groups or groups.intersection(one.groups)]
        entries = [*(_incident(one, public=public) for one in found), *(_announcement(a, public=public) for a in said)]
        title = (spec.title or "Status") if public else f"Incidents · {self._served.monitor().title or 'monitor'}"
        base = f"{request.scheme}://{request.host}"
        return cached(request, written(title, base, request.path, entries), _TYPE)


def _incident(one: Incident, *, public: bool) -> Entry:
    over = one.ended_at
    lasted = "" if over is None else f" for {span(over - one.started_at)}"
    title = f"{one.check} {'is down' if over is None else 'was down'}{lasted}"
    text = title if public else f"{title}: {one.detail} ({one.reason.value})"
    path = None if public else f"/incidents/{one.id}"
    return Entry(f"incident:{one.id}", title, one.started_at, over or one.started_at, text, path, "monitor")


def _announcement(one: Announcement, *, public: bool) -> Entry:
    title = one.text.splitlines()[0][:100]
    by = "the team" if public else one.by
    return Entry(f"announcement:{one.id}", title, one.starts, one.starts, one.text, None, by)


def written(title: str, base: str, path: str, entries: Iterable[Entry]) -> bytes:
    """The document, the newest entry first."""
    Xml.register_namespace("", _NAMESPACE)
    feed = Xml.Element(f"{{{_NAMESPACE}}}feed")
    newest_first = sorted(entries, key=lambda entry: -entry.updated)
    _add(feed, "id", f"tag:monitor,2026:{path}")
    _add(feed, "title", title)
    _add(feed, "updated", rfc3339(newest_first[0].updated if newest_first else 0.0))
    _add(feed, "link", None, rel="self", href=base + path)
    for entry in newest_first:
        _entry(Xml.SubElement(feed, f"{{{_NAMESPACE}}}entry"), entry, base)
    written_: bytes = Xml.tostring(feed, encoding="utf-8", xml_declaration=True)
    return written_


def _entry(node: Xml.Element, entry: Entry, base: str) -> None:
    _add(node, "id", f"tag:monitor,2026:{entry.name}")
    _add(node, "title", entry.title)
    _add(node, "published", rfc3339(entry.published))
    _add(node, "updated", rfc3339(entry.updated))
    _add(Xml.SubElement(node, f"{{{_NAMESPACE}}}author"), "name", entry.by)
    _add(node, "content", entry.text, type="text")
    if entry.path is not None:
        _add(node, "link", None, rel="alternate", href=base + entry.path)


def _add(parent: Xml.Element, name: str, text: str | None, **attributes: str) -> None:
    child = Xml.SubElement(parent, f"{{{_NAMESPACE}}}{name}", attributes)
    if text is not None:
        child.text = "".join(c for c in text if c in "\t\n" or c.isprintable())
