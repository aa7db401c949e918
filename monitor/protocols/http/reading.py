"""Reads one answer from the bytes of a connection, however they fall into packets."""

from __future__ import annotations

from monitor.protocols.http.answer_head import (
    PREFIX,
    Head,
    InvalidAnswer,
    Note,
    not_a_status_line,
    ordinary_head,
    parse_head,
)
from monitor.protocols.http.framing import Body, body_of

_HEAD_LIMIT = 1024 * 1024
"""Bytes before a body, interim answers (1xx) included."""
_LINES_LIMIT = 4096
"""Lines before a body; parsing as many takes some milliseconds."""
_ORDINARY_LENGTH = 4 * _LINES_LIMIT
"""Bytes of the longest head that cannot have too many lines."""
_PREFIX = PREFIX.encode()
_CR = 13


class AnswerReader:
    """Takes the bytes of one answer as they come, and returns those of its body.

    `to_head` tells that a HEAD request is answered; `note` receives a sentence for everything odd. `head` and `body`
    are None until the final head came; `interim` counts the interim answers (RFC 9110, 15.2) before it.
    """

    __slots__ = ("_buffer", "_line", "_lines", "_note", "_scanned", "_to_head", "_used", "body", "head", "interim")

    def __init__(self, note: Note, *, to_head: bool = False) -> None:
        self.head: Head | None = None
        self.body: Body | None = None
        self.interim = 0
        self._note = note
        self._to_head = to_head
        self._buffer = bytearray()
        self._used = self._lines = 0
        self._line = self._scanned = 0
        """Index of the current line in the buffer, and of the first byte not yet searched for its end."""

    @property
    def whole(self) -> bool:
        """True if the answer is complete."""
        return self.body is not None and self.body.whole

    def feed(self, data: bytes) -> bytes:
        """Take more bytes; the bytes of the body among them. Raises InvalidAnswer."""
        if self.body is not None:
            return self.body.feed(data)
        if not self._buffer:
            data = self._ordinary(data)
        if self.body is not None:
            return self.body.feed(data) if data else b""
        self._buffer += data
        while self.body is None and (end := self._blank_line()) is not None:
            self._take_lines(end)
        if self.body is None:
            self._refuse_early()
            return b""
        rest, self._buffer = bytes(self._buffer), bytearray()
        return self.body.feed(rest) if rest else b""

    def end(self) -> bool:
        """Takes the end of the connection; returns whether the answer is complete."""
        if self.body is not None and self.body.ends_with_connection:
            self.body.whole = True
        return self.whole

    def _ordinary(self, data: bytes) -> bytes:
        """Takes the head if it is complete and ordinary; returns the data behind it, or all data if it is not."""
        end = data.find(b"\r\n\r\n", 0, _ORDINARY_LENGTH)
        head = ordinary_head(data[:end].decode("utf-8", "surrogateescape")) if end > 0 else None
        if head is None:
            return data
        self._take_head(head, end + 4)
        return data[end + 4 :]

    def _blank_line(self) -> int | None:
        """Returns the index behind the blank line that ends the head, or None; reads each byte only once."""
        buffer = self._buffer
        while (end := buffer.find(b"\n", self._scanned)) >= 0:
            start = self._line
            self._scanned = end + 1
            self._lines += 1
            if self._lines > _LINES_LIMIT:
                raise InvalidAnswer(f"the head has more than {_LINES_LIMIT} lines", beyond_limits=True)
            if start == end or (buffer[start] == _CR and not buffer[start:end].strip(b"\r")):
                return end + 1
            self._line = end + 1
        self._scanned = len(buffer)
        return None

    def _take_lines(self, end: int) -> None:
        text = self._buffer[: max(0, self._line - 1)].decode("utf-8", "surrogateescape")
        crlf = end - self._line == len("\r\n")
        del self._buffer[:end]
        self._line = self._scanned = 0
        if not text:
            self._note("a blank line before the answer")
            self._used += end
        else:
            self._take_head(parse_head(text, self._note, ends_in_crlf=crlf), end)

    def _take_head(self, head: Head, length: int) -> None:
        self._used += length
        self._refuse_beyond_limit(self._used)
        if head.interim:
            self.interim += 1
        else:
            self.head, self.body = head, body_of(head, self._note, to_head=self._to_head)

    def _refuse_early(self) -> None:
        """End at the first byte that no answer begins with, and where the limit of heads is passed."""
        begun = self._buffer[: len(_PREFIX)].lower()
        if not _PREFIX.startswith(begun) and begun.strip(b"\r"):
            raise not_a_status_line(self._buffer.decode("ascii", "surrogateescape"))
        self._refuse_beyond_limit(self._used + len(self._buffer))

    def _refuse_beyond_limit(self, count: int) -> None:
        if count > _HEAD_LIMIT:
            raise InvalidAnswer(f"the head is longer than {_HEAD_LIMIT // 1024} KiB", beyond_limits=True)
