"""Removes secrets from every text that will be shown, in all spellings in which a server may send them back."""

from __future__ import annotations

import base64
import bisect
import collections
import functools
import html
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from monitor.secrets.secret import MASK, hide_in_urls
from monitor.secrets.visible import visible

DETAIL_LIMIT = 200
"""Characters of the longest detail of a result."""

_CERTAIN = 6
"""A secret this long stands in our own sentences by no accident; a shorter one is struck from foreign text only."""
_WORD = 4
"""A secret shorter than this is struck only where it stands as a word, or a password «a» would erase every text."""
_HEAD = 4
"""Characters of a form that are looked up at each place of a text; at most _WORD."""
_TAIL = 3
"""A text cut short may end in the beginning of a secret; a beginning this long is struck."""
_ENCODED_TAIL = 4
"""The same for a secret in base64 or hex, of which three characters are anything."""
_FOREIGN_LIMIT = 8192
"""Characters of foreign text that are searched and kept: more than any output shows."""
_ROOM = 1024
"""Characters behind them that are searched too, so that the cut leaves no half of a secret."""
_ROUNDS = 3
"""Levels of escaping that are undone."""

_ESCAPE = re.compile(r"(?:%[0-9A-Fa-f]{2})+|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|\\[\"'\\/]|&#?\w{1,8};")

_CUT_USERINFO = re.compile(r"(?<=://)[^/?#\s@]+$")
"""A possible password whose `@` was cut off."""
_LONGEST_ESCAPE = 16
_CUT_ESCAPE = re.compile(r"[\udc80-\udcff]{0,3}(?:%[0-9A-Fa-f]?|\\(?:u[0-9A-Fa-f]{0,3}|x[0-9A-Fa-f]?)?|&#?\w{0,7})?$")
"""The beginning of an escape, or of a character of several bytes, with which a text that was cut short may end."""


class _Reading(NamedTuple):
    """A text as it reads after unescaping; character i came from `text[starts[i]:ends[i]]` of what was sent."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]


class Redactor:
    """Strikes a set of secrets out of texts, whole or as the beginning that a cut left.

    They are found in upper and lower case, as they are, percent-encoded, escaped for JSON, HTML or Python, in hex, and
    in base64, also where that encodes something before and behind them as well.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = frozenset(s for s in secrets if s)

    def prepare(self) -> Redactor:
        """Make now what the first text would have to wait for; with thousands of secrets that is half a second."""
        _ = self._heads, self._words, self._all, self._beginnings
        return self

    def foreign(self, text: str, limit: int = _FOREIGN_LIMIT) -> str:
        """Text that came from elsewhere (a server, a library's exception), without secrets and values in URLs.

        Takes time in proportion to the text, of which no more than `limit` characters are kept.
        """
        if len(text) <= limit:
            return hide_in_urls(self._struck(text))
        shown = hide_in_urls(_CUT_USERINFO.sub(MASK, self._struck(text[: limit + _ROOM])))
        return shown[: limit - 1] + "…"

    def ours(self, text: str, limit: int | None = DETAIL_LIMIT) -> str:
        """Returns the monitor's own sentence without secrets, cut to `limit` characters after that."""
        if self._secrets:
            text = _masked(text, list(self._found(_lowered(text), _CERTAIN)))
        if limit is None:
            return text.encode("utf-8", "backslashreplace").decode()  # a lone surrogate can be written nowhere
        text = visible(text)
        return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"

    @functools.cached_property
    def _plain(self) -> list[str]:
        """The forms of all secrets that are searched for in a text."""
        return sorted({_lowered(form) for secret in self._secrets for form in _forms_of(secret)})

    @functools.cached_property
    def _in_order(self) -> list[str]:
        """The same, and what a secret looks like in base64 and hex."""
        encoded = {_lowered(form) for secret in self._secrets for form in _encoded(secret)}
        return sorted(encoded.union(self._plain))

    @functools.cached_property
    def _heads(self) -> dict[str, tuple[int, ...]]:
        """Lengths of the forms that share a beginning."""
        heads = collections.defaultdict(set)
        for form in self._in_order:
            heads[form[:_HEAD]].add(len(form))
        return {head: tuple(lengths) for head, lengths in heads.items()}

    @functools.cached_property
    def _all(self) -> frozenset[str]:
        return frozenset(self._in_order)

    @functools.cached_property
    def _beginnings(self) -> frozenset[str]:
        return frozenset(form[:_TAIL] for form in self._in_order)

    @functools.cached_property
    def _words(self) -> re.Pattern[str] | None:
        short = [re.escape(form) for form in self._in_order if len(form) < _WORD]
        return re.compile(rf"(?<!\w)(?:{'|'.join(short)})(?!\w)") if short else None

    def _struck(self, text: str) -> str:
        if not self._secrets:
            return text
        spans: list[tuple[int, int]] = []
        for reading in _readings(text):
            low = _lowered(reading.text)
            words = self._words.finditer(low) if self._words is not None else ()
            found = itertools.chain(self._found(low), (match.span() for match in words))
            spans += [(reading.starts[start], reading.ends[end - 1]) for start, end in found]
            spans += self._tail(low, reading, len(text))
        return _masked(text, spans)

    def _found(self, low: str, least: int = _WORD) -> Iterator[tuple[int, int]]:
        """Yields the place of every form of at least `least` characters."""
        heads = self._heads
        for start in [n for n in range(len(low)) if low[n : n + _HEAD] in heads]:
            for length in heads[low[start : start + _HEAD]]:
                form = low[start : start + length]
                if form in self._all and len(form) >= least:
                    yield start, start + len(form)

    def _tail(self, low: str, reading: _Reading, end: int) -> Iterator[tuple[int, int]]:
        """The beginning of a secret with which a text that was cut short may end, be it within an escape."""
        text = low[:-_LONGEST_ESCAPE] + _CUT_ESCAPE.sub("", low[-_LONGEST_ESCAPE:])
        for start in range(max(0, len(text) - self._longest), len(low)):
            sent = end - reading.starts[start]
            if sent < _TAIL:
                break
            forms = self._in_order if sent >= _ENCODED_TAIL else self._plain
            may_be = start + _TAIL > len(text) or text[start : start + _TAIL] in self._beginnings
            if may_be and self._begins(text[start:], forms):
                yield reading.starts[start], end
                break

    @functools.cached_property
    def _longest(self) -> int:
        return max(map(len, self._in_order))

    @staticmethod
    def _begins(tail: str, forms: list[str]) -> bool:
        """Tells whether a form begins with this tail."""
        place = bisect.bisect_left(forms, tail)
        return place < len(forms) and forms[place].startswith(tail)


