"""What is kept of the past, in the shapes that it is written, read and shown in.

Times are Unix seconds, durations seconds. Time of which nothing is known is in no figure but `coverage`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from monitor.outcome import Reason, Result, State

Width = Literal[60, 3600, 86400]
"""Seconds of a slot: a minute, an hour, a day (UTC)."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One check over [start, start + width), or over a longer stretch when several are summed.

    `seconds` is the time in each state; what is missing from it up to `width` is unknown. `histogram` counts successes
    by bucket of `monitor.summary`, whose percentiles are honest for any sum of slots.
    """

    start: int
    width: int
    runs: int = 0
    http_errors: int = 0
    connection_errors: int = 0
    timeouts: int = 0
    inconclusive: int = 0
    seconds: Mapping[State, float] = field(default_factory=dict)
    duration_sum: float = 0.0
    duration_min: float | None = None
    duration_max: float | None = None
    histogram: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Somebody knows of an incident: who and why, from when, and until when it counts (None: until it ends)."""

    by: str
    note: str
    at: float
    until: float | None = None


@dataclass(frozen=True, slots=True)
class PastIncident:
    """A stretch of time in state down; `ended_at` is None while it lasts.

    `evidence` is its first failing run, read only with the incident itself, None in lists.
    """

    id: int
    check: str
    group: str
    started_at: float
    ended_at: float | None
    reason: Reason
    detail: str
    acknowledgement: Acknowledgement | None = None
    evidence: Result | None = None


@dataclass(frozen=True, slots=True)
class Announcement:
    """Something that the team wants everybody to know, from `starts_at` until `ends_at` (None: until it is removed)."""

    id: int
    text: str
    by: str
    starts_at: float
    ends_at: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """One check, or one group of them, over a stretch of time.

    `availability` is time up, or degraded, of the time up, degraded or down (planned maintenance and unknown time are
    in neither), None if there was none; `coverage` is the share of the stretch of which anything is known, maintenance
    included. `mttr` is the mean length of the incidents that ended. All shares are 0 to 1.
    """

    name: str
    availability: float | None
    coverage: float
    incidents: int
    mttr: float | None
    longest: float | None
    down_seconds: float
    maintenance_seconds: float
    runs: int
    p50: float | None
    p95: float | None
    p99: float | None


@dataclass(frozen=True, slots=True)
class Digest:
    """What a row of the overview shows of a check's past, made anew once a minute.

    `uptime` and `coverage` are by days (1, 7, 30, 90), 0 to 1, None where nothing is known. `bar` has the last 90
    slots, oldest first: the share of time up (0 to 1) and the worst state in it, None if nothing is known of it.
    `spark` has the mean latency of successes in the same slots.
    """

    uptime: Mapping[int, float | None]
    coverage: Mapping[int, float]
    bar: Sequence[tuple[float, State] | None]
    spark: Sequence[float | None]
    p50: float | None
    p95: float | None
    p99: float | None


@dataclass(frozen=True, slots=True)
class HistoryHealth:
    """Whether history is being written; `error` is a sentence (without secrets) and `since` when it stopped."""

    enabled: bool
    error: str | None = None
    since: float | None = None
    dropped: int = 0


class Archive(Protocol):
    """What can be read of the past, and the few things that people write into it.

    Every method but `health` and `digest` waits for the database, away from the loop that runs the checks; each raises
    `monitor.errors.HistoryError` with a sentence if history cannot be read. `check=None` means all checks.
    """

    def health(self) -> HistoryHealth:
        """Whether history is being written."""

    def digest(self, check: str) -> Digest | None:
        """What the overview shows of a check, None while nothing is known."""

    async def slots(self, check: str, start: float, end: float, width: Width) -> list[Slot]:
        """The slots of a check that overlap [start, end), oldest first; those without anything known are missing."""

    async def results(self, check: str, limit: int = 100) -> list[Result]:
        """The last results, newest first; failures reach further back than successes."""

    async def incidents(
        self,
        *,
        check: str | None = None,
        ongoing: bool | None = None,
        start: float | None = None,
        end: float | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> list[PastIncident]:
        """Incidents that overlap [start, end), newest first; `before` is the id to go on after (cursor paging)."""

    async def incident(self, number: int) -> PastIncident | None:
        """One incident, with its evidence."""

    async def report(self, start: float, end: float, group: str | None = None) -> list[Report]:
        """Each check (of a group) over [start, end), by name; from the finest slots that are still kept."""

    async def acknowledge(self, number: int, note: Acknowledgement | None) -> PastIncident | None:
        """Acknowledge an incident, or take that back; None if there is no such incident."""

    async def announcements(self, at: float | None = None) -> list[Announcement]:
        """All announcements, or those in force at a time, newest first."""

    async def announce(self, text: str, by: str, starts_at: float, ends_at: float | None) -> Announcement:
        """Announce something."""

    async def withdraw(self, number: int) -> bool:
        """Remove an announcement; False if there is none of that number."""
