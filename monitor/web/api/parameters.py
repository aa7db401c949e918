"""The parameters of a request, read strictly: a mistake is answered with a sentence that names it."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime

from aiohttp import web
from msgspec import DecodeError, ValidationError, json

from monitor.history.archive import Cursor
from monitor.model.clock import LATEST

_AGO = re.compile(r"-(\d{1,6}(?:\.\d{1,3})?)(s|m|h|d|w)")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
LONGEST = 10 * 366 * 86400.0
"""Seconds that anything may last: ten years."""


class BadParameter(Exception):
    """A parameter cannot be used; the text says which, and what would be right."""


class Parameters:
    """The query of a request; one that no handler knows is a mistake, or it would be ignored without a word."""

    def __init__(self, request: web.Request, known: Iterable[str]) -> None:
        self._query = request.query
        wanted = sorted({*known})
        for name in self._query:
            if name not in wanted:
                raise BadParameter(
                    f"{_quoted(name)} is no parameter of this path; these are: {', '.join(wanted) or 'none'}"
                )

    def text(self, name: str) -> str | None:
        """The value; None if missing or empty, as browsers send blank fields of forms."""
        values = self._query.getall(name, [])
        if len(values) > 1:
            raise BadParameter(f"{name} is given more than once")
        return (values[0] or None) if values else None

    def texts(self, name: str) -> list[str]:
        """All values of one that may be given more than once."""
        return [value for value in self._query.getall(name, []) if value]

    def choice(self, name: str, *allowed: str) -> str | None:
        """One of these words."""
        value = self.text(name)
        if value is not None and value not in allowed:
            raise BadParameter(f"{name} must be one of {', '.join(allowed)}")
        return value

    def count(self, name: str, default: int, most: int) -> int:
        """A whole number from 1 to `most`."""
        value = self.text(name)
        if value is None:
            return default
        if not re.fullmatch(r"[0-9]{1,9}", value) or not 1 <= int(value) <= most:
            raise BadParameter(f"{name} must be a whole number from 1 to {most}")
        return int(value)

    def time(self, name: str, default: float, now: float) -> float:
        """A time in Unix seconds."""
        value = self.text(name)
        return default if value is None else moment(name, value, now)

    def period(self, default: float, now: float) -> tuple[float, float]:
        """`from` and `to` in Unix seconds, the last `default` seconds unless given."""
        end = self.time("to", now, now)
        start = self.time("from", end - default, now)
        if start >= end:
            raise BadParameter("from must be before to")
        return start, end

    def cursor(self) -> Cursor | None:
        """Returns the end of the previous page; None for the first page."""
        value = self.text("cursor")
        if value is None:
            return None
        try:
            at, name = json.decode(base64.urlsafe_b64decode(value + "==="), type=tuple[float, str])
        except (ValueError, binascii.Error, DecodeError, ValidationError, RecursionError):
            at, name = math.nan, ""
        if not 0 <= at <= LATEST:
            raise BadParameter("cursor must be the next_cursor of an answer")
        return at, name


def cursor_of(at: float, name: str) -> str:
    """Returns the text that `Parameters.cursor` reads."""
    return base64.urlsafe_b64encode(json.encode((at, name))).decode().rstrip("=")


def moment(name: str, value: str, now: float) -> float:
    """Parses a time: RFC 3339, a date, Unix seconds, «now», or a time ago («-24h», «-7d»). Raises BadParameter."""
    if value == "now":
        return now
    ago = _AGO.fullmatch(value)
    found = now - float(ago[1]) * _UNITS[ago[2]] if ago else _seconds(value)
    if found is None or not 0 <= found <= LATEST:
        raise BadParameter(f"{name} must be a time: 2026-01-31T03:00:00Z, 2026-01-31, Unix seconds, now, or -24h")
    return found


def _seconds(value: str) -> float | None:
    try:
        if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,9})?", value):
            return float(value)
        if not re.match(r"[0-9]{4}-", value):
            return None
        found = datetime.fromisoformat(value.replace(" ", "+", 1) if "T" in value else value)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def duration(name: str, value: object) -> float:
    """Seconds of «30m», «2h», or of a number."""
    seconds = 0.0
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        seconds = float(value)
    elif isinstance(value, str) and (found := _AGO.fullmatch(f"-{value}")):
        seconds = float(found[1]) * _UNITS[found[2]]
    if seconds <= 0:
        raise BadParameter(f"{name} must be a duration: 30m, 2h, 1d, or a number of seconds")
    if seconds > LONGEST:
        raise BadParameter(f"{name} is longer than ten years")
    return seconds


def _quoted(name: str) -> str:
    return ascii(name if len(name) <= 40 else name[:39] + "…")
