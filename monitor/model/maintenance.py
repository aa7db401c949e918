"""Planned maintenance, as the operator asked for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Recurrence:
    """Local times of a time zone, by the minute, as cron means them; weekdays count from Monday, 0.

    `either` tells that a day of the month and a weekday are both asked for, and either is enough; `hourly` that it is
    every hour, so that one that the clock goes through twice counts twice.
    """

    timezone: str
    minutes: tuple[int, ...]
    hours: tuple[int, ...] = tuple(range(24))
    days: tuple[int, ...] = tuple(range(1, 32))
    months: tuple[int, ...] = tuple(range(1, 13))
    weekdays: tuple[int, ...] = tuple(range(7))
    either: bool = False
    hourly: bool = False


@dataclass(frozen=True, slots=True)
class MaintenanceSpec:
    """Planned maintenance: once, from Unix seconds on, or again and again, for `duration` seconds.

    It is of the checks that any pattern in `checks` or `groups` fits, or that have all of `labels`; of all checks if
    none of the three says anything.
    """

    name: str
    starts: float | Recurrence
    duration: float
    checks: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
