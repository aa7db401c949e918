"""The API's documents, one struct each: answers are these structs encoded, and the OpenAPI schemas come from them."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType, field
from msgspec.json import schema_components

from monitor.model.outcome import Outcome, Reason, State

LONGEST_NOTE = 500
"""Characters of a note or an announcement."""
LONGEST_GROUP = 100

Time = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
Share = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=0)]
Text = Annotated[str, Meta(max_length=LONGEST_NOTE)]
FilledText = Annotated[str, Meta(min_length=1, max_length=LONGEST_NOTE, pattern="\\S", examples=["eu-west is slow."])]
Until = Annotated[str, Meta(examples=["2030-01-31T04:00:00Z"])] | float | None
For = Annotated[str, Meta(examples=["2h"])] | float | None
Group = Annotated[str, Meta(max_length=LONGEST_GROUP)]


class Error(Struct, frozen=True):
    error: str
    problems: list[str] | UnsetType = UNSET


class Phases(Struct, frozen=True):
    resolve: float | None
    connect: float | None
    tls: float | None
    processing: float | None
    transfer: float | None


class OwnCertificate(Struct, frozen=True):
    not_after: Time
    subject: str
    issuer: str


class Result(Struct, frozen=True):
    started_at: Time
    outcome: Outcome
    reason: Reason
    detail: Annotated[str, Meta(max_length=200)]
    duration_seconds: float | None
    phases: Phases
    status_code: int | None
    http_version: str | None
    remote_address: str | None
    redirects: Count
    body_bytes: Count | None
    answer: dict[str, Any] | None
    """The answer over a protocol other than HTTP; null for HTTP, and without an answer."""
    tls_version: str | None
    notes: list[str]
    certificate: OwnCertificate | None


class Validity(Struct, frozen=True):
    not_before: Time
    not_after: Time


class Certificate(Validity, frozen=True):
    subject: str
    issuer: str
    names: list[str]
    serial_number: str | None
    fingerprint_sha256: str | None
    key: str | None
    signature: str | None


class Tls(Struct, frozen=True):
    version: str | None
    cipher: str | None
    earliest_expiry: Time | None
    client_certificate: Validity | None
    sent: list[Certificate]
    verified: list[Certificate]


class Availability(Struct, frozen=True):
    day: Share | None = field(name="24h")
    week: Share | None = field(name="7d")
    month: Share | None = field(name="30d")
    quarter: Share | None = field(name="90d")


class Acknowledgement(Struct, frozen=True):
    by: str
    note: str
    at: Time
    until: Time | None


class Window(Struct, frozen=True):
    name: str
    starts_at: Time
    ends_at: Time


class CheckListItem(Struct, frozen=True):
    name: str
    title: str | None
    group: str | None
    url: str
    labels: dict[str, str]
    state: State
    since: Time
    why: str
    consecutive_failures: Count
    interval_seconds: float
    next_run_at: Time | None
    last: Result | None
    availability: Availability
    incident: str | None
    acknowledged: Acknowledgement | None


class PastIncident(Struct, frozen=True):
    id: str
    started_at: Time
    ended_at: Time | None
    reason: Reason
    detail: str


class Check(CheckListItem, frozen=True):
    description: str | None
    runbook: str | None
    last_success_at: Time | None
    maintenance: Window | None
    next_maintenance: Window | None
    incidents: list[PastIncident]
    tls: Tls | None
    recent: list[Result]


class Summary(Struct, frozen=True):
    up: Count
    degraded: Count
    down: Count
    unknown: Count
    paused: Count
    maintenance: Count


class Checks(Struct, frozen=True):
    checks: list[CheckListItem]
    summary: Summary
    next_cursor: str | None


class StateSeconds(Struct, frozen=True):
    up: float
    degraded: float
    down: float
    maintenance: float
    paused: float
    unknown: float


class Failures(Struct, frozen=True):
    http_error: Count
    connection_error: Count
    timeout: Count
    unexpected_answer: Count


class Latency(Struct, frozen=True):
    p50: float | None
    p95: float | None
    p99: float | None
    min: float | None
    max: float | None
    mean: float | None


class Slot(Struct, frozen=True):
    start: Time
    end: Time
    seconds: StateSeconds
    availability: Share | None
    coverage: Share | None
    runs: Count
    failures: Failures
    inconclusive: Count
    latency: Latency


class History(Struct, frozen=True):
    check: str
    start: Time = field(name="from")
    end: Time = field(name="to")
    step_seconds: Count
    slots: list[Slot]


class Incident(Struct, frozen=True):
    id: str
    check: str
    title: str | None
    group: str | None
    started_at: Time
    ended_at: Time | None
    ended_by: str | None
    duration_seconds: float
    outcome: Outcome
    reason: Reason
    detail: str
    acknowledged: Acknowledgement | None


class Address(Struct, frozen=True):
    address: str
    error: str | None
    seconds: float


class Request(Struct, frozen=True):
    method: str
    url: str
    status: int | None


class Evidence(Struct, frozen=True):
    headers: list[list[str]]
    body: str | None
    truncated: bool


class FirstRun(Result, frozen=True):
    addresses: list[Address]
    requests: list[Request]
    evidence: Evidence | None


class IncidentAlone(Incident, frozen=True):
    first: FirstRun | None


class Incidents(Struct, frozen=True):
    incidents: list[Incident]
    next_cursor: str | None


class Announcement(Struct, frozen=True):
    id: str
    text: str
    by: str
    starts_at: Time
    ends_at: Time | None
    groups: list[str]


class Announcements(Struct, frozen=True):
    announcements: list[Announcement]


class Row(Struct, frozen=True):
    name: str
    title: str | None
    availability: Share | None
    coverage: Share | None
    incidents: Count
    ongoing: Count
    downtime_seconds: float
    longest_seconds: float | None
    mttr_seconds: float | None
    p50_seconds: float | None
    p95_seconds: float | None
    p99_seconds: float | None
    runs: Count
    failures: Count
    inconclusive: Count
    maintenance_seconds: float
    paused_seconds: float


class Report(Struct, frozen=True):
    start: Time = field(name="from")
    end: Time = field(name="to")
    total: Row
    checks: list[Row]


class NewAcknowledgement(Struct, frozen=True, forbid_unknown_fields=True):
    note: Text | None = None
    until: Until = None
    lasts: For = field(name="for", default=None)


class NewAnnouncement(Struct, frozen=True, forbid_unknown_fields=True):
    text: FilledText
    starts: str | float | None = None
    until: Until = None
    lasts: For = field(name="for", default=None)
    groups: list[Group] | None = None


def components() -> dict[str, Any]:
    """Returns every schema by its name."""
    answers = (Error, Check, Checks, History, IncidentAlone, Incidents, Announcements, Report)
    asked = (NewAcknowledgement, NewAnnouncement)
    return schema_components((*answers, *asked), ref_template="#/components/schemas/{name}")[1]
