"""Parses what a client accepts, from its request headers (RFC 9110, section 12)."""

from __future__ import annotations

from collections.abc import Iterator

HTML = "text/html"
JSON = "application/json"
TEXT = "text/plain"


def accepted(header: str | None, *offers: str) -> str:
    """The offer that a client likes best; between equals, and if it likes none, the one offered first."""
    if not header or not header.strip():
        return offers[0]
    ranges = dict(_parsed(header))
    return max(offers, key=lambda offer: _liking(offer, ranges))


def gzip_accepted(header: str | None) -> bool:
    """True if gzip is allowed; `gzip;q=0` forbids it, even with a `*`."""
    codings = dict(_parsed(header or ""))
    return codings.get("gzip", codings.get("*", 0.0)) > 0


def _liking(offer: str, ranges: dict[str, float]) -> float:
    """The quality of the most specific range that an offer falls into."""
    for candidate in (offer, offer.split("/", maxsplit=1)[0] + "/*", "*/*"):
        if candidate in ranges:
            return ranges[candidate]
    return 0.0


def _parsed(header: str) -> Iterator[tuple[str, float]]:
    for item in header.lower().split(","):
        name, *parameters = (part.strip() for part in item.split(";"))
        yield name, _quality(parameters)


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0
