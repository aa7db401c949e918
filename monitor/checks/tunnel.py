"""Asks a proxy for a tunnel (RFC 9110, 9.3.6), on the bare socket that TLS will be spoken over."""

from __future__ import annotations

import asyncio
import re
import socket

from monitor.checks.run import Run, Stop
from monitor.outcome import Reason

_HEAD_LIMIT = 64 * 1024
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3})(?: |\r?\n)")


async def open_tunnel(sock: socket.socket, place: str, authorization: str | None, run: Run) -> None:
    """Have the proxy at the other end connect to `place` («shop.example.com:443»).

    Raises Stop (proxy_failed) if it will not, ConnectionError if it hangs up.
    """
    credentials = f"Proxy-Authorization: {authorization}\r\n" if authorization else ""
    request = f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n{credentials}\r\n"
    await asyncio.get_running_loop().sock_sendall(sock, request.encode())
    answer = await _head(sock)
    status = _STATUS_LINE.match(answer)
    if status is not None and status[1].startswith(b"2"):
        return
    if status is not None:
        said = f"answered {status[1].decode()}"
    else:
        said = "gave no HTTP answer" if answer else "closed the connection"
    raise Stop(Reason.PROXY_FAILED, f"the proxy {run.remote_address} {said} when asked for a tunnel")


async def _head(sock: socket.socket) -> bytes:
    """The head of the answer; in TLS the client speaks first, so nothing behind the head can be read by mistake."""
    head = b""
    while b"\r\n\r\n" not in head and len(head) < _HEAD_LIMIT:
        received = await asyncio.get_running_loop().sock_recv(sock, 4096)
        if not received:
            break
        head += received
    return head
