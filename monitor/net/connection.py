"""One TCP connection, plain or with TLS."""

from __future__ import annotations

import asyncio
import ssl
from typing import cast

from monitor.net.secure import TlsStream

_PIECE = 64 * 1024
"""Bytes sent at a time: longer data is sent in pieces, as the target takes it, so that other checks need not wait."""


class Connection(asyncio.Protocol):
    """The protocol of one connection; what comes while `listening` is not set is only kept."""

    transport: asyncio.Transport | None = None

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._listening = False
        self._reading_paused = False
        self._writing_paused = False
        self._tls: TlsStream | None = None
        self._early = b""
        self._waiter: asyncio.Future[None] | None = None
        self._ended = False
        self._failure: BaseException | None = None
        """The first error of the connection or its data; later errors are consequences of it."""
        self._unsent: list[memoryview] = []
        self._sending = False

    def hear(self, data: bytes) -> None:
        """Bytes of the peer, decrypted."""
        raise NotImplementedError

    def end(self, exc: BaseException | None) -> None:
        """The peer will say no more, by its own word if there is no exception."""
        raise NotImplementedError

    def close(self) -> None:
        """Closes the connection without waiting for what the peer still sends."""
        self._hang_up()
        self._failure = None  # if it was raised, it refers to this

    def part(self) -> None:
        """Closes the connection in order, if nothing waits to be sent, so that the peer receives everything."""
        self.flush()
        if self.transport is None or self._unsent or self.transport.get_write_buffer_size():
            self.close()
            return
        self.transport.close()
        self.transport = None

    # what the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport, on which asyncio and uvloop have set TCP_NODELAY."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Bytes of the peer."""
        if not self._listening:
            self._early += data
            self._wake()
        elif self._tls is not None:
            self._decrypt(self._tls, data)
        else:
            self.hear(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        """The connection is gone."""
        self.transport = None
        self._ended = True
        self.end(exc)

    def pause_writing(self) -> None:
        """Stops sending: the peer does not take data as fast as the check writes it."""
        self._writing_paused = True

    def resume_writing(self) -> None:
        """Sends more: the peer has taken data."""
        self._writing_paused = False
        self._send_more()

    # before the protocol begins

    def write(self, data: bytes | memoryview) -> None:
        """Send this as it is."""
        if self.transport is not None and data:
            self.transport.write(data)

    def flush(self) -> None:
        """Sends what TLS says by itself: the end of a handshake that no request follows."""
        if self._tls is not None:
            self.write(self._tls.to_send())

    async def preamble(self, limit: int) -> bytes:
        """Returns a proxy's answer up to its blank line, less if the connection ends. Raises OSError for a reset."""
        while b"\r\n\r\n" not in self._early and len(self._early) < limit and not self._ended:
            await self._news()
        if isinstance(self._failure, OSError):
            raise self._failure
        head, blank, self._early = self._early.partition(b"\r\n\r\n")
        return head + blank

    async def secure(self, tls: TlsStream) -> None:
        """Speak TLS from here on. Raises ssl.SSLError, and OSError or Disconnected if the connection ends before.

        The last message of the handshake goes with the request, which follows at once: one packet instead of two.
        """
        self._tls = tls
        done = False
        try:
            while not (done := tls.shake_hands(self._taken())):
                self.write(tls.to_send())
                if self._failure is not None:
                    raise self._failure
                await self._news()
        finally:
            if not done:
                self.write(tls.to_send())  # the alert that says what is wrong

    # for the protocol

    def _hear_from_here_on(self) -> None:
        """Starts to pass received bytes on, first those that are waiting."""
        self._listening = True
        early = self._taken()
        if self._tls is None and early:
            self.hear(early)
        elif self._tls is not None and (early or self._tls.holds_more):
            self._decrypt(self._tls, early)

    def _send(self, *parts: bytes) -> None:
        """Sends these parts, encrypted if TLS is on, after those that still wait."""
        self._unsent += [memoryview(part) for part in parts if part]
        if not self._sending:
            self._send_more()

    def _send_more(self) -> None:
        """Sends the next piece, unless the peer has to take earlier ones first."""
        self._sending = False
        if not self._unsent or self._writing_paused:
            return
        part = self._unsent[0]
        try:
            sent = self._written(part[:_PIECE])
        except ssl.SSLError as error:
            self.end(error)
            return
        self._unsent[0:1] = [part[sent:]] if sent < len(part) else []
        if sent and self._unsent and not self._writing_paused:
            self._sending = True
            self._loop.call_soon(self._send_more)

    def _written(self, piece: memoryview) -> int:
        """Sends a piece and returns the bytes sent; 0 in TLS while the peer has to answer first."""
        if self._tls is None:
            self.write(piece)
            return len(piece)
        sent = self._tls.encrypt(piece)
        self.write(self._tls.to_send())
        return sent

    def _decrypt(self, tls: TlsStream, data: bytes) -> None:
        try:
            plain = tls.decrypted(data)
        except ssl.SSLError as error:
            self.write(tls.to_send())
            self.end(error)
            return
        self.write(tls.to_send())
        if plain:
            self.hear(plain)
        if tls.closed:
            self.end(None)
        elif self._unsent and not self._sending:
            self._send_more()

    def _pause(self) -> None:
        """Leave what the peer sends in the kernel's buffers."""
        if self.transport is not None and not self._reading_paused and not self.transport.is_closing():
            self._reading_paused = True
            self.transport.pause_reading()

    def _resume(self) -> None:
        if self.transport is not None and self._reading_paused and not self.transport.is_closing():
            self._reading_paused = False
            self.transport.resume_reading()

    async def _news(self) -> None:
        """Something came, or the connection ended."""
        self._waiter = self._loop.create_future()
        await self._waiter

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _taken(self) -> bytes:
        early, self._early = self._early, b""
        return early

    def _hang_up(self) -> None:
        """Aborts the connection: an orderly end of TLS would wait for the target, with the socket open."""
        self._unsent = []
        if self.transport is not None:
            self.transport.abort()
            self.transport = None
