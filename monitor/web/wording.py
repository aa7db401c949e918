"""Words figures, times and expectations for the page."""

from __future__ import annotations

import math

from monitor.model.clock import utc
from monitor.rules.state import seconds


def latency(value: float | None) -> str:
    """«84 ms», «5.0 s»; an en dash for what is not known."""
    return "–" if value is None else seconds(value)


def span(value: float) -> str:
    """A stretch of time, to two units at most: «42 s», «22 min», «5 h 12 min», «3 d 4 h»."""
    whole = max(int(value), 0) if math.isfinite(value) else 0
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 86400:
        return _two(whole // 3600, "h", whole % 3600 // 60, "min")
    return _two(whole // 86400, "d", whole % 86400 // 3600, "h")


def _two(big: int, unit: str, small: int, smaller: str) -> str:
    return f"{big} {unit} {small} {smaller}" if small else f"{big} {unit}"


def every(value: float) -> str:
    """An interval or limit as it is configured: «30 s», «1.5 s», «250 ms», «1 min 30 s»."""
    if value < 1:
        return f"{value * 1000:g} ms"
    if value < 60 or value % 1:
        return f"{value:g} s"
    minutes, rest = divmod(int(value), 60)
    if rest or minutes < 60:
        return _two(minutes, "min", rest, "s")
    return span(value)


def clock(at: float, now: float) -> str:
    """A time of day in UTC, with seconds; the date before it unless it is today's."""
    then, today = utc(at), utc(now)
    time = f"{then:%H:%M:%S}"
    if then.date() == today.date():
        return time
    day = f"{then.day} {then:%b}"
    return f"{day} {time}" if then.year == today.year else f"{day} {then.year} {time}"


def since(at: float, now: float) -> str:
    """The same to the minute, for times that people say to each other."""
    return clock(at, now)[:-3]


def plural(count: int, noun: str) -> str:
    """«1 check», «12 checks»."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
