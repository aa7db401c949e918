"""Parses the headers of a scraper: OpenMetrics or plain text, compressed or not."""

from __future__ import annotations

from collections.abc import Iterator

_OURS = ("", "0.0.1", "1.0.0")
"""Versions of OpenMetrics whose readers take 1.0 text."""


def openmetrics_preferred(accept: str) -> bool:
    """True if the scraper accepts OpenMetrics 1.0 with at least the q of plain text."""
    openmetrics, plain = 0.0, 0.0
    for kind, options in _parsed(accept):
        q = _quality(options)
        if kind == "application/openmetrics-text":
            if options.get("version", "").strip('"') in _OURS:
                openmetrics = max(openmetrics, q)
        elif kind == "text/plain":
            plain = max(plain, q)
    return openmetrics > 0 and openmetrics >= plain


def gzip_accepted(accept_encoding: str) -> bool:
    """True if gzip is allowed; `gzip;q=0` forbids it, even with a `*`."""
    found = {kind: _quality(options) for kind, options in _parsed(accept_encoding)}
    named = found.get("gzip", found.get("x-gzip"))
    return (found.get("*", 0.0) if named is None else named) > 0


def _parsed(header: str) -> Iterator[tuple[str, dict[str, str]]]:
    for item in header.split(","):
        kind, *rest = (part.strip().lower() for part in item.split(";"))
        yield kind, {k.strip(): v.strip() for k, _, v in (r.partition("=") for r in rest)}


def _quality(options: dict[str, str]) -> float:
    try:
        q = float(options.get("q", "1"))
    except ValueError:
        return 0.0
    return q if 0.0 <= q <= 1.0 else 0.0
