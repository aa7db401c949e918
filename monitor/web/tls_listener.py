"""Accepts TLS connections one by one, each with the certificate of that moment, and counts those in their handshake.

`loop.create_server` takes one context for good, and a connection that never finishes its handshake is known to nobody
but itself: it holds a file descriptor that a check may need, beyond any limit.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable

from monitor.web.limits import Guard

_PAUSE = 0.5
"""Seconds to wait when a connection cannot be accepted, which is for want of file descriptors."""
_GOODBYE = 3.0
"""Seconds for a client to answer the end of a connection."""


class TlsListener:
    """Bound sockets that are accepted from; as much of `asyncio.Server` as `monitor.web.server` needs."""

    def __init__(self, sockets: list[socket.socket], guard: Guard, context: Callable[[], ssl.SSLContext]) -> None:
        self.sockets = sockets
        self._guard = guard
        self._context = context
        self._shaking: set[asyncio.Task[None]] = set()
        loop = asyncio.get_running_loop()
        self._accepting = [loop.create_task(self._accept(bound)) for bound in sockets]

    def close(self) -> None:
        """Accept no more, and give up handshakes that are under way."""
        for task in (*self._accepting, *self._shaking):
            task.cancel()
        for bound in self.sockets:
            bound.close()

    async def _accept(self, bound: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                client, _ = await loop.sock_accept(bound)
            except OSError:
                await asyncio.sleep(_PAUSE)
                continue
            if len(self._guard.connections) + len(self._shaking) >= self._guard.limits.connections:
                client.close()  # a sentence would cost a handshake first
                continue
            task = loop.create_task(self._shake(client))
            self._shaking.add(task)
            task.add_done_callback(self._shaking.discard)

    async def _shake(self, client: socket.socket) -> None:
        """Have the handshake done; a client that fails at it is nobody's trouble but its own."""
        with contextlib.suppress(OSError):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.get_running_loop().connect_accepted_socket(
                self._guard,
                client,
                ssl=self._context(),
                ssl_handshake_timeout=self._guard.limits.request,
                ssl_shutdown_timeout=_GOODBYE,
            )


async def listen(
    guard: Guard, host: str, port: int, backlog: int, context: Callable[[], ssl.SSLContext]
) -> TlsListener:
    """Accept on every address of a host; raises OSError as `create_server` does."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    with contextlib.ExitStack() as opened:
        sockets = [_bound(opened, family, address) for family, _, _, _, address in dict.fromkeys(found)]
        for bound in sockets:
            bound.listen(backlog)
        opened.pop_all()
    return TlsListener(sockets, guard, context)


def _bound(opened: contextlib.ExitStack, family: int, address: tuple[object, ...]) -> socket.socket:
    bound = opened.enter_context(socket.socket(family, socket.SOCK_STREAM))
    bound.setblocking(False)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    bound.bind(address)
    return bound
