"""The headers that every answer carries, errors included."""

from __future__ import annotations

from aiohttp import web

ALLOWED: web.RequestKey[str] = web.RequestKey("allowed_origin", str)
"""`request[ALLOWED]` is the origin of a script of another site that may read the answer; `monitor.web.cors` sets it."""

SERVER = "monitor"

SECURITY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with none, browsers take the origin off our own forms (Fetch, 3.2)
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Headers that forbid browsers to load from elsewhere, frame, guess types, or store; static files may be stored."""


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Put the headers on an answer that is about to be sent; `Server` names no version."""
    for name, value in SECURITY.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = SERVER
    if (origin := request.get(ALLOWED)) is not None:
        mark(response, origin)


def mark(response: web.StreamResponse, origin: str) -> None:
    """Allows scripts of this origin to read the answer."""
    response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Access-Control-Expose-Headers"] = "ETag, Retry-After"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Vary"] = ", ".join(filter(None, (response.headers.get("Vary"), "Origin")))
