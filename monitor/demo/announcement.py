"""Prints the demo's text when it is ready: the expected result of each check, and the page's address."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from monitor.demo.example import Example
from monitor.model.outcome import State
from monitor.terminal.console import SHAPES, verdict

_WIDTHS = (15, 22, 29)
"""Columns of what stands before the description, the same in every group where the terminal has room for them."""
_BEFORE = sum(_WIDTHS) + 2 * len(_WIDTHS)
_READABLE = 32
"""A description in fewer columns is a tower of words."""


def announced(examples: Sequence[Example], address: str, config: Path, width: int) -> RenderableType:
    """The table and the addresses; the page's comes last, where it is still seen after a long table.

    Where `width` leaves no room for them, the descriptions are left out; the page has them.
    """
    return Group(
        Text("What each check will show, within half a minute:"),
        *(Group(Text(), _table(group, list(found), width)) for group, found in groupby(examples, lambda e: e.group)),
        Text(),
        Text(f"The checks  {config}"),
        Text.assemble("The page    ", (f"http://{address}/status", "bold"), "    Ctrl-C ends everything."),
    )


def _table(group: str, examples: Sequence[Example], room: int) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False, title=group, title_justify="left")
    table.title_style = "bold"
    for width in _WIDTHS:
        table.add_column(min_width=width if room >= _BEFORE else None, overflow="fold")
    for example in examples:
        reason = example.reason.value if example.reason else "no result yet"
        said = [Text(example.description)] if room >= _BEFORE + _READABLE else []
        table.add_row(Text(example.name), _states(example.states), Text(reason), *said)
    return table


def _states(states: Sequence[State]) -> Text:
    """«▼ down», «● up → ▼ down», and for what goes on changing «● ▼ ● flapping»."""
    if len(states) > 2:
        return Text(f"{' '.join(SHAPES[state] for state in states)} flapping", "yellow")
    return Text(" → ").join(verdict(state, state.value) for state in states)
