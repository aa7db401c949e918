"""Prints one probe for people: the verdict, the waterfall, then addresses, requests, answer, certificates."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from monitor.model.answer import Hop
from monitor.model.clock import rfc3339
from monitor.model.result import Attempt, Certificate, Ending, Result
from monitor.model.spec import CheckSpec
from monitor.protocols.registry import facts_of
from monitor.rules.state import ends_soon, in_words, seconds
from monitor.secrets.visible import visible
from monitor.terminal.console import slow, state_of, verdict
from monitor.terminal.waterfall import waterfall

NAMES_SHOWN = 6
"""Host names of a certificate that are listed; shared hosting has hundreds."""

_INDENT = 2


def report(spec: CheckSpec, result: Result, width: int) -> RenderableType:
    """All that a probe found, laid out for a width in columns."""
    parts: list[RenderableType] = [_headline(spec, result)]
    if result.duration is not None:
        parts += [Text(), waterfall(result, width)]
    sections = _sections(spec, result)
    if sections.row_count:
        parts += [Text(), sections]
    return Group(*parts)


def _headline(spec: CheckSpec, result: Result) -> RenderableType:
    state = state_of(spec, result)
    why = slow(spec, result)
    word = state.value if why else result.outcome.value
    said = Text(visible(why or result.detail), overflow="fold")
    return Group(
        Text.assemble(verdict(state, word), "  ", (result.reason.value, "bold")), Padding(said, (0, 0, 0, _INDENT))
    )


def _sections(spec: CheckSpec, result: Result) -> Table:
    table = _grid()
    for title, section in (
        ("addresses", _addresses(result.attempts)),
        ("requests", _requests(facts_of(result.answer).requests)),
        ("answer", _answer(result)),
        ("notes", _notes(result)),
        ("certificates", _certificates(spec, result)),
    ):
        if section.row_count:
            table.add_row(Text(" " * _INDENT + title, "dim"), section)
    return table


def _grid() -> Table:
    """Two columns, the first as wide as it needs to be."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _addresses(attempts: Sequence[Attempt]) -> Table:
    table = _grid()
    for attempt in attempts:
        took = seconds(attempt.seconds)
        came = Text(f"connected in {took}", "green")
        if attempt.error:
            came = Text(f"{visible(attempt.error)} after {took}", "red")
        table.add_row(visible(attempt.address), came)
    return table


def _requests(hops: Sequence[Hop]) -> Table:
    table = _grid()
    for hop in hops:
        status = "  –" if hop.status is None else str(hop.status)
        table.add_row(status, visible(f"{hop.method} {hop.url}"))
    return table


def _answer(result: Result) -> Table:
    """One line of facts; those not known are left out."""
    came = facts_of(result.answer).words
    place = None if result.remote_address is None else f"from {result.remote_address}"
    known = [*came, *filter(None, (result.tls_version, result.tls_cipher, place))]
    table = Table.grid()
    if came or result.tls_version is not None:
        table.add_row(visible(", ".join(known)))
    return table


def _notes(result: Result) -> Table:
    table = Table.grid()
    for note in result.notes:
        table.add_row(visible(note))
    return table


def _certificates(spec: CheckSpec, result: Result) -> Table:
    table = Table.grid()
    for certificate in result.verified or result.certificates:
        table.add_row(Text(visible(certificate.subject) or "(no subject)", "bold"))
        table.add_row(Padding(_facts(certificate, spec, result), (0, 0, 0, _INDENT)))
    return table


def _facts(certificate: Certificate, spec: CheckSpec, result: Result) -> Table:
    table = _grid()
    table.add_row(Text("issuer", "dim"), visible(certificate.issuer))
    if certificate.names:
        table.add_row(Text("names", "dim"), _names(certificate))
    if certificate.not_before > result.started_at:
        table.add_row(Text("begins", "dim"), Text(rfc3339(certificate.not_before), "bold red"))
    table.add_row(Text("ends", "dim"), _ends(certificate, spec, result))
    if certificate.fingerprint:
        kept = (certificate.key, certificate.signature, f"SHA-256 {certificate.fingerprint}")
        table.add_row(Text("made", "dim"), Text(", ".join(filter(None, kept)), "dim"))
    return table


def _names(certificate: Certificate) -> str:
    shown = [visible(name) for name in certificate.names[:NAMES_SHOWN]]
    more = len(certificate.names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _ends(certificate: Certificate, spec: CheckSpec, result: Result) -> Text:
    left = certificate.not_after - result.started_at
    day = rfc3339(certificate.not_after)[:10]
    if left < 0:
        return Text(f"{day}, {in_words(-left)} ago", "bold red")
    soon = ends_soon(spec.route.tls, Ending("", certificate.not_before, certificate.not_after), result.started_at)
    return Text(f"{day}, in {in_words(left)}", "yellow" if soon else "")
