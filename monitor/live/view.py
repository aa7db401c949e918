"""One view of the state, from which page, JSON and metrics are all made, so that they cannot disagree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from monitor.live.ledger import Record
from monitor.live.tls_document import short_document, tls_document
from monitor.model.clock import Moment, rfc3339, utc
from monitor.model.incident import Incident
from monitor.model.outcome import Reason, State
from monitor.model.result import Evidence, Result
from monitor.model.spec import CheckSpec
from monitor.model.transition import Standing
from monitor.protocols.registry import blank_document, facts_of
from monitor.rules.maintenance import Plan, Window, upcoming
from monitor.rules.state import aged, degradation, slowness, stale, undecided
from monitor.secrets.visible import visible
from monitor.stats.result_log import History
from monitor.stats.rollups import Past
from monitor.stats.tally import Tally
from monitor.stats.windows import Slot
from monitor.system.turns import turns

Document = dict[str, Any]
_NO_ANSWER = blank_document()
"""A JSON object."""


@dataclass(frozen=True, slots=True)
class ConfigView:
    """The configuration in force: when it was loaded, and why a later one was not (its problems), if so."""

    path: str
    loaded_at: float
    error: str | None = None


@dataclass(frozen=True, slots=True)
class MonitorView:
    """The monitor itself; `troubles` are sentences about its own state that on-call must see first."""

    version: str
    title: str
    started_at: float
    listen: str
    config: ConfigView
    troubles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckView:
    """One check as it stands at one moment; times are Unix seconds, `incidents` newest first."""

    now: float
    steady: float
    spec: CheckSpec
    standing: Standing
    last: Result | None
    next_run_at: float | None
    history: History
    incidents: tuple[Incident, ...]
    last_success: Result | None
    last_failure: Result | None
    last_success_at: float | None
    reading: str
    """The state in words, without a full stop."""
    plan: Plan
    past: Past
    """Shared with the record, so it goes on changing."""

    @property
    def name(self) -> str:
        """The check's name."""
        return self.spec.name

    @property
    def display_name(self) -> str:
        """The title, or the name of a check without one."""
        return self.spec.display_name

    @property
    def state(self) -> State:
        """The check's state."""
        return self.standing.state

    @property
    def recent(self) -> tuple[Result, ...]:
        """The last results, newest first; unpacked at every reading."""
        return self.history.results()

    @property
    def slots(self) -> list[Slot]:
        """The last 24 hours in ninety slots, the newest last."""
        return self.past.recent.day(self.now, self._minute)

    def availability(self, days: int) -> float | None:
        """The share of the known time in which the target served, 0 to 1: of the last 24 hours if `days` is 1, else
        since the beginning of the day (UTC) so many days ago. None if none is known.
        """
        if days > 1:
            return self.past.recent.availability(self.now, days, self._minute)
        known = sum(slot.known for slot in self.slots)
        return sum(slot.up + slot.degraded for slot in self.slots) / known if known else None

    @property
    def _minute(self) -> Tally:
        """The minute that is not over."""
        return self.past.open_minute(self.standing.state, Moment(self.now, self.steady))

    @property
    def maintenance(self) -> Window | None:
        """The planned maintenance that it is in."""
        return self.plan.at(self.now) if self.state is State.MAINTENANCE else None

    @property
    def next_maintenance(self) -> Window | None:
        """The planned maintenance that begins next."""
        return upcoming(self.plan.windows, self.now)


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything at one moment, checks in the order of the configuration."""

    now: float
    monitor: MonitorView
    checks: tuple[CheckView, ...]

    @property
    def summary(self) -> dict[str, int]:
        """The number of checks in each state, for every state."""
        return count_states(c.state for c in self.checks)


def count_states(states: Iterable[State]) -> dict[str, int]:
    """Counts the states, in the order of urgency of the contractual document."""
    counted = Counter(states)
    order = (State.UP, State.DEGRADED, State.DOWN, State.UNKNOWN, State.PAUSED, State.MAINTENANCE)
    return {state.value: counted[state] for state in order}


_TROUBLES = {
    Reason.MONITOR_OFFLINE: "this machine has no network",
    Reason.LOCAL_RESOURCES: "this machine lacks file descriptors, ports or memory",
    Reason.MONITOR_STALLED: "this process stood still",
    Reason.MONITOR_OVERLOADED: "runs could not start in time",
    Reason.INTERNAL_ERROR: "a bug of the monitor, see its log",
}


def troubles(records: Iterable[Record]) -> tuple[str, ...]:
    """Lists the monitor's own problems that spoiled the last run of a check."""
    spoiled = Counter(r.last.reason for r in records if r.last is not None and r.last.reason in _TROUBLES)
    return tuple(f"{why}: {_runs(spoiled[reason])}" for reason, why in _TROUBLES.items() if spoiled[reason])


def _runs(count: int) -> str:
    return f"the last run of {count} check{'s' if count > 1 else ''} found nothing"


def view_check(record: Record, now: Moment) -> CheckView:
    """One check as it stands now, aged if nothing came for too long."""
    standing = aged(record.standing, record.spec, now)
    return CheckView(
        now=now.wall,
        steady=now.steady,
        spec=record.spec,
        standing=standing,
        last=record.last,
        next_run_at=_next_run(record, now),
        history=record.recent,
        incidents=(
            *((standing.incident,) if standing.incident else ()),
            *record.incidents,
        ),
        last_success=record.last_success,
        last_failure=record.last_failure,
        last_success_at=record.last_success_at,
        reading=_reading(record, standing, now),
        plan=record.plan,
        past=record.past,
    )


