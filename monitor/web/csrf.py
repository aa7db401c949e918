"""Tells apart who writes: our own page and programs may, a page of another site that uses a browser's login may not."""

from __future__ import annotations

import hmac
import secrets
from urllib.parse import parse_qs

from aiohttp import web

from monitor.web.paths import EXTERNAL

FIELD = "csrf"
"""The hidden field of our forms."""
HEADER = "X-CSRF-Token"
"""The header in which the page's script sends the token, if it sends a form."""

_BROWSERS = ("Sec-Fetch-Site", "Origin")
"""Every browser sends one of these with a request to change something; programs send neither, and need no token."""
_TOKEN = secrets.token_urlsafe(32)
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")
"""Content types that browsers send to another site without a preflight request (CORS: «simple requests»)."""


def csrf_token() -> str:
    """Returns the token for forms; constant while the process lives, so that all users can share a page."""
    return _TOKEN


async def foreign(request: web.Request) -> str | None:
    """Returns why a changing request may come from another site, in a sentence; None if it does not.

    The middleware of `monitor.web.access` calls this for every changing request.
    """
    if not any(name in request.headers for name in _BROWSERS):
        return None
    if _cross_origin(request):
        return "a page of another site may not do this"
    if _is_form(request) and not await _has_token(request):
        return "this form is not of this process; load the page again"
    return None


def from_elsewhere(request: web.Request) -> bool:
    """True if a browser reports that a page of another site sent the request."""
    return request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none")


def _cross_origin(request: web.Request) -> bool:
    if "Sec-Fetch-Site" in request.headers:
        return from_elsewhere(request)
    scheme, _, host = request.headers["Origin"].lower().partition("://")
    return not host or (host != request.host.lower() and f"{scheme}://{host}" != request[EXTERNAL])


def _is_form(request: web.Request) -> bool:
    """True if a page without a script could have sent this request."""
    return "Content-Type" in request.headers and request.content_type in _FORMS


async def _has_token(request: web.Request) -> bool:
    given = request.headers.get(HEADER, "")
    if not given and request.content_type == _FORMS[0]:
        body = (await request.read()).decode("utf-8", "replace")
        given = parse_qs(body, max_num_fields=1000).get(FIELD, [""])[-1] if body.count("&") < 1000 else ""
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), _TOKEN.encode())
