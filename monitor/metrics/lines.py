"""The lines of one check in each family, read off its record; the text is the same in both formats.

prometheus-client sorts, checks and escapes every label of every sample afresh, 0.6 ms per check and scrape, which
thousands of checks cannot afford. So the lines are written here, and a test holds them against that library's.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import NamedTuple

from prometheus_client.utils import floatToGoString

from monitor.clock import Moment
from monitor.ledger import Record
from monitor.metrics.labels import check_labels, info_labels
from monitor.outcome import FAILURES, Result, State
from monitor.state import Standing, aged

_BODILESS = (204, 304)
"""Statuses whose answers have no body, and so a length of 0, as blackbox_exporter has it (RFC 9110, 6.4.1)."""


class Shown(NamedTuple):
    """One check at the moment of a scrape, to be written before the loop goes on."""

    record: Record
    standing: Standing
    result: Result | None
    """The last conclusive result; None while paused, when its figures say nothing about now."""
    labels: str
    """«{check="…",group="…"}»."""
    more: str
    """The same before further labels: «{check="…",group="…",»."""


Lines = Callable[[Shown], str]


def shown(record: Record, now: Moment) -> Shown:
    """A check as it stands now."""
    standing = aged(record.standing, record.spec, now)
    labels = check_labels(record.spec)
    result = None if standing.state is State.PAUSED else standing.conclusive
    return Shown(record, standing, result, f"{{{labels}}}", f"{{{labels},")


def number(value: float) -> str:
    """A value as both formats write it."""
    return repr(value) if 0.0 <= value < 1e6 else str(floatToGoString(value))  # type: ignore[no-untyped-call]


def of_result(name: str, read: Callable[[Result], float | None]) -> Lines:
    """One gauge that is read off the last conclusive result; absent where that is None."""

    def lines(check: Shown) -> str:
        value = None if check.result is None else read(check.result)
        return "" if value is None else f"{name}{check.labels} {number(float(value))}\n"

    return lines


def info_lines(check: Shown) -> str:
    """What the check asks."""
    return f"probe_info{{{info_labels(check.record.spec)}}} 1.0\n"


def up_lines(check: Shown) -> str:
    """Whether it is up, where that is known."""
    state = check.standing.state
    if state in (State.UP, State.DEGRADED):
        return f"probe_up{check.labels} 1.0\n"
    return f"probe_up{check.labels} 0.0\n" if state is State.DOWN else ""


def state_lines(check: Shown) -> str:
    """The current state."""
    return f'probe_state{check.more}state="{check.standing.state.value}"}} 1.0\n'


def failure_info_lines(check: Shown) -> str:
    """Why the last conclusive run failed."""
    result = check.result
    if result is None or not result.failed:
        return ""
    labels = f'{check.more}outcome="{result.outcome.value}",reason="{result.reason.value}"}}'
    return f"probe_failure_info{labels} 1.0\n"


def attempts_lines(check: Shown) -> str:
    """Runs that ended."""
    return f"probe_attempts_total{check.labels} {number(float(check.record.attempts))}\n"


def failures_lines(check: Shown) -> str:
    """Runs that failed, by class."""
    head, counts = f'probe_failures_total{check.more}outcome="', check.record.failures
    return "".join([f'{head}{outcome.value}"}} {number(float(counts[outcome]))}\n' for outcome in FAILURES])


def inconclusive_lines(check: Shown) -> str:
    """Runs that say nothing."""
    return f"probe_inconclusive_total{check.labels} {number(float(check.record.inconclusive))}\n"


def latency_lines(check: Shown) -> str:
    """The histogram of successes, cumulative."""
    latency, reached, lines = check.record.latency, 0, []
    head = f'probe_latency_seconds_bucket{check.more}le="'
    for bound, count in zip(_bounds(latency.bounds), latency.counts, strict=True):
        reached += count
        lines.append(f'{head}{bound}"}} {number(float(reached))}\n')
    lines.append(f"probe_latency_seconds_count{check.labels} {number(float(reached))}\n")
    lines.append(f"probe_latency_seconds_sum{check.labels} {number(latency.total)}\n")
    return "".join(lines)


@functools.lru_cache
def _bounds(bounds: tuple[float, ...]) -> tuple[str, ...]:
    return (*map(number, bounds), "+Inf")


def last_run_lines(check: Shown) -> str:
    """When the last run ended."""
    return _timestamp("probe_last_run_timestamp_seconds", check, check.record.last_run_at)


def last_success_lines(check: Shown) -> str:
    """When the last success ended."""
    return _timestamp("probe_last_success_timestamp_seconds", check, check.record.last_success_at)


def _timestamp(name: str, check: Shown, at: float | None) -> str:
    return "" if at is None or check.standing.state is State.PAUSED else f"{name}{check.labels} {number(at)}\n"


def phases_lines(check: Shown) -> str:
    """Seconds in each phase."""
    if check.result is None:
        return ""
    head = f'probe_http_duration_seconds{check.more}phase="'
    return "".join([f'{head}{phase}"}} {number(took or 0.0)}\n' for phase, took in check.result.phases.items()])


def content_length_number(result: Result) -> float:
    """The header's value, as blackbox_exporter writes it."""
    if result.status_code is None:
        return 0.0
    if result.status_code in _BODILESS:
        return 0.0
    return -1.0 if result.content_length is None else float(result.content_length)


def http_version_number(result: Result) -> float:
    """The version as a number."""
    try:
        return float(result.http_version or 0)
    except ValueError:  # a version that is no number is no version that anyone queries
        return 0.0


def ip_protocol_number(result: Result) -> float:
    """4 or 6, by the address that was used or tried last."""
    address = result.remote_address
    if address is None and result.attempts:
        address = result.attempts[-1].address
    if not address:
        return 0.0
    return 6.0 if address.count(":") > 1 else 4.0


def tls_version_lines(check: Shown) -> str:
    """The version that was agreed."""
    result = check.result
    if result is None or result.tls_version is None:
        return ""
    return f'probe_tls_version_info{check.more}version="{tls_version_name(result.tls_version)}"}} 1.0\n'


def tls_version_name(version: str) -> str:
    """OpenSSL's «TLSv1.3» as blackbox_exporter writes it: «TLS 1.3»; its «TLSv1» is «TLS 1.0»."""
    said = version.removeprefix("TLSv")
    return f"TLS {said if '.' in said else said + '.0'}"
