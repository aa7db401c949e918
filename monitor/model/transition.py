"""Defines the standing of a check, and a transition from one state to another."""

from __future__ import annotations

import math
from enum import StrEnum

from msgspec import Struct

from monitor.model.incident import Incident
from monitor.model.outcome import State
from monitor.model.result import Result


class Standing(Struct, frozen=True, gc=False):
    """The state of a check, since when (Unix seconds), and the counts that judge its next result.

    An incident lasts in the states `down` and `unknown` only. `concluded` is the steady time of the last conclusive
    result, `failing` the first of the failures in a row. Before `fresh_until` (steady seconds) what is known is not too
    old either: a reload had shortened the interval. `consecutive_slow` counts successes above `expect.latency`; a
    failure below `down_after` does not end what made the check degraded.
    """

    state: State
    since: float
    consecutive_failures: int = 0
    consecutive_successes: int = 0
    conclusive: Result | None = None
    concluded: float | None = None
    incident: Incident | None = None
    failing: Result | None = None
    consecutive_slow: int = 0
    fresh_until: float = -math.inf


class Cause(StrEnum):
    """The cause of a transition."""

    RESULT = "result"
    """A conclusive result."""
    AGE = "age"
    """The last conclusive result became too old."""
    MAINTENANCE = "maintenance"
    """Planned maintenance began or ended."""
    RELOAD = "reload"
    """A changed configuration: pause, removal, other maintenance."""
    RESTORED = "restored"
    """The stored past was read, at the start or later."""
    QUORUM = "quorum"
    """The verdict of several locations."""


class Transition(Struct, frozen=True, gc=False):
    """A change of state of one check at a time (Unix seconds).

    `incident` is the one that begins, goes on or ends here, with its end; None if there is none. `last` is the last
    run, whatever its outcome. `check_id` is the id of the check in the history, None while it has none.
    """

    check: str
    before: Standing
    after: Standing
    at: float
    cause: Cause
    incident: Incident | None = None
    last: Result | None = None
    check_id: int | None = None
