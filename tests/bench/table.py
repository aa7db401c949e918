"""The figures as a table: for a terminal while they come, and as Markdown to keep."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from rich.console import Console
from rich.table import Table

from tests.bench.loads import Comparison, Sample


def columns(opponent: str) -> list[str]:
    """The heads of the columns."""
    return ["load", "monitor", opponent, "ratio (min–max)", "checks", "memory, MiB"]


def cells(comparison: Comparison) -> list[str]:
    """One line of the table."""
    return [
        comparison.load.title,
        _figure(comparison, comparison.ours),
        _figure(comparison, comparison.theirs),
        _ratio(comparison),
        f"{_runs(comparison.ours)} : {_runs(comparison.theirs)}",
        f"{_memory(comparison.ours)} : {_memory(comparison.theirs)}",
    ]


def show(comparisons: Sequence[Comparison], opponent: str, machine: str, console: Console) -> None:
    """Print the table."""
    head, *others = columns(opponent)
    table = Table(title="CPU per check", caption=machine)
    table.add_column(head)
    for name in others:
        table.add_column(name, justify="right")
    for comparison in comparisons:
        table.add_row(*cells(comparison))
    console.print(table)


def markdown(comparisons: Sequence[Comparison], opponent: str, machine: str) -> str:
    """The table and the machine it is from, as Markdown."""
    head = columns(opponent)
    rule = ["---"] + ["---:"] * (len(head) - 1)
    lines = [head, rule, *map(cells, comparisons)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + f"\n\n{machine}\n"


def _ratio(comparison: Comparison) -> str:
    if comparison.load.idle:  # next to nothing divided by next to nothing
        return "–"
    ratios = comparison.ratios
    return f"{median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"


def _figure(comparison: Comparison, samples: list[Sample]) -> str:
    figure = comparison.typical(samples)
    return f"{figure:.2f} % of a CPU" if comparison.load.idle else f"{figure:.3f} ms"


def _runs(samples: list[Sample]) -> str:
    nothing = sum(s.inconclusive for s in samples)
    return f"{sum(s.runs for s in samples):,}" + (f" (+ {nothing:,} inconclusive)" if nothing else "")


def _memory(samples: list[Sample]) -> str:
    known = [s.mib for s in samples if s.mib is not None]
    return f"{median(known):.0f}" if known else "–"
