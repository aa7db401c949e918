"""The samples of one check in each family, read off a copy of its record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from typing import NamedTuple

from monitor.ledger import Record
from monitor.metrics.labels import Labels, cached_number, info_labels
from monitor.outcome import FAILURES, Result, State
from monitor.spec import CheckSpec
from monitor.state import Standing

_BODILESS = (204, 304)
"""Statuses whose answers have no body, and so a length of 0, as blackbox_exporter has it (RFC 9110, 6.4.1)."""


class Frozen(NamedTuple):
    """One check at the moment of a scrape: immutable values only, so that any thread may read it at leisure."""

    spec: CheckSpec
    standing: Standing
    attempts: int
    failures: tuple[int, ...]
    inconclusive: int
    last_run_at: float | None
    last_success_at: float | None
    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    total: float

    @property
    def result(self) -> Result | None:
        """The last conclusive result; None while paused, when its figures say nothing about now."""
        standing = self.standing
        return None if standing.state is State.PAUSED else standing.conclusive


class Point(NamedTuple):
    """One sample of one check: what its name adds to the family's, its labels besides check and group, its value."""

    value: float
    labels: Labels = ()
    suffix: str = ""


def freeze(record: Record, standing: Standing) -> Frozen:
    """What the series need of a record, copied on the loop that changes it; `standing` is the aged one."""
    latency = record.latency
    return Frozen(
        record.spec,
        standing,
        record.attempts,
        tuple(record.failures[outcome] for outcome in FAILURES),
        record.inconclusive,
        record.last_run_at,
        record.last_success_at,
        latency.bounds,
        tuple(latency.counts),
        latency.total,
    )


def of_result(
    read: Callable[[Result], float | None],
) -> Callable[[Frozen], Iterable[Point]]:
    """One gauge that is read off the last conclusive result; absent where that is None."""

    def points(check: Frozen) -> Iterable[Point]:
        result = check.result
        value = None if result is None else read(result)
        return () if value is None else (Point(float(value)),)

    return points


def info_points(check: Frozen) -> Iterable[Point]:
    """What the check asks."""
    return (Point(1.0, info_labels(check.spec)),)


def up_points(check: Frozen) -> Iterable[Point]:
    """Whether it is up, where that is known."""
    state = check.standing.state
    if state in (State.UP, State.DEGRADED):
        return (Point(1.0),)
    return (Point(0.0),) if state is State.DOWN else ()


def state_points(check: Frozen) -> Iterable[Point]:
    """The current state."""
    return (Point(1.0, (("state", check.standing.state.value),)),)


def failure_info_points(check: Frozen) -> Iterable[Point]:
    """Why the last conclusive run failed."""
    result = check.result
    if result is None or not result.failed:
        return ()
    labels = (("outcome", result.outcome.value), ("reason", result.reason.value))
    return (Point(1.0, labels),)


def attempts_points(check: Frozen) -> Iterable[Point]:
    """Runs that ended."""
    return (Point(float(check.attempts), suffix="_total"),)


def failures_points(check: Frozen) -> Iterator[Point]:
    """Runs that failed, by class."""
    for outcome, count in zip(FAILURES, check.failures, strict=True):
        yield Point(float(count), (("outcome", outcome.value),), "_total")


def inconclusive_points(check: Frozen) -> Iterable[Point]:
    """Runs that say nothing."""
    return (Point(float(check.inconclusive), suffix="_total"),)


def latency_points(check: Frozen) -> Iterator[Point]:
    """The histogram of successes, cumulative."""
    reached = list(accumulate(check.counts))
    for bound, count in zip((*check.bounds, float("inf")), reached, strict=True):
        yield Point(float(count), (("le", cached_number(bound)),), "_bucket")
    yield Point(float(reached[-1]), suffix="_count")
    yield Point(check.total, suffix="_sum")


def last_run_points(check: Frozen) -> Iterable[Point]:
    """When the last run ended."""
    return _timestamp(check, check.last_run_at)


def last_success_points(check: Frozen) -> Iterable[Point]:
    """When the last success ended."""
    return _timestamp(check, check.last_success_at)


def _timestamp(check: Frozen, at: float | None) -> Iterable[Point]:
    return () if at is None or check.standing.state is State.PAUSED else (Point(at),)


def phases_points(check: Frozen) -> Iterator[Point]:
    """Seconds in each phase."""
    if check.result is not None:
        for phase, seconds in check.result.phases.items():
            yield Point(seconds or 0.0, (("phase", phase),))


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


def tls_version_points(check: Frozen) -> Iterable[Point]:
    """The version that was agreed."""
    result = check.result
    if result is None or result.tls_version is None:
        return ()
    return (Point(1.0, (("version", tls_version_name(result.tls_version)),)),)


def tls_version_name(version: str) -> str:
    """OpenSSL's «TLSv1.3» as blackbox_exporter writes it: «TLS 1.3»; its «TLSv1» is «TLS 1.0»."""
    number = version.removeprefix("TLSv")
    return f"TLS {number if '.' in number else number + '.0'}"
