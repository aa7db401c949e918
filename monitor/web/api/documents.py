"""The API's documents, made of views and of the archive's values; times are RFC 3339, durations seconds."""

from __future__ import annotations

from msgspec import structs

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
from monitor.web.api import schemas


def listed(check: CheckView) -> schemas.CheckListItem:
    """A check in the list of all."""
    return schemas.CheckListItem(**check_document(check), **_more(check))


def detailed(check: CheckView, recent: list[Result]) -> schemas.Check:
    """A check alone, with its last results, newest first."""
    return schemas.Check(**detail_document(check) | _more(check) | {"recent": list(map(result, recent))})


def _more(check: CheckView) -> Document:
    incident = check.standing.incident
    said = incident.acknowledgement(check.now) if incident else None
    return {
        "availability": schemas.Availability(*map(check.availability, (1, 7, 30, 90))),
        "incident": incident.id if incident else None,
        "acknowledged": acknowledgement(said),
    }


def result(one: Result) -> schemas.Result:
    """Returns one result."""
    return schemas.Result(**result_document(one))


def acknowledgement(said: Acknowledgement | None) -> schemas.Acknowledgement | None:
    """Returns the acknowledgement of an incident, None if there is none."""
    if said is None:
        return None
    return schemas.Acknowledgement(legible(said.by), legible(said.note), rfc3339(said.at), _time(said.until))


def slot(one: Stretch) -> schemas.Slot:
    """One stretch of a check's history."""
    tally = one.tally
    return schemas.Slot(
        start=rfc3339(one.start),
        end=rfc3339(one.start + one.step),
        seconds=_states(tally, one.step),
        availability=tally.availability,
        coverage=tally.coverage(one.step),
        runs=tally.runs,
        failures=schemas.Failures(tally.http_errors, tally.connection_errors, tally.timeouts, tally.unexpected_answers),
        inconclusive=tally.inconclusive,
        latency=_latency(tally),
    )


def _states(tally: Tally, step: float) -> schemas.StateSeconds:
    known = {name: round(getattr(tally, name), 3) for name in ("up", "degraded", "down", "maintenance", "paused")}
    return schemas.StateSeconds(**known, unknown=round(max(0.0, step - sum(known.values())), 3))


def _latency(tally: Tally) -> schemas.Latency:
    p50, p95, p99 = map(tally.percentile, (0.5, 0.95, 0.99))
    return schemas.Latency(p50, p95, p99, tally.duration_min, tally.duration_max, tally.mean)


def incident(one: Incident, spec: CheckSpec | None, now: float) -> schemas.Incident:
    """An incident in a list; `spec` is its check, if that is configured still."""
    return schemas.Incident(
        id=one.id,
        check=one.check,
        title=(spec and spec.title) or None,
        group=(spec and spec.group) or None,
        started_at=rfc3339(one.started_at),
        ended_at=_time(one.ended_at),
        ended_by=one.ended_by,
        duration_seconds=round(one.seconds(now), 3),
        outcome=one.reason.outcome,
        reason=one.reason,
        detail=legible(one.detail),
        acknowledged=acknowledgement(one.acknowledgement(now) if one.ended_at is None else one.acknowledged),
    )


def incident_alone(one: Incident, spec: CheckSpec | None, now: float) -> schemas.IncidentAlone:
    """An incident with what its first failing run found."""
    first = None if one.first is None else _first(one.first)
    return schemas.IncidentAlone(**structs.asdict(incident(one, spec, now)), first=first)


def _first(one: Result) -> schemas.FirstRun:
    return schemas.FirstRun(
        **result_document(one),
        addresses=[schemas.Address(a.address, a.error and legible(a.error), a.seconds) for a in one.attempts],
        requests=[schemas.Request(hop.method, legible(hop.url), hop.status) for hop in facts_of(one.answer).requests],
        evidence=None if one.evidence is None else schemas.Evidence(**evidence_document(one.evidence)),
    )


def announcement(one: Announcement) -> schemas.Announcement:
    """Returns one announcement."""
    return schemas.Announcement(
        id=one.id,
        text=legible(one.text),
        by=legible(one.by),
        starts_at=rfc3339(one.starts),
        ends_at=_time(one.ends),
        groups=list(map(legible, one.groups)),
    )


def report_document(report: Report) -> schemas.Report:
    """A report."""
    rows = list(map(row_document, report.rows))
    return schemas.Report(rfc3339(report.start), rfc3339(report.end), row_document(report.total), rows)


def row_document(row: Row) -> schemas.Row:
    """One line of a report."""
    return schemas.Row(
        name=row.name,
        title=row.title or None,
        availability=row.availability,
        coverage=row.coverage,
        incidents=row.incidents,
        ongoing=row.ongoing,
        downtime_seconds=round(row.downtime, 3),
        longest_seconds=_rounded(row.longest),
        mttr_seconds=_rounded(row.mttr),
        p50_seconds=row.p50,
        p95_seconds=row.p95,
        p99_seconds=row.p99,
        runs=row.runs,
        failures=row.failures,
        inconclusive=row.inconclusive,
        maintenance_seconds=round(row.maintenance, 3),
        paused_seconds=round(row.paused, 3),
    )


def _time(wall: float | None) -> str | None:
    return None if wall is None else rfc3339(wall)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
