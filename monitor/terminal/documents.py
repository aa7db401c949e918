"""Results as JSON on standard output, in the words of `/status.json`."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from monitor.live.tls_document import certificate_document
from monitor.live.view import result_document
from monitor.model.result import Result
from monitor.model.spec import CheckSpec
from monitor.protocols.registry import facts_of
from monitor.terminal.console import state_of, why

Document = dict[str, Any]


def print_json(document: Document, indent: int | None = None) -> None:
    """Print a document at once, as one line unless an indentation is given."""
    # Escapes only where the output cannot carry the characters themselves.
    ascii_only = (sys.stdout.encoding or "").lower() != "utf-8"
    click.echo(json.dumps(document, indent=indent, ensure_ascii=ascii_only))


def check_line(spec: CheckSpec, result: Result) -> Document:
    """One result of `monitor check --json`."""
    named = {"check": spec.name, "title": spec.title or None, "group": spec.group or None, "url": spec.target}
    named |= {"state": state_of(spec, result).value, "why": why(spec, result)}
    return named | result_document(result)


def probe_document(spec: CheckSpec, result: Result) -> Document:
    """The whole finding of `monitor probe --json`."""
    return {
        "url": spec.target,
        "state": state_of(spec, result).value,
        "why": why(spec, result),
        **result_document(result),
        **facts_of(result.answer).details,
        "attempts": [
            {"address": a.address, "error": a.error, "duration_seconds": round(a.seconds, 6)} for a in result.attempts
        ],
        "tls_cipher": result.tls_cipher,
        "certificates": [certificate_document(c) for c in result.certificates],
        "verified": [certificate_document(c) for c in result.verified],
    }
