"""Reports and incidents as tables on a terminal; stacked where it is too narrow."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from monitor.rules.state import seconds
from monitor.secrets.visible import visible
from monitor.stats.availability import percent

_NARROW = 90
"""Columns; on less a table of figures would be cut."""
_FIGURES = ("available", "known", "incidents", "down", "longest", "mean repair", "p50", "p95", "p99")


def report(document: dict[str, Any], width: int) -> RenderableType:
    """A report: a line for each check and one for all."""
    head = Text(
        f"{document['from'][:16].replace('T', ' ')} to {document['to'][:16].replace('T', ' ')} UTC", style="dim"
    )
    rows = [*document["checks"], document["total"]]
    figures = _FIGURES if width >= _NARROW else _FIGURES[:4]
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("check", overflow="fold", ratio=1 if width < _NARROW else None)
    for name in figures:
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        style = "bold" if row is document["total"] else ""
        table.add_row(visible(row.get("title") or row["name"]), *_cells(row)[: len(figures)], style=style)
    return Group(head, Text(), table)


def _cells(row: dict[str, Any]) -> list[str]:
    ongoing = f" ({row['ongoing']} lasting)" if row["ongoing"] else ""
    return [
        percent(row["availability"]),
        percent(row["coverage"]),
        f"{row['incidents']}{ongoing}",
        lasted(row["downtime_seconds"]),
        lasted(row["longest_seconds"]),
        lasted(row["mttr_seconds"]),
        *("–" if row[name] is None else seconds(row[name]) for name in ("p50_seconds", "p95_seconds", "p99_seconds")),
    ]


def incidents(found: Iterable[dict[str, Any]]) -> RenderableType:
    """A line or two for each incident, newest first."""
    lines: list[RenderableType] = []
    for one in found:
        ended = one["ended_at"]
        when = f"{_minute(one['started_at'])} – {_minute(ended) if ended else 'now'}"
        head = Text.assemble(
            ("● " if ended else "▼ ", "" if ended else "bold red"),
            (visible(one.get("title") or one["check"]), "bold"),
            f"  {when}  {lasted(one['duration_seconds'])}  ",
            (one["id"], "dim"),
        )
        said = one["acknowledged"]
        care = f" ✓ {visible(said['by'])}: {visible(said['note'])}" if said else ""
        lines += [head, Text(f"  {visible(one['detail'])} ({one['reason']}){care}", overflow="fold")]
    return Group(*lines) if lines else Text("no incidents")


def _minute(text: str) -> str:
    at = datetime.fromisoformat(text).astimezone(UTC)
    return f"{at:%-d %b %H:%M}"


def lasted(value: float | None) -> str:
    """A stretch of time, to the second or minute."""
    if value is None:
        return "–"
    whole = int(value)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    return (
        f"{whole // 3600} h {whole % 3600 // 60} min"
        if whole < 86400
        else f"{whole // 86400} d {whole % 86400 // 3600} h"
    )
