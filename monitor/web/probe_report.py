"""One run for /probe as text for people: the verdict, phases, addresses, requests, certificates, and the metrics."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.model.clock import rfc3339
from monitor.model.probe import ProbeAnswer
from monitor.model.result import Certificate, Result
from monitor.protocols.registry import facts_of, protocol_of
from monitor.rules.state import seconds
from monitor.secrets.visible import visible


def probe_report(probed: ProbeAnswer, exposition: str) -> str:
    """All that is known of the run; every text in it has lost its secrets already."""
    spec, result = probed
    head = [f"{result.outcome.value}  {result.reason.value}", f"  {visible(result.detail)}"]
    asked = [visible(protocol_of(spec).asks(spec)), f"as {spec.name}, {_limits(probed)}"]
    sections = (
        ("", head),
        ("asked", asked),
        ("phases", _phases(result)),
        ("addresses", [_attempt(a.address, a.error, a.seconds) for a in result.attempts]),
        ("requests", [f"{h.status or '–':>3}  {h.method} {visible(h.url)}" for h in facts_of(result.answer).requests]),
        ("answer", _answer(result)),
        ("notes", [visible(note) for note in result.notes]),
        ("certificates", [line for certificate in result.certificates for line in _certificate(certificate)]),
        ("metrics", exposition.splitlines()),
    )
    return "\n\n".join(_section(title, lines) for title, lines in sections if lines) + "\n"


def _section(title: str, lines: list[str]) -> str:
    return "\n".join([title, *(f"  {line}" for line in lines)] if title else lines)


def _limits(probed: ProbeAnswer) -> str:
    limits = probed.spec.limits
    return f"connect {seconds(limits.connect)}, read {seconds(limits.read)}, total {seconds(limits.total)} at most"


def _phases(result: Result) -> list[str]:
    if result.duration is None:
        return []
    rows = [*result.phases.items(), ("total", result.duration)]
    return [f"{name:<10}  {'not reached' if spent is None else seconds(spent)}" for name, spent in rows]


def _attempt(address: str, why: str | None, took: float) -> str:
    return f"{address}  {why or 'connected'} after {seconds(took)}"


def _answer(result: Result) -> list[str]:
    came = facts_of(result.answer).words
    return [", ".join([*came, *filter(None, (result.tls_version,)), f"from {result.remote_address}"])] if came else []


def _certificate(certificate: Certificate) -> Iterator[str]:
    yield visible(certificate.subject) or "(no subject)"
    yield f"  issuer  {visible(certificate.issuer)}"
    yield f"  valid   {rfc3339(certificate.not_before)} to {rfc3339(certificate.not_after)}"
