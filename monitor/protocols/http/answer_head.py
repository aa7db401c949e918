"""Parses the head of an answer (RFC 9112, 4 and 5) as tolerantly as curl, browsers and Go do.

Everything odd that they take is taken with a note. Parsers of their own kind refuse more: llhttp, for one, control
characters in values and names that are no tokens, so that a tolerant second parser would be needed beside it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct
from multidict import CIMultiDict

Note = Callable[[str], None]
"""Receives a sentence about something odd."""

_ORDINARY = re.compile(
    r"HTTP/(1\.[01]) ([1-9]\d\d)(?: [^\x00-\x08\x0a-\x1f\x7f]*)?"
    r"((?:\r\n[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\x00-\x08\x0a-\x1f\x7f]*)*)\r?",
    re.ASCII,
)
"""A head without anything odd, with or without the carriage return of its last line."""
_STATUS_LINE = re.compile(r"(HTTP)/(?:([0-2]\.\d)|2(?= )) +([1-9]\d\d)(?!\d)(.?)", re.IGNORECASE | re.ASCII)
PREFIX = "http/"
"""The beginning of every answer, in lower case."""
_QUOTED = 1024
"""Characters of an answer's beginning that are kept to be quoted; a secret among them is still whole."""
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x01-\x08\x0b-\x1f\x7f]")


class InvalidAnswer(Exception):
    """Bytes that no client takes for an HTTP answer, or with `beyond_limits` more of them than this one reads.

    `sentence` holds no text of the target's; `beginning` is the first line where that is no HTTP, empty elsewhere.
    """

    def __init__(self, sentence: str, *, beginning: str = "", beyond_limits: bool = False) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.beginning = beginning
        self.beyond_limits = beyond_limits


class Head(Struct, frozen=True):
    """Status line and headers of an answer; `version` is «1.1»."""

    status: int
    version: str
    headers: CIMultiDict[str]

    @property
    def interim(self) -> bool:
        """True if another answer follows (RFC 9110, 15.2). A 101 is final, as requests never ask for an upgrade."""
        return self.status < 200 and self.status != 101


def parse_head(text: str, note: Note, *, ends_in_crlf: bool = True) -> Head:
    """The head in `text`, whose lines are separated by line feeds; the blank line is not part of it.

    `ends_in_crlf` tells whether the blank line was CR LF. Raises InvalidAnswer.
    """
    return (ordinary_head(text) if ends_in_crlf else None) or _odd_head(text, note, ends_in_crlf)


def ordinary_head(text: str) -> Head | None:
    """The head in `text` if there is nothing odd about it, and no blank line within it."""
    found = _ORDINARY.fullmatch(text)
    return Head(int(found[2]), found[1], _fields(found[3].split("\r\n")[1:])) if found is not None else None


def _fields(lines: Iterable[str]) -> CIMultiDict[str]:
    parts = [line.partition(":") for line in lines]
    return CIMultiDict([(name, value.strip(" \t\r")) for name, _, value in parts])


def _odd_head(text: str, note: Note, ends_in_crlf: bool) -> Head:
    status = _STATUS_LINE.match(text)
    if status is None:
        raise not_a_status_line(text)
    lines = _mended(text, status, note, ends_in_crlf)
    return Head(int(status[3]), status[2] or "2.0", _fields(lines))


def _mended(text: str, status: re.Match[str], note: Note, ends_in_crlf: bool) -> Iterator[str]:
    """The header lines of an odd head, unfolded, with usable names, and a note for each kind of oddity."""
    if "\0" in text:
        raise InvalidAnswer("the head contains a NUL byte")
    if status[2] not in ("1.0", "1.1") or status[1] != "HTTP":
        note("the status line names an odd version of HTTP")
    if status[4] not in ("", " ", "\r"):
        note("no blank follows the status")
    lines = text.split("\n")
    if not ends_in_crlf or not all(line.endswith("\r") and line[-2:-1] != "\r" for line in lines):
        note("some lines of the head do not end in CR LF")
    return _named(_unfolded([line.rstrip("\r") for line in lines[1:]], note), note)


def _unfolded(lines: list[str], note: Note) -> Iterator[str]:
    """Header lines, each joined with its continuations (RFC 9112, 5.2)."""
    whole: list[str] = []
    for line in lines:
        if line[:1] not in (" ", "\t"):
            if whole:
                yield " ".join(whole)
            whole = [line]
        elif whole:
            note("a header is folded over several lines")
            whole.append(line.strip(" \t"))
        else:
            raise InvalidAnswer("the first header line begins with a blank")
    if whole:
        yield " ".join(whole)


def _named(lines: Iterator[str], note: Note) -> Iterator[str]:
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise InvalidAnswer("a header line has no colon")
        trimmed = name.rstrip(" \t")
        if trimmed != name:
            note("a blank stands before the colon of a header")
        if not _TOKEN.fullmatch(trimmed):
            note("the name of a header contains characters that no name may have, or none")
        if _CONTROL.search(value):
            note("the value of a header contains a control character")
        if trimmed:
            yield f"{trimmed}:{value}"


def not_a_status_line(text: str) -> InvalidAnswer:
    """The complaint about an answer that begins with this."""
    first = re.split(r"[\r\n]", text[:_QUOTED], maxsplit=1)[0]
    return InvalidAnswer("the first line is no status line", beginning=first)
