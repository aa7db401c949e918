"""Charts of one check: availability as bars, latency as lines; functions of figures, drawn on the server as SVG.

A chart is stretched to the width that there is, so all text of it stands outside, in HTML.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup, escape

from monitor.model.clock import utc
from monitor.model.incident import Incident
from monitor.rules.state import seconds
from monitor.stats.availability import percent
from monitor.stats.rollups import Stretch
from monitor.stats.tally import Tally, total

WIDTH, HEIGHT = 900, 120
BARS_HEIGHT = 34
_DAY = 86400
_SPREAD = 12
"""Longest latency divided by the shortest; above this ratio the scale is logarithmic, to keep both readable."""
_SHARES = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
_TICKS = 5


@dataclass(frozen=True, slots=True)
class Range:
    """The range of a chart: its names, and how many slots of how many seconds it has."""

    name: str
    words: str
    step: int
    slots: int

    def start(self, now: float) -> int:
        """Returns the time at which the first slot begins, in Unix seconds; the last slot holds `now`."""
        return (int(now // self.step) - self.slots + 1) * self.step


RANGES = (
    Range("24h", "24 h", 960, 90),
    Range("7d", "7 d", 7200, 84),
    Range("30d", "30 d", 28800, 90),
    Range("90d", "90 d", _DAY, 90),
)


class Axis(NamedTuple):
    """The time of a chart: its range, which ends now (Unix seconds)."""

    range: Range
    now: float

    def starts(self, place: int) -> int:
        """Returns the time at which a slot begins."""
        return self.range.start(self.now) + place * self.range.step

    def x(self, at: float) -> float:
        """Returns the horizontal position of a time."""
        return (at - self.starts(0)) / (self.range.step * self.range.slots) * WIDTH


@dataclass(frozen=True, slots=True)
class Scale:
    """The vertical scale of a chart, from `low` at the bottom to `high` at the top, in seconds."""

    low: float
    high: float
    logarithmic: bool

    def y(self, value: float) -> float:
        """The distance from the top."""
        if self.logarithmic:
            share = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return round(HEIGHT * (1 - min(max(share, 0.0), 1.0)), 1)

    @property
    def labels(self) -> list[str]:
        """The labels of the scale: at its top, middle and bottom."""
        middle = math.sqrt(self.low * self.high) if self.logarithmic else (self.low + self.high) / 2
        return [seconds(self.high), seconds(middle), seconds(self.low) if self.low else "0"]


def laid_out(stretches: Iterable[Stretch], of: Range, now: float) -> list[Tally | None]:
    """The tally of every slot, None where nothing is known; finer or coarser stretches are put where they begin."""
    start = of.start(now)
    slots: list[Tally | None] = [None] * of.slots
    for one in stretches:
        place = int((one.start - start) // of.step)
        if 0 <= place < of.slots:
            slots[place] = _both(slots[place], one.tally)
    return slots


def _both(one: Tally | None, other: Tally) -> Tally:
    return total([tally for tally in (one, other) if tally is not None])


def availability_bars(slots: Sequence[Tally | None], axis: Axis) -> Markup:
    """A bar for each slot: what part of its known time was good, from the bottom, the rest of it red from the top."""
    drawn = "".join(_slot(tally, place, axis) for place, tally in enumerate(slots))
    known = sum(tally.known for tally in slots if tally)
    down = sum(tally.down for tally in slots if tally)
    said = f"availability over {axis.range.words}: {percent((known - down) / known) if known else 'nothing known yet'}"
    return _svg("availability", BARS_HEIGHT, said, drawn)


def _slot(tally: Tally | None, place: int, axis: Axis) -> str:
    title = f"<title>{escape(described(tally, axis.range, axis.starts(place)))}</title>"
    pitch = WIDTH / axis.range.slots
    return f"<g>{title}{''.join(_pieces(tally, round(place * pitch + 0.5, 1), round(pitch - 1, 1)))}</g>"


def _pieces(tally: Tally | None, x: float, width: float) -> Iterator[str]:
    """The rectangles of one slot; the whole of it takes the mouse."""
    if tally is None or not (tally.known or tally.maintenance or tally.paused):
        yield _rectangle("gap", x, width, 0, BARS_HEIGHT)
        return
    if tally.maintenance + tally.paused > tally.known:
        yield _rectangle("room", x, width, 0, BARS_HEIGHT)
        kind = "planned" if tally.maintenance >= tally.paused else "off"
        yield _rectangle(kind, x, width, BARS_HEIGHT / 2 - 4, 8)
        return
    down = tally.down / tally.known
    high = 0.0 if not down else max(4.0, round(down * BARS_HEIGHT, 1))
    kind = "slow" if tally.degraded > tally.up else "fine"
    yield _rectangle(kind, x, width, high, round(BARS_HEIGHT - high, 1))
    if high:
        yield _rectangle("failed", x, width, 0, high)


def _rectangle(kind: str, x: float, width: float, y: float, height: float) -> str:
    return f'<rect class="{kind}" x="{x:g}" width="{width:g}" y="{y:g}" height="{height:g}"/>'


def described(tally: Tally | None, of: Range, start: int) -> str:
    """A slot in words: «10 Nov 14:00, 99.21 % available, 100 % known, 3 of 90 runs failed»."""
    began = utc(start)
    when = f"{began:%-d %b}" if of.step >= _DAY else f"{began:%-d %b %H:%M}"
    if tally is None:
        return f"{when}: nothing known"
    said = [f"{when}: {percent(tally.availability)} available, {percent(tally.coverage(of.step))} known"]
    if tally.failures:
        said.append(f"{tally.failures} of {tally.runs} runs failed")
    if tally.maintenance:
        said.append("planned maintenance")
    if (median := tally.percentile(0.5)) is not None:
        said.append(f"half within {seconds(median)}")
    return ", ".join(said)


def scale_of(slots: Sequence[Tally | None], limit: float | None) -> Scale | None:
    """A scale on which every latency can be read, and the limit, if there is one; None if none is known."""
    lows = [low for tally in slots if tally and (low := tally.percentile(0.5)) is not None]
    highs = [high for tally in slots if tally and (high := tally.percentile(0.99)) is not None]
    if not highs:
        return None
    high = _ceiling(max(highs))
    if limit is not None and limit <= 4 * high:
        high = max(high, _ceiling(limit))
    low = _floor(min(lows))
    spread = high / max(low, 1e-5) > _SPREAD
    return Scale(low if spread else 0.0, high, spread)


_NICE = [step * 10.0**power for power in range(-4, 6) for step in (1, 2, 5)]
"""Durations in seconds that are good to read on a scale."""


def _ceiling(value: float) -> float:
    """The next nice one that is not below."""
    return next((nice for nice in _NICE if nice >= value * (1 - 1e-9)), _NICE[-1])


def _floor(value: float) -> float:
    return next((nice for nice in reversed(_NICE) if nice <= value * (1 + 1e-9)), _NICE[0])


def latency_lines(
    slots: Sequence[Tally | None], axis: Axis, scale: Scale, incidents: Iterable[Incident], limit: float | None
) -> Markup:
    """The percentiles of each slot as lines, interrupted where nothing is known; incidents are bands behind them."""
    bands = "".join(_band(one, axis) for one in incidents)
    grid = "".join(f'<path class="grid" d="M0 {y:g}H{WIDTH}"/>' for y in (0.5, HEIGHT / 2, HEIGHT - 0.5))
    line = ""
    if limit is not None and scale.low < limit <= scale.high:
        line = f'<path class="limit" d="M0 {scale.y(limit):g}H{WIDTH}"/>'
    pitch = WIDTH / len(slots)
    lines = "".join(f'<path class="{name}" d="{_line(slots, share, scale, pitch)}"/>' for name, share in _SHARES)
    return _svg("latency", HEIGHT, _latency_words(slots, axis.range), bands + grid + line + lines)


def _band(one: Incident, axis: Axis) -> str:
    left = max(0.0, axis.x(one.started_at))
    right = min(float(WIDTH), axis.x(one.ended_at or axis.now))
    if right < 0 or left > WIDTH:
        return ""
    return _rectangle("incident", round(left, 1), round(max(right - left, 1.5), 1), 0, HEIGHT)


def _line(slots: Sequence[Tally | None], share: float, scale: Scale, pitch: float) -> str:
    path, pen = [], "M"
    for number, tally in enumerate(slots):
        value = tally.percentile(share) if tally else None
        if value is None:
            pen = "M"
            continue
        y = scale.y(value)
        path.append(f"{pen}{(number + 0.5) * pitch:.1f} {y:g}" + ("h.01" if pen == "M" else ""))
        pen = "L"
    return "".join(path) or "M0 0"


def _latency_words(slots: Sequence[Tally | None], of: Range) -> str:
    summed = total([tally for tally in slots if tally is not None])
    shares = ((name, summed.percentile(share)) for name, share in _SHARES)
    return f"latency over {of.words}: " + ", ".join(
        f"{n} {seconds(v) if v is not None else 'unknown'}" for n, v in shares
    )


def ticks(axis: Axis) -> list[str]:
    """Returns the labels below a chart, from left to right, at equal distances."""
    length = axis.range.step * axis.range.slots
    times = (utc(axis.starts(0) + length * n / (_TICKS - 1)) for n in range(_TICKS - 1))
    form = "%H:%M" if length <= _DAY else "%-d %b"
    return [*(f"{time:{form}}" for time in times), "now"]


def _svg(kind: str, height: int, said: str, drawn: str) -> Markup:
    box = f'viewBox="0 0 {WIDTH} {height}" preserveAspectRatio="none"'
    return Markup(f'<svg class="chart {kind}" role="img" aria-label="{escape(said)}" {box}>{drawn}</svg>')  # noqa: S704
