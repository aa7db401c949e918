"""When a check is due: at start + offset + n × interval, where the offset is a hash of its name."""

from __future__ import annotations

import hashlib
import math


def fraction_of(name: str) -> float:
    """Where in its interval a check of this name is due: 0 ≤ fraction < 1, evenly spread, stable for ever."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest()) / 2**64


def first_due(name: str, interval: float, epoch: float) -> float:
    """The first due time after a start at `epoch` (steady seconds)."""
    return epoch + fraction_of(name) * interval


def next_due(first: float, interval: float, now: float) -> float:
    """The first due time on this grid that is not before `now`."""
    return first + max(0, math.ceil((now - first) / interval)) * interval


def retry_due(first: float | None, interval: float, retry: float, now: float) -> float | None:
    """When a run follows a failure that was found now; None if the grid has one by then, and `first` is known."""
    at = now + retry
    return at if first is None or at < next_due(first, interval, now) else None


def due_between(first: float, interval: float, after: float, until: float) -> int:
    """How many due times there are in (after, until]."""
    if until < first:
        return 0
    return math.floor((until - first) / interval) - max(-1, math.floor((after - first) / interval))
