"""Defines an incident and its acknowledgement."""

from __future__ import annotations

import hashlib
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from monitor.model.outcome import Reason
from monitor.model.result import Result, Seconds


class Acknowledgement(Struct, frozen=True, array_like=True, gc=False):
    """The acknowledgement of an incident: author, note, time, and end (Unix seconds; None: until the incident ends)."""

    by: str
    note: str
    at: Seconds
    until: Seconds | None = None


class Ending(StrEnum):
    """The end of an incident."""

    RECOVERY = "recovery"
    REMOVAL = "removal"
    PAUSE = "pause"
    MAINTENANCE = "maintenance"


class Incident(Struct, frozen=True, array_like=True, gc=False):
    """An outage of one check, in Unix seconds; `ended_at` is None while it lasts.

    It begins with the state `down`. It ends with a success, or when the check is removed, paused or in maintenance.
    `ended_by` is an `Ending` or a newer version's word; None while it lasts, and for incidents of version 0.1.
    `first` is the run whose failure began it, some failures before the check was down; `acknowledged` may have expired.
    """

    id: str
    check: str
    started_at: Seconds
    reason: Reason
    detail: str
    ended_at: Seconds | None = None
    first: Result | None = None
    acknowledged: Acknowledgement | None = None
    ended_by: str | None = None

    def ended(self, at: float, by: Ending) -> Incident:
        """Returns the incident with its end (Unix seconds), never before its beginning."""
        return replace(self, ended_at=max(at, self.started_at), ended_by=by.value)

    def seconds(self, now: float) -> float:
        """Returns how long it has lasted; `now` in Unix seconds may be older than an incident that has just begun."""
        return max(0.0, (now if self.ended_at is None else self.ended_at) - self.started_at)

    def acknowledgement(self, now: float) -> Acknowledgement | None:
        """Returns the acknowledgement that is valid at this time (Unix seconds), or None."""
        said = self.acknowledged
        return said if said is not None and (said.until is None or now < said.until) else None


def incident_id(check: str, started_at: float) -> str:
    """Returns the incident's id, which is the same for the same check and beginning."""
    return hashlib.blake2b(f"{check}\0{started_at!r}".encode(), digest_size=8).hexdigest()
