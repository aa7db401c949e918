"""Limits on what a client may take: time for its request and for our answer, length of its head, connections.

aiohttp bounds the wait between two requests and nothing else: a client that sends one byte a minute keeps its
connection for good, and so does one that never reads. Each costs a file descriptor that a check may need.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from aiohttp import web

from monitor.web.headers import SECURITY, SERVER
from monitor.web.places import Place, Places


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits for one client, and for all clients together; times in seconds, sizes in bytes."""

    request: float = 10.0
    """Seconds from a request's first byte, or from the connection, until the request is complete."""
    idle: float = 60.0
    """Seconds between two requests."""
    answer: float = 60.0
    """Seconds from the complete request until the client has taken the answer."""
    head: int = 8190
    """Longest request line and longest header."""
    body: int = 64 * 1024
    connections: int = 512


DEFAULT_LIMITS = Limits()

FULL = "\r\n".join(
    (
        "HTTP/1.1 503 Service Unavailable",
        *(f"{name}: {value}" for name, value in {**SECURITY, "Server": SERVER}.items()),
        "Content-Type: text/plain; charset=utf-8",
        "Retry-After: 5",
        "Connection: close",
        "",
        "too many connections, try again soon\n",
    )
).encode()


def left(request: web.BaseRequest, problem: BaseException | None) -> bool:
    """True if the error only means that the client hung up: neither an answer nor a log entry is needed."""
    closed = request.transport is None or request.transport.is_closing()
    return closed and isinstance(problem, ConnectionError)


class Connection(web.RequestHandler):
    """aiohttp's protocol with one clock more: what it is waiting for now has to happen before `_deadline`."""

    __slots__ = ("_deadline", "_guard", "_idle", "_peer", "_place", "_when_gone")

    def __init__(self, guard: Guard, place: Place, server: web.Server, **options: Any) -> None:
        super().__init__(server, **options)
        self._guard = guard
        self._place = place
        self._deadline: asyncio.TimerHandle | None = None
        self._idle = False
        self._peer: asyncio.Transport | None = None
        self._when_gone: Callable[[], object] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client connected; the clock for its first request starts."""
        super().connection_made(transport)
        self._peer = cast("asyncio.Transport", transport)  # uvloop's own class is not one by inheritance
        self._place.hang_up = self._peer.abort
        self._wait_for_request(self._guard.limits.request)

    def data_received(self, data: bytes) -> None:
        """Bytes came; the first ones after a pause start the clock for a request."""
        if self._idle:
            self._idle = False
            self._wait_for_request(self._guard.limits.request)
        super().data_received(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        """The client is gone."""
        self._guard.places.leave(self._place)
        if self._deadline is not None:
            self._deadline.cancel()
        if self._when_gone is not None:
            self._when_gone()
        super().connection_lost(exc)

    def when_gone(self, call: Callable[[], object] | None) -> None:
        """Sets the call for the case that the client leaves before its answer; None for no call."""
        self._when_gone = call

    def request_complete(self) -> None:
        """The whole request is here; the clock for the answer starts."""
        self._idle = False
        self._guard.places.work(self._place)
        self.answer_goes_on()

    def answer_goes_on(self) -> None:
        """The client takes what it is sent; the clock for the answer starts anew, or a stream of events would end."""
        self._wait(self._guard.limits.answer)

    @property
    def reserved(self) -> bool:
        """True if only requests about the monitor itself are allowed, because all other places are taken."""
        return self._place.reserved

    @property
    def most_streams(self) -> int:
        """Event streams that may be open at a time: half of the connections, so that pages can still be loaded."""
        return self._guard.limits.connections // 2

    def log_access(self, request: web.BaseRequest, response: web.StreamResponse, time: float | None) -> None:  # noqa: ARG002
        """The answer is written: the pause before the next request begins. aiohttp says so nowhere else."""
        self._idle = True
        self._wait_for_request(self._guard.limits.idle)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answers input that is not HTTP with a short sentence, and without a log entry."""
        if status >= 500 and not left(request, exc):
            response = super().handle_error(request, status, exc, message)
        else:
            response = web.Response(status=status, text="this is no HTTP request, or one with too long a head\n")
        response.headers.update({**SECURITY, "Server": SERVER})
        response.force_close()
        return response

    def _wait_for_request(self, seconds: float) -> None:
        self._guard.places.wait(self._place)
        self._wait(seconds)

    def _wait(self, seconds: float) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        if self._peer is not None and not self._peer.is_closing():
            loop = asyncio.get_running_loop()
            self._deadline = loop.call_later(seconds, self._peer.abort)


class Guard:
    """Makes the protocol of each connection, and knows how many places there are."""

    def __init__(self, server: web.Server, limits: Limits) -> None:
        self._server = server
        self.limits = limits
        self.places = Places(limits.connections)

    def connection(self, place: Place) -> Connection:
        """The protocol of a connection that has a place."""
        return Connection(
            self,
            place,
            self._server,
            loop=asyncio.get_running_loop(),
            access_log=None,
            lingering_time=0,
            max_line_size=self.limits.head,
            max_field_size=self.limits.head,
        )
