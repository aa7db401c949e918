"""One check's past in figures: time is counted to the state that held, results to the minute in which they came.

Minutes, hours and days that are over are closed, for whoever keeps them. What is counted is time that somebody looked:
a stretch in which this process stood still, the machine slept or the clock was put forward counts to no state.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

from msgspec import Meta, Struct, field, msgpack

from monitor.model.clock import Moment, stepped
from monitor.model.outcome import State
from monitor.model.result import Result, Seconds
from monitor.stats.presence import Presence
from monitor.stats.tally import Count, Tally
from monitor.stats.windows import SLOT, Recent, Ring

MINUTE, HOUR, DAY = 60, 3600, 86400
STEPS = (MINUTE, HOUR, DAY)
"""The stretches that are kept, in seconds."""

_SLIPS = MINUTE
"""A clock that is corrected by less makes no minute begin twice."""
_UNWRITTEN = {MINUTE: 30, HOUR: 48, DAY: 30}
"""Closed stretches that may wait for the database, by length: if it is away for long, only detail is lost."""

_encode = msgpack.Encoder().encode
_THOUSANDTHS, _MILLIONTHS = 1000, 1_000_000


_Key = Annotated[int, Meta(ge=-(2**53), le=1000)]
"""A bucket; below 0 it is no bucket but the number of unexpected answers, negated."""


class _Packed(Struct, array_like=True, gc=False):
    """A tally in milliseconds and microseconds; a newer version may say more, which is not read here."""

    up: Count
    degraded: Count
    down: Count
    maintenance: Count
    paused: Count
    runs: Count
    http_errors: Count
    connection_errors: Count
    timeouts: Count
    inconclusive: Count
    duration_sum: Count
    duration_min: Count | None
    duration_max: Count | None
    latencies: dict[_Key, Count]


_decode = msgpack.Decoder(_Packed).decode


def encode_tally(tally: Tally) -> bytes:
    """A tally as MessagePack, times in milliseconds and durations in microseconds: a third of what floats take.

    Versions without unexpected answers read exactly these fourteen values. So those are written among the HTTP errors,
    and their number as that of an empty bucket, negated, which such a version adds nothing for.
    """
    states = (tally.up, tally.degraded, tally.down, tally.maintenance, tally.paused)
    unexpected = tally.unexpected_answers
    errors = (tally.http_errors + unexpected, tally.connection_errors, tally.timeouts)
    least, most = tally.duration_min, tally.duration_max
    return _encode(
        (
            *(round(seconds * _THOUSANDTHS) for seconds in states),
            *(tally.runs, *errors, tally.inconclusive),
            round(tally.duration_sum * _MILLIONTHS),
            None if least is None else round(least * _MILLIONTHS),
            None if most is None else round(most * _MILLIONTHS),
            tally.latencies | {-unexpected: 0} if unexpected else tally.latencies,
        )
    )


def decode_tally(data: bytes) -> Tally:
    """The tally that was encoded, to the millisecond and microsecond."""
    found = _decode(data)
    latencies = {bucket: count for bucket, count in found.latencies.items() if bucket >= 0}
    unexpected = max(0, min(found.http_errors, -min(found.latencies, default=0)))
    least, most = found.duration_min, found.duration_max
    return Tally(
        found.up / _THOUSANDTHS,
        found.degraded / _THOUSANDTHS,
        found.down / _THOUSANDTHS,
        found.maintenance / _THOUSANDTHS,
        found.paused / _THOUSANDTHS,
        found.runs,
        found.http_errors - unexpected,
        found.connection_errors,
        found.timeouts,
        found.inconclusive,
        found.duration_sum / _MILLIONTHS,
        None if least is None else least / _MILLIONTHS,
        None if most is None else most / _MILLIONTHS,
        latencies,
        unexpected,
    )


class Stretch(NamedTuple):
    """The tally of `step` seconds from `start` (Unix seconds, a multiple of `step`)."""

    step: int
    start: Count
    tally: Tally


class OpenStretch(Struct, array_like=True, gc=False):
    """A stretch that is not over yet."""

    start: int
    tally: Tally


class SavedPast(Struct, array_like=True):
    """A past as it is kept, without what is closed; `credited` is Unix seconds."""

    credited: Seconds = 0.0
    minute: OpenStretch = field(default_factory=lambda: OpenStretch(0, Tally()))
    hour: OpenStretch = field(default_factory=lambda: OpenStretch(0, Tally()))
    day: OpenStretch = field(default_factory=lambda: OpenStretch(0, Tally()))
    slots: Ring = field(default_factory=lambda: Ring(SLOT))
    days: Ring = field(default_factory=lambda: Ring(DAY))
    again_until: Seconds = 0.0


class Past:
    """Counts one check; all checks share `presence`.

    After a clock was put back, stretches that begin before `again_until` (Unix seconds) may be stored already: what is
    counted now is added to them.
    """

    __slots__ = (
        "_closed", "_counted", "again_until", "credited", "day", "hour", "minute", "presence", "recent",
    )  # fmt: skip

    def __init__(self, presence: Presence, now: Moment) -> None:
        self.presence = presence
        self.credited = now
        self._counted = now.wall
        """Unix seconds until which time is counted."""
        self.again_until = 0.0
        self.minute, self.hour, self.day = (OpenStretch(int(now.wall) // step * step, Tally()) for step in STEPS)
        self.recent = Recent()
        self._closed: list[tuple[int, int, bytes]] = []

    def stand(self, state: State, now: Moment) -> float:
        """The check was in this state since the last call. Returns the seconds by which the clock was set meanwhile."""
        before, self.credited = self.credited, now
        step = stepped(before, now)
        self._stand(state, now.steady - before.steady, now.wall - step)
        if step:
            self._begin_again(now.wall - step, now.wall)
        return step

    def _stand(self, state: State, elapsed: float, end: float) -> None:
        begin, minute = end - elapsed, self.minute
        if begin < self._counted <= begin + _SLIPS:  # the clock was corrected, and shows that time again
            begin = self._counted
        if begin >= end:
            return
        self._counted = end
        if self.presence.since(begin) and minute.start <= begin and end <= minute.start + MINUTE:  # nearly always
            minute.tally.stand(state, end - begin)
            return
        for start, until in self.presence.within(begin, end):
            self.stand_between(state, start, until)

    def _begin_again(self, before: float, now: float) -> None:
        """The clock was set from one time to another (Unix seconds)."""
        self._counted = now
        start = int(now // MINUTE) * MINUTE
        if start != self.minute.start:
            self._close(start)
        if now < before:
            self.recent.rewind(now)

    def stand_between(self, state: State, start: float, end: float) -> None:
        """The check was in this state from `start` to `end` (Unix seconds), which nothing was counted for yet."""
        while start < end:
            minute = self._minute(start)
            start = max(start, minute.start)
            until = min(end, minute.start + MINUTE)
            minute.tally.stand(state, max(0.0, until - start))
            start = until

    def count(self, result: Result, now: Moment, runs: int = 1) -> None:
        """Counts a result that stands for `runs` runs and came now."""
        self.count_at(result, now.wall, runs)

    def count_at(self, result: Result, at: float, runs: int = 1) -> None:
        """A result came at that time (Unix seconds)."""
        self._minute(at).tally.count(result, runs)

    def _minute(self, at: float) -> OpenStretch:
        """The open minute, which is the one of this time (Unix seconds) from now on; it does not go back by little."""
        start = int(at // MINUTE) * MINUTE
        if start > self.minute.start or start < self.minute.start - _SLIPS:
            self._close(start)
        return self.minute

    def _close(self, start: int) -> None:
        """The minute is over; maybe the hour and the day too."""
        over, self.minute = self.minute, OpenStretch(start, Tally())
        if start < over.start:
            self.again_until = max(self.again_until, over.start + MINUTE)
        tally = over.tally
        if tally.runs or tally.known or tally.maintenance or tally.paused:
            self.recent.add(over.start, tally)
            self._put(MINUTE, over)
            self.hour.tally.add(tally)
            self.day.tally.add(tally)
        self.hour = self._over(HOUR, self.hour, start)
        self.day = self._over(DAY, self.day, start)

    def end(self) -> None:
        """Closes what is open, as the check is removed. What comes later in the same minute, hour or day is added."""
        self.again_until = max(self.again_until, self.minute.start + MINUTE)
        self._close(self.minute.start)
        for step, one in ((HOUR, self.hour), (DAY, self.day)):
            self._put(step, one)
        self.hour, self.day = OpenStretch(self.hour.start, Tally()), OpenStretch(self.day.start, Tally())

    def _over(self, step: int, one: OpenStretch, at: int) -> OpenStretch:
        """The hour or day of this time: the same, or a new one for the one that is over."""
        start = at // step * step
        if start == one.start:
            return one
        self._put(step, one)
        return OpenStretch(start, Tally())

    def _put(self, step: int, one: OpenStretch) -> None:
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

    # what is kept

    def closed(self) -> list[tuple[int, int, bytes]]:
        """Returns stretches that are over but not stored yet: step, start and tally as MessagePack, oldest first."""
        return list(self._closed)

    def kept(self, rows: list[tuple[int, int, bytes]]) -> None:
        """Removes these rows of `closed`, which are stored now."""
        self._closed = [one for one in self._closed if one not in rows]

    def saved(self) -> SavedPast:
        """Everything else, as it is now; to be encoded before anything else is counted."""
        recent = self.recent
        return SavedPast(
            self.credited.wall, self.minute, self.hour, self.day, recent.slots, recent.days, self.again_until
        )

    @classmethod
    def of(cls, saved: SavedPast) -> Past:
        """Restores a stored past, to which later results are added before it is absorbed."""
        at = Moment(saved.credited, 0.0)
        past = cls(Presence(at), at)
        past.minute, past.hour, past.day = saved.minute, saved.hour, saved.day
        past.recent.slots, past.recent.days = saved.slots, saved.days
        past.again_until = saved.again_until
        return past

    def absorb(self, older: Past, now: Moment) -> None:
        """Continues from an older past, and adds the counts made here since."""
        for past in (older, self):
            past._minute(now.wall)  # noqa: SLF001  of the same class
        self.recent.slots.merge(older.recent.slots)
        self.recent.days.merge(older.recent.days)
        self.again_until = max(self.again_until, older.again_until)
        counted, self._closed = self._closed, older._closed
        for step, start, tally in counted:
            self._put(step, OpenStretch(start, decode_tally(tally)))
        pairs = ((self.minute, older.minute), (self.hour, older.hour), (self.day, older.day))
        for step, (ours, theirs) in zip(STEPS, pairs, strict=True):
            if ours.start == theirs.start:
                ours.tally.add(theirs.tally)
            else:  # the clock was put back since then
                self._put(step, theirs)

    # what can be read

    def stretches(self, state: State, now: Moment) -> list[Stretch]:
        """Returns stretches that are not stored yet; those still open are counted until now in this state."""
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
