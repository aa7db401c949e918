"""The last day as a bar of ninety slots: height is latency, and every state has its own form beside its colour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

from monitor.stats.availability import percent
from monitor.stats.windows import Slot

PITCH, HEIGHT = 3, 16
_HIGHEST = 11
"""Pixels of the highest slot without downtime; slots with downtime are higher."""


class SlotPaths(NamedTuple):
    """The kinds of slots, each as one path."""

    fine: str = ""
    slow: str = ""
    failed: str = ""
    planned: str = ""
    gap: str = ""


def bar(slots: Sequence[Slot]) -> Markup:
    """The slots, oldest first."""
    width = len(slots) * PITCH
    drawn = _drawn(slots)
    paths = "".join(
        f'<path class="{kind}" d="{path}"/>' for kind, path in zip(drawn._fields, drawn, strict=True) if path
    )
    size = f'viewBox="0 0 {width} {HEIGHT}" width="{width}" height="{HEIGHT}"'
    return Markup(  # noqa: S704  only numbers and words of this module
        f'<svg class="slots" role="img" {size} aria-label="{escape(described(slots))}">{paths}</svg>'
    )


def described(slots: Sequence[Slot]) -> str:
    """The same in words."""
    known, down = sum(slot.known for slot in slots), sum(slot.down for slot in slots)
    if not known:
        return "last 24 hours: nothing known yet"
    troubled = sum(slot.down > 0 for slot in slots)
    said = f"last 24 hours: {percent((known - down) / known)} available"
    return f"{said}, down in {troubled} of {len(slots)} slots" if troubled else said


def _drawn(slots: Sequence[Slot]) -> SlotPaths:
    highest = max((slot.latency for slot in slots if slot.latency is not None), default=0.0)
    paths: dict[str, list[str]] = {kind: [] for kind in SlotPaths._fields}
    for place, slot in enumerate(slots):
        kind = kind_of(slot)
        paths[kind].append(_path(kind, place * PITCH, slot.latency, highest))
    return SlotPaths(*("".join(pieces) for pieces in paths.values()))


def kind_of(slot: Slot) -> str:
    """Returns the class of a slot: the worst state that is known of it."""
    if slot.down > 0:
        return "failed"
    if slot.degraded > slot.up:
        return "slow"
    if slot.maintenance > slot.known:
        return "planned"
    return "fine" if slot.known > 0 else "gap"


def _path(kind: str, x: int, latency: float | None, highest: float) -> str:
    if kind == "failed":
        return f"M{x} 0h2v{HEIGHT}h-2z"
    if kind == "planned":
        return f"M{x} 6h3v4h-3z"
    if kind == "gap":
        return f"M{x} {HEIGHT}v-2h1v2z"
    height = max(2, round((latency or 0.0) / highest * _HIGHEST)) if highest else 2
    return f"M{x} {HEIGHT}v-{height}h2v{height}z"
