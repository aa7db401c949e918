"""Computes planned maintenance from the configuration and a time in Unix seconds.

A local time that a change of the clock leaves out is taken by the offset from before the change, so 02:30 becomes 03:30
where an hour is left out; one that comes twice is the first (RFC 5545, 3.3.5). Durations are time that passes.
"""

from __future__ import annotations

import fnmatch
import functools
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import islice, pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from monitor.model.maintenance import MaintenanceSpec, Recurrence
from monitor.model.spec import CheckSpec

DAY = 86400
_SEARCHED = 9 * 366
"""Days ahead in which the next time is looked for: 29 February may be eight years away."""
_AHEAD = 8 * DAY
"""Seconds for which a plan works out at most when something changes next."""
_SHIFT = 3 * 3600
"""Seconds, more than any change of the clock: a time that it leaves out may have become one of the next day."""
_SAMPLE = [date(2024, 1, 1) + timedelta(number) for number in range(4 * 366)]
"""Days that a recurrence is judged by, 29 February among them."""


class Window(NamedTuple):
    """One stretch of maintenance, [starts, ends) in Unix seconds."""

    name: str
    starts: float
    ends: float


Windows = tuple[MaintenanceSpec, ...]
Labels = tuple[tuple[str, str], ...]


def selects(maintenance: MaintenanceSpec, check: CheckSpec) -> bool:
    """True if the maintenance covers this check."""
    checks, groups, labels = maintenance.checks, maintenance.groups, maintenance.labels
    if not (checks or groups or labels):
        return True
    if (checks and fits(checks, check.name)) or (groups and fits(groups, check.group)):
        return True
    return bool(labels) and labels_fit(labels, check)


def labels_fit(wanted: Labels, check: CheckSpec) -> bool:
    """True if the check has all of these labels."""
    labels = dict(check.labels)
    return all(key in labels and fits((value,), labels[key]) for key, value in wanted)


def fits(patterns: tuple[str, ...], text: str) -> bool:
    """True if a pattern matches the whole text; `*` is any text, `?` any one character."""
    return _either(patterns).match(text) is not None


@functools.lru_cache(maxsize=4096)
def _either(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(fnmatch.translate, patterns)))


def windows_between(windows: Iterable[MaintenanceSpec], start: float, end: float) -> list[Window]:
    """Returns the windows that overlap [start, end), by start; those of different maintenance may overlap."""
    found = {
        Window(asked.name, begin, begin + asked.duration)
        for asked in windows
        for begin in _starts(asked, start - asked.duration, end)
        if begin + asked.duration > start
    }
    return sorted(found, key=lambda window: (window.starts, window.ends, window.name))


def in_maintenance(windows: Iterable[MaintenanceSpec], now: float) -> Window | None:
    """The window that holds now, the one that ends last if there are several."""
    return max(windows_between(windows, now, math.nextafter(now, math.inf)), key=lambda w: w.ends, default=None)


def upcoming(windows: Iterable[MaintenanceSpec], now: float, within: float = math.inf) -> Window | None:
    """The window that begins next, if it does so within that many seconds."""
    found = (
        Window(asked.name, begin, begin + asked.duration)
        for asked in windows
        for begin in islice((begin for begin in _starts(asked, now, now + within) if begin > now), 1)
    )
    return min(found, key=lambda window: window.starts, default=None)


def next_change(windows: Windows, now: float, within: float = math.inf) -> float | None:
    """Returns when a window begins or ends next; None if none does, or none begins within `within` seconds."""
    ends = (window.ends for window in windows_between(windows, now, math.nextafter(now, math.inf)))
    after = upcoming(windows, now, within)
    return min((*ends, *((after.starts,) if after else ())), default=None)


class Plan:
    """The maintenance of one check, or of several that share it; remembers for how long what it said last holds."""

    def __init__(self, windows: Windows = ()) -> None:
        self.windows = windows
        self._known: tuple[Window | None, float, float] = (None, -math.inf, -math.inf if windows else math.inf)

    def at(self, now: float) -> Window | None:
        """The window that holds now (Unix seconds)."""
        window, begin, end = self._known
        if begin <= now < end:
            return window
        window = in_maintenance(self.windows, now)
        self._known = (window, now, min(next_change(self.windows, now, _AHEAD) or math.inf, now + _AHEAD))
        return window


UNPLANNED = Plan()


def plans(maintenance: Iterable[MaintenanceSpec], checks: Iterable[CheckSpec]) -> Mapping[str, Plan]:
    """The plan of every check by its name; checks with the same windows share one."""
    asked = tuple(maintenance)
    shared: dict[Windows, Plan] = {(): UNPLANNED}
    found = {}
    for check in checks:
        windows = tuple(one for one in asked if selects(one, check))
        found[check.name] = shared.setdefault(windows, Plan(windows))
    return found


def shortest_gap(recurrence: Recurrence) -> float | None:
    """Seconds from one time to the next where they are closest, not counting changes of the clock; None if never."""
    days = [day for day in _SAMPLE if _on(recurrence, day)]
    if not days:
        return None
    minutes = [60 * hour + minute for hour in recurrence.hours for minute in recurrence.minutes]
    within = [60 * (later - earlier) for earlier, later in pairwise(minutes)]
    overnight = [DAY * (later - earlier).days - 60 * (minutes[-1] - minutes[0]) for earlier, later in pairwise(days)]
    return min([*within, *overnight], default=math.inf)


def zone(name: str) -> tzinfo:
    """The time zone of this name; UTC needs no database of them."""
    return UTC if name == "UTC" else ZoneInfo(name)


def exists(local: datetime) -> bool:
    """True if the clocks of its time zone ever show this time."""
    return local.astimezone(UTC).astimezone(local.tzinfo).replace(tzinfo=None) == local.replace(tzinfo=None)


def _starts(asked: MaintenanceSpec, since: float, until: float = math.inf) -> Iterator[float]:
    """Yields the starts within [since, until), in order, as far ahead as the search goes."""
    found = [asked.starts] if not isinstance(asked.starts, Recurrence) else _recurring(asked.starts, since, until)
    return (begin for begin in found if since <= begin < until)


def _recurring(recurrence: Recurrence, since: float, until: float) -> Iterator[float]:
    """Yields the starts from the local day of `since` to that of `until`; some may lie a little outside."""
    first = datetime.fromtimestamp(since - _SHIFT, zone(recurrence.timezone)).date()
    for number in range(math.ceil(min((until - since + _SHIFT) / DAY + 2, _SEARCHED))):
        day = first + timedelta(number)
        if _on(recurrence, day):
            yield from _starts_on(recurrence, day)


def _on(recurrence: Recurrence, day: date) -> bool:
    if day.month not in recurrence.months:
        return False
    of_month, of_week = day.day in recurrence.days, day.weekday() in recurrence.weekdays
    return (of_month or of_week) if recurrence.either else (of_month and of_week)


def _starts_on(recurrence: Recurrence, day: date) -> list[float]:
    local = zone(recurrence.timezone)
    midnight = datetime(day.year, day.month, day.day, tzinfo=local)
    times = [midnight.replace(hour=hour, minute=m) for hour in recurrence.hours for m in recurrence.minutes]
    if recurrence.hourly:
        times = [time for one in times for time in (one, one.replace(fold=1)) if exists(time)]
    return sorted({time.timestamp() for time in times})
