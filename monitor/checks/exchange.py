"""The one exchange over a connection: a request out, an answer back (RFC 9112)."""

from __future__ import annotations

import asyncio

from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import HttpResponseParser, RawResponseMessage
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader

from monitor.checks.run import Disconnected, Run
from monitor.checks.stage import Stage
from monitor.checks.wire import Wire

_LINE_LIMIT = 64 * 1024
_HEADER_COUNT_LIMIT = 256
"""More than any server means to send, and few enough that the worst head fits in a few megabytes."""
_HEAD_LIMIT = 1024 * 1024
"""Of all that comes before a body: header lines without end, interim answers (1xx) without end."""
_READ_AHEAD = 256 * 1024
"""Bytes of a body that may wait to be looked at; with twice as many, reading stops."""
_SHORT_BODY = 64 * 1024
"""One that goes out in one piece with its head."""
_HEADS_ALONE = frozenset({101, 204, 304})
"""RFC 9110, 15: answers that have no body, whatever they say."""


class Exchange(Wire):
    """The protocol of one hop. The run is told of every byte of the answer, and when it is whole."""

    def __init__(self, loop: asyncio.AbstractEventLoop, run: Run) -> None:
        super().__init__(loop)
        self._run = run
        self._head: RawResponseMessage | None = None
        self._body: StreamReader = EMPTY_PAYLOAD
        self._withheld = b""
        """The body that waits for the server's leave."""

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
        self._hear_from_here_on()
        if ended is not None:
            self._head = None  # it answers what it was not asked
            self._fail(ended)
        if self._failure is not None:
            return
        if patient:
            self._withheld = body
            self._send(head)
        elif len(body) <= _SHORT_BODY:
            self._send(head + body)
        else:
            self._send(head, body)

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
        """Hang up, whatever is still to come."""
        self._parser = None
        self._hang_up()
        self._body = EMPTY_PAYLOAD  # which knows this protocol: the collector of cycles has enough to do

    @property
    def _whole(self) -> bool:
        return self._head is not None and self._body.is_eof()

    def hear(self, data: bytes) -> None:
        """Bytes of the answer; what follows a whole one is nothing to us."""
        run, parser = self._run, self._parser
        if parser is None or self._whole:
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
        if self._whole:
            run.whole()

    def _note(self, message: RawResponseMessage, body: StreamReader) -> None:
        """The head of an answer; one that is only interim gives leave to send the body."""
        if 100 <= message.code <= 199 and message.code != 101:
            withheld, self._withheld = self._withheld, b""
            self._send(withheld)
            return
        self._head = message
        self._body = EMPTY_PAYLOAD if message.code in _HEADS_ALONE else body
        self._wake()

    def end(self, exc: BaseException | None) -> None:
        """The body that ends with the connection is whole now, unless that broke; anything else is not."""
        if self._whole:
            return
        if self._parser is not None and self._head is not None and exc is None:
            try:
                self._parser.feed_eof()
            except HttpProcessingError as error:
                exc = error
        if self._whole:
            self._run.whole()
        else:
            self._fail(exc or Disconnected())

    def _fail(self, error: BaseException) -> None:
        self._failure = self._failure or error
        if not self._body.is_eof():
            self._body.set_exception(self._failure)
        self._parser = None
        self._hang_up()
        self._wake()
