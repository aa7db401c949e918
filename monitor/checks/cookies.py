"""Cookies within one run: what an origin set goes back to it, and to no other."""

from __future__ import annotations

from dataclasses import replace

from aiohttp.cookiejar import CookieJar
from multidict import MultiMapping
from yarl import URL

from monitor.checks.redirect import Request
from monitor.secret import Secret


class Cookies:
    """Kept by origin, port included, and then by the rules of RFC 6265."""

    def __init__(self) -> None:
        self._jars: dict[URL, CookieJar] = {}

    def keep(self, url: URL, headers: MultiMapping[str]) -> None:
        """Remember what this answer sets."""
        if "Set-Cookie" in headers:
            jar = self._jars.setdefault(url.origin(), CookieJar(unsafe=True))
            jar.update_cookies_from_headers(headers.getall("Set-Cookie"), url)

    def added(self, request: Request) -> Request:
        """The request with the cookies that belong to it, behind those that it has of its own."""
        jar = self._jars.get(request.url.origin())
        kept = jar.filter_cookies(request.url).values() if jar is not None else ()
        cookies = [value for name, value in request.all_headers() if name.lower() == "cookie"]
        cookies += [f"{morsel.key}={morsel.coded_value}" for morsel in kept]
        if jar is None or not cookies:
            return request
        headers = tuple(h for h in request.headers if h[0].lower() != "cookie")
        others = tuple(h for h in request.credentials if h[0].lower() != "cookie")
        return replace(request, headers=headers, credentials=(*others, ("Cookie", Secret("; ".join(cookies)))))
