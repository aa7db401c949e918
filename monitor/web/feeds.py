"""The feeds: of everything, with reasons, for who may view; and of what is public, with times and nothing else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from monitor.model.errors import HistoryError
from monitor.model.settings import PublicSpec
from monitor.stats.windows import DAY
from monitor.web.atom import ATOM, AtomFeed, atom, urn
from monitor.web.backend import Backend
from monitor.web.caching import CachedAnswer, kept, send_kept
from monitor.web.feed_entries import (
    announcement_entry,
    incident_entry,
    public_announcement_entry,
    public_incident_entry,
)
from monitor.web.middleware import error
from monitor.web.negotiation import gzip_accepted
from monitor.web.paths import link
from monitor.web.public import SHARED
from monitor.web.public_view import INCIDENT_DAYS, announced, incidents_of, shows, stripped, title_of
from monitor.web.rendering import Renderer, encoded
from monitor.web.selection import titles_of

_EVERYTHING, _PUBLIC = "/feed.atom", "/public/feed.atom"
_LATER = {"Retry-After": "60"}


class Feeds:
    """`/feed.atom` and `/public/feed.atom`."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._renderer = Renderer(SHARED)

    async def everything(self, request: web.Request) -> web.StreamResponse:
        """Incidents of all checks, and all announcements."""
        answer = await self._shared(request, _EVERYTHING, self._everything)
        return await _sent(request, answer, "private", str(answer))

    async def public(self, request: web.Request) -> web.StreamResponse:
        """Incidents of the groups that everybody may see."""
        public = self._backend.public()
        if not (public.enabled and public.history):
            raise web.HTTPNotFound
        answer = await self._shared(request, public, lambda: self._public(public))
        return await _sent(request, answer, "public", "the history is not available at the moment")

    async def _shared(
        self, request: web.Request, key: object, make: Callable[[], Awaitable[AtomFeed]]
    ) -> CachedAnswer | HistoryError:
        compress = gzip_accepted(request.headers.get("Accept-Encoding"))

        async def made() -> CachedAnswer | HistoryError:
            try:
                return kept(await encoded((atom(await make()),), compress))
            except HistoryError as away:  # shared too, or all who ask would trouble the database in vain
                return away

        return await self._renderer.shared((key, compress), made)

    async def _everything(self) -> AtomFeed:
        view, archive = await self._backend.overview(), self._backend.archive
        incidents = await incidents_of(archive, None, view.now)
        said = await archive.announcements(view.now - INCIDENT_DAYS * DAY, view.now)
        titles = titles_of(view.checks)
        entries = [incident_entry(one, titles) for one in incidents]
        entries += [announcement_entry(one, view.now) for one in said]
        title = view.monitor.title
        return AtomFeed(
            urn("feed", title), title or "monitor", link(_EVERYTHING), link("/status"), entries, _midnight(view.now)
        )

    async def _public(self, public: PublicSpec) -> AtomFeed:
        view, archive = await self._backend.overview(), self._backend.archive
        shown = {check.name: check.spec.group for check in view.checks if shows(public, check.spec)}
        titles = titles_of(check for check in view.checks if check.name in shown)
        incidents = [stripped(one, titles) for one in await incidents_of(archive, list(shown), view.now)]
        every = await archive.announcements(view.now - INCIDENT_DAYS * DAY, view.now)
        said = announced(every, public, frozenset(shown.values()))
        entries = [
            *map(public_incident_entry, incidents),
            *(public_announcement_entry(one, view.now) for one in said),
        ]
        title = title_of(public)
        return AtomFeed(urn("public feed", title), title, link(_PUBLIC), link("/public"), entries, _midnight(view.now))


def _midnight(now: float) -> float:
    return now // DAY * DAY


async def _sent(
    request: web.Request, answer: CachedAnswer | HistoryError, whose: str, unavailable: str
) -> web.StreamResponse:
    if isinstance(answer, HistoryError):
        return error(request, 503, unavailable, headers=_LATER)
    headers = {
        "Content-Type": f"{ATOM}; charset=utf-8",
        "Cache-Control": f"{whose}, max-age=60",
        "Vary": "Accept-Encoding",
    }
    if gzip_accepted(request.headers.get("Accept-Encoding")):
        headers["Content-Encoding"] = "gzip"
    return await send_kept(request, answer, headers)
