"""Keeps the answer of a failing run so that it can be shown: bounded, as text, and without secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from monitor.model.result import Evidence
from monitor.protocols.http.charsets import decoded
from monitor.secrets.redaction import Redactor
from monitor.secrets.secret import MASK
from monitor.secrets.visible import visible

BODY_BYTES = 2048
"""Bytes of a body that are kept."""
_HEADER_CHARACTERS = 8192
_VALUE_CHARACTERS = 1024
_SECRET_NAMES = re.compile(
    r"cookie|auth|token|secret|key|session|password|credential|signature|csrf|xsrf", re.IGNORECASE
)
"""Names of headers whose values may be secret."""
_TEXTUAL = re.compile(
    r"\s*(?:text/|[^;]*[/+](?:json|xml|javascript|x-www-form-urlencoded|yaml|problem|html)\b)", re.IGNORECASE
)
_BINARY = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
"""Characters that no text has; the colours of a terminal begin with escape."""
_LINES = "\n\r\t\f"
_LONGEST_TYPE = 256


def evidence_of(headers: Iterable[tuple[str, str]], body: bytes, cut: bool, redactor: Redactor) -> Evidence:
    """The evidence; `body` is the beginning of what was decoded, `cut` tells that there was more of it."""
    named = list(headers)
    first = {name.lower(): value for name, value in reversed(named)}
    return Evidence(
        tuple(_bounded(_header(name, value, redactor) for name, value in named)),
        _text(body[:BODY_BYTES], first, redactor),
        cut or len(body) > BODY_BYTES,
    )


def _header(name: str, value: str, redactor: Redactor) -> tuple[str, str]:
    """One header; a secret with a colon in it may stand in both, half and half."""
    shown = _shown(name, redactor), MASK if _SECRET_NAMES.search(name) else _shown(value, redactor)
    whole = _shown(f"{name}:{value}", redactor)
    return (MASK, MASK) if MASK in whole and MASK not in shown[1] else shown


def _shown(text: str, redactor: Redactor) -> str:
    shown = visible(redactor.foreign(text, _VALUE_CHARACTERS))
    return shown if len(shown) <= _VALUE_CHARACTERS else shown[: _VALUE_CHARACTERS - 1] + "…"


def _bounded(headers: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    """Yields headers until the limit is reached, then a mark if more were left."""
    left = _HEADER_CHARACTERS
    for name, value in headers:
        left -= len(name) + len(value)
        if left < 0:
            yield "…", "more headers, which are not kept"
            return
        yield name, value


def _text(body: bytes, headers: Mapping[str, str], redactor: Redactor) -> str | None:
    """The body as text, None if it is none; a character that the end of what is kept cuts through is left out."""
    content_type = headers.get("content-type", "text/plain")
    if not body or not _TEXTUAL.match(content_type[:_LONGEST_TYPE]):
        return None
    text, _ = decoded(body, content_type, redactor.foreign)
    if _BINARY.search(text):
        return None
    if len(body) == BODY_BYTES:
        text = text.rstrip("\N{REPLACEMENT CHARACTER}")
    return visible(redactor.foreign(text), _LINES) or None
