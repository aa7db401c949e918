"""aiohttp's HTTP protocol, with an ear of our own on it: every byte that comes, and how the connection ended."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError

from monitor.checks.run import Run, Stage

_HEAD_LIMIT = 1024 * 1024
"""Of all that comes before a body: header lines without end, interim answers (1xx) without end."""


class Listener(ResponseHandler):
    """The protocol of one hop's connection."""

    def __init__(self, loop: asyncio.AbstractEventLoop, run: Run) -> None:
        super().__init__(loop)
        self._run = run
        self._early: int | None = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport as it is: aiohttp would set TCP_NODELAY, which asyncio and uvloop have set already."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Tell the run, then pass the bytes on."""
        self._run.heard(len(data))
        if self._early is not None:
            self._early += len(data)
        if self._run.received > _HEAD_LIMIT and self._run.stage is Stage.HEAD:
            self.set_exception(HttpProcessingError(message="a head longer than a mebibyte"))
            if self.transport is not None:
                self.transport.abort()
            return
        super().data_received(data)
        self._run.broken = self.exception()

    def set_response_params(self, **parameters: Any) -> None:
        """The request is next; aiohttp now passes on, a second time, what a server said before it was asked."""
        self._run.received -= self._early or 0
        self._early = None
        super().set_response_params(**parameters)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Note how the connection ended; aiohttp forgets it when it ends in the middle of a body."""
        self._run.lost = exc
        super().connection_lost(exc)
