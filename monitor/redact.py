"""Strikes secrets out of any text that will be seen, in whatever spelling a server sent them back."""

from __future__ import annotations

import base64
import bisect
import functools
import html
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from monitor.outcome import DETAIL_LIMIT
from monitor.secret import MASK, hide_in_urls

_CERTAIN = 6
"""A secret this long stands in our own sentences by no accident; a shorter one is struck from foreign text only."""
_WORD = 4
"""A secret shorter than this is struck only where it stands as a word, or a password «a» would erase every text."""
_TAIL = 3
"""A text cut short may end in the beginning of a secret; a beginning this long is struck."""
_ROUNDS = 3
"""So often an escape may be escaped again."""

_ESCAPE = re.compile(r"(?:%[0-9A-Fa-f]{2})+|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|\\[\"'\\/]|&#?\w{1,8};")

_CUT_ESCAPE = re.compile(r"[\udc80-\udcff]{0,3}(?:%[0-9A-Fa-f]?|\\(?:u[0-9A-Fa-f]{0,3}|x[0-9A-Fa-f]?)?|&#?\w{0,7})?$")
"""The beginning of an escape, or of a character of several bytes, with which a text that was cut short may end."""


class _Reading(NamedTuple):
    """A text as it reads after unescaping; character i came from `text[starts[i]:ends[i]]` of what was sent."""

    text: str
    starts: list[int]
    ends: list[int]


class Redactor:
    """Strikes a set of secrets out of texts, whole or as the beginning that a cut left.

    They are found as they are, percent-encoded, escaped for JSON, HTML or Python, and in base64.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = frozenset(s for s in secrets if s)

    def prepare(self) -> Redactor:
        """Make now what the first text would have to wait for; with thousands of secrets that is half a second."""
        _ = self._all, self._certain, self._in_order
        return self

    def foreign(self, text: str) -> str:
        """Text that came from elsewhere (a server, a library's exception), without secrets and values in URLs."""
        return hide_in_urls(self._struck(text, self._all)) if self._secrets else hide_in_urls(text)

    def ours(self, text: str, limit: int | None = DETAIL_LIMIT) -> str:
        """A sentence of ours, without secrets, then cut to `limit` characters; cut last, lest a secret be halved."""
        if self._certain is not None:
            text = self._certain.sub(MASK, text)
        text = text.encode("utf-8", "backslashreplace").decode()  # a lone surrogate can be written nowhere
        return text if limit is None or len(text) <= limit else text[: limit - 1].rstrip() + "…"

    @functools.cached_property
    def _forms(self) -> list[str]:
        """What to look for in a reading of a text, longest first."""
        forms = {form for secret in self._secrets for form in _forms_of(secret)}
        return sorted(forms, key=len, reverse=True)

    @functools.cached_property
    def _in_order(self) -> list[str]:
        return sorted(self._forms)

    @functools.cached_property
    def _all(self) -> re.Pattern[str]:
        return _pattern(self._forms)

    @functools.cached_property
    def _certain(self) -> re.Pattern[str] | None:
        certain = [s for s in self._forms if len(s) >= _CERTAIN]
        return _pattern(certain) if certain else None

    def _struck(self, text: str, pattern: re.Pattern[str]) -> str:
        spans: list[tuple[int, int]] = []
        for reading in _readings(text):
            spans += [(reading.starts[m.start()], reading.ends[m.end() - 1]) for m in pattern.finditer(reading.text)]
            spans += self._tail(reading, len(text))
        return _masked(text, spans)

    def _tail(self, reading: _Reading, end: int) -> Iterator[tuple[int, int]]:
        """The beginning of a secret with which a text that was cut short may end, be it within an escape."""
        for text in {reading.text, _CUT_ESCAPE.sub("", reading.text)}:
            for length in range(min(len(self._forms[0]), len(text)), -1, -1):
                start = len(text) - length
                if start < len(reading.text) and end - reading.starts[start] >= _TAIL and self._begins(text[start:]):
                    yield reading.starts[start], end
                    break

    def _begins(self, tail: str) -> bool:
        """Whether a secret begins like this."""
        place = bisect.bisect_left(self._in_order, tail)
        return place < len(self._in_order) and self._in_order[place].startswith(tail)


def _forms_of(secret: str) -> Iterator[str]:
    unescaped = [reading.text for reading in _readings(secret)]
    # Headers are bytes, which many servers read as Latin-1, and send back as the UTF-8 of that.
    misread = secret.encode("utf-8", "surrogateescape").decode("latin-1")
    for form in {secret, misread, *unescaped}:
        yield form
        yield form.replace(" ", "+")
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        encoded = encode(secret.encode("utf-8", "surrogateescape")).decode().rstrip("=")
        if len(encoded) >= _CERTAIN:
            yield encoded


def _pattern(forms: list[str]) -> re.Pattern[str]:
    words = (re.escape(f) if len(f) >= _WORD else rf"(?<!\w){re.escape(f)}(?!\w)" for f in forms)
    return re.compile("|".join(words))


def _readings(text: str) -> Iterator[_Reading]:
    """The text as it is, then with its escapes undone, again and again while there are any."""
    reading = _Reading(text, list(range(len(text))), list(range(1, len(text) + 1)))
    for _ in range(_ROUNDS):
        yield reading
        if _ESCAPE.search(reading.text) is None:
            return
        reading = _unescaped(reading)
    yield reading


def _unescaped(reading: _Reading) -> _Reading:
    text, starts, ends = "", list[int](), list[int]()
    position = 0
    for match in _ESCAPE.finditer(reading.text):
        plain = _plain(match[0])
        text += reading.text[position : match.start()] + plain
        starts += reading.starts[position : match.start()] + [reading.starts[match.start()]] * len(plain)
        ends += reading.ends[position : match.start()] + [reading.ends[match.end() - 1]] * len(plain)
        position = match.end()
    return _Reading(text + reading.text[position:], starts + reading.starts[position:], ends + reading.ends[position:])


def _plain(escape: str) -> str:
    """What an escape stands for; a run of percent-escapes is one, for a character may take several bytes."""
    if escape[0] == "%":
        return unquote_to_bytes(escape).decode("utf-8", "surrogateescape")
    if escape[0] == "&":
        return html.unescape(escape)
    return chr(int(escape[2:], base=16)) if escape[1] in "ux" else escape[1]


def _masked(text: str, spans: list[tuple[int, int]]) -> str:
    shown, position = "", 0
    for start, end in sorted(spans):
        if end <= position:
            continue
        if start >= position:
            shown += text[position:start] + MASK
        position = end
    return shown + text[position:]
