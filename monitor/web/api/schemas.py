"""The shapes of the API's documents, as JSON Schema."""

from __future__ import annotations

from typing import Any

Node = dict[str, Any]

_STRING: Node = {"type": "string"}
_NUMBER: Node = {"type": "number"}
_COUNT: Node = {"type": "integer", "minimum": 0}
_TIME: Node = {"type": "string", "format": "date-time"}
_SHARE: Node = {"type": ["number", "null"], "minimum": 0, "maximum": 1}


def _or_null(node: Node) -> Node:
    return {"anyOf": [node, {"type": "null"}]}


def _ref(name: str) -> Node:
    return {"$ref": f"#/components/schemas/{name}"}


def _list(node: Node) -> Node:
    return {"type": "array", "items": node}


def _object(optional: tuple[str, ...] = (), /, **properties: Node) -> Node:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


_MAYBE, _WHEN, _SECONDS = _or_null(_STRING), _or_null(_TIME), _or_null(_NUMBER)


def all_of_them(states: list[str], outcomes: list[str], reasons: list[str], longest: int) -> Node:
    """Every schema by its name; the words are the closed lists of the monitor."""
    return (
        _results(outcomes, reasons)
        | _tls()
        | _checks(states)
        | _history()
        | _incidents(outcomes, reasons)
        | _reports()
        | _given(longest)
    )


def _results(outcomes: list[str], reasons: list[str]) -> Node:
    phases = ("resolve", "connect", "tls", "processing", "transfer")
    return {
        "Error": _object(("problems",), error=_STRING, problems=_list(_STRING)),
        "Result": _object(
            started_at=_TIME,
            outcome={"enum": outcomes},
            reason={"enum": reasons},
            detail={"type": "string", "maxLength": 200},
            duration_seconds=_SECONDS,
            phases=_object(**dict.fromkeys(phases, _SECONDS)),
            status_code=_or_null({"type": "integer"}),
            http_version=_MAYBE,
            remote_address=_MAYBE,
            redirects=_COUNT,
            body_bytes=_or_null(_COUNT),
            tls_version=_MAYBE,
            certificate=_or_null(_object(not_after=_TIME, subject=_STRING, issuer=_STRING)),
        ),
    }


def _tls() -> Node:
    certificate = _object(
        subject=_STRING,
        issuer=_STRING,
        names=_list(_STRING),
        not_before=_TIME,
        not_after=_TIME,
        serial_number=_MAYBE,
        fingerprint_sha256=_MAYBE,
        key=_MAYBE,
        signature=_MAYBE,
    )
    return {
        "Certificate": certificate,
        "Tls": _object(
            version=_MAYBE,
            cipher=_MAYBE,
            earliest_expiry=_WHEN,
            client_certificate=_or_null(_object(not_before=_TIME, not_after=_TIME)),
            sent=_list(_ref("Certificate")),
            verified=_list(_ref("Certificate")),
        ),
    }


def _checks(states: list[str]) -> Node:
    labels = {"type": "object", "additionalProperties": _STRING}
    said = _object(by=_STRING, note=_STRING, at=_TIME, until=_WHEN)
    listed = _object(
        name=_STRING,
        title=_MAYBE,
        group=_MAYBE,
        url=_STRING,
        labels=labels,
        state={"enum": states},
        since=_TIME,
        why=_STRING,
        consecutive_failures=_COUNT,
        interval_seconds=_NUMBER,
        next_run_at=_WHEN,
        last=_or_null(_ref("Result")),
        availability=_ref("Availability"),
        incident=_MAYBE,
        acknowledged=_or_null(_ref("Acknowledgement")),
    )
    more = _object(
        description=_MAYBE,
        runbook=_MAYBE,
        last_success_at=_WHEN,
        maintenance=_or_null(_ref("Window")),
        next_maintenance=_or_null(_ref("Window")),
        tls=_or_null(_ref("Tls")),
        recent=_list(_ref("Result")),
    )
    return {
        "Availability": _object(**{"24h": _SHARE, "7d": _SHARE, "30d": _SHARE, "90d": _SHARE}),
        "Acknowledgement": said,
        "Window": _object(name=_STRING, starts_at=_TIME, ends_at=_TIME),
        "Listed": listed,
        "Check": {"allOf": [_ref("Listed"), more]},
        "Checks": _object(
            checks=_list(_ref("Listed")), summary=_object(**dict.fromkeys(states, _COUNT)), next_cursor=_MAYBE
        ),
    }


