"""Reads points in time and times that come again, as [[maintenance]] gives them."""

from __future__ import annotations

import re
import zoneinfo
from datetime import date, datetime, time

from monitor.keys.bad_value import BadValueError, did_you_mean, kind, quoted
from monitor.keys.values import plain
from monitor.model.maintenance import Recurrence
from monitor.rules import maintenance
from monitor.secrets.secret import Secret

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CRON_DAYS = (*WEEKDAYS[-1:], *WEEKDAYS[:-1])
_YEARS = range(2000, 2201)
_TIME = re.compile("([01]?[0-9]|2[0-3]):([0-5][0-9])")
_PART = re.compile(r"(\*|[0-9]{1,2}|[a-z]{3})(?:-([0-9]{1,2}|[a-z]{3}))?(?:/([0-9]{1,2}))?")
_FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, ("", *_MONTHS)),
    ("weekday", 0, 7, (*_CRON_DAYS, "sun")),
)
"""The fields of a cron expression: what each is called, its bounds, and the words for its values from 0 on."""


def moment(value: object) -> datetime:
    """A date-time, local if it has no offset."""
    if not isinstance(value, datetime):
        part = isinstance(value, (date, time))
        advice = "give both, as 2026-12-01T22:00:00" if part else "write 2026-12-01T22:00:00+01:00, without quotes"
        raise BadValueError(f"must be a date with a time, not {'only one of them' if part else kind(value)}", advice)
    if value.year not in _YEARS:
        raise BadValueError(f"the year {value.year} is not between {_YEARS[0]} and {_YEARS[-1]}")
    return value


def time_of_day(value: object) -> tuple[int, int]:
    """Hour and minute of «02:30», or of a TOML time."""
    if isinstance(value, time):
        if value.second or value.microsecond:
            raise BadValueError("must be a whole minute", f'write "{value:%H:%M}"')
        return value.hour, value.minute
    match = _TIME.fullmatch(plain(value))
    if match is None:
        raise BadValueError(f"{quoted(value)} is not a time of day", 'write "02:30"')
    return int(match[1]), int(match[2])


def weekday(value: object) -> int:
    """The number of a weekday, from Monday, 0."""
    text = plain(value).lower()
    if text[:3] not in WEEKDAYS or not f"{_long(text[:3])}day".startswith(text):
        meant = None if isinstance(value, Secret) else did_you_mean(text[:3], WEEKDAYS)
        raise BadValueError(f"{quoted(value)} is not a weekday", meant or 'write "mon", "tue" and so on')
    return WEEKDAYS.index(text[:3])


def _long(day: str) -> str:
    return {"tue": "tues", "wed": "wednes", "thu": "thurs", "sat": "satur"}.get(day, day)


def zone(value: object) -> str:
    """The name of a time zone."""
    text = plain(value)
    try:
        maintenance.zone(text)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        known = zoneinfo.available_timezones()
        if not known:
            advice = "install the package tzdata, of the system or of Python; UTC needs none"
            raise BadValueError("this system has no database of time zones", advice) from None
        meant = None if isinstance(value, Secret) else did_you_mean(text, known)
        raise BadValueError(f"{quoted(value)} is not a time zone", meant or 'write "Europe/Berlin"') from None
    return text


def cron(value: object) -> Recurrence:
    """The times of a cron expression, of five fields, in no time zone yet."""
    text = plain(value)
    fields = text.lower().split()
    if len(fields) != len(_FIELDS):
        advice = 'minute, hour, day of the month, month, weekday, as "30 3 * * 1-5"'
        raise BadValueError(f"{quoted(value)} is not a cron expression of five fields", advice)
    minutes, hours, days, months, weekdays = (_field(value, *two) for two in zip(fields, _FIELDS, strict=True))
    return Recurrence(
        timezone="UTC",
        minutes=minutes,
        hours=hours,
        days=days,
        months=months,
        weekdays=tuple(sorted({(day - 1) % 7 for day in weekdays})),
        either=not fields[2].startswith("*") and not fields[4].startswith("*"),  # as every cron has it since Vixie's
        hourly=fields[1].startswith("*"),
    )


def _field(value: object, text: str, field: tuple[str, int, int, tuple[str, ...]]) -> tuple[int, ...]:
    what, low, high, words = field
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        span = _span(match, low, high, words) if match else None
        if span is None:
            advice = f"{low} to {high}{f', {words[1]} to {words[-1] or words[-2]}' if words else ''}, or *"
            raise BadValueError(f"the {what} of {quoted(value)} is not valid", f"{advice}; also a-b, a,b and */n")
        found.update(span)
    return tuple(sorted(found))


def _span(part: re.Match[str], low: int, high: int, words: tuple[str, ...]) -> range | None:
    """The values of a part between commas; None if it has none."""
    first, last, step = part.groups()
    begin, end = _number(first, words), _number(last, words[::-1], len(words) - 1, -1)  # «fri-sun» ends with 7, not 0
    if first == "*":
        begin, end = low, None if last else high
    elif last is None:
        end = high if step else begin  # «5/15» goes on to the end
    if begin is None or end is None or not low <= begin <= end <= high or step in ("0", "00"):
        return None
    return range(begin, end + 1, int(step or 1))


def _number(text: str | None, words: tuple[str, ...], first: int = 0, step: int = 1) -> int | None:
    """A number, or a word by its place: `first`, and `step` more for each."""
    if text is None or text == "*":
        return None
    return int(text) if text.isdigit() else first + step * words.index(text) if text in words else None
