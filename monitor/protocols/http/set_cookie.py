"""Reads Set-Cookie headers as browsers do (RFC 6265, section 5, and its successor rfc6265bis), bytes untouched."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

_LONGEST = 4096
"""Bytes of a name and its value together (rfc6265bis, 5.6)."""
_LONGEST_ATTRIBUTE = 1024
_MOST_ATTRIBUTES = 20
_MOST_TOKENS = 20
"""More than any cookie has attributes, or its date has parts: what follows is not worth the time."""
_WHITE = " \t"
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_MAX_AGE = re.compile(r"-?[0-9]+")
_BETWEEN = re.compile(r"[\t\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+")
"""RFC 6265, 5.1.1: what stands between the tokens of a date; a colon is part of a token."""
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?![0-9])")
_DAY = re.compile(r"([0-9]{1,2})(?![0-9])")
_YEAR = re.compile(r"([0-9]{2,4})(?![0-9])")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_EARLIEST_YEAR = 1601
_LATER = 400 * 86400.0
"""Seconds: no cookie lives longer (rfc6265bis, 5.5), which no run does either."""


@dataclass(frozen=True, slots=True)
class Cookie:
    """One cookie as it was set; `expires` is in Unix seconds, None for the end of the run.

    `domain` is empty unless the header names one, and `path` unless it has a usable one.
    """

    name: str
    value: str
    domain: str
    path: str
    secure: bool
    expires: float | None

    @property
    def pair(self) -> str:
        """The cookie as it is sent back."""
        return f"{self.name}={self.value}" if self.name else self.value


def read_cookie(header: str, now: float) -> Cookie | None:
    """The cookie that a Set-Cookie header sets, None for one that browsers do not take."""
    if _CONTROL.search(header):
        return None
    pair, _, rest = header.partition(";")
    name, equals, value = (part.strip(_WHITE) for part in pair.partition("="))
    if not equals:
        name, value = "", name
    if not (name or value) or _size(name) + _size(value) > _LONGEST:
        return None
    said = _attributes(rest)
    path = said.get("path", "")
    cookie = Cookie(
        name=name,
        value=value,
        domain=said.get("domain", "").removeprefix(".").lower(),
        path=path if path.startswith("/") else "",
        secure="secure" in said,
        expires=_expires(said, now),
    )
    return cookie if _keeps_its_promise(cookie) else None


def _attributes(text: str) -> dict[str, str]:
    """The attributes by name; of several of one name the last holds, as far as it can be read."""
    found: dict[str, str] = {}
    for part in text.split(";", _MOST_ATTRIBUTES)[:_MOST_ATTRIBUTES]:
        name, _, value = (piece.strip(_WHITE) for piece in part.partition("="))
        name = name.lower()
        if _size(value) <= _LONGEST_ATTRIBUTE and _readable(name, value):
            found[name] = value
    return found


def _readable(name: str, value: str) -> bool:
    if name == "max-age":
        return _MAX_AGE.fullmatch(value) is not None
    return name != "expires" or read_date(value) is not None


def _expires(said: dict[str, str], now: float) -> float | None:
    if "max-age" in said:
        seconds = min(float(said["max-age"]), _LATER)
        return now + seconds if seconds > 0 else 0.0
    return read_date(said["expires"]) if "expires" in said else None


def _keeps_its_promise(cookie: Cookie) -> bool:
    """Names that begin with `__Secure-` or `__Host-` promise something of their attributes (rfc6265bis, 4.1.3)."""
    name = (cookie.name or cookie.value).lower()
    if not name.startswith(("__secure-", "__host-")):
        return True
    bound = not cookie.domain and cookie.path == "/"
    return bool(cookie.name) and cookie.secure and (bound or name.startswith("__secure-"))


def read_date(text: str) -> float | None:
    """The date of a cookie in Unix seconds, however it is written; None if it is none (RFC 6265, 5.1.1)."""
    time = day = month = year = None
    for token in _BETWEEN.split(text, _MOST_TOKENS)[:_MOST_TOKENS]:
        if time is None and (match := _TIME.match(token)):
            time = int(match[1]), int(match[2]), int(match[3])
        elif day is None and (match := _DAY.match(token)):
            day = int(match[1])
        elif month is None and token[:3].lower() in _MONTHS:
            month = _MONTHS.index(token[:3].lower()) + 1
        elif year is None and (match := _YEAR.match(token)):
            year = _full_year(int(match[1]))
    if time is None or day is None or month is None or year is None or year < _EARLIEST_YEAR:
        return None
    try:
        return datetime(year, month, day, *time, tzinfo=UTC).timestamp()
    except ValueError:  # there is no such day or time
        return None


def _full_year(year: int) -> int:
    if year <= 69:
        return year + 2000
    return year + 1900 if year <= 99 else year


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogateescape"))
