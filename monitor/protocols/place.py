"""Where URLs lead that name a host and a port and nothing else: tcp://HOST:PORT."""

from __future__ import annotations

from urllib.parse import urlsplit

from monitor.model.spec import CheckSpec
from monitor.net.dial import Destination
from monitor.net.urls import ascii_host
from monitor.secrets.secret import reveal


def destination(spec: CheckSpec, port: int = 0, *, secure: bool = False) -> Destination:
    """Returns where the URL of a check leads; `port` is the default one."""
    parts = urlsplit(reveal(spec.url))
    host = parts.hostname or ""
    return Destination(host if host.isascii() else ascii_host(host), parts.port or port, secure=secure)
