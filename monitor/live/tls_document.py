"""Certificates in the JSON documents."""

from __future__ import annotations

from typing import Any

from monitor.model.clock import rfc3339
from monitor.model.result import Certificate, Ending, Result
from monitor.secrets.visible import visible

Document = dict[str, Any]


def tls_document(seen: Result | None) -> Document | None:
    """The TLS of a run that saw certificates: its chain as sent, and as verified with the root."""
    if seen is None:
        return None
    ends = seen.earliest_expiry
    return {
        "version": seen.tls_version,
        "cipher": seen.tls_cipher,
        "earliest_expiry": None if ends is None else rfc3339(ends),
        "client_certificate": None if seen.client_ending is None else _dates(seen.client_ending),
        "sent": [certificate_document(c) for c in seen.certificates],
        "verified": [certificate_document(c) for c in seen.verified],
    }


def certificate_document(certificate: Certificate) -> Document:
    """One certificate of a chain; what could not be read is null."""
    return {
        "subject": visible(certificate.subject),
        "issuer": visible(certificate.issuer),
        "names": list(map(visible, certificate.names)),
        **_dates(certificate),
        "serial_number": certificate.serial or None,
        "fingerprint_sha256": certificate.fingerprint or None,
        "key": certificate.key or None,
        "signature": certificate.signature or None,
    }


def short_document(certificate: Certificate) -> Document:
    """Returns the part of the server's own certificate that is in every result."""
    return {
        "not_after": rfc3339(certificate.not_after),
        "subject": visible(certificate.subject),
        "issuer": visible(certificate.issuer),
    }


def _dates(of: Certificate | Ending) -> Document:
    return {"not_before": rfc3339(of.not_before), "not_after": rfc3339(of.not_after)}