def _next_run(record: Record, now: Moment) -> float | None:
    if record.due_times is None:
        return None
    due = record.due_times.next(now.steady)
    if record.retry_at is not None and now.steady <= record.retry_at < due and undecided(record.standing, record.spec):
        due = record.retry_at
    return now.wall + due - now.steady


async def overview(records: Iterable[Record], monitor: MonitorView, now: Moment) -> Overview:
    """Everything as it stands now; what changes meanwhile, in some ten milliseconds for thousands, may be seen."""
    return Overview(now.wall, monitor, tuple([view_check(r, now) async for r in turns(records)]))


def status_document(view: Overview) -> Document:
    """The document of `/status.json`."""
    monitor = view.monitor
    return {
        "monitor": {
            "version": monitor.version,
            "started_at": rfc3339(monitor.started_at),
            "listen": monitor.listen,
            "config": {
                "path": monitor.config.path,
                "loaded_at": rfc3339(monitor.config.loaded_at),
                "error": monitor.config.error,
            },
            "troubles": list(monitor.troubles),
        },
        "summary": view.summary,
        "checks": [check_document(c) for c in view.checks],
    }


def check_document(check: CheckView) -> Document:
    """One check in `/status.json`."""
    spec = check.spec
    return {
        "name": spec.name,
        "title": spec.title or None,
        "group": spec.group or None,
        "url": spec.target,
        "labels": dict(spec.labels),
        "state": check.state.value,
        "since": rfc3339(check.standing.since),
        "why": visible(check.reading),
        "consecutive_failures": check.standing.consecutive_failures,
        "interval_seconds": spec.interval,
        "next_run_at": _time(check.next_run_at),
        "last": None if check.last is None else result_document(check.last),
    }


def detail_document(check: CheckView) -> Document:
    """The document of `/status/{check}.json`."""
    return check_document(check) | {
        "description": check.spec.description or None,
        "runbook": check.spec.runbook or None,
        "last_success_at": _time(check.last_success_at),
        "maintenance": _maintenance(check.maintenance),
        "next_maintenance": _maintenance(check.next_maintenance),
        "incidents": [
            {
                "id": i.id,
                "started_at": rfc3339(i.started_at),
                "ended_at": _time(i.ended_at),
                "reason": i.reason.value,
                "detail": visible(i.detail),
            }
            for i in check.incidents
        ],
        "tls": tls_document(check.history.certified),
        "recent": [result_document(r) for r in check.recent],
    }


def result_document(result: Result) -> Document:
    """One result, as `last` and in `recent`."""
    return {
        "started_at": rfc3339(result.started_at),
        "outcome": result.outcome.value,
        "reason": result.reason.value,
        "detail": visible(result.detail),
        "duration_seconds": _rounded(result.duration),
        "phases": {name: _rounded(value) for name, value in result.phases.items()},
        "remote_address": result.remote_address,
        **_NO_ANSWER,
        **facts_of(result.answer).document,
        "tls_version": result.tls_version,
        "notes": list(map(visible, result.notes)),
        "certificate": None if result.certificate is None else short_document(result.certificate),
    }


def evidence_document(evidence: Evidence) -> Document:
    """Returns the answer of a failing run."""
    return {
        "headers": [[visible(name), visible(value)] for name, value in evidence.headers],
        "body": None if evidence.body is None else visible(evidence.body),
        "truncated": evidence.cut,
    }


def _maintenance(window: Window | None) -> Document | None:
    if window is None:
        return None
    return {"name": window.name, "starts_at": rfc3339(window.starts), "ends_at": rfc3339(window.ends)}


def _time(wall: float | None) -> str | None:
    return None if wall is None else rfc3339(wall)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)


def _reading(record: Record, standing: Standing, now: Moment) -> str:
    found = standing.conclusive
    if standing.state is State.PAUSED:
        return "paused by the configuration"
    if standing.state is State.MAINTENANCE:
        return _planned(record.plan.at(now.wall), now.wall)
    if standing.state is State.UNKNOWN:
        return _unknown(record, standing, now)
    if found is None:
        return ""
    if standing.state is State.DEGRADED and not found.failed:
        return degradation(record.spec, found, now.wall, standing.consecutive_slow) or found.detail
    if standing.state is State.UP and standing.consecutive_slow and (slow := slowness(record.spec, found)):
        return f"slow run {standing.consecutive_slow} of {record.spec.degraded_after}: {slow}"
    if standing.state is State.DOWN and not found.failed:
        return f"succeeds again, {standing.consecutive_successes} of {record.spec.up_after} in a row: {found.detail}"
    return found.detail


def _planned(window: Window | None, now: float) -> str:
    """Names the maintenance and its end in UTC, with the date unless that is today."""
    if window is None:  # over, and noticed within a second
        return "planned maintenance"
    ends, today = utc(window.ends), utc(now).date()
    day = "" if ends.date() == today else f"{ends:%-d %b %Y} "
    return f"planned maintenance «{window.name}» until {day}{ends:%H:%M} UTC"


def _unknown(record: Record, standing: Standing, now: Moment) -> str:
    """Returns why the state is unknown: no result yet, trouble of the monitor, too few failures, or too old results."""
    last = record.last
    if last is None:
        return "no result yet"
    if not last.conclusive:
        return last.detail
    if standing.concluded is None or standing.incident is not None or stale(standing, record.spec, now):
        return f"nothing new for too long; the last was: {last.detail}"
    if not standing.consecutive_failures:
        return f"nothing conclusive since the planned maintenance, in which it failed: {last.detail}"
    return f"failure {standing.consecutive_failures} of {record.spec.down_after}: {last.detail}"
