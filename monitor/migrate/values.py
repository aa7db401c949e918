"""Durations, statuses and JSON values of other monitors, in our words."""

from __future__ import annotations

import re
from collections.abc import Iterable

from monitor.keys import values
from monitor.keys.bad_value import BadValueError
from monitor.migrate.draft import Draft

_UNITS = {
    "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0,
    "d": 86400.0, "w": 7 * 86400.0, "y": 365 * 86400.0,
}  # fmt: skip
_PART = re.compile(r"([0-9]{1,12}(?:\.[0-9]{0,9})?)(ns|us|µs|ms|[smhdwy])")
_WHOLE = (("d", 86400), ("h", 3600), ("m", 60))


def _highest() -> int:
    """The highest status that checks.toml takes."""
    try:
        return values.status(999)[1]
    except BadValueError:
        return 599


STATUSES = range(100, _highest() + 1)


def seconds(text: str) -> float | None:
    """Seconds of a duration as Go or Prometheus write it; None if it is none."""
    text = text.strip()
    if not text or re.fullmatch(f"(?:{_PART.pattern})+", text) is None:
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))


def duration(amount: float) -> str:
    """Seconds as checks.toml writes them."""
    if amount < 1:
        return f"{max(amount * 1000, 0.001):.6g}ms"
    for unit, length in _WHOLE:
        if amount % length == 0:
            return f"{amount / length:.0f}{unit}"
    return f"{amount:.10g}s"


def pace(draft: Draft, place: str, interval: float, limit: float) -> None:
    """One limit for the whole run, as the other monitors have it, which has to fit into the interval here."""
    draft.keys["interval"] = duration(interval)
    draft.keys["timeout"] = dict.fromkeys(("connect", "read", "total"), duration(min(limit, interval)))
    if limit > interval:
        text = f"the limit of {duration(limit)} is longer than the interval of {duration(interval)}, and was cut to it"
        draft.differs(place, text)


def ranges(statuses: Iterable[int]) -> list[str | int]:
    """Status codes as `expect.status` writes them: whole hundreds, ranges, single ones."""
    left: list[int] = sorted(set(statuses))
    found: list[str | int] = []
    spans: list[list[int]] = []
    for status in left:
        if spans and status == spans[-1][1] + 1:
            spans[-1][1] = status
        else:
            spans.append([status, status])
    for low, high in spans:
        hundred = low % 100 == 0 and high == low + 99 and low < 600
        found.append(f"{low // 100}xx" if hundred else low if low == high else f"{low}-{high}")
    return found


def json_value(text: str) -> str | int | float | bool:
    """The JSON value that a text most likely means."""
    if text in ("true", "false"):
        return text == "true"
    if re.fullmatch(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,9})?", text):
        return float(text) if "." in text else int(text)
    return text
