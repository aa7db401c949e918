"""The one exchange over a connection: a request out, an answer back (RFC 9112)."""

from __future__ import annotations

import asyncio

from monitor.net.connection import Connection
from monitor.net.run import Disconnected, Run
from monitor.protocols.http.answer_head import Head, InvalidAnswer
from monitor.protocols.http.reading import AnswerReader

_READ_AHEAD = 256 * 1024
"""Bytes of a body that may wait to be read; with more, the connection is read no further."""
_SHORT_BODY = 64 * 1024
"""A request body that is sent in one piece with its head."""


class Exchange(Connection):
    """The protocol of one hop. The run hears of every byte of the answer, and when it is whole."""

    def __init__(self, loop: asyncio.AbstractEventLoop, run: Run) -> None:
        super().__init__(loop)
        self._run = run
        self._reader: AnswerReader | None = None
        self._unread: list[bytes] = []
        self._withheld = b""
        """The request body, while it waits for the server's 100 (Continue)."""
        self._end: tuple[BaseException | None] | None = None
        """The end of the connection, kept while earlier bytes wait to be read."""

    def ask(self, head: bytes, body: bytes = b"", *, answer_has_body: bool = True, patient: bool = False) -> None:
        """Send the request; `patient`: its body only once the server gives leave.

        What came before is the beginning of the answer; if that is not HTTP, or the end, nothing is sent.
        """
        ended, self._failure = self._failure, None
        self._reader = AnswerReader(self._run.note, to_head=not answer_has_body)
        self._hear_from_here_on()
        if ended is not None:
            self._reader = None  # an answer to nothing
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

    async def answer(self) -> Head:
        """The head of the answer. Raises Disconnected, InvalidAnswer, ssl.SSLError or OSError."""
        while True:
            if self._reader is not None and self._reader.head is not None:
                return self._reader.head
            if self._failure is not None:
                raise self._failure
            await self._news()

    async def more(self) -> bytes:
        """The next bytes of the body, none at its end. Raises as `answer` does."""
        while not self._unread:
            if self._whole:
                return b""
            if self._failure is not None:
                raise self._failure
            self._resume()
            await self._news()
        data = b"".join(self._unread)
        self._unread.clear()
        return data

    @property
    def announced(self) -> int | None:
        """Bytes of the body by the head of the answer; None if it does not say."""
        body = self._reader.body if self._reader is not None else None
        return body.length if body is not None else None

    def close(self) -> None:
        """Closes the connection without waiting for the rest of the answer."""
        self._reader = self._end = None
        super().close()

    @property
    def _whole(self) -> bool:
        return self._reader is not None and self._reader.whole

    def hear(self, data: bytes) -> None:
        """Bytes of the answer; what follows a whole one is nothing to us."""
        if self._reader is not None and not self._reader.whole and self._failure is None:
            self._run.heard(len(data))
            self._read(self._reader, data)

    def _read(self, reader: AnswerReader, data: bytes) -> None:
        try:
            piece = reader.feed(data)
        except (InvalidAnswer, MemoryError) as error:
            self._fail(error)
            return
        if reader.interim and self._withheld:
            withheld, self._withheld = self._withheld, b""
            self._send(withheld)
        if reader.body is None:
            return
        if piece:
            self._unread.append(piece)
        if reader.body.whole:
            self._run.whole()
        elif reader.body.held:
            self._pause()
            self._loop.call_soon(self._read_on)
        elif sum(map(len, self._unread)) > _READ_AHEAD:
            self._pause()
        self._wake()

    def _read_on(self) -> None:
        """Read what was too much for one go."""
        reader = self._reader
        if reader is None or reader.whole or self._failure is not None:
            return
        self._read(reader, b"")
        if self._end is not None:
            self.end(*self._end)

    def end(self, exc: BaseException | None) -> None:
        """The body that ends with the connection is whole now, unless that broke; anything else is not."""
        reader = self._reader
        if self._whole:
            return
        if reader is not None and reader.body is not None and reader.body.held:
            self._end = (exc,)
        elif reader is not None and exc is None and reader.end():
            self._run.whole()
            self._wake()
        else:
            self._fail(exc or Disconnected())

    def _fail(self, error: BaseException) -> None:
        self._failure = self._failure or error
        self._hang_up()
        self._wake()
