"""The figures as a table: for a terminal, and as Markdown to keep."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tests.bench.figures import Figure, Row

COLUMNS = ("what", "aim", "measured", "aim met", "remarks")
_AT_THE_RIGHT = {"aim", "measured"}

_BEGIN, _END = "<!-- table -->\n", "<!-- end of the table -->\n"

Measured = tuple[Row, list[Figure]]


def cells(figure: Figure) -> list[str]:
    """One line of the table."""
    return [figure.what, figure.aim, figure.shown, figure.verdict, figure.remark]


def show(rows: Sequence[Measured], machine: str, console: Console) -> None:
    """Print the table."""
    table = Table(title="What the issue aims at, and what was measured", caption=machine)
    for name in COLUMNS:
        table.add_column(name, justify="right" if name in _AT_THE_RIGHT else "left")
    for row, figures in rows:
        table.add_section()
        table.add_row(f"[bold]{row.title}[/bold]")
        for figure in figures:
            table.add_row(*map(escape, cells(figure)))
    console.print(table)


def markdown(rows: Sequence[Measured], machine: str) -> str:
    """The table and the machine it is from, as Markdown."""
    rule = ["---:" if name in _AT_THE_RIGHT else "---" for name in COLUMNS]
    lines = [list(COLUMNS), rule]
    for row, figures in rows:
        lines += [[f"**{row.title}**", "", "", "", ""], *map(cells, figures)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + f"\n\n{machine}\n"


def write(path: Path, table: str) -> None:
    """Keep the table in a file; if that marks where its table is, the rest of it stays."""
    text = path.read_text() if path.exists() else ""
    before, found, rest = text.partition(_BEGIN)
    _, ended, after = rest.partition(_END)
    path.write_text(f"{before}{found}{table}{ended}{after}" if found and ended else table)
