"""Counters of a probing process: lateness, skipped runs, runs under way."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field

SKIP_REASONS = ("overlap", "late", "stalled", "worker")
"""Reasons to skip a run. In order: two runs wait for the one before; the run waited for a slot until the next was due;
the process stalled; the probe worker had died.
"""

SCHEDULE_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0)
LOOP_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)


@dataclass(slots=True)
class Latency:
    """A cumulative-free histogram of seconds: `counts[i]` fell into `(bounds[i-1], bounds[i]]`, the last above all."""

    bounds: tuple[float, ...]
    counts: list[int]
    total: float = 0.0

    @classmethod
    def over(cls, bounds: tuple[float, ...]) -> Latency:
        """An empty histogram."""
        return cls(bounds, [0] * (len(bounds) + 1))

    def observe(self, seconds: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds

    def add(self, other: Latency) -> None:
        """Count what another one with the same bounds has counted."""
        self.counts = [a + b for a, b in zip(self.counts, other.counts, strict=True)]
        self.total += other.total


@dataclass(slots=True)
class Meter:
    """The figures of one process, counted from its start."""

    schedule_lag: Latency = field(default_factory=lambda: Latency.over(SCHEDULE_BUCKETS))
    event_loop_lag: Latency = field(default_factory=lambda: Latency.over(LOOP_BUCKETS))
    skipped: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SKIP_REASONS, 0))
    in_flight: int = 0
    supervision: dict[str, int] = field(default_factory=dict)
    """Failed turns of the loops that supervise, by loop."""

    def add(self, other: Meter) -> None:
        """Count what another process has counted."""
        self.schedule_lag.add(other.schedule_lag)
        self.event_loop_lag.add(other.event_loop_lag)
        for why, runs in other.skipped.items():
            self.skipped[why] += runs
        self.in_flight += other.in_flight
        for loop, turns in other.supervision.items():
            self.supervision[loop] = self.supervision.get(loop, 0) + turns


@dataclass(slots=True)
class WorkerMeter:
    """The figures of one probe worker, as its process last told them, and what the daemon knows of it."""

    meter: Meter = field(default_factory=Meter)
    checks: int = 0
    cpu_seconds: float = 0.0
    resident_bytes: int = 0
    up: bool = False
    restarts: int = 0


def total(meters: Iterable[Meter]) -> Meter:
    """The figures of several processes together."""
    summed = Meter()
    for meter in meters:
        summed.add(meter)
    return summed


@dataclass(slots=True)
class HistoryMeter:
    """The history's own counts; `written_at` is Unix seconds, 0 before the first write."""

    writing: bool = False
    queue: int = 0
    dropped: int = 0
    unreadable: int = 0
    writes: int = 0
    write_seconds: float = 0.0
    written_at: float = 0.0
