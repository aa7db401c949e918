"""The way of checks whose URL names a host and a port and nothing else: tcp://HOST:PORT."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

from monitor.model.spec import CheckSpec
from monitor.net.dial import Destination
from monitor.net.proxy import Proxy, proxy_of
from monitor.net.urls import ascii_host
from monitor.secrets.secret import reveal


class Place(NamedTuple):
    """The destination of a check, and the proxy on the way to it."""

    to: Destination
    proxy: Proxy | None


def place_of(spec: CheckSpec, port: int = 0, *, secure: bool = False) -> Place:
    """Returns where the URL of a check leads, kept with the check; `port` is the default one."""
    place = spec.kept.get(__name__)
    if not isinstance(place, Place):
        parts = urlsplit(reveal(spec.url))
        host = parts.hostname or ""
        host = host if host.isascii() else ascii_host(host)
        place = Place(Destination(host, parts.port or port, secure=secure), proxy_of(spec.route))
        spec.kept[__name__] = place
    return place
