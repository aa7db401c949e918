"""Writes the metrics of one run for /probe: blackbox_exporter's names, and the reason, without labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import ip_address

from monitor.live.ledger import Record
from monitor.metrics.checks import head
from monitor.metrics.exposition import Format, Scrape, answer
from monitor.metrics.lines import CheckSnapshot, number
from monitor.metrics.probe import FAMILIES
from monitor.model.clock import Moment
from monitor.model.outcome import Reason
from monitor.model.result import Result
from monitor.model.settings import MonitorSpec
from monitor.model.spec import CheckSpec
from monitor.protocols.registry import protocol_of

_NOT_OF_ONE_RUN = frozenset(
    {
        "probe_info",
        "probe_up",
        "probe_state",
        "probe_attempts",
        "probe_failures",
        "probe_inconclusive",
        "probe_latency_seconds",
        "probe_last_run_timestamp_seconds",
        "probe_last_success_timestamp_seconds",
    }
)
"""Families that say nothing of one run. The others mean for it what they mean on /metrics for the last one."""

_EXPECTED = (Reason.UNEXPECTED_BODY, Reason.UNEXPECTED_HEADER)
_FNV_OFFSET, _FNV_PRIME = 0x811C9DC5, 0x01000193
"""FNV-1a, 32 bits: http://www.isthe.com/chongo/tech/comp/fnv/, and what blackbox_exporter hashes addresses with."""


def write_one_run(spec: CheckSpec, result: Result, *, openmetrics: bool) -> Scrape:
    """The exposition of a conclusive result, in either format."""
    parts = [(head(name, help_text, "gauge") + lines).encode() for name, help_text, lines in _families(spec, result)]
    return answer(parts, Format(openmetrics, gzip=False))


def _families(spec: CheckSpec, result: Result) -> Iterator[tuple[str, str, str]]:
    """Name, meaning and lines of each family that has any."""
    now = Moment(result.started_at, 0.0)
    record = Record(spec, MonitorSpec(), now)
    written: set[str] = set()
    run = CheckSnapshot(record, record.standing, result, labels="", more="{", protocol=protocol_of(spec))
    for family in FAMILIES:
        if family.name not in _NOT_OF_ONE_RUN and (lines := family.lines(run)):
            written.add(family.name)
            yield family.name, family.help.replace("the last conclusive run", "the run"), lines
    for name, help_text, read in _ONLY_HERE:
        if name not in written:
            yield name, help_text, f"{name} {number(read(result))}\n"


def _address_hash(result: Result) -> float:
    """The hash of the address that was connected to, or tried last; 0 if there was none."""
    place = result.remote_address or (result.attempts[-1].address if result.attempts else None)
    if place is None:
        return 0.0
    found = _FNV_OFFSET
    for byte in ip_address(place.rpartition(":")[0].strip("[]").partition("%")[0]).packed:
        found = (found ^ byte) * _FNV_PRIME & 0xFFFFFFFF
    return float(found)


_ONLY_HERE: tuple[tuple[str, str, Callable[[Result], float]], ...] = (
    (
        "probe_dns_lookup_time_seconds",
        "Time spent resolving names, redirects summed.",
        lambda result: result.phases.resolve or 0.0,
    ),
    (
        "probe_failed_due_to_regex",
        "Whether what was expected of the body or of a header made the run fail: 1 or 0.",
        lambda result: float(result.reason in _EXPECTED),
    ),
    (
        "probe_ip_addr_hash",
        "Hash of the address that was connected to, to notice that it changed; 0 if there was none.",
        _address_hash,
    ),
)
