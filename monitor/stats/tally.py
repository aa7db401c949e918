"""Counts a stretch of time for one check: seconds in each state, runs by class, and durations of good runs."""

from __future__ import annotations

import math
from typing import Annotated

from msgspec import Meta, Struct, field

from monitor.model.outcome import Outcome, State
from monitor.model.result import Result, Seconds

Count = Annotated[int, Meta(ge=0, le=2**53)]
Bucket = Annotated[int, Meta(ge=0, le=1000)]
"""The number of a bucket of durations; `bucket_of` makes none above 215."""

_FINEST = 1e-4
"""Seconds; what is quicker falls into the first bucket of the histogram."""
_LONGEST = 86400.0
_GROWTH = math.log(1.1)
"""Each bucket is a tenth wider than the one below, so a percentile is true to within five hundredths of its value."""


class Tally(Struct, array_like=True, gc=False):
    """Counts over a stretch of time; two that follow each other may be added up.

    `up` to `paused` are seconds in that state. The durations, in seconds, are those of successes; `latencies` counts
    them by bucket (`bucket_of`).
    """

    up: Seconds = 0.0
    degraded: Seconds = 0.0
    down: Seconds = 0.0
    maintenance: Seconds = 0.0
    paused: Seconds = 0.0
    runs: Count = 0
    http_errors: Count = 0
    connection_errors: Count = 0
    timeouts: Count = 0
    inconclusive: Count = 0
    duration_sum: Seconds = 0.0
    duration_min: Seconds | None = None
    duration_max: Seconds | None = None
    latencies: dict[Bucket, Count] = field(default_factory=dict)
    unexpected_answers: Count = 0

    def stand(self, state: State, seconds: float) -> None:
        """Count seconds in a state; those that are unknown are not counted."""
        if state is not State.UNKNOWN:
            setattr(self, state.value, getattr(self, state.value) + seconds)

    def count(self, result: Result, runs: int = 1) -> None:
        """Counts a result that stands for `runs` runs."""
        self.runs += runs
        name = _COUNTED.get(result.outcome)
        if name is not None:
            setattr(self, name, getattr(self, name) + runs)
        elif result.duration is not None:
            self._time(result.duration)

    def _time(self, seconds: float) -> None:
        self.duration_sum += seconds
        self.duration_min = seconds if self.duration_min is None else min(self.duration_min, seconds)
        self.duration_max = seconds if self.duration_max is None else max(self.duration_max, seconds)
        bucket = bucket_of(seconds)
        self.latencies[bucket] = self.latencies.get(bucket, 0) + 1

    def add(self, other: Tally) -> None:
        """Count what another one has counted."""
        self.up += other.up
        self.degraded += other.degraded
        self.down += other.down
        self.maintenance += other.maintenance
        self.paused += other.paused
        if not other.runs:
            return
        self.runs += other.runs
        self.http_errors += other.http_errors
        self.connection_errors += other.connection_errors
        self.timeouts += other.timeouts
        self.unexpected_answers += other.unexpected_answers
        self.inconclusive += other.inconclusive
        self._add_durations(other)

    def _add_durations(self, other: Tally) -> None:
        if other.duration_min is None or other.duration_max is None:
            return
        self.duration_sum += other.duration_sum
        least, most = self.duration_min, self.duration_max
        self.duration_min = other.duration_min if least is None else min(least, other.duration_min)
        self.duration_max = other.duration_max if most is None else max(most, other.duration_max)
        for bucket, count in other.latencies.items():
            self.latencies[bucket] = self.latencies.get(bucket, 0) + count

    @property
    def failures(self) -> int:
        """Runs that failed."""
        return self.http_errors + self.connection_errors + self.timeouts + self.unexpected_answers

    @property
    def successes(self) -> int:
        """Runs that succeeded."""
        return self.runs - self.failures - self.inconclusive

    @property
    def good(self) -> float:
        """Seconds in which the target served."""
        return self.up + self.degraded

    @property
    def known(self) -> float:
        """Seconds in which it is known whether the target served."""
        return self.up + self.degraded + self.down

    @property
    def availability(self) -> float | None:
        """The share of the known time in which the target served, 0 to 1; None if none is known."""
        return self.good / self.known if self.known > 0 else None

    def coverage(self, seconds: float) -> float | None:
        """Returns the known share (0 to 1) of `seconds` seconds, without maintenance and pauses.

        None if maintenance and pauses fill them.
        """
        asked = seconds - self.maintenance - self.paused
        return min(self.known / asked, 1.0) if asked > 1e-9 else None

    @property
    def mean(self) -> float | None:
        """The mean duration of the successes, in seconds."""
        timed = sum(self.latencies.values())
        return self.duration_sum / timed if timed else None

    def percentile(self, share: float) -> float | None:
        """The duration below which that share (0 to 1) of the successes lies, in seconds, to within 5 %."""
        wanted, seen = share * sum(self.latencies.values()), 0
        for bucket in sorted(self.latencies):
            seen += self.latencies[bucket]
            if seen >= wanted:
                middle = _FINEST * math.exp(_GROWTH * (bucket + 0.5))
                return min(max(middle, self.duration_min or 0.0), self.duration_max or middle)
        return None


_COUNTED = {
    Outcome.HTTP_ERROR: "http_errors",
    Outcome.CONNECTION_ERROR: "connection_errors",
    Outcome.TIMEOUT: "timeouts",
    Outcome.UNEXPECTED_ANSWER: "unexpected_answers",
    Outcome.INCONCLUSIVE: "inconclusive",
}


def bucket_of(seconds: float) -> int:
    """Returns the bucket of a duration: [0.1 ms · 1.1ⁿ, 0.1 ms · 1.1ⁿ⁺¹); the last bucket holds all above a day."""
    return math.floor(math.log(min(seconds, _LONGEST) / _FINEST) / _GROWTH) if seconds > _FINEST else 0


def total(tallies: list[Tally]) -> Tally:
    """Several together."""
    summed = Tally()
    for tally in tallies:
        summed.add(tally)
    return summed
