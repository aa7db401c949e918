"""Finds the end of a body (RFC 9112, 6 and 7): by a length, by chunks, or by the end of the connection."""

from __future__ import annotations

import re
from collections.abc import Sequence

from monitor.protocols.http.answer_head import Head, InvalidAnswer, Note

_WITHOUT_BODY = frozenset({101, 204, 304})
"""Statuses of answers that never have a body, even if their headers announce one (RFC 9110, 15)."""
_LARGEST = (1 << 63) - 1
"""Longest body and chunk: what curl and Go can count."""
_SHORT = 18
"""Digits that cannot be larger."""
_LINE_LIMIT = 16 * 1024
"""Bytes of a chunk's size with its extensions, and of a line of the trailer."""
_TRAILER_LIMIT = 256
"""Lines of the trailer."""
_CHUNKS_AT_ONCE = 1000
"""Chunks that are read in one go, which takes about a millisecond: chunks may be of one byte each."""
_DIGITS = re.compile(r"[0-9]+")
_HEX = re.compile(rb"[0-9A-Fa-f]{1,16}")


class Body:
    """A body that goes on until the connection ends; the base of the others.

    `whole` tells that nothing is missing; `held` that bytes wait which the next `feed` reads, be it a feed of nothing;
    `length` is its length in bytes by the head, None if that does not say.
    """

    ends_with_connection = True

    def __init__(self, note: Note, *, whole: bool = False, length: int | None = None) -> None:
        self.whole = whole
        self.length = length
        self.held = False
        self._note = note

    def feed(self, data: bytes) -> bytes:
        """Take more bytes of the connection; the bytes of the body among them. Raises InvalidAnswer."""
        if not self.whole:
            return data
        self._surplus(len(data))
        return b""

    def _surplus(self, count: int) -> None:
        if count:
            self._note(f"{count} byte{'s' if count > 1 else ''} after the end of the answer")


class _Counted(Body):
    """A body of a known length."""

    ends_with_connection = False

    def __init__(self, note: Note, length: int) -> None:
        super().__init__(note, whole=not length, length=length)
        self._left = length

    def feed(self, data: bytes) -> bytes:
        left = self._left = self._left - len(data)
        if left > 0:
            return data
        self.whole, self._left = True, 0
        self._surplus(-left)
        return data[:left] if left else data


class _Chunked(Body):
    """A body in chunks; their sizes may be followed by blanks, and their lines may end in LF alone."""

    ends_with_connection = False

    def __init__(self, note: Note) -> None:
        super().__init__(note)
        self._kept = b""
        """Bytes that were not read yet: an unfinished line, or what had to wait."""
        self._left = 0
        """Bytes that are missing of the present chunk."""
        self._line = _Chunked._size
        """Takes the next line; not bound, or this would refer to itself."""
        self._trailer_lines = 0

    def feed(self, data: bytes) -> bytes:
        data, pieces, at = self._kept + data, [], 0
        self.held = True
        for _ in range(_CHUNKS_AT_ONCE):
            if self._left:
                pieces.append(data[at : at + self._left])
                at += len(pieces[-1])
                self._left -= len(pieces[-1])
            end = -1 if self._left else data.find(b"\n", at)
            if self.whole or end < 0:
                self.held = False
                break
            self._take_line(data[at:end])
            at = end + 1
        self._kept = data[at:]
        self._look_at_kept()
        return b"".join(pieces)

    def _look_at_kept(self) -> None:
        """Refuse a line without end, and count what follows the end."""
        if self.whole:
            self._surplus(len(self._kept))
            self._kept, self.held = b"", False
        elif not self.held and len(self._kept) > _LINE_LIMIT:
            raise InvalidAnswer(f"a line between chunks is longer than {_LINE_LIMIT // 1024} KiB", beyond_limits=True)
        elif not self._left and self._line is _Chunked._data_end and self._kept.strip(b"\r"):
            raise InvalidAnswer("a chunk is longer than its size says")

    def _take_line(self, line: bytes) -> None:
        if not line.endswith(b"\r"):
            self._note("some lines between the chunks do not end in CR LF")
        self._line(self, line.rstrip(b"\r"))

    def _size(self, line: bytes) -> None:
        written = line.partition(b";")[0]
        digits = written.rstrip(b" \t")
        if digits != written:
            self._note("a blank follows the size of a chunk")
        size = int(digits, 16) if _HEX.fullmatch(digits) else -1
        if not 0 <= size <= _LARGEST:
            raise InvalidAnswer("the size of a chunk is no number, or larger than any body")
        self._left = size
        self._line = _Chunked._data_end if size else _Chunked._trailer

    def _data_end(self, line: bytes) -> None:
        if line:
            raise InvalidAnswer("a chunk is longer than its size says")
        self._line = _Chunked._size

    def _trailer(self, line: bytes) -> None:
        """Fields behind the last chunk, which decide nothing (RFC 9110, 6.5.1)."""
        self._trailer_lines += 1
        if not line:
            self.whole = True
        elif self._trailer_lines > _TRAILER_LIMIT:
            raise InvalidAnswer(f"more than {_TRAILER_LIMIT} lines follow the last chunk", beyond_limits=True)
        elif b":" not in line and not line.startswith((b" ", b"\t")):
            raise InvalidAnswer("a line behind its last chunk has no colon")


