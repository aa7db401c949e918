"""URLs that name a host and a port and nothing else: tcp://HOST:PORT."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from monitor.keys.conflict import Conflict
from monitor.model.spec import CheckSpec
from monitor.net.dial import Destination
from monitor.net.urls import ascii_host
from monitor.secrets.secret import Text, reveal

_URL = (("url",),)


def place_conflicts(url: Text | None, port: int | None = None) -> Iterator[Conflict]:
    """What such a URL must not have; `port` is the default one, None if it has to be named."""
    if url is None:
        return
    parts = urlsplit(reveal(url))
    example = f"{parts.scheme}://{'HOST' if port else 'HOST:PORT'}"
    if parts.port is None and port is None:
        yield Conflict(_URL, "the URL has no port, and there is no default one", f"write {example}")
    if parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc:
        yield Conflict(_URL, "the URL has more than a host and a port", f"write {example}")


def destination(spec: CheckSpec, port: int = 0, *, secure: bool = False) -> Destination:
    """Returns where the URL of a check leads; `port` is the default one."""
    parts = urlsplit(reveal(spec.url))
    host = parts.hostname or ""
    return Destination(host if host.isascii() else ascii_host(host), parts.port or port, secure=secure)
