"""Accepts connections one by one, as long as there is a place for them, in TLS or without.

`loop.create_server` accepts all that wait at once, which takes file descriptors that checks need; it takes one
certificate for good; and a connection that never finishes its handshake is known to nobody but itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from functools import partial

from monitor.system.supervision import supervise
from monitor.web.access_failures import address_of, counted_as
from monitor.web.limits import FULL, Guard
from monitor.web.places import Place

_PAUSE = 0.5
"""Seconds to wait when a connection cannot be accepted, which is for want of file descriptors."""
_GOODBYE = 3.0
"""Seconds for a client to answer the end of a connection."""

Context = Callable[[], ssl.SSLContext]


class Listener:
    """Bound sockets that are accepted from; with `context` in TLS, by the certificate of that moment."""

    def __init__(self, sockets: list[socket.socket], guard: Guard, context: Context | None) -> None:
        self.sockets = sockets
        self._guard = guard
        self._context = context
        self._opening: set[asyncio.Task[None]] = set()
        loop = asyncio.get_running_loop()
        self._accepting = [
            loop.create_task(supervise("accept", partial(self._accept, bound), longest=_PAUSE)) for bound in sockets
        ]

    def close(self) -> None:
        """Accept no more, and give up handshakes that are under way."""
        for task in (*self._accepting, *self._opening):
            task.cancel()
        for bound in self.sockets:
            bound.close()

    async def _accept(self, bound: socket.socket) -> None:
        try:
            client, address = await asyncio.get_running_loop().sock_accept(bound)
        except OSError:
            await asyncio.sleep(_PAUSE)
            return
        try:
            self._admit(client, str(address[0]))
        except BaseException:
            client.close()
            raise

    def _admit(self, client: socket.socket, address: str) -> None:
        place = self._guard.places.take(counted_as(address_of(address)))
        if place is None:
            _refuse(client, said=self._context is None)  # in TLS a sentence would cost a handshake first
            return
        task = asyncio.get_running_loop().create_task(self._open(client, place))
        place.hang_up = task.cancel
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _open(self, client: socket.socket, place: Place) -> None:
        """Opens the connection, with a TLS handshake if TLS is on; a client that fails affects no other."""
        options = {}
        if self._context is not None:
            options = {
                "ssl": self._context(),
                "ssl_handshake_timeout": self._guard.limits.request,
                "ssl_shutdown_timeout": _GOODBYE,
            }
        opened = False
        try:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            loop = asyncio.get_running_loop()
            await loop.connect_accepted_socket(lambda: self._guard.connection(place), client, **options)  # type: ignore[arg-type]
            opened = True
        except OSError:
            client.close()
        finally:
            if not opened:
                self._guard.places.leave(place)


def _refuse(client: socket.socket, *, said: bool) -> None:
    """Hang up; what the client has sent is read first, or the end would take the sentence with it."""
    with client, contextlib.suppress(OSError):
        if said:
            client.send(FULL)
            client.shutdown(socket.SHUT_WR)
            client.recv(1 << 16)


async def listen(guard: Guard, host: str, port: int, backlog: int, context: Context | None) -> Listener:
    """Accept on every address of a host; raises OSError as `create_server` does."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    with contextlib.ExitStack() as opened:
        sockets = [_bound(opened, family, address) for family, _, _, _, address in dict.fromkeys(found)]
        for bound in sockets:
            bound.listen(backlog)
        opened.pop_all()
    return Listener(sockets, guard, context)


def _bound(opened: contextlib.ExitStack, family: int, address: tuple[object, ...]) -> socket.socket:
    bound = opened.enter_context(socket.socket(family, socket.SOCK_STREAM))
    bound.setblocking(False)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    bound.bind(address)
    return bound
