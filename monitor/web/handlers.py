"""The handlers: what each path answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable

from aiohttp import web

from monitor.live.view import CheckView
from monitor.metrics import Registry
from monitor.web.backend import Backend
from monitor.web.documents import check_json, overview_json
from monitor.web.middleware import error, viewer_of
from monitor.web.negotiation import HTML, JSON, TEXT, accepted
from monitor.web.one_check import chosen_range, gathered
from monitor.web.overview_query import OverviewQuery
from monitor.web.pages import check_page, overview_page, wall_page
from monitor.web.paths import link
from monitor.web.rendering import Parts, Renderer
from monitor.web.sending import compressed, sent

_SUFFIX = ".json"
_AT_ONCE = 4
"""Pages that are made at the same time."""


class Handlers:
    """Handlers of the pages, of metrics, and of health."""

    def __init__(self, backend: Backend, exposition: Registry) -> None:
        self._backend = backend
        self._exposition = exposition
        self._renderer = Renderer(at_once=_AT_ONCE)

    async def root(self, _request: web.Request) -> web.Response:
        """Redirects to the status page."""
        return web.Response(status=302, headers={"Location": link("/status")})

    async def metrics(self, request: web.Request) -> web.StreamResponse:
        """Everything that is known, for Prometheus."""
        headers = request.headers
        scrape = await self._exposition.scrape(headers.get("Accept", ""), headers.get("Accept-Encoding", ""))
        return await sent(request, scrape.parts, scrape.content_type, scrape.content_encoding)

    async def status(self, request: web.Request) -> web.StreamResponse:
        """All checks, as the page or as its JSON."""
        return await self._overview(request, _page_or_json(request))

    async def status_json(self, request: web.Request) -> web.StreamResponse:
        """All checks, as JSON."""
        return await self._overview(request, JSON)

    async def wall(self, request: web.Request) -> web.StreamResponse:
        """All that is wrong, to be read across a room."""
        compress = compressed(request)

        async def make() -> Parts:
            return await wall_page(await self._backend.overview(), self._backend.announcements(), compress)

        parts = await self._shared(make, HTML, compress, "wall")
        return await sent(request, parts, f"{HTML}; charset=utf-8", "gzip" if compress else None)

    async def check(self, request: web.Request) -> web.StreamResponse:
        """One check; `.json` behind its name asks for JSON, unless that is how a check is named and no other fits."""
        name = request.match_info["check"]
        if name.endswith(_SUFFIX) and "page" not in request.query:
            view = self._backend.check(name.removesuffix(_SUFFIX))
            if view is not None:
                return await self._one(request, view, JSON)
        view = self._backend.check(name)
        if view is None:
            return error(request, 404, f"there is no check named {name!r}")
        return await self._one(request, view, _page_or_json(request))

    async def healthy(self, _request: web.Request) -> web.Response:
        """Reports whether the monitor should be restarted."""
        return _verdict(self._backend.unhealthy(), "healthy")

    async def ready(self, _request: web.Request) -> web.Response:
        """Reports whether the monitor is ready for work."""
        return _verdict(self._backend.unready(), "ready")

    async def reload(self, request: web.Request) -> web.Response:
        """Load the configuration again."""
        problems = await self._backend.reload()
        self._renderer.forget()  # who reloads and then looks must not see what was before
        if problems:
            sentence = f"the configuration has {len(problems)} problem" + ("s" if len(problems) > 1 else "")
            return error(request, 400, sentence, lines=[str(p) for p in problems])
        if accepted(request.headers.get("Accept"), TEXT, JSON) == JSON:
            return web.json_response({"reloaded": True})
        return web.Response(text="reloaded\n")

    async def _shared(self, make: Callable[[], Awaitable[Parts]], *key: Hashable) -> Parts:
        """Returns what `make` makes, or a recent answer of this key, if there was no transition and no reload since."""
        bus = self._backend.bus
        return await self._renderer.shared((bus.transitions, bus.reloads, *key), make)

    async def _overview(self, request: web.Request, form: str) -> web.StreamResponse:
        compress = compressed(request)
        wanted = OverviewQuery.of(request.query) if form == HTML else OverviewQuery()

        async def make() -> Parts:
            view = await self._backend.overview()
            if form == JSON:
                return await overview_json(view, compress)
            return await overview_page(view, wanted, self._backend.announcements(), compress)

        parts = await self._shared(make, form, compress, wanted)
        return await sent(request, parts, f"{form}; charset=utf-8", "gzip" if compress else None)

    async def _one(self, request: web.Request, view: CheckView, form: str) -> web.StreamResponse:
        compress, viewer = compressed(request), viewer_of(request)
        of, only_failures = chosen_range(request.query.get("range")), request.query.get("results") == "failures"

        async def make() -> Parts:
            if form == JSON:
                return await check_json(view, compress)
            past = await gathered(view, self._backend.archive, of, only_failures=only_failures)
            return await check_page(self._backend.monitor(), view, past, viewer, compress)

        parts = await self._shared(make, form, compress, viewer, view.name, of.name, only_failures)
        return await sent(request, parts, f"{form}; charset=utf-8", "gzip" if compress else None)


def _page_or_json(request: web.Request) -> str:
    return accepted(request.headers.get("Accept"), HTML, JSON)


def _verdict(trouble: str | None, fine: str) -> web.Response:
    """Always one line of text: this is for probes, and for people with curl."""
    status = 200 if trouble is None else 503
    return web.Response(status=status, text=f"{trouble or fine}\n")
