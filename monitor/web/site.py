"""Checks the host name of requests, and strips the path prefix of a proxy.

A page of another site can have its own name resolve to our address (DNS rebinding). To the browser we are then a part
of that site, which reads and changes everything. Only the name in `Host` tells such a request from one of ours.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web
from yarl import URL

from monitor.model.settings import MonitorSpec
from monitor.web.middleware import PROBED, Handler, error, route_of
from monitor.web.paths import EXTERNAL, PREFIX

_SHOWN = 100
"""Characters of a name that are repeated in the answer."""


class Site:
    """The names and the prefix; `use` replaces them at a reload."""

    def __init__(self, spec: MonitorSpec | None = None) -> None:
        self._listen = ""
        self._loopback = True
        self._paths: frozenset[str] = frozenset()
        self.use(spec or MonitorSpec())

    def use(self, spec: MonitorSpec) -> None:
        """Applies these settings."""
        self._open = spec.access.stated
        external = urlsplit(spec.external_url)
        self._external = f"{external.scheme}://{external.netloc}" if external.netloc else ""
        self._prefix = external.path.rstrip("/")
        self._names = {"localhost", *spec.allowed_hosts, external.hostname or ""}

    def opened(self, host: str, *, loopback: bool) -> None:
        """The listener is there; `loopback` tells that only this machine reaches it."""
        self._listen, self._loopback = host.lower(), loopback

    def serves(self, app: web.Application) -> None:
        """Learn which paths are ours, by their first parts."""
        self._paths = frozenset(resource.canonical.split("/")[1] for resource in app.router.resources())

    def within(self, factory: Callable[..., web.BaseRequest]) -> Callable[..., web.BaseRequest]:
        """Make requests by `factory`, with the prefix taken off their paths where a proxy passed it on."""

        def make(message: Any, *rest: Any) -> web.BaseRequest:
            inner = self.stripped(message.path)
            if inner != message.path:
                path, _, query = inner.partition("?")
                message = message._replace(path=inner, url=URL.build(path=path, query_string=query, encoded=True))
            return factory(message, *rest)

        return make

    def stripped(self, target: str) -> str:
        """The target of a request without the prefix; as it is if the proxy took that off already.

        A prefix may be called like a path of ours. It is one only if such a path follows.
        """
        rest = target.removeprefix(self._prefix)
        if rest == target or rest.startswith("//"):
            return target
        if rest[:1] in ("", "?"):
            return target if self._prefix[1:] in self._paths else f"/{rest}"
        first = rest[1:].partition("?")[0].partition("/")[0]
        return rest if rest[0] == "/" and first in self._paths else target

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer only to names that are ours; what service managers and Prometheus ask, they ask by any name."""
        PREFIX.set(self._prefix)
        request[EXTERNAL] = self._external
        if (self._loopback or not self._open) and route_of(request) not in PROBED:
            for host in request.headers.getall("Host", []):
                if not self.answers_to(host):
                    return error(request, 421, _foreign(host))
        return await handler(request)

    def answers_to(self, host: str) -> bool:
        """Returns whether a `Host` header names this monitor; an address does, as DNS cannot change where it leads."""
        name, port = _split(host)
        if port.strip("0123456789"):
            return False
        return bool(name) and (name in self._names or name == self._listen or _is_address(name))


def _split(host: str) -> tuple[str, str]:
    """Name and port, in lower case, without brackets and the dot at the end."""
    if host.startswith("["):
        name, _, port = host[1:].partition("]")
        return name.lower(), port.removeprefix(":")
    name, _, port = host.partition(":")
    return name.lower().removesuffix("."), port


def _is_address(name: str) -> bool:
    try:
        ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True


def _foreign(host: str) -> str:
    name = _split(host)[0][:_SHOWN]
    return (
        f"this monitor does not answer to the name {name!a}: if it is one of its own, add it to `allowed_hosts` in"
        " [monitor], or set `external_url`"
    )


SITE: web.AppKey[Site] = web.AppKey("site", Site)
"""`app[SITE]` is where the application is found."""
