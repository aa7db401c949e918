"""One hop's connection, bare or in TLS, and the one exchange over it: a request out, an answer back."""

from __future__ import annotations

import asyncio
import ssl
from typing import cast

from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import HttpResponseParser, RawResponseMessage
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader

from monitor.checks.run import Disconnected, Run, Stage
from monitor.checks.secure import Secured

_LINE_LIMIT = 64 * 1024
_HEADER_COUNT_LIMIT = 256
"""More than any server means to send, and few enough that the worst head fits in a few megabytes."""
_HEAD_LIMIT = 1024 * 1024
"""Of all that comes before a body: header lines without end, interim answers (1xx) without end."""
_READ_AHEAD = 256 * 1024
"""Bytes of a body that may wait to be looked at; with twice as many, reading stops."""
_PIECE = 64 * 1024
"""A longer body is sent piece by piece, as the target takes it, so that no other check waits for it."""
_HEADS_ALONE = frozenset({101, 204, 304})
"""RFC 9110, 15: answers that have no body, whatever they say."""


class Exchange(BaseProtocol):
    """The protocol of one connection. Until the request is sent, what comes is only kept.

    aiohttp's parser makes a `StreamReader` of the body, and needs of `BaseProtocol` that it can pause and go on.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, run: Run) -> None:
        super().__init__(loop)
        self._run = run
        self._tls: Secured | None = None
        self._early = b""
        self._waiter: asyncio.Future[None] | None = None
        self._ended = False
        self._failure: BaseException | None = None
        """What ended the connection, or was wrong with what came; the first such thing, the rest is its echo."""
        self._head: RawResponseMessage | None = None
        self._body: StreamReader = EMPTY_PAYLOAD
        self._unsent = self._body_to_send = memoryview(b"")

    # what the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport as it is: aiohttp would set TCP_NODELAY, which asyncio and uvloop have set already."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Bytes of the peer; none when the parser goes on with what it held back."""
        if self._parser is None:
            self._early += data
            self._wake()
        elif data and self._tls is not None:
            self._decrypt(self._tls, data)
        else:
            self._parse(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        """The connection is gone, by an error or by its peer's word."""
        self.transport = None
        self._ended = True
        self._end(exc)

    def resume_reading(self, resume_parser: bool = True) -> None:
        """The body was read so far that more of it may come; aiohttp asks for that at the end of every body."""
        if self._reading_paused:
            super().resume_reading(resume_parser)

    def resume_writing(self) -> None:
        """The target took some of the request's body."""
        super().resume_writing()
        self._send_more()

    # before the request

    def send(self, data: bytes | memoryview) -> None:
        """Send this as it is."""
        if self.transport is not None and data:
            self.transport.write(data)

    async def preamble(self, limit: int) -> bytes:
        """What a proxy answers, up to its blank line; less if that does not come. Raises OSError for a reset."""
        while b"\r\n\r\n" not in self._early and len(self._early) < limit and not self._ended:
            await self._news()
        if isinstance(self._failure, OSError):
            raise self._failure
        head, blank, self._early = self._early.partition(b"\r\n\r\n")
        return head + blank

    async def secure(self, tls: Secured) -> None:
        """Speak TLS from here on. Raises ssl.SSLError, and OSError or Disconnected if the connection ends before."""
        self._tls = tls
        try:
            while not tls.shake_hands(self._taken()):
                self.send(tls.to_send())
                if self._failure is not None:
                    raise self._failure
                await self._news()
        finally:
            self.send(tls.to_send())  # the alert as well that says what is wrong

    # the request and its answer

    def ask(self, head: bytes, body: bytes = b"", *, answer_has_body: bool = True, patient: bool = False) -> None:
        """Send the request; `patient`: its body only once the server gives leave.

        What came before is the beginning of the answer; if that is not HTTP, or the end, nothing is sent.
        """
        self._parser = HttpResponseParser(
            self, self._loop, _READ_AHEAD, response_with_body=answer_has_body, read_until_eof=True,
            auto_decompress=False, max_line_size=_LINE_LIMIT, max_field_size=_LINE_LIMIT,
            max_headers=_HEADER_COUNT_LIMIT,
        )  # fmt: skip
        ended, self._failure = self._failure, None
        self._hear_what_came_early()
        if ended is not None:
            self._head = None  # it answers what it was not asked
            self._fail(ended)
        if self._failure is None:
            together = not patient and len(body) <= _PIECE
            self._unsent = memoryview(head + body if together else head)
            self._body_to_send = memoryview(b"" if together else body)
            self._send_more()
            if not patient:
                self._send_body()

    async def answer(self) -> tuple[RawResponseMessage, StreamReader]:
        """The head of the answer, and its body, whose end may be yet to come.

        Raises Disconnected, HttpProcessingError, ssl.SSLError or OSError; so does reading the body.
        """
        while self._head is None:
            if self._failure is not None:
                raise self._failure
            await self._news()
        return self._head, self._body

    def close(self) -> None:
        """Hang up at once: a polite TLS goodbye waits for the target's, with the socket open."""
        self._hang_up()
        self._body = EMPTY_PAYLOAD  # which knows this protocol: the collector of cycles has enough to do

    # within

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

    def _hear_what_came_early(self) -> None:
        early = self._taken()
        if self._tls is None and early:
            self._parse(early)
        elif self._tls is not None and (early or self._tls.holds_more):
            self._decrypt(self._tls, early)

    def _decrypt(self, tls: Secured, data: bytes) -> None:
        try:
            plain = tls.decrypted(data)
        except ssl.SSLError as error:
            self.send(tls.to_send())
            self._fail(error)
            return
        self.send(tls.to_send())
        if plain:
            self._parse(plain)
        if tls.closed:
            self._end(None)
        else:
            self._send_more()

    def _parse(self, data: bytes) -> None:
        run, parser = self._run, self._parser
        if parser is None:
            return
        if data:
            run.heard(len(data))
            if run.received > _HEAD_LIMIT and run.stage is Stage.HEAD:
                self._fail(HttpProcessingError(message="a head longer than a mebibyte"))
                return
        try:
            messages, _, _ = parser.feed_data(data)
        except Exception as error:  # noqa: BLE001 - whatever the parser chokes on, the target sent
            self._fail(error if isinstance(error, (HttpProcessingError, MemoryError)) else HttpProcessingError())
            return
        for message, body in messages:
            if self._head is None:
                self._note(message, body)

    def _note(self, message: RawResponseMessage, body: StreamReader) -> None:
        """The head of an answer; one that is only interim gives leave to send the body."""
        if 100 <= message.code <= 199 and message.code != 101:
            self._send_body()
            return
        self._head = message
        self._body = EMPTY_PAYLOAD if message.code in _HEADS_ALONE else body
        self._wake()

    def _end(self, exc: BaseException | None) -> None:
        """The peer will say no more: the body that ends with the connection is whole now, anything else is not."""
        if self._parser is not None and self._head is not None and exc is None:
            try:
                self._parser.feed_eof()
            except HttpProcessingError as error:
                exc = error
        if self._head is None or not self._body.is_eof():
            self._fail(exc or Disconnected())

    def _fail(self, error: BaseException) -> None:
        self._failure = self._failure or error
        if not self._body.is_eof():
            self._body.set_exception(self._failure)
        self._hang_up()
        self._wake()

    def _hang_up(self) -> None:
        self._parser = None
        self._unsent = self._body_to_send = memoryview(b"")
        if self.transport is not None:
            self.transport.abort()
            self.transport = None

    def _send_body(self) -> None:
        body, self._body_to_send = self._body_to_send, memoryview(b"")
        if body:
            self._unsent = body
            self._send_more()

    def _send_more(self) -> None:
        """The next piece of what there is to send, unless the target has to take the ones before first."""
        if not self._unsent or self._paused:
            return
        piece = self._unsent[:_PIECE]
        if self._tls is None:
            self.send(piece)
            sent = len(piece)
        else:
            try:
                sent = self._tls.encrypt(piece)
            except ssl.SSLError as error:
                self._fail(error)
                return
            self.send(self._tls.to_send())
        self._unsent = self._unsent[sent:]
        if sent and self._unsent and not self._paused:
            self._loop.call_soon(self._send_more)
