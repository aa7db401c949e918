"""Reads [[maintenance]]: its times, given in one of three ways, and its checks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from monitor.config.limits import spoken
from monitor.config.models import MaintenanceTable
from monitor.config.validate import validated
from monitor.keys import values
from monitor.keys.bad_value import did_you_mean, listed, quoted
from monitor.keys.files import Files
from monitor.keys.finding import Finding
from monitor.model.maintenance import MaintenanceSpec, Recurrence
from monitor.model.spec import CheckSpec
from monitor.rules.maintenance import exists, fits, labels_fit, shortest_gap, zone

Tree = dict[str, Any]


def read_maintenance(tree: Tree, files: Files) -> tuple[MaintenanceSpec | None, list[Finding]]:
    """Planned maintenance, None if anything is wrong with it, and what that is."""
    table, found = validated(MaintenanceTable, tree, files)
    if table is None or found:
        return None, found
    found = list(_conflicts(table, tree)) or list(_impossible(table))
    return (None, found) if found else (_spec(table), [])


def unselective(maintenance: MaintenanceSpec, checks: Sequence[CheckSpec]) -> Iterator[Finding]:
    """Yields patterns that select no check: mostly typing errors, which would page on-call during the work."""
    kinds = (
        ("checks", "check", maintenance.checks, {check.name for check in checks}),
        ("groups", "group", maintenance.groups, {check.group for check in checks if check.group}),
    )
    for key, what, patterns, known in kinds:
        yield from unfitting(key, what, patterns, known)
    labels = maintenance.labels
    if labels and not any(labels_fit(labels, check) for check in checks):
        all_of_them = listed((f"{key} = {quoted(value)}" for key, value in labels), "and")
        yield Finding(("labels",), f"no check has {all_of_them}")


def unfitting(key: str, what: str, patterns: Sequence[str], known: set[str]) -> Iterator[Finding]:
    """Yields patterns of the array `key` that match no known name; `what` is the kind of the names."""
    for place, pattern in enumerate(patterns):
        if pattern not in known and not any(fits((pattern,), name) for name in known):
            yield Finding((key, place), f"there is no {what} {quoted(pattern)}", did_you_mean(pattern, known))


_WAYS = ("starts", "weekly", "cron")
_ONE_WAY = "a maintenance has one of these; write another [[maintenance]] for the rest"


def _conflicts(table: MaintenanceTable, tree: Tree) -> Iterator[Finding]:
    """Keys that exclude each other, and keys that are missing."""
    ways = [way for way in _WAYS if way in tree]
    if not ways:
        yield Finding(("ends",) if "ends" in tree else (), "nothing says when it begins", f"give {_named(_WAYS)}")
    elif len(ways) > 1:
        yield Finding((ways[-1],), f"{_named(ways, 'and')} are given together", _ONE_WAY)
    elif ways == ["starts"]:
        if ("ends" in tree) is ("duration" in tree):
            message = "both `ends` and `duration` are given" if "ends" in tree else "nothing says when it ends"
            yield Finding(("duration",) if "ends" in tree else (), message, "give one of `ends` and `duration`")
    elif table.duration is None:
        yield Finding((), "`duration` is missing", 'how long it lasts each time, as "2h"')
    for key, way in (("at", "weekly"), ("ends", "starts")):
        if key in tree and ways and way not in ways:
            yield Finding((key,), f"`{key}` belongs to `{way}`, which is not given", "leave it out")
    if ways == ["weekly"] and table.at is None:
        yield Finding((), "`at` is missing", 'at which time of those days, as "02:30"')


def _named(keys: Sequence[str], last: str = "or") -> str:
    return listed((f"`{key}`" for key in keys), last)


def _impossible(table: MaintenanceTable) -> Iterator[Finding]:
    """Times that are no times."""
    starts = _starts(table)
    if isinstance(starts, Recurrence):
        yield from _unending("cron" if table.cron else "weekly", starts, table.duration or 0)
        return
    for key, moment in (("starts", table.starts), ("ends", table.ends)):
        if moment is not None and not exists(_placed(moment, table.timezone)):
            message = f"there is no {moment:%H:%M} on that day in {table.timezone}: the clocks are put forward over it"
            yield Finding((key,), message, "give another time, or one with its offset from UTC")
    if table.ends and _placed(table.ends, table.timezone, late=True).timestamp() <= starts:
        yield Finding(("ends",), "does not come after `starts`")


def _unending(key: str, starts: Recurrence, duration: float) -> Iterator[Finding]:
    gap = shortest_gap(starts)
    if gap is None:
        yield Finding((key,), "there is no such day in any month")
    elif duration >= gap:
        message = f"{spoken(duration)} is not over when it begins again, after {spoken(gap)}"
        yield Finding(("duration",), message, "nobody would ever be paged; give a shorter one")


def _spec(table: MaintenanceTable) -> MaintenanceSpec:
    starts = _starts(table)
    ends = _placed(table.ends, table.timezone, late=True).timestamp() if table.ends else None
    duration = table.duration or 0.0 if ends is None or isinstance(starts, Recurrence) else ends - starts
    labels = tuple(table.labels.items())
    checks, groups = (tuple(map(values.plain, patterns)) for patterns in (table.checks, table.groups))
    return MaintenanceSpec(table.name, starts, duration, checks, groups, labels)


def _starts(table: MaintenanceTable) -> float | Recurrence:
    if table.starts:
        return _placed(table.starts, table.timezone).timestamp()
    if table.cron:
        return replace(table.cron, timezone=table.timezone)
    hour, minute = table.at or (0, 0)
    return Recurrence(table.timezone, (minute,), (hour,), weekdays=tuple(sorted(set(table.weekly))))


def _placed(moment: datetime, timezone: str, *, late: bool = False) -> datetime:
    """The moment in its time zone; of one that comes twice the first, or the last if `late`."""
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=zone(timezone), fold=late)
