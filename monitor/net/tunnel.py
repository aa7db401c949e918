"""Asks a proxy for a tunnel (RFC 9110, 9.3.6), in which TLS will be spoken with the target."""

from __future__ import annotations

import re

from monitor.model.outcome import Reason
from monitor.net.connection import Wire
from monitor.net.run import Run, Stop

_HEAD_LIMIT = 64 * 1024
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3})(?: |\r?\n)")


async def open_tunnel(wire: Wire, place: str, authorization: str | None, run: Run) -> None:
    """Opens a tunnel through the proxy to `place` («shop.example.com:443»).

    Raises Stop (proxy_failed) if the proxy refuses, OSError if the connection breaks.
    """
    credentials = f"Proxy-Authorization: {authorization}\r\n" if authorization else ""
    request = f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n{credentials}\r\n"
    wire.write(request.encode())
    answer = await wire.preamble(_HEAD_LIMIT)
    status = _STATUS_LINE.match(answer)
    if status is not None and status[1].startswith(b"2"):
        return
    if status is not None:
        said = f"answered {status[1].decode()}"
    else:
        said = "gave no HTTP answer" if answer else "closed the connection"
    raise Stop(Reason.PROXY_FAILED, f"the proxy {run.remote_address} {said} when asked for a tunnel")
