"""Values that must not be shown: how they are held, and what may be shown in their place."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

MASK = "***"

_ADDRESS = re.compile(r"[0-9.]+|[0-9a-f.]*:[0-9a-f:.]+")
_USERINFO = re.compile(r"(?<=://)[^/?#\s]*@")
# Linear: no class holds what its pattern begins with, and none gives back what it took.
_QUERY_VALUE = re.compile(r"([?&;#][^=?&;#\s]*+=)[^&;#\s]++")
_BARE_QUERY = re.compile(r"([?&])[^=?&#\s]++(?!=)")


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
    """Returns a URL without its userinfo and the values of its query parameters; `***` if the whole URL is secret."""
    return hide_in_urls(shown(url))


def secrets_of_url(url: Text) -> set[str]:
    """Returns the parts of a URL that stay secret if a server echoes them: userinfo, query values, a secret URL."""
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
        found |= {text, parts.path.strip("/")}
        if not _ADDRESS.fullmatch(parts.hostname or ""):  # an address is in every detail, and says little
            found |= {parts.netloc, parts.hostname or ""}
    return found - {""}


def hide_in_urls(text: str) -> str:
    """A text without the userinfo and the query values of the URLs in it."""
    text = _QUERY_VALUE.sub(rf"\1{MASK}", _USERINFO.sub(f"{MASK}@", text))
    return _BARE_QUERY.sub(rf"\1{MASK}", text)
