"""The connection of a dialogue: its bytes as they come."""

from __future__ import annotations

import asyncio

from monitor.net.connection import Connection
from monitor.net.run import Disconnected, Run
from monitor.net.stage import Stage

_READ_AHEAD = 64 * 1024
"""Bytes that may wait to be read; with more, the connection is read no further."""


class Conversation(Connection):
    """The protocol of one dialogue. The run hears of every byte."""

    def __init__(self, loop: asyncio.AbstractEventLoop, run: Run) -> None:
        super().__init__(loop)
        self._run = run
        self._unread: list[bytes] = []
        self._unread_bytes = 0

    @property
    def holds_more(self) -> bool:
        """True if received bytes have not been taken yet."""
        return bool(self._unread)

    def begin(self) -> None:
        """Starts to receive, first what came already."""
        self.flush()
        self._hear_from_here_on()

    def pause(self) -> None:
        """Stops receiving: what comes from now on belongs to TLS."""
        self._listening = False

    def send(self, data: bytes) -> None:
        """Sends this, over TLS if that has started."""
        self._send(data)

    async def more(self) -> bytes:
        """The next bytes. Raises Disconnected, ssl.SSLError or OSError."""
        while not self._unread:
            if self._failure is not None:
                raise self._failure
            self._resume()
            await self._news()
        data = b"".join(self._unread)
        self._unread.clear()
        self._unread_bytes = 0
        return data

    def hear(self, data: bytes) -> None:
        """Takes bytes of the server."""
        if self._run.stage is Stage.GREETING:
            self._run.enter(Stage.DIALOGUE)
        self._run.heard(len(data))
        self._unread.append(data)
        self._unread_bytes += len(data)
        if self._unread_bytes > _READ_AHEAD:
            self._pause()
        self._wake()

    def end(self, exc: BaseException | None) -> None:
        """Takes the end of the connection."""
        self._failure = self._failure or exc or Disconnected()
        self._hang_up()
        self._wake()
