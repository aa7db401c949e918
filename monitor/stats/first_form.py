"""Reads results as they were stored before they had an `answer`, when every result had the facts of HTTP."""

from __future__ import annotations

from msgspec import Raw, Struct, msgpack

from monitor.model.answer import Hop, HttpAnswer, HttpFigures
from monitor.model.outcome import Reason
from monitor.model.result import Attempt, Certificate, Ending, Evidence, Phases, Result, Seconds


class _FirstResult(Struct, array_like=True, gc=False):
    check: str
    started_at: Seconds
    reason: Reason
    detail: str
    duration: Seconds | None
    phases: Phases
    status_code: int | None
    http_version: str | None
    remote_address: str | None
    redirects: int
    content_length: int | None
    body_bytes: int | None
    tls_version: str | None
    certificates: tuple[Certificate, ...]
    attempts: tuple[Attempt, ...]
    hops: tuple[Hop, ...]
    evidence: Evidence | None
    notes: tuple[str, ...] = ()
    verified: tuple[Certificate, ...] = ()
    endings: tuple[Ending, ...] = ()
    client_ending: Ending | None = None
    tls_cipher: str | None = None


class FirstRunFields(Struct, array_like=True, gc=False):
    """The part of a result that differs from run to run, as it was."""

    started_at: Seconds
    reason: Reason
    detail: str
    duration: Seconds | None
    phases: Phases
    remote_address: str | None
    content_length: int | None
    body_bytes: int | None
    attempts: tuple[Attempt, ...]
    outcome: str | None = None


_decode = msgpack.Decoder(_FirstResult).decode


def first_result(data: bytes | Raw) -> Result:
    """Decodes a result of the first form. Raises what msgspec raises."""
    one = _decode(data)
    figures = HttpFigures(one.content_length, one.body_bytes)
    return Result(
        check=one.check,
        started_at=one.started_at,
        reason=one.reason,
        detail=one.detail,
        duration=one.duration,
        phases=one.phases,
        remote_address=one.remote_address,
        answer=HttpAnswer(one.status_code, one.http_version, one.redirects, one.hops, figures),
        tls_version=one.tls_version,
        certificates=one.certificates,
        attempts=one.attempts,
        evidence=one.evidence,
        notes=one.notes,
        verified=one.verified,
        endings=one.endings,
        client_ending=one.client_ending,
        tls_cipher=one.tls_cipher,
    )
