"""The limits of a run and the interval: what is inherited is cut to fit, what is stated and does not fit is wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from monitor.config.models import DefaultsTable
from monitor.keys.conflict import Conflict
from monitor.keys.finding import has
from monitor.model.spec import CheckSpec, Limits

INTERVAL = ("interval",)
CONNECT = ("timeout", "connect")
READ = ("timeout", "read")
TOTAL = ("timeout", "total")
RETRY = ("retry_interval",)


@dataclass(frozen=True, slots=True)
class Pace:
    """Times in seconds: the interval of a check, the limits of a run, and the pause after a failure."""

    interval: float = CheckSpec.interval
    limits: Limits = field(default_factory=Limits)
    retry: float | None = None


def fit(table: DefaultsTable, own: dict[str, Any], inherited: Pace) -> tuple[Pace, list[Conflict]]:
    """The pace of a table, and where what it states (`own` is the table as written) does not fit."""
    interval = table.interval if has(own, INTERVAL) else inherited.interval
    total = table.timeout.total if has(own, TOTAL) else min(inherited.limits.total, interval)
    connect = table.timeout.connect if has(own, CONNECT) else min(inherited.limits.connect, total)
    read = table.timeout.read if has(own, READ) else inherited.limits.read
    retry = table.retry_interval if has(own, RETRY) else inherited.retry and min(inherited.retry, interval)
    found = []
    if total > interval:
        found.append(Conflict((TOTAL, INTERVAL), _longer(total, "the interval", interval), _TOTAL))
    if connect > total:
        found.append(Conflict((CONNECT, TOTAL, INTERVAL), _longer(connect, "the total limit", total), _CONNECT))
    if retry is not None and retry > interval:
        found.append(Conflict((RETRY, INTERVAL), _longer(retry, "the interval", interval), _RETRY))
    return Pace(interval, Limits(connect, read, total), retry), found


_TOTAL = "a run ends before the next is due; lower `timeout.total` or raise `interval`"
_RETRY = "a retry comes before the next run is due; lower `retry_interval` or raise `interval`"
_CONNECT = "lower `timeout.connect` or raise `timeout.total`"


def _longer(seconds: float, what: str, limit: float) -> str:
    return f"{spoken(seconds)} is longer than {what}, {spoken(limit)}"


def spoken(seconds: float) -> str:
    """Seconds the way that the configuration writes them: «90s», «250ms»."""
    return f"{seconds:g}s" if seconds >= 1 else f"{seconds * 1000:g}ms"
