"""The `probe_*` families: the name, type and meaning of each, and where its samples come from.

A family of counters is named without the suffix that its series have: probe_attempts_total, probe_failures_total,
probe_inconclusive_total.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple

from monitor.metrics.points import (
    Frozen,
    Point,
    attempts_points,
    content_length_number,
    failure_info_points,
    failures_points,
    http_version_number,
    inconclusive_points,
    info_points,
    ip_protocol_number,
    last_run_points,
    last_success_points,
    latency_points,
    of_result,
    phases_points,
    state_points,
    tls_version_points,
    up_points,
)


class Family(NamedTuple):
    """One metric family over all checks."""

    name: str
    kind: Literal["gauge", "counter", "histogram"]
    help: str
    points: Callable[[Frozen], Iterable[Point]]


FAMILIES = (
    Family(
        "probe_info",
        "gauge",
        "What the check asks, always 1: its redacted target, its protocol and its own labels.",
        info_points,
    ),
    Family(
        "probe_success",
        "gauge",
        "Whether the last conclusive run succeeded: 1 or 0.",
        of_result(lambda r: float(not r.failed)),
    ),
    Family(
        "probe_up",
        "gauge",
        "After thresholds: 1 in state up or degraded, 0 in state down, absent in any other.",
        up_points,
    ),
    Family("probe_state", "gauge", "The current state of the check, always 1.", state_points),
    Family(
        "probe_failure_info",
        "gauge",
        "Why the last conclusive run failed, always 1; absent after a success.",
        failure_info_points,
    ),
    Family(
        "probe_attempts",
        "counter",
        "Runs that ended, inconclusive ones included.",
        attempts_points,
    ),
    Family("probe_failures", "counter", "Runs that failed, by class of failure.", failures_points),
    Family(
        "probe_inconclusive",
        "counter",
        "Runs that say nothing about the target, because the monitor itself was in trouble.",
        inconclusive_points,
    ),
    Family(
        "probe_duration_seconds",
        "gauge",
        "How long the last conclusive run took.",
        of_result(lambda r: r.duration),
    ),
    Family(
        "probe_latency_seconds",
        "histogram",
        "How long successful runs took.",
        latency_points,
    ),
    Family(
        "probe_last_run_timestamp_seconds",
        "gauge",
        "When the last run ended, in Unix seconds.",
        last_run_points,
    ),
    Family(
        "probe_last_success_timestamp_seconds",
        "gauge",
        "When the last successful run ended, in Unix seconds.",
        last_success_points,
    ),
    Family(
        "probe_http_duration_seconds",
        "gauge",
        "Time spent in each phase of the last conclusive run, redirects summed; 0 if not reached.",
        phases_points,
    ),
    Family(
        "probe_http_status_code",
        "gauge",
        "Status code of the last answer, 0 if none came.",
        of_result(lambda r: r.status_code or 0),
    ),
    Family(
        "probe_http_version",
        "gauge",
        "HTTP version of the last answer, 0 if none came.",
        of_result(http_version_number),
    ),
    Family(
        "probe_http_redirects",
        "gauge",
        "Redirects that were followed.",
        of_result(lambda r: r.redirects),
    ),
    Family(
        "probe_http_ssl",
        "gauge",
        "Whether the last hop spoke TLS: 1 or 0.",
        of_result(lambda r: float(r.tls_version is not None)),
    ),
    Family(
        "probe_http_content_length",
        "gauge",
        "Content-Length of the answer, -1 if it had none, 0 if no answer came.",
        of_result(content_length_number),
    ),
    Family(
        "probe_http_uncompressed_body_length",
        "gauge",
        "Bytes of the body after decompression.",
        of_result(lambda r: r.body_bytes or 0),
    ),
    Family(
        "probe_ip_protocol",
        "gauge",
        "IP version of the connection, 4 or 6; 0 if no address was tried.",
        of_result(ip_protocol_number),
    ),
    Family(
        "probe_ssl_earliest_cert_expiry",
        "gauge",
        "When the first certificate of the chain ends, in Unix seconds; also if it made the handshake fail.",
        of_result(lambda r: r.earliest_expiry),
    ),
    Family(
        "probe_tls_version_info",
        "gauge",
        "The TLS version that was agreed, always 1.",
        tls_version_points,
    ),
)
"""Every family of the checks, in the order in which they are exposed."""
