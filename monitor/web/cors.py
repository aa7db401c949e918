"""Lets scripts of chosen sites read the API (Fetch standard, CORS); none unless the configuration says so."""

from __future__ import annotations

from aiohttp import web

from monitor.web.backend import Backend
from monitor.web.headers import ALLOWED, mark
from monitor.web.middleware import Handler

_BELOW = "/api/"
_METHODS = "GET, HEAD"
_HEADERS = "Authorization, If-None-Match, Last-Event-ID"


class Cors:
    """The middleware; it uses the current configuration."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answers preflight requests, and marks every answer that scripts of an allowed origin may read."""
        origin = request.headers.get("Origin", "").lower()
        if not request.path.startswith(_BELOW) or origin not in self._backend.cors_origins():
            return await handler(request)
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            response: web.StreamResponse = web.Response(status=204)
            response.headers["Access-Control-Allow-Methods"] = _METHODS
            response.headers["Access-Control-Allow-Headers"] = _HEADERS
            response.headers["Access-Control-Max-Age"] = "600"
            mark(response, origin)
            return response
        request[ALLOWED] = origin
        return await handler(request)
