"""Values that must not be shown: how they are held, and how they are struck out of any text that will be seen."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit

from monitor.outcome import DETAIL_LIMIT

MASK = "***"

_CERTAIN = 6
"""A secret this long stands in our own sentences by no accident; a shorter one is struck from foreign text only."""
_WORD = 4
"""A secret shorter than this is struck only where it stands as a word, or a password «a» would erase every text."""
_TAIL = 3
"""A text cut short may end in the beginning of a secret; a beginning this long is struck."""

_USERINFO = re.compile(r"(?<=://)[^/?#\s]*@")
_QUERY_VALUE = re.compile(r"([?&;#][^=&;#\s]*=)[^&;#\s]+")
_BARE_QUERY = re.compile(r"([?&])[^=&#\s]+(?=&|#|\s|$)")


class Secret:
    """A string that shows itself as `***`; only `reveal()` gives it away."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself, for the wire and nothing else."""
        return self._value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __str__(self) -> str:
        return MASK

    def __repr__(self) -> str:
        return f"Secret({MASK!r})"


Text = str | Secret
"""A string of the configuration, written out or taken from `{ env }` or `{ file }`."""


def reveal(text: Text) -> str:
    """The string itself, secret or not."""
    return text.reveal() if isinstance(text, Secret) else text


def shown(text: Text) -> str:
    """The string as it may be shown."""
    return str(text)


def shown_url(url: Text) -> str:
    """A URL without its userinfo and the values of its query parameters; `***` if all of it is secret."""
    return _hide_in_urls(shown(url))


def secrets_of_url(url: Text) -> set[str]:
    """What a server could echo of this URL that must not be seen: userinfo, query values, all of a secret URL."""
    text = reveal(url)
    try:
        parts = urlsplit(text)
        found = {
            parts.username or "",
            parts.password or "",
            parts.query if isinstance(url, Secret) else "",
        }
    except ValueError:  # not a URL, which the configuration says elsewhere
        return {text} if isinstance(url, Secret) else set()
    found |= {value for _, value in parse_qsl(parts.query)}
    found |= {piece.partition("=")[2] or piece for piece in parts.query.split("&")}
    if isinstance(url, Secret):
        found |= {text, parts.path.strip("/"), parts.netloc, parts.hostname or ""}
    return found - {""}


def _hide_in_urls(text: str) -> str:
    text = _QUERY_VALUE.sub(rf"\1{MASK}", _USERINFO.sub(f"{MASK}@", text))
    return _BARE_QUERY.sub(rf"\1{MASK}", text)


def _spellings(secret: str) -> set[str]:
    """The secret as it may come back: percent-encoded, in JSON, in HTML, in base64."""
    encoded = {quote(secret, safe=""), quote(secret), quote_plus(secret)}
    lower = {re.sub(r"%[0-9A-F]{2}", lambda m: m[0].lower(), e) for e in encoded}
    quoted = {
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
    }
    binary = {
        base64.b64encode(secret.encode()).decode().rstrip("="),
        base64.urlsafe_b64encode(secret.encode()).decode().rstrip("="),
    }
    return {
        secret,
        html.escape(secret),
        *encoded,
        *lower,
        *quoted,
        *(b for b in binary if len(b) >= _CERTAIN),
    }


class Redactor:
    """Strikes a set of secrets, in all their spellings, out of texts."""

    __slots__ = ("_certain", "_foreign", "_spellings")

    def __init__(self, secrets: Iterable[str]) -> None:
        self._spellings = sorted(
            {s for secret in secrets if secret for s in _spellings(secret)},
            key=len,
            reverse=True,
        )
        self._foreign = _pattern(self._spellings)
        self._certain = _pattern([s for s in self._spellings if len(s) >= _CERTAIN])

    def foreign(self, text: str) -> str:
        """Text that came from elsewhere (a server, a library's exception), without secrets."""
        text = _hide_in_urls(text)
        if self._foreign is not None:
            text = self._strike_tail(self._foreign.sub(MASK, text))
        return text

    def ours(self, text: str, limit: int | None = DETAIL_LIMIT) -> str:
        """A sentence of ours, without secrets, then cut to `limit` characters; cut last, lest a secret be halved."""
        if self._certain is not None:
            text = self._certain.sub(MASK, text)
        return text if limit is None or len(text) <= limit else text[: limit - 1].rstrip() + "…"

    def _strike_tail(self, text: str) -> str:
        for spelling in self._spellings:
            for length in range(min(len(spelling) - 1, len(text)), _TAIL - 1, -1):
                if text.endswith(spelling[:length]):
                    return text[:-length] + MASK
        return text


def _pattern(spellings: list[str]) -> re.Pattern[str] | None:
    if not spellings:
        return None
    words = (re.escape(s) if len(s) >= _WORD else rf"(?<!\w){re.escape(s)}(?!\w)" for s in spellings)
    return re.compile("|".join(words))
