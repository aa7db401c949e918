"""The last results as a strip of bars: height is latency, a cross is a failure, hollow or hatched is not known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from statistics import median
from typing import NamedTuple

from markupsafe import Markup, escape

from monitor.outcome import Outcome, Result
from monitor.web.wording import latency

HEIGHT = 16
_PITCH = 5
_GAP_AFTER_INTERVALS = 2.5
"""A pause between two runs longer than this is one in which nobody looked."""


class Kind(Enum):
    """What stands at one place of the strip."""

    FINE = "fine"
    SLOW = "slow"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    GAP = "gap"


class Mark(NamedTuple):
    """One place of the strip; `height` is in pixels."""

    kind: Kind
    height: float = HEIGHT


def strip(recent: Sequence[Result], interval: float, slow: float | None, places: int) -> Markup:
    """The newest results, oldest first, at the right end of so many places; `recent` is newest first.

    Marks of one kind share one `<path>`: a thousand strips stay small.
    """
    marks = _marks(recent, interval, slow)[:places]
    width = places * _PITCH
    paths = "".join(_path(kind, marks, width) for kind in Kind)
    size = f'viewBox="0 0 {width} {HEIGHT}" width="{width}" height="{HEIGHT}" preserveAspectRatio="xMinYMid"'
    drawn = f'<svg class="strip" role="img" {size} aria-label="{escape(described(recent))}">{paths}</svg>'
    return Markup(drawn)  # noqa: S704  numbers and words of ours only


def described(recent: Sequence[Result]) -> str:
    """The strip in words, for those who do not see it, and for the mouse."""
    if not recent:
        return "no results yet"
    failed = sum(r.failed for r in recent)
    uncertain = sum(not r.conclusive for r in recent)
    took = [r.duration for r in recent if _succeeded(r) and r.duration is not None]
    said = [f"last {len(recent)} results: {failed} failed"]
    if uncertain:
        said.append(f"{uncertain} inconclusive")
    if took:
        said.append(f"{latency(min(took))} to {latency(max(took))}")
    return ", ".join(said)


def _marks(recent: Sequence[Result], interval: float, slow: float | None) -> list[Mark]:
    """Newest first, with a gap wherever nobody looked."""
    highest = _scale([r.duration or 0.0 for r in recent if _succeeded(r)])
    marks: list[Mark] = []
    later: Result | None = None
    for result in recent:
        if later and later.started_at - result.started_at > (_GAP_AFTER_INTERVALS * interval):
            marks.append(Mark(Kind.GAP))
        marks.append(_mark(result, highest, slow))
        later = result
    return marks


def _scale(took: list[float]) -> float:
    """The latency that is drawn at full height; steady ones are drawn at half, so that a full bar means something."""
    return max(*took, 2 * median(took)) or 1.0 if took else 1.0


def _mark(result: Result, highest: float, slow: float | None) -> Mark:
    if result.failed:
        return Mark(Kind.FAILED)
    if not result.conclusive:
        return Mark(Kind.UNCERTAIN, HEIGHT / 2)
    took = result.duration or 0.0
    kind = Kind.SLOW if slow is not None and took > slow else Kind.FINE
    return Mark(kind, max(round(took / highest * (HEIGHT - 2)), 2))


def _succeeded(result: Result) -> bool:
    return result.outcome is Outcome.SUCCESS


def _path(kind: Kind, marks: Iterable[Mark], width: int) -> str:
    drawn = "".join(_draw(mark, width - _PITCH * (place + 1)) for place, mark in enumerate(marks) if mark.kind is kind)
    if not drawn:
        return ""
    fill = ' fill="url(#hatch)"' if kind is Kind.GAP else ""
    return f'<path class="{kind.value}"{fill} d="{drawn}"/>'


def _draw(mark: Mark, x: int) -> str:
    if mark.kind is Kind.FAILED:
        return f"M{x + 0.5} 10l3 5m0-5l-3 5"
    if mark.kind is Kind.UNCERTAIN:
        return f"M{x + 0.5} {HEIGHT - 0.5}v-{mark.height:g}h3v{mark.height:g}z"
    return f"M{x} {HEIGHT}v-{mark.height:g}h4v{mark.height:g}z"
