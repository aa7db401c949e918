"""Computes due times: a grid of Unix time from a check's name and interval, mapped once to the steady clock."""

from __future__ import annotations

import hashlib
import math
from typing import NamedTuple

from monitor.model.clock import Moment


def fraction_of(name: str) -> float:
    """Returns the place of a name's due time in the interval: 0 ≤ fraction < 1, evenly spread, always the same."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest()) / 2**64


class DueTimes(NamedTuple):
    """All due times of a check: `first` + n × `interval` in steady seconds, for n = 0, 1, 2 …

    Each is computed from its number, and numbers are found by comparison with the computed times. So whatever process
    asks, and however often, the same due time is the same float, and no count is off by one.
    """

    first: float
    interval: float

    def at(self, number: int) -> float:
        """The due time of this number."""
        return self.first + number * self.interval

    def until(self, moment: float) -> int:
        """Counts the due times up to and including this moment."""
        count = max(0, math.floor((moment - self.first) / self.interval))  # one fewer, or as many if it was rounded up
        while self.at(count) <= moment:
            count += 1
        return count

    def between(self, after: float, until: float) -> int:
        """Counts the due times in (after, until]."""
        return max(0, self.until(until) - self.until(after))

    def number_from(self, moment: float) -> int:
        """The number of the first due time that is not before this moment."""
        return self.until(math.nextafter(moment, -math.inf))

    def next(self, moment: float) -> float:
        """The first due time that is not before this moment."""
        return self.at(self.number_from(moment))

    def retry(self, wait: float, moment: float) -> float | None:
        """Returns the time of an extra run, `wait` seconds after a failure; None if a due time comes first."""
        return moment + wait if moment + wait < self.next(moment) else None


def due_times(name: str, interval: float, start: Moment) -> DueTimes:
    """The due times of a check in a process that mapped Unix time to steady time at `start`; none is before that.

    In Unix time they are multiples of the interval plus the name's fraction of it, the same in every process.
    """
    offset = (fraction_of(name) * interval - start.wall) % interval
    return DueTimes(start.steady + offset, interval)
