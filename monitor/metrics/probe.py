"""The `probe_*` families: the name, type and meaning of each, and where its samples come from.

A family of counters is named without the suffix that its series have: probe_attempts_total, probe_failures_total,
probe_inconclusive_total.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from monitor.metrics.lines import (
    Lines,
    attempts_lines,
    chain_info_lines,
    failure_info_lines,
    failures_lines,
    inconclusive_lines,
    info_lines,
    ip_protocol_number,
    last_run_lines,
    last_success_lines,
    latency_lines,
    of_protocol,
    of_result,
    state_lines,
    tls_cipher_lines,
    tls_version_lines,
    up_lines,
)
from monitor.model.result import Result
from monitor.protocols.registry import PROTOCOLS


class Family(NamedTuple):
    """One metric family over all checks."""

    name: str
    kind: Literal["gauge", "counter", "histogram"]
    help: str
    lines: Lines


def _of_result(name: str, help_text: str, read: Callable[[Result], float | None]) -> Family:
    """A gauge that is read off the last conclusive result."""
    return Family(name, "gauge", help_text, of_result(name, read))


FAMILIES = (
    Family(
        "probe_info",
        "gauge",
        "What the check asks, always 1: its redacted target, its protocol and its own labels.",
        info_lines,
    ),
    _of_result("probe_success", "Whether the last conclusive run succeeded: 1 or 0.", lambda r: float(not r.failed)),
    Family(
        "probe_up",
        "gauge",
        "After thresholds: 1 in state up or degraded, 0 in state down, absent in any other.",
        up_lines,
    ),
    Family("probe_state", "gauge", "The current state of the check, always 1.", state_lines),
    Family(
        "probe_failure_info",
        "gauge",
        "Why the last conclusive run failed, always 1; absent after a success.",
        failure_info_lines,
    ),
    Family(
        "probe_attempts",
        "counter",
        "Runs that ended, inconclusive ones included.",
        attempts_lines,
    ),
    Family("probe_failures", "counter", "Runs that failed, by class of failure.", failures_lines),
    Family(
        "probe_inconclusive",
        "counter",
        "Runs that say nothing about the target, because the monitor itself was in trouble.",
        inconclusive_lines,
    ),
    _of_result("probe_duration_seconds", "How long the last conclusive run took.", lambda r: r.duration),
    Family(
        "probe_latency_seconds",
        "histogram",
        "How long successful runs took.",
        latency_lines,
    ),
    Family(
        "probe_last_run_timestamp_seconds",
        "gauge",
        "When the last run ended, in Unix seconds.",
        last_run_lines,
    ),
    Family(
        "probe_last_success_timestamp_seconds",
        "gauge",
        "When the last successful run ended, in Unix seconds.",
        last_success_lines,
    ),
    *(
        Family(family.name, "gauge", family.help, of_protocol(protocol, family))
        for protocol in PROTOCOLS
        for family in protocol.families
    ),
    _of_result(
        "probe_ip_protocol", "IP version of the connection, 4 or 6; 0 if no address was tried.", ip_protocol_number
    ),
    _of_result(
        "probe_ssl_earliest_cert_expiry",
        "When the first certificate that counts ends, over all redirects, in Unix seconds; also if it failed the run.",
        lambda r: r.earliest_expiry,
    ),
    _of_result(
        "probe_ssl_last_chain_expiry_timestamp_seconds",
        "When the first certificate of the last verified chain ends, its root included, in Unix seconds.",
        lambda r: min((c.not_after for c in r.verified), default=None),
    ),
    Family(
        "probe_ssl_last_chain_info",
        "gauge",
        "The server's certificate, always 1: fingerprint, names, issuer and serial number.",
        chain_info_lines,
    ),
    _of_result(
        "probe_ssl_cert_not_before_timestamp_seconds",
        "When the server's certificate begins, in Unix seconds.",
        lambda r: r.certificate.not_before if r.certificate is not None else None,
    ),
    _of_result(
        "probe_ssl_client_cert_expiry_timestamp_seconds",
        "When the check's own client certificate ends, in Unix seconds.",
        lambda r: r.client_ending.not_after if r.client_ending is not None else None,
    ),
    Family(
        "probe_tls_version_info",
        "gauge",
        "The TLS version that was agreed, always 1.",
        tls_version_lines,
    ),
    Family("probe_tls_cipher_info", "gauge", "The cipher suite that was agreed, always 1.", tls_cipher_lines),
)
"""Every family of the checks, in the order in which they are exposed."""
