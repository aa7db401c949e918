"""HTTP proxies on the way to a target: their address, their credentials, and tunnels through them."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field

from yarl import URL

from monitor.model.outcome import Reason
from monitor.model.request import BasicAuth, BearerAuth
from monitor.model.route import Route
from monitor.net.connection import Connection
from monitor.net.run import Run, Stop
from monitor.net.urls import parse
from monitor.secrets.secret import reveal

_HEAD_LIMIT = 64 * 1024
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3})(?: |\r?\n)")


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy, and the value of its Proxy-Authorization."""

    host: str
    port: int
    authorization: str | None = field(default=None, repr=False)


def proxy_of(route: Route) -> Proxy | None:
    """The proxy of a route; None if there is none."""
    if route.proxy is None:
        return None
    url, userinfo = without_userinfo(parse(reveal(route.proxy)))
    return Proxy(url.raw_host or "", url.port or 80, authorization(userinfo) if userinfo is not None else None)


def without_userinfo(url: URL) -> tuple[URL, BasicAuth | None]:
    """The URL as it may go over the wire, and what its userinfo stands for."""
    if url.raw_user is None and url.raw_password is None:
        return url, None
    return url.with_user(None), BasicAuth(url.user or "", url.password or "")


def authorization(auth: BasicAuth | BearerAuth) -> str:
    """The value of an Authorization header (RFC 7617, RFC 6750)."""
    if isinstance(auth, BearerAuth):
        return f"Bearer {reveal(auth.token)}"
    pair = f"{reveal(auth.username)}:{reveal(auth.password)}"
    return "Basic " + base64.b64encode(pair.encode("utf-8", "surrogateescape")).decode()


async def open_tunnel(connection: Connection, place: str, authorization: str | None, run: Run) -> None:
    """Opens a tunnel (RFC 9110, 9.3.6) through the proxy to `place` («shop.example.com:443»).

    Raises Stop (proxy_failed) if the proxy refuses, OSError if the connection breaks.
    """
    credentials = f"Proxy-Authorization: {authorization}\r\n" if authorization else ""
    request = f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n{credentials}\r\n"
    connection.write(request.encode())
    answer = await connection.preamble(_HEAD_LIMIT)
    status = _STATUS_LINE.match(answer)
    if status is not None and status[1].startswith(b"2"):
        return
    if status is not None:
        said = f"answered {status[1].decode()}"
    else:
        said = "gave no HTTP answer" if answer else "closed the connection"
    raise Stop(Reason.PROXY_FAILED, f"the proxy {run.remote_address} {said} when asked for a tunnel")
