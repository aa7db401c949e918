"""Serves outsiders: the page and its document, made once for all requests within some seconds."""

from __future__ import annotations

from aiohttp import web

from monitor.web.backend import Backend
from monitor.web.caching import CachedAnswer, kept, send_kept
from monitor.web.negotiation import HTML, JSON, accepted, gzip_accepted
from monitor.web.public_document import public_json
from monitor.web.public_page import public_page
from monitor.web.public_view import public_view
from monitor.web.rendering import Renderer

SHARED = 5.0
"""Seconds for which an answer is shared, however many ask: outsiders make no work that grows with their number."""
_KEPT = "public, max-age=15"
_REFRESH = 60
"""Seconds between two looks of an open page, which needs no script for it."""


class PublicHandlers:
    """`/public` and `/public.json`: nothing at all unless the operator switched them on."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._renderer = Renderer(SHARED)

    async def page(self, request: web.Request) -> web.StreamResponse:
        """The page, or its document for who prefers that."""
        return await self._answer(request, accepted(request.headers.get("Accept"), HTML, JSON))

    async def document(self, request: web.Request) -> web.StreamResponse:
        """The document."""
        return await self._answer(request, JSON)

    async def _answer(self, request: web.Request, form: str) -> web.StreamResponse:
        public = self._backend.public()
        if not public.enabled:
            raise web.HTTPNotFound
        compress = gzip_accepted(request.headers.get("Accept-Encoding"))

        async def make() -> CachedAnswer:
            view = await self._renderer.shared(public, lambda: public_view(self._backend, public))
            return kept(await (public_json(view, compress) if form == JSON else public_page(view, compress)))

        answer = await self._renderer.shared((public, form, compress), make)
        return await send_kept(request, answer, _headers(form, compress))


def _headers(form: str, compress: bool) -> dict[str, str]:
    headers = {"Content-Type": f"{form}; charset=utf-8", "Cache-Control": _KEPT, "Vary": "Accept, Accept-Encoding"}
    if compress:
        headers["Content-Encoding"] = "gzip"
    if form == HTML:
        headers["Refresh"] = str(_REFRESH)
    return headers
