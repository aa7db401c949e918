"""The metric families that only HTTP checks have, as blackbox_exporter has them."""

from __future__ import annotations

from monitor.model.answer import HttpAnswer
from monitor.model.result import PHASE_NAMES, Result
from monitor.protocols.protocol import Gauge, GaugePerLabel

_BODILESS = (204, 304)
"""Statuses of answers without a body: their length is 0, as in blackbox_exporter (RFC 9110, 6.4.1)."""
_NOTHING = HttpAnswer()


def _answer(result: Result) -> HttpAnswer:
    return result.answer if isinstance(result.answer, HttpAnswer) else _NOTHING


def content_length_number(result: Result) -> float:
    """The header's value, as blackbox_exporter writes it."""
    answer = _answer(result)
    if answer.status is None or answer.status in _BODILESS:
        return 0.0
    return -1.0 if answer.figures.content_length is None else float(answer.figures.content_length)


def http_version_number(result: Result) -> float:
    """The version as a number."""
    try:
        return float(_answer(result).version or 0)
    except ValueError:  # a version that is no number is no version that anyone queries
        return 0.0


def _phases(result: Result) -> tuple[float, ...]:
    phases = result.phases
    took = (phases.resolve, phases.connect, phases.tls, phases.processing, phases.transfer)
    return tuple([seconds or 0.0 for seconds in took])


FAMILIES = (
    GaugePerLabel(
        "probe_http_duration_seconds",
        "Time spent in each phase of the last conclusive run, redirects summed; 0 if not reached.",
        "phase",
        PHASE_NAMES,
        _phases,
    ),
    Gauge(
        "probe_http_status_code", "Status code of the last answer, 0 if none came.", lambda r: _answer(r).status or 0
    ),
    Gauge("probe_http_version", "HTTP version of the last answer, 0 if none came.", http_version_number),
    Gauge("probe_http_redirects", "Redirects that were followed.", lambda r: _answer(r).redirects),
    Gauge("probe_http_ssl", "Whether the last hop spoke TLS: 1 or 0.", lambda r: float(r.tls_version is not None)),
    Gauge(
        "probe_http_content_length",
        "Content-Length of the answer, -1 if it had none, 0 if no answer came.",
        content_length_number,
    ),
    Gauge(
        "probe_http_uncompressed_body_length",
        "Bytes of the body after decompression.",
        lambda r: _answer(r).figures.body_bytes or 0,
    ),
)
