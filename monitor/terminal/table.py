"""The results of several checks as a table, failures first; stacked where the terminal is too narrow for one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from monitor.model.outcome import State
from monitor.model.result import Result
from monitor.model.spec import CheckSpec
from monitor.protocols.registry import facts_of
from monitor.rules.state import seconds
from monitor.secrets.visible import visible
from monitor.terminal.console import SHAPES, STYLES, slow, state_of, verdict

Ended = tuple[CheckSpec, Result]
"""A check and what its run found."""

URGENCY = (State.DOWN, State.UNKNOWN, State.DEGRADED, State.UP)

_GAP = 2
_READABLE = 32
"""A detail column narrower than this is a tower of words."""
_COMFORTABLE = 48
"""Columns that the detail gets before figures are shown; the detail contains the figures too."""


class Row(NamedTuple):
    """One check, in words."""

    state: State
    name: str
    reason: str
    detail: str
    duration: str
    status: str

    @property
    def verdict(self) -> Text:
        """The state with its shape."""
        return verdict(self.state, self.state.value)


def results(ended: Iterable[Ended], width: int) -> RenderableType:
    """All results and their count, laid out for a width in columns."""
    rows = sorted(map(_row, ended), key=lambda row: URGENCY.index(row.state))
    return Group(_laid_out(rows, width), Text(), _count(rows))


def _row(ended: Ended) -> Row:
    spec, result = ended
    return Row(
        state=state_of(spec, result),
        name=visible(spec.display_name),
        reason=result.reason.value,
        detail=visible(slow(spec, result) or result.detail),
        duration="–" if result.duration is None else seconds(result.duration),
        status=facts_of(result.answer).status,
    )


def _laid_out(rows: Sequence[Row], width: int) -> RenderableType:
    for numbers, detail in ((("duration", "status"), _COMFORTABLE), (("duration",), _COMFORTABLE), ((), _READABLE)):
        if _needed(rows, numbers, detail) <= width:
            return _table(rows, numbers)
    return Group(*map(_stacked, rows))


def _needed(rows: Sequence[Row], numbers: tuple[str, ...], detail: int) -> int:
    """Returns the width of a table with these numbers and at most `detail` columns for the detail."""
    whole = ("name", "reason", *numbers)
    widths = [max(len(column), *(cell_len(getattr(row, column)) for row in rows)) for column in whole]
    state = max(len(row.verdict) for row in rows)
    return state + sum(widths) + min(detail, max(len(row.detail) for row in rows)) + _GAP * (len(whole) + 1)


def _table(rows: Sequence[Row], numbers: tuple[str, ...]) -> Table:
    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="dim")
    for column in ("state", "name", "reason"):
        table.add_column(column, no_wrap=True)
    table.add_column("detail", min_width=min(_READABLE, max(len(r.detail) for r in rows)))
    for column in numbers:
        table.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        figures = (Text(getattr(row, column)) for column in numbers)
        table.add_row(row.verdict, *_words(row), *figures)
    return table


def _words(row: Row) -> tuple[Text, Text, Text]:
    quiet = "dim" if row.state is State.UP else ""
    return Text(row.name), Text(row.reason, quiet), Text(row.detail, quiet)


def _stacked(row: Row) -> RenderableType:
    head = Text.assemble(row.verdict, "  ", row.name, overflow="fold")
    if row.state is State.UP:
        return head.append(f"  {row.duration}", "dim")
    why = row.detail if row.state is State.DEGRADED else f"{row.reason}: {row.detail}"
    below = Text(why, overflow="fold")
    return Group(head, Padding(below, (0, 0, 0, _GAP)))


def _count(rows: Sequence[Row]) -> Text:
    counted = Counter(row.state for row in rows)
    parts = [
        Text(f"{SHAPES[state]} {counted[state]} {state.value}", STYLES[state]) for state in URGENCY if counted[state]
    ]
    return Text("   ").join(parts)
