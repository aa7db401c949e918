"""The API's documents, made of views and of the archive's values; times are RFC 3339, durations seconds."""

from __future__ import annotations

from typing import Any

from monitor.history.archive import Announcement
from monitor.live.view import CheckView, Document, check_document, detail_document, evidence_document, result_document
from monitor.model.clock import rfc3339
from monitor.model.incident import Acknowledgement, Incident
from monitor.model.result import Result
from monitor.model.spec import CheckSpec
from monitor.protocols.registry import facts_of
from monitor.secrets.visible import legible
from monitor.stats.availability import Report, Row
from monitor.stats.rollups import Stretch
from monitor.stats.tally import Tally

PERIODS = {"24h": 1, "7d": 7, "30d": 30, "90d": 90}


def listed(check: CheckView) -> Document:
    """A check in the list of all."""
    return check_document(check) | _more(check)


def detailed(check: CheckView, recent: list[Result]) -> Document:
    """A check alone, with its last results, newest first."""
    return detail_document(check) | _more(check) | {"recent": [result_document(result) for result in recent]}


def _more(check: CheckView) -> Document:
    incident = check.standing.incident
    said = incident.acknowledgement(check.now) if incident else None
    return {
        "availability": availability(check),
        "incident": incident.id if incident else None,
        "acknowledged": acknowledgement(said),
    }


def availability(check: CheckView) -> Document:
    """The share of the known time in which the target served, by period."""
    return {name: check.availability(days) for name, days in PERIODS.items()}


def acknowledgement(said: Acknowledgement | None) -> Document | None:
    """Returns the acknowledgement of an incident, None if there is none."""
    if said is None:
        return None
    return {"by": legible(said.by), "note": legible(said.note), "at": rfc3339(said.at), "until": _time(said.until)}


def slot(one: Stretch) -> Document:
    """One stretch of a check's history."""
    tally = one.tally
    return {
        "start": rfc3339(one.start),
        "end": rfc3339(one.start + one.step),
        "seconds": _states(tally, one.step),
        "availability": tally.availability,
        "coverage": tally.coverage(one.step),
        "runs": tally.runs,
        "failures": {
            "http_error": tally.http_errors,
            "connection_error": tally.connection_errors,
            "timeout": tally.timeouts,
            "unexpected_answer": tally.unexpected_answers,
        },
        "inconclusive": tally.inconclusive,
        "latency": _latency(tally),
    }


def _states(tally: Tally, step: float) -> Document:
    states = {name: round(getattr(tally, name), 3) for name in ("up", "degraded", "down", "maintenance", "paused")}
    return states | {"unknown": round(max(0.0, step - sum(states.values())), 3)}


def _latency(tally: Tally) -> Document:
    shares = {name: tally.percentile(share) for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))}
    return shares | {"min": tally.duration_min, "max": tally.duration_max, "mean": tally.mean}


def incident(one: Incident, spec: CheckSpec | None, now: float) -> Document:
    """An incident in a list; `spec` is its check, if that is configured still."""
    return {
        "id": one.id,
        "check": one.check,
        "title": (spec and spec.title) or None,
        "group": (spec and spec.group) or None,
        "started_at": rfc3339(one.started_at),
        "ended_at": _time(one.ended_at),
        "duration_seconds": round((one.ended_at or now) - one.started_at, 3),
        "outcome": one.reason.outcome.value,
        "reason": one.reason.value,
        "detail": legible(one.detail),
        "acknowledged": acknowledgement(one.acknowledgement(now) if one.ended_at is None else one.acknowledged),
    }


def incident_alone(one: Incident, spec: CheckSpec | None, now: float) -> Document:
    """An incident with what its first failing run found."""
    first = one.first
    return incident(one, spec, now) | {"first": None if first is None else _first(first)}


def _first(result: Result) -> Document:
    return result_document(result) | {
        "addresses": [
            {"address": a.address, "error": a.error and legible(a.error), "seconds": a.seconds} for a in result.attempts
        ],
        "requests": [
            {"method": h.method, "url": legible(h.url), "status": h.status} for h in facts_of(result.answer).requests
        ],
        "evidence": None if result.evidence is None else evidence_document(result.evidence),
    }


def announcement(one: Announcement) -> Document:
    """Returns one announcement."""
    return {
        "id": one.id,
        "text": legible(one.text),
        "by": legible(one.by),
        "starts_at": rfc3339(one.starts),
        "ends_at": _time(one.ends),
        "groups": list(map(legible, one.groups)),
    }


def report_document(report: Report) -> Document:
    """A report."""
    return {
        "from": rfc3339(report.start),
        "to": rfc3339(report.end),
        "total": row_document(report.total),
        "checks": [row_document(row) for row in report.rows],
    }


def row_document(row: Row) -> dict[str, Any]:
    """One line of a report."""
    return {
        "name": row.name,
        "title": row.title or None,
        "availability": row.availability,
        "coverage": row.coverage,
        "incidents": row.incidents,
        "ongoing": row.ongoing,
        "downtime_seconds": round(row.downtime, 3),
        "longest_seconds": _rounded(row.longest),
        "mttr_seconds": _rounded(row.mttr),
        "p50_seconds": row.p50,
        "p95_seconds": row.p95,
        "p99_seconds": row.p99,
        "runs": row.runs,
        "failures": row.failures,
        "inconclusive": row.inconclusive,
        "maintenance_seconds": round(row.maintenance, 3),
        "paused_seconds": round(row.paused, 3),
    }


def _time(wall: float | None) -> str | None:
    return None if wall is None else rfc3339(wall)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
