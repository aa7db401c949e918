"""The phases of one run as bars on a common time axis, so that the slow or broken one is seen at a glance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from msgspec.structs import astuple
from rich.table import Table
from rich.text import Text

from monitor.model.outcome import Outcome, Reason
from monitor.model.result import PHASE_NAMES, Result
from monitor.protocols.registry import facts_of

BAR_LIMIT = 60
"""Longer bars tell nothing more."""

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_SHORTEST = 8
_ROOMY = 80
"""Columns from which the reason stands at the phase that it broke; below, a cross has to do."""

_MARKED = {
    Reason.DNS_NOT_FOUND: "resolve",
    Reason.DNS_FAILED: "resolve",
    Reason.DNS_TIMEOUT: "resolve",
    Reason.REFUSED: "connect",
    Reason.UNREACHABLE: "connect",
    Reason.ADDRESS_DENIED: "connect",
    Reason.PROXY_FAILED: "connect",
    Reason.CONNECT_TIMEOUT: "connect",
    Reason.TLS_CERTIFICATE_EXPIRED: "tls",
    Reason.TLS_CERTIFICATE_NOT_YET_VALID: "tls",
    Reason.TLS_HOSTNAME_MISMATCH: "tls",
    Reason.TLS_UNTRUSTED: "tls",
    Reason.TLS_HANDSHAKE_FAILED: "tls",
    Reason.ALPN_REFUSED: "tls",
    Reason.TLS_TIMEOUT: "tls",
    Reason.RESPONSE_TIMEOUT: "processing",
    Reason.READ_TIMEOUT: "transfer",
    Reason.BODY_TOO_LARGE: "transfer",
    Reason.INVALID_CONTENT: "transfer",
}


class Bar(NamedTuple):
    """One phase on the axis, in fractions of the whole; None for a phase that was not reached."""

    phase: str
    seconds: float | None
    start: float
    length: float


def broken_phase(result: Result) -> str | None:
    """Returns the phase in which a run broke off; None if HTTP completed, even with a bad answer."""
    if result.reason in _MARKED:
        return _MARKED[result.reason]
    if result.outcome not in (Outcome.CONNECTION_ERROR, Outcome.TIMEOUT):
        return None
    reached = [name for name, value in result.phases.items() if value is not None]
    return reached[-1] if reached else PHASE_NAMES[0]


def waterfall(result: Result, width: int) -> Table:
    """The phases of a result, one a line, for a width in columns."""
    broken = broken_phase(result)
    mark = "" if broken is None else f"× {result.reason}" if width >= _ROOMY else "×"
    room = max(_SHORTEST, min(BAR_LIMIT, width - _beside(result) - len(mark) - 1))
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column()
    for bar in _bars(result):
        table.add_row(*_line(bar, room, mark if bar.phase == broken else ""))
    table.add_row(*_total(result))
    return table


def _beside(result: Result) -> int:
    """Columns before the bars: margin, phases, figures, and the gaps after both."""
    figures = max(len(milliseconds(value or 0.0)) for value in (result.duration, *astuple(result.phases)))
    return 2 + max(map(len, PHASE_NAMES)) + 2 + figures + 2


def _bars(result: Result) -> Iterator[Bar]:
    spent = sum(value or 0.0 for _, value in result.phases.items())
    start = 0.0
    for name, value in result.phases.items():
        length = (value or 0.0) / spent if spent else 0.0
        yield Bar(name, value, start, length)
        start += length


def _line(bar: Bar, room: int, mark: str) -> tuple[Text, Text, Text]:
    style = "bold red" if mark else "dim" if bar.seconds is None else ""
    line = Text(_drawn(bar, room), "red" if mark else "cyan")
    if mark:
        line.append(f" {mark}", style)
    figure = "–" if bar.seconds is None else milliseconds(bar.seconds)
    return Text(f"  {bar.phase}", style), Text(figure, style), line


def _drawn(bar: Bar, room: int) -> str:
    """Blocks in eighths of a column: a phase that took any time at all is seen."""
    start = min(int(bar.start * room), room - 1)
    if bar.seconds is None:
        return " " * start
    eighths = max(1, min(round(bar.length * room * 8), (room - start) * 8))
    full, rest = divmod(eighths, 8)
    return " " * start + _EIGHTHS[8] * full + (_EIGHTHS[rest] if rest else "")


def _total(result: Result) -> tuple[Text, Text, Text]:
    figure = "–" if result.duration is None else milliseconds(result.duration)
    requests = len(facts_of(result.answer).requests)
    note = f"summed over {requests} requests" if requests > 1 else ""
    return Text("  total", "bold"), Text(figure, "bold"), Text(note, "dim")


def milliseconds(value: float) -> str:
    """Seconds as milliseconds with one decimal, so that figures line up: «1,234.5 ms»."""
    return f"{value * 1000:,.1f} ms"