def _history() -> Node:
    seconds = ("up", "degraded", "down", "maintenance", "paused", "unknown")
    slot = _object(
        start=_TIME,
        end=_TIME,
        seconds=_object(**dict.fromkeys(seconds, _NUMBER)),
        availability=_SHARE,
        coverage=_SHARE,
        runs=_COUNT,
        failures=_object(http_error=_COUNT, connection_error=_COUNT, timeout=_COUNT, unexpected_answer=_COUNT),
        inconclusive=_COUNT,
        latency=_object(**dict.fromkeys(("p50", "p95", "p99", "min", "max", "mean"), _SECONDS)),
    )
    return {
        "Slot": slot,
        "History": _object(check=_STRING, **{"from": _TIME}, to=_TIME, step_seconds=_COUNT, slots=_list(_ref("Slot"))),
    }


def _incidents(outcomes: list[str], reasons: list[str]) -> Node:
    one = _object(
        id=_STRING,
        check=_STRING,
        title=_MAYBE,
        group=_MAYBE,
        started_at=_TIME,
        ended_at=_WHEN,
        duration_seconds=_NUMBER,
        outcome={"enum": outcomes},
        reason={"enum": reasons},
        detail=_STRING,
        acknowledged=_or_null(_ref("Acknowledgement")),
    )
    evidence = _object(headers=_list(_list(_STRING)), body=_MAYBE, truncated={"type": "boolean"})
    first = _object(
        addresses=_list(_object(address=_STRING, error=_MAYBE, seconds=_NUMBER)),
        requests=_list(_object(method=_STRING, url=_STRING, status=_or_null({"type": "integer"}))),
        evidence=_or_null(evidence),
    )
    return {
        "Incident": one,
        "FirstRun": {"allOf": [_ref("Result"), first]},
        "IncidentAlone": {"allOf": [_ref("Incident"), _object(first=_or_null(_ref("FirstRun")))]},
        "Incidents": _object(incidents=_list(_ref("Incident")), next_cursor=_MAYBE),
        "Announcement": _object(
            id=_STRING, text=_STRING, by=_STRING, starts_at=_TIME, ends_at=_WHEN, groups=_list(_STRING)
        ),
        "Announcements": _object(announcements=_list(_ref("Announcement"))),
    }


def _reports() -> Node:
    row = _object(
        name=_STRING,
        title=_MAYBE,
        availability=_SHARE,
        coverage=_SHARE,
        incidents=_COUNT,
        ongoing=_COUNT,
        downtime_seconds=_NUMBER,
        longest_seconds=_SECONDS,
        mttr_seconds=_SECONDS,
        p50_seconds=_SECONDS,
        p95_seconds=_SECONDS,
        p99_seconds=_SECONDS,
        runs=_COUNT,
        failures=_COUNT,
        inconclusive=_COUNT,
        maintenance_seconds=_NUMBER,
        paused_seconds=_NUMBER,
    )
    return {
        "Row": row,
        "Report": _object(**{"from": _TIME}, to=_TIME, total=_ref("Row"), checks=_list(_ref("Row"))),
    }


def _given(longest: int) -> Node:
    text = {"type": "string", "maxLength": longest}
    until = {
        "until": {"type": "string", "examples": ["2030-01-31T04:00:00Z"]},
        "for": {"type": "string", "examples": ["2h"]},
    }
    filled = text | {"minLength": 1, "pattern": "\\S", "examples": ["The network of eu-west is slow; we are on it."]}
    return {
        "NewAcknowledgement": _object(("note", *until), note=text, **until) | {"additionalProperties": False},
        "NewAnnouncement": _object(
            ("starts", *until, "groups"),
            text=filled,
            starts=_STRING,
            **until,
            groups={"type": "array", "items": {"type": "string", "maxLength": 100}},
        )
        | {"additionalProperties": False},
    }
