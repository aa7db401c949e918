"""One check's past in figures: time is counted to the state that held, results to the minute in which they came.

Minutes, hours and days that are over are closed, for whoever keeps them. What is counted is time that somebody looked:
a stretch in which this process stood still, the machine slept or the clock was put forward counts to no state.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from msgspec import Struct, msgpack, structs

from monitor.clock import Moment
from monitor.outcome import Result, State
from monitor.ring import Recent, Ring
from monitor.tally import MEASURED, Tally

MINUTE, HOUR, DAY = 60, 3600, 86400
STEPS = (MINUTE, HOUR, DAY)
"""The stretches that are kept, in seconds."""

_STILL = 3.0
"""Seconds without a sign of life, of which there is one a second at least, after which nobody looked meanwhile."""
_GAPS_KEPT = 100
_SLIPS = HOUR
"""A clock that is put back by less makes no minute begin twice; what it goes through again is not counted."""
_UNWRITTEN = {MINUTE: 30, HOUR: 48, DAY: 30}
"""How many closed stretches wait at most to be written, so that a database that is away for long costs only detail."""

_pack = msgpack.Encoder().encode
decode_tally = msgpack.Decoder(Tally).decode
"""The tally that was encoded."""


def encode_tally(tally: Tally) -> bytes:
    """A tally as MessagePack: times to the millisecond, and whole ones, as most are, in few bytes instead of nine."""
    values = structs.astuple(tally)
    times, others = values[: len(MEASURED)], values[len(MEASURED) :]
    return _pack([*(_brief(round(seconds, 3)) for seconds in times), *map(_brief, others)])


def _brief(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


class Presence:
    """When this process was there to look; `gaps` are the latest stretches when it was not, in Unix seconds."""

    def __init__(self, now: Moment) -> None:
        self._seen = now
        self.gaps: deque[tuple[float, float]] = deque(maxlen=_GAPS_KEPT)

    def seen(self, now: Moment) -> None:
        """A sign of life."""
        if now.steady - self._seen.steady > _STILL:
            self.gaps.append((self._seen.wall, now.wall))
        self._seen = now

    def within(self, start: float, end: float) -> Iterator[tuple[float, float]]:
        """The stretches of [start, end) in which it was there."""
        for begin, over in self.gaps:
            if begin >= end or over <= start:
                continue
            if begin > start:
                yield start, begin
            start = over
        if start < end:
            yield start, end


class Stretch(NamedTuple):
    """What is known of `step` seconds from `start` (Unix seconds, a multiple of `step`) on."""

    step: int
    start: int
    tally: Tally


class Open(Struct, array_like=True, gc=False):
    """A stretch that is not over yet."""

    start: int
    tally: Tally


class SavedPast(Struct, array_like=True):
    """A past as it is kept, without what is closed; `credited` is Unix seconds."""

    credited: float
    minute: Open
    hour: Open
    day: Open
    slots: Ring
    days: Ring


class Past:
    """What is counted for one check. `presence` is shared by all."""

    __slots__ = ("_closed", "credited", "day", "dropped", "hour", "minute", "presence", "recent")

    def __init__(self, presence: Presence, now: Moment) -> None:
        self.presence = presence
        self.credited = now
        self.minute, self.hour, self.day = (Open(int(now.wall) // step * step, Tally()) for step in STEPS)
        self.recent = Recent()
        self._closed: list[tuple[int, int, bytes]] = []
        self.dropped = 0
        """Closed stretches that were given up because nobody took them."""

    def stand(self, state: State, now: Moment) -> None:
        """The check was in this state since the last call until now."""
        elapsed, self.credited = now.steady - self.credited.steady, now
        for start, end in self.presence.within(now.wall - elapsed, now.wall):
            self._stand(state, start, end)

    def _stand(self, state: State, start: float, end: float) -> None:
        while start < end:
            minute = self._minute(start)
            start = max(start, minute.start)
            until = min(end, minute.start + MINUTE)
            minute.tally.stand(state, max(0.0, until - start))
            start = until

    def count(self, result: Result, now: Moment, runs: int = 1) -> None:
        """A result came now that stands for so many runs."""
        self._minute(now.wall).tally.count(result, runs)

    def _minute(self, at: float) -> Open:
        """The open minute, which is the one of this time (Unix seconds) from now on; it does not go back by little."""
        start = int(at // MINUTE) * MINUTE
        if start > self.minute.start or start < self.minute.start - _SLIPS:
            self._close(start)
        return self.minute

    def _close(self, start: int) -> None:
        """The minute is over; maybe the hour and the day too."""
        over, self.minute = self.minute, Open(start, Tally())
        tally = over.tally
        if tally.runs or tally.known or tally.maintenance or tally.paused:
            self.recent.add(over.start, tally)
            self._put(MINUTE, over)
            self.hour = self._into(HOUR, self.hour, over)
            self.day = self._into(DAY, self.day, over)
        self.hour = self._over(HOUR, self.hour, start)
        self.day = self._over(DAY, self.day, start)

    def _into(self, step: int, into: Open, minute: Open) -> Open:
        into = self._over(step, into, minute.start)
        into.tally.add(minute.tally)
        return into

    def _over(self, step: int, one: Open, at: int) -> Open:
        """The hour or day of this time: the same, or a new one for the one that is over."""
        start = at // step * step
        if start == one.start:
            return one
        self._put(step, one)
        return Open(start, Tally())

    def _put(self, step: int, one: Open) -> None:
        """Close one, unless it is empty. The clock may have been put back into one that is closed already."""
        tally = one.tally
        if not (tally.runs or tally.known or tally.maintenance or tally.paused):
            return
        for number, (length, start, before) in enumerate(self._closed):
            if (length, start) == (step, one.start):
                self._closed[number] = (step, start, encode_tally(_both(decode_tally(before), tally)))
                return
        self._closed.append((step, one.start, encode_tally(tally)))
        waiting = [number for number, (length, _, _) in enumerate(self._closed) if length == step]
        if len(waiting) > _UNWRITTEN[step]:
            del self._closed[waiting[0]]
            self.dropped += 1

    # what is kept

    def closed(self) -> list[tuple[int, int, bytes]]:
        """What is over and not kept yet: step, start and tally as MessagePack, oldest first."""
        return list(self._closed)

    def kept(self, count: int) -> None:
        """The first so many of them are kept now."""
        del self._closed[:count]

    def saved(self) -> SavedPast:
        """Everything else, as it is now; to be encoded before anything else is counted."""
        recent = self.recent
        return SavedPast(self.credited.wall, self.minute, self.hour, self.day, recent.slots, recent.days)

    def adopt(self, saved: SavedPast) -> None:
        """Go on from what was kept before this process began; what was counted since then is added to it."""
        self.recent.slots.merge(saved.slots)
        self.recent.days.merge(saved.days)
        if saved.minute.start == self.minute.start:
            self.minute.tally.add(saved.minute.tally)
        else:
            for one in (saved.hour, saved.day):
                one.tally.add(saved.minute.tally)
            self.recent.add(saved.minute.start, saved.minute.tally)
            self._put(MINUTE, saved.minute)
        for step, ours, theirs in ((HOUR, self.hour, saved.hour), (DAY, self.day, saved.day)):
            if ours.start == theirs.start:
                ours.tally.add(theirs.tally)
            else:
                self._put(step, theirs)

    # what can be read

    def stretches(self, state: State, now: Moment) -> list[Stretch]:
        """What is over and not kept yet, and what is not over, counted until now in this state."""
        pending = [Stretch(step, start, decode_tally(tally)) for step, start, tally in self._closed]
        minute = self.open_minute(state, now)
        return [
            *pending,
            Stretch(MINUTE, self.minute.start, minute),
            *(Stretch(step, one.start, _both(one.tally, minute)) for step, one in ((HOUR, self.hour), (DAY, self.day))),
        ]

    def open_minute(self, state: State, now: Moment) -> Tally:
        """The open minute, with the time since the last call of `stand` as far as it is in it."""
        tally = _both(self.minute.tally, Tally())
        begin = max(now.wall - (now.steady - self.credited.steady), self.minute.start)
        for start, end in self.presence.within(begin, min(now.wall, self.minute.start + MINUTE)):
            tally.stand(state, end - start)
        return tally


def _both(one: Tally, other: Tally) -> Tally:
    summed = Tally()
    summed.add(one)
    summed.add(other)
    return summed
