"""Stores the latest stretches of one check in a few bytes each, for pages that show thousands of checks."""

from __future__ import annotations

import struct
from math import isfinite
from typing import NamedTuple

from msgspec import Struct

from monitor.stats.tally import Tally

PLACES = 91
"""90 stretches, and the one that is under way."""
SLOT = 960
"""Seconds: ninety of them are a day."""
DAY = 86400
_TENTHS = 10
"""The times of a slot are kept in tenths of a second."""
_FORMATS = {SLOT: struct.Struct("<4H2f"), DAY: struct.Struct("<2f")}
"""Layouts. A slot: seconds up, degraded, down, in maintenance; sum and number of the durations of its successes.
A day: the seconds in which the target served, and in which it did not.
"""


class Slot(NamedTuple):
    """One stretch: seconds in each state, and how long its successes took on average (seconds, None if none came)."""

    up: float = 0.0
    degraded: float = 0.0
    down: float = 0.0
    maintenance: float = 0.0
    latency: float | None = None

    @property
    def known(self) -> float:
        """Seconds in which it is known whether the target served."""
        return self.up + self.degraded + self.down


class Ring(Struct, array_like=True, gc=False):
    """The last `PLACES` stretches of `step` seconds, by their number since 1970; `newest` is that of the last one."""

    step: int
    newest: int = 0
    data: bytearray = bytearray()

    def add(self, at: float, values: tuple[float, ...]) -> None:
        """Add to the values of the stretch that holds this time (Unix seconds)."""
        number, layout = int(at // self.step), _FORMATS[self.step]
        self._reach(number, layout.size)
        if number > self.newest - PLACES:  # else the clock was put back by far
            place = number % PLACES * layout.size
            summed = (a + b for a, b in zip(layout.unpack_from(self.data, place), values, strict=True))
            layout.pack_into(self.data, place, *summed)

    def _reach(self, number: int, size: int) -> None:
        if not self.data:
            self.data, self.newest = bytearray(PLACES * size), number
        for skipped in range(max(self.newest + 1, number - PLACES + 1), number + 1):
            place = skipped % PLACES * size
            self.data[place : place + size] = bytes(size)
        self.newest = max(self.newest, number)

    def rewind(self, at: float) -> None:
        """Forget what comes after this time (Unix seconds), to which the clock was put back."""
        number, size = int(at // self.step), _FORMATS[self.step].size
        if self.newest - number >= PLACES:
            self.data, self.newest = bytearray(), 0
        for later in range(number + 1, self.newest + 1):
            place = later % PLACES * size
            self.data[place : place + size] = bytes(size)
        self.newest = min(self.newest, number)

    def values(self, now: float, count: int = PLACES - 1) -> list[tuple[float, ...]]:
        """Returns the values of the latest `count` stretches, oldest first; the last one holds `now` (Unix seconds).

        They are zero where nothing was counted.
        """
        last, layout = int(now // self.step), _FORMATS[self.step]
        nothing = layout.unpack(bytes(layout.size))
        if not self.data:
            return [nothing] * count
        known, oldest = list(layout.iter_unpack(self.data)), self.newest - PLACES
        return [
            known[number % PLACES] if oldest < number <= self.newest else nothing
            for number in range(last - count + 1, last + 1)
        ]

    def sane(self, step: int, now: float) -> bool:
        """True if a stored ring is valid: of this step, not in the future, and with numbers only."""
        size = _FORMATS[step].size
        whole = self.step == step and len(self.data) in (0, PLACES * size) and self.newest <= now // step + 1
        return whole and all(isfinite(sum(values)) for values in _FORMATS[step].iter_unpack(self.data))

    def merge(self, older: Ring) -> None:
        """Add what another one of the same step holds."""
        for place, values in enumerate(older.values(older.newest * older.step, PLACES)):
            if any(values):
                self.add((older.newest - PLACES + 1 + place) * self.step, values)


class Recent:
    """A day in slots and a quarter in days: what a row of the overview shows."""

    __slots__ = ("days", "slots")

    def __init__(self) -> None:
        self.slots, self.days = Ring(SLOT), Ring(DAY)

    def add(self, at: float, tally: Tally) -> None:
        """Count what a minute held."""
        times = (tally.up, tally.degraded, tally.down, tally.maintenance)
        self.slots.add(at, (*(round(t * _TENTHS) for t in times), tally.duration_sum, tally.successes))
        self.days.add(at, (tally.good, tally.down))

    def rewind(self, at: float) -> None:
        """Forget what comes after this time (Unix seconds)."""
        self.slots.rewind(at)
        self.days.rewind(at)

    def day(self, now: float, minute: Tally | None = None) -> list[Slot]:
        """The last ninety slots, the newest last; `minute` is of the last one too, and not added yet."""
        found = [_slot(values) for values in self.slots.values(now)]
        if minute is not None:
            found[-1] = _with(found[-1], minute)
        return found

    def availability(self, now: float, days: int, minute: Tally | None = None) -> float | None:
        """Returns the share of the known time in which the target served; None if no time is known.

        The time begins with the day (UTC) `days` days ago; `minute` is not added yet.
        """
        found = list(self.days.values(now, days + 1))
        good = sum(g for g, _ in found) + (minute.good if minute else 0.0)
        bad = sum(b for _, b in found) + (minute.down if minute else 0.0)
        return good / (good + bad) if good + bad > 0 else None


def _slot(values: tuple[float, ...]) -> Slot:
    up, degraded, down, maintenance, took, runs = values
    times = (up / _TENTHS, degraded / _TENTHS, down / _TENTHS, maintenance / _TENTHS)
    return Slot(*times, took / runs if runs else None)


def _with(slot: Slot, minute: Tally) -> Slot:
    latency = minute.mean if slot.latency is None else slot.latency
    times = (slot.up + minute.up, slot.degraded + minute.degraded, slot.down + minute.down)
    return Slot(*times, slot.maintenance + minute.maintenance, latency)
