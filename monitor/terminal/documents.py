"""Results as JSON on standard output, in the words of `/status.json`."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from monitor.clock import rfc3339
from monitor.outcome import Certificate, Result
from monitor.spec import CheckSpec
from monitor.view import result_document

Document = dict[str, Any]


def print_json(document: Document, indent: int | None = None) -> None:
    """Print a document at once, as one line unless an indentation is given."""
    # Escapes only where the output cannot carry the characters themselves.
    ascii_only = (sys.stdout.encoding or "").lower() != "utf-8"
    click.echo(json.dumps(document, indent=indent, ensure_ascii=ascii_only))


def check_line(spec: CheckSpec, result: Result) -> Document:
    """One result of `monitor check --json`."""
    named = {"check": spec.name, "title": spec.title or None, "group": spec.group or None, "url": spec.target}
    return named | result_document(result)


def probe_document(spec: CheckSpec, result: Result) -> Document:
    """The whole finding of `monitor probe --json`."""
    return {
        "url": spec.target,
        **result_document(result),
        "content_length": result.content_length,
        "attempts": [
            {"address": a.address, "error": a.error, "duration_seconds": round(a.seconds, 6)} for a in result.attempts
        ],
        "hops": [{"method": h.method, "url": h.url, "status_code": h.status} for h in result.hops],
        "certificates": [_certificate(c) for c in result.certificates],
    }


def _certificate(certificate: Certificate) -> Document:
    return {
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "names": list(certificate.names),
        "not_before": rfc3339(certificate.not_before),
        "not_after": rfc3339(certificate.not_after),
    }
