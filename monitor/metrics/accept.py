"""What a scraper accepts: OpenMetrics or plain text, compressed or not, by its request headers."""

from __future__ import annotations

from collections.abc import Iterator

_OURS = ("", "0.0.1", "1.0.0")
"""Versions of OpenMetrics whose readers take 1.0 text."""


def openmetrics_preferred(accept: str) -> bool:
    """Whether OpenMetrics 1.0 is asked for, and by no lower q than plain text."""
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
    """Whether the answer may be compressed with gzip; `gzip;q=0` forbids it, also beside a `*`."""
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
