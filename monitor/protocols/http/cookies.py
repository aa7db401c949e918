"""Cookies within one run: what an origin set goes back to it byte for byte, and to no other."""

from __future__ import annotations

import time
from dataclasses import replace

from multidict import MultiMapping
from yarl import URL

from monitor.net.policy import is_numeric
from monitor.net.urls import origin
from monitor.protocols.http.redirect import Request
from monitor.protocols.http.set_cookie import Cookie, read_cookie
from monitor.secrets.secret import Secret

_MOST = 180
"""Cookies of a run, as many as Chromium keeps for a site; the oldest make room, so that no target can fill memory."""
_Key = tuple[str, str, str, str]


class Cookies:
    """Kept by origin, port included, and then by the rules of RFC 6265, section 5."""

    def __init__(self) -> None:
        self._kept: dict[_Key, Cookie] = {}
        """Cookies by origin, name, domain and path, in the order in which they were first set."""

    def keep(self, url: URL, headers: MultiMapping[str]) -> None:
        """Remember what this answer sets."""
        if "Set-Cookie" not in headers:
            return
        place, now = origin(url), time.time()
        for header in headers.getall("Set-Cookie")[-_MOST:]:
            cookie = read_cookie(header, now)
            if cookie is not None and _may_set(url, cookie):
                self._set(place, replace(cookie, path=cookie.path or _default_path(url)), now)

    def added(self, request: Request) -> Request:
        """The request with the cookies that belong to it, behind those that it has of its own."""
        kept = self._belonging_to(request.url) if self._kept else []
        if not kept:
            return request
        cookies = [value for name, value in request.all_headers() if name.lower() == "cookie"]
        cookies += [cookie.pair for cookie in kept]
        headers = tuple(h for h in request.headers if h[0].lower() != "cookie")
        others = tuple(h for h in request.credentials if h[0].lower() != "cookie")
        return replace(request, headers=headers, credentials=(*others, ("Cookie", Secret("; ".join(cookies)))))

    def _set(self, place: str, cookie: Cookie, now: float) -> None:
        """Take a cookie in the place of the one that it replaces; one that has expired removes that."""
        key = place, cookie.name, cookie.domain, cookie.path
        if cookie.expires is not None and cookie.expires <= now:
            self._kept.pop(key, None)
            return
        self._kept[key] = cookie
        if len(self._kept) > _MOST:
            del self._kept[next(iter(self._kept))]

    def _belonging_to(self, url: URL) -> list[Cookie]:
        """The cookies for this URL, those of longer paths first."""
        place, path, now = origin(url), url.raw_path or "/", time.time()
        found = [
            cookie
            for (set_by, *_), cookie in self._kept.items()
            if set_by == place and _holds(cookie.path, path) and (cookie.expires is None or cookie.expires > now)
        ]
        return sorted(found, key=lambda cookie: -len(cookie.path))


def _may_set(url: URL, cookie: Cookie) -> bool:
    """Returns whether browsers store the cookie: not a secure cookie over plain HTTP, nor one of a foreign domain."""
    host, domain = (url.raw_host or "").lower(), cookie.domain
    if cookie.secure and url.scheme != "https":
        return False
    if not domain or domain == host:
        return True
    return host.endswith(f".{domain}") and "." in domain and not is_numeric(host)


def _default_path(url: URL) -> str:
    return url.raw_path.rpartition("/")[0] or "/"


def _holds(cookie_path: str, path: str) -> bool:
    """RFC 6265, 5.1.4: the path itself, and what is below it."""
    return path.startswith(cookie_path) and (
        cookie_path.endswith("/") or path[len(cookie_path) : len(cookie_path) + 1] in ("", "/")
    )