def body_of(head: Head, note: Note, *, to_head: bool) -> Body:
    """The body that this head announces; `to_head`: a HEAD request is answered. Raises InvalidAnswer."""
    codings = head.headers.getall("Transfer-Encoding", ())
    lengths = head.headers.getall("Content-Length", ())
    if head.status in _WITHOUT_BODY:
        if head.status == 204 and (codings or any(length.strip("0") for length in lengths)):
            note("a 204, which has no body, announces one")
        return Body(note, whole=True, length=0)
    if to_head:
        return Body(note, whole=True, length=None if codings else _length(lengths, note))
    if codings and head.version != "1.0":
        return _by_coding(codings, note, beside_length=bool(lengths))
    if codings:
        note("a Transfer-Encoding in HTTP/1.0, which has none, is ignored")
    length = _length(lengths, note)
    return Body(note) if length is None else _Counted(note, length)


def _by_coding(values: Sequence[str], note: Note, *, beside_length: bool) -> Body:
    """RFC 9112, 6.3: a Transfer-Encoding overrides a Content-Length."""
    codings = [coding for coding in _listed(values) if coding]
    if any(coding.lower() not in ("chunked", "identity") for coding in codings):
        raise InvalidAnswer("its Transfer-Encoding is neither chunked nor identity")
    if [coding.lower() for coding in codings] != ["chunked"]:
        note("its Transfer-Encoding is not chunked alone")
    if beside_length:
        note("its Content-Length is ignored beside a Transfer-Encoding")
    return _Chunked(note) if len(codings) > sum(c.lower() == "identity" for c in codings) else Body(note)


def _length(values: Sequence[str], note: Note) -> int | None:
    """The Content-Length, None if there is none."""
    if len(values) == 1 and len(values[0]) < _SHORT and _DIGITS.fullmatch(values[0]):
        return int(values[0])
    texts = _listed(values)
    if not any(texts):
        if texts:
            note("its Content-Length is empty")
        return None
    if not all(map(_DIGITS.fullmatch, texts)):
        raise InvalidAnswer("its Content-Length is no number")
    numbers = {text.lstrip("0") or "0" for text in texts}
    if len(numbers) > 1:
        raise InvalidAnswer("it has several Content-Lengths, which differ")
    digits = numbers.pop()
    if len(digits) > len(str(_LARGEST)) or int(digits) > _LARGEST:
        raise InvalidAnswer("its Content-Length is larger than any body")
    if len(texts) > 1:
        note(f"{'two' if len(texts) == 2 else len(texts)} identical Content-Length headers")
    return int(digits)


def _listed(values: Sequence[str]) -> list[str]:
    return [item.strip(" \t") for value in values for item in value.split(",")]