def _lowered(text: str) -> str:
    """The text in lower case, character by character, so that places in it are places in the text."""
    low = text.lower()
    if len(low) != len(text):
        low = "".join(c if len(c.lower()) > 1 else c.lower() for c in text)
    return low.replace("ς", "σ")  # which of them a capital becomes depends on what is around it


def _forms_of(secret: str) -> Iterator[str]:
    readings = [reading.text for reading in _readings(secret)]
    # Headers are bytes, which many servers read as Latin-1, and send back as the UTF-8 of that.
    misread = secret.encode("utf-8", "surrogateescape").decode("latin-1")
    for form in {misread, *readings}:
        yield form
        yield form.replace(" ", "+")


def _encoded(secret: str) -> Iterator[str]:
    """The secret in hex and in base64: alone, and as it looks behind one or two bytes and before others."""
    data = secret.encode("utf-8", "surrogateescape")
    forms = [data.hex()]
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        forms.append(encode(data).decode().rstrip("="))
        for before in range(3):
            bits = 8 * (before + len(data))
            forms.append(encode(bytes(before) + data).decode()[-(-8 * before // 6) : bits // 6])
    yield from (form for form in forms if len(form) >= _CERTAIN)


def _readings(text: str) -> Iterator[_Reading]:
    """The text as it is, then with its escapes undone, again and again while there are any."""
    reading = _Reading(text, range(len(text)), range(1, len(text) + 1))
    for _ in range(_ROUNDS):
        yield reading
        if _ESCAPE.search(reading.text) is None:
            return
        reading = _unescaped(reading)
    yield reading


def _unescaped(reading: _Reading) -> _Reading:
    pieces, starts, ends = list[str](), list[int](), list[int]()
    position = 0
    for match in _ESCAPE.finditer(reading.text):
        begin, end = match.span()
        plain = _plain(match[0])
        pieces += reading.text[position:begin], plain
        starts.extend(reading.starts[position:begin])
        starts.extend([reading.starts[begin]] * len(plain))
        ends.extend(reading.ends[position:begin])
        ends.extend([reading.ends[end - 1]] * len(plain))
        position = end
    pieces.append(reading.text[position:])
    starts.extend(reading.starts[position:])
    ends.extend(reading.ends[position:])
    return _Reading("".join(pieces), starts, ends)


def _plain(escape: str) -> str:
    """Returns the text of an escape; a run of percent-escapes counts as one, as a character may take several bytes."""
    if escape[0] == "%":
        return unquote_to_bytes(escape).decode("utf-8", "surrogateescape")
    if escape[0] == "&":
        return html.unescape(escape)
    return chr(int(escape[2:], base=16)) if escape[1] in "ux" else escape[1]


def _masked(text: str, spans: list[tuple[int, int]]) -> str:
    if not spans:
        return text
    shown, position = list[str](), 0
    for start, end in sorted(spans):
        if end <= position:
            continue
        if start >= position:
            shown += text[position:start], MASK
        position = end
    return "".join([*shown, text[position:]])
