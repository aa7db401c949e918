"""The lines of one check in each family, read off its record; the text is the same in both formats.

prometheus-client sorts, checks and escapes every label of every sample afresh, 0.6 ms per check and scrape, which
thousands of checks cannot afford. So the lines are written here, and a test holds them against that library's.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple

from prometheus_client.utils import floatToGoString

from monitor.live.ledger import Record
from monitor.metrics.labels import check_labels, info_labels, label_text
from monitor.model.clock import Moment
from monitor.model.outcome import FAILURES, Outcome, State
from monitor.model.result import Certificate, Result
from monitor.model.spec import CheckSpec
from monitor.model.transition import Standing
from monitor.protocols.protocol import Gauge, GaugePerLabel, Info, Protocol
from monitor.protocols.registry import protocol_of
from monitor.rules.state import aged

_LARGE = 1_000_000
"""The number from which Go, and so Prometheus, writes an exponent."""


class CheckSnapshot(NamedTuple):
    """One check at the moment of a scrape, to be written before the loop goes on."""

    record: Record
    standing: Standing
    result: Result | None
    """The last conclusive result; None while paused, when its figures say nothing about now."""
    labels: str
    """«{check="…",group="…"}»."""
    more: str
    """The same before further labels: «{check="…",group="…",»."""
    protocol: Protocol


Lines = Callable[[CheckSnapshot], str]


def shown(record: Record, now: Moment) -> CheckSnapshot:
    """A check as it stands now."""
    standing = aged(record.standing, record.spec, now)
    labels = check_labels(record.spec)
    result = None if standing.state is State.PAUSED else standing.conclusive
    return CheckSnapshot(record, standing, result, f"{{{labels}}}", f"{{{labels},", protocol_of(record.spec))


def number(value: float) -> str:
    """A value as both formats write it."""
    if 0.0 <= value < _LARGE:
        return repr(value)
    if 1e9 <= value < 1e10:  # a time
        digits = repr(value)
        return f"{digits[0]}.{digits[1:10]}{digits[11:]}".rstrip("0").rstrip(".") + "e+09"
    return str(floatToGoString(value))  # type: ignore[no-untyped-call]


def whole_number(value: int) -> str:
    """The same of a count."""
    return f"{value}.0" if value < _LARGE else number(float(value))


def _several(name: str, label: str, values: Iterable[str], written: str) -> str:
    """The lines of one name with these values of a label, NUL where the other labels go; `written` stands for a number.

    Filling it in costs a third of writing line by line, and these are most of a scrape.
    """
    return "".join(f'{name}\0{label}="{value}"}} {written}\n' for value in values)


def _filled(template: str, counts: Sequence[int], more: str) -> str:
    """Counts filled into lines that were made for `%d.0`, as which most of them are written."""
    if max(counts) < _LARGE:
        return (template % tuple(counts)).replace("\0", more)
    return (template.replace("%d.0", "%s") % tuple(map(whole_number, counts))).replace("\0", more)


def of_result(name: str, read: Callable[[Result], float | None]) -> Lines:
    """One gauge that is read off the last conclusive result; absent where that is None."""

    def lines(check: CheckSnapshot) -> str:
        value = None if check.result is None else read(check.result)
        return "" if value is None else f"{name}{check.labels} {number(float(value))}\n"

    return lines


def of_protocol(protocol: Protocol, family: Gauge | GaugePerLabel | Info) -> Lines:
    """A family that only the checks of one protocol have."""
    if isinstance(family, Gauge):
        lines = of_result(family.name, family.read)
    else:
        lines = _per_label(family) if isinstance(family, GaugePerLabel) else _info(family)
    return lambda check: lines(check) if check.protocol is protocol else ""


def _per_label(family: GaugePerLabel) -> Lines:
    template = _several(family.name, family.label, family.values, "%s")

    def lines(check: CheckSnapshot) -> str:
        if check.result is None:
            return ""
        return (template % tuple(map(number, family.read(check.result)))).replace("\0", check.more)

    return lines


def _info(family: Info) -> Lines:
    def lines(check: CheckSnapshot) -> str:
        labels = None if check.result is None else family.read(check.result)
        return "" if labels is None else f"{family.name}{check.more}{label_text(labels)}}} 1.0\n"

    return lines


def info_lines(check: CheckSnapshot) -> str:
    """Returns `probe_info`, which describes the check."""
    return f"probe_info{{{info_labels(check.record.spec)}}} 1.0\n"


def up_lines(check: CheckSnapshot) -> str:
    """Returns `probe_up`; empty if the state is neither up nor down."""
    state = check.standing.state
    if state in (State.UP, State.DEGRADED):
        return f"probe_up{check.labels} 1.0\n"
    return f"probe_up{check.labels} 0.0\n" if state is State.DOWN else ""


def state_lines(check: CheckSnapshot) -> str:
    """The current state."""
    return f'probe_state{check.more}state="{check.standing.state.value}"}} 1.0\n'


def failure_info_lines(check: CheckSnapshot) -> str:
    """Returns the reason of the last conclusive failure."""
    result = check.result
    if result is None or not result.failed:
        return ""
    labels = f'{check.more}outcome="{result.outcome.value}",reason="{result.reason.value}"}}'
    return f"probe_failure_info{labels} 1.0\n"


def attempts_lines(check: CheckSnapshot) -> str:
    """Runs that ended."""
    return f"probe_attempts_total{check.labels} {whole_number(check.record.attempts)}\n"


@functools.lru_cache
def _failures(outcomes: tuple[Outcome, ...]) -> str:
    return _several("probe_failures_total", "outcome", outcomes, "%d.0")


def failures_lines(check: CheckSnapshot) -> str:
    """Runs that failed, by the classes that this check can get, or got before a reload."""
    failures, spec = check.record.failures, check.record.spec
    usual = check.protocol.failures
    odd = tuple([o for o in FAILURES if o not in usual and (failures[o] or _possible(o, spec))])
    outcomes = usual + odd
    return _filled(_failures(outcomes), tuple([failures[outcome] for outcome in outcomes]), check.more)


def _possible(outcome: Outcome, spec: CheckSpec) -> bool:
    """True for an unexpected answer of a check that its certificate can fail."""
    return outcome is Outcome.UNEXPECTED_ANSWER and spec.route.tls.expiry_down


def inconclusive_lines(check: CheckSnapshot) -> str:
    """Runs that say nothing."""
    return f"probe_inconclusive_total{check.labels} {whole_number(check.record.inconclusive)}\n"


def latency_lines(check: CheckSnapshot) -> str:
    """The histogram of successes, cumulative."""
    latency = check.record.latency
    counts = tuple(accumulate(latency.counts))
    buckets = _filled(_buckets(latency.bounds), counts, check.more)
    count = f"probe_latency_seconds_count{check.labels} {whole_number(counts[-1])}\n"
    return f"{buckets}{count}probe_latency_seconds_sum{check.labels} {number(latency.total)}\n"


@functools.lru_cache
def _buckets(bounds: tuple[float, ...]) -> str:
    return _several("probe_latency_seconds_bucket", "le", (*map(number, bounds), "+Inf"), "%d.0")


def last_run_lines(check: CheckSnapshot) -> str:
    """Returns the time at which the last run ended."""
    return _timestamp("probe_last_run_timestamp_seconds", check, check.record.last_run_at)


def last_success_lines(check: CheckSnapshot) -> str:
    """Returns the time at which the last success ended."""
    return _timestamp("probe_last_success_timestamp_seconds", check, check.record.last_success_at)


def _timestamp(name: str, check: CheckSnapshot, at: float | None) -> str:
    return "" if at is None or check.standing.state is State.PAUSED else f"{name}{check.labels} {number(at)}\n"


def ip_protocol_number(result: Result) -> float:
    """4 or 6, by the address that was used or tried last."""
    address = result.remote_address
    if address is None and result.attempts:
        address = result.attempts[-1].address
    if not address:
        return 0.0
    return 6.0 if address.count(":") > 1 else 4.0


def tls_version_lines(check: CheckSnapshot) -> str:
    """The version that was agreed."""
    result = check.result
    if result is None or result.tls_version is None:
        return ""
    return f'probe_tls_version_info{check.more}version="{tls_version_name(result.tls_version)}"}} 1.0\n'


def tls_version_name(version: str) -> str:
    """OpenSSL's «TLSv1.3» as blackbox_exporter writes it: «TLS 1.3»; its «TLSv1» is «TLS 1.0»."""
    said = version.removeprefix("TLSv")
    return f"TLS {said if '.' in said else said + '.0'}"


def tls_cipher_lines(check: CheckSnapshot) -> str:
    """The cipher suite that was agreed."""
    result = check.result
    if result is None or result.tls_cipher is None:
        return ""
    return f'probe_tls_cipher_info{check.more}cipher="{result.tls_cipher}"}} 1.0\n'


def chain_info_lines(check: CheckSnapshot) -> str:
    """Describes the server's own certificate; empty without a handshake."""
    result = check.result
    if result is None or result.tls_version is None or result.certificate is None:
        return ""
    return f"probe_ssl_last_chain_info{check.more}{_chain_labels(result.certificate)}}} 1.0\n"


@functools.lru_cache(maxsize=8192)
def _chain_labels(leaf: Certificate) -> str:
    return label_text(
        (
            ("fingerprint_sha256", leaf.fingerprint),
            ("issuer", leaf.issuer),
            ("serialnumber", leaf.serial),
            ("subject", leaf.subject),
            ("subjectalternative", ",".join(leaf.dns_names)),
        )
    )
