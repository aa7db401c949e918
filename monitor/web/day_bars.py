"""Ninety days as bars: full and plain is a good day, broken at its top a day with an outage, hatched is not known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

from monitor.stats.availability import percent
from monitor.stats.windows import DAY
from monitor.web.public_view import Day
from monitor.web.public_words import date, outages
from monitor.web.wording import span

HEIGHT = 24
_PITCH, _WIDTH = 5, 4
_GAP = 2
_WHOLE = 0.9
"""Share of a day from which it is drawn as fully known: readers need not see a short restart of the monitor."""
_SLOW = 0.1
"""The share of the known time from which on a day was a slow one."""
_SLOW_HEIGHT = HEIGHT * 2 // 3
_CAPS = ((600, 7), (3600, 11), (6 * 3600, 16))
"""Pairs: outage shorter than this (seconds), height of the bar's red part in pixels; longer outages fill the bar."""
_EMPTY = 8
"""The height of a day that was all maintenance."""


class Part(NamedTuple):
    """One rectangle of a bar; `bottom` and `height` are in pixels."""

    kind: str
    bottom: float
    height: float


def day_bars(days: Sequence[Day], availability: float | None, now: float) -> Markup:
    """The days, oldest first; parts of one kind share one `<path>`, but those of a day with an outage say which."""
    width = len(days) * _PITCH - (_PITCH - _WIDTH)
    paths: dict[str, list[str]] = {"gap": [], "maintenance": [], "up": [], "slow": []}
    broken = []
    for number, day in enumerate(days):
        for part in parts(day, now):
            drawn = _draw(part, number * _PITCH)
            if part.kind == "down":
                note = f"{date(day.start)}: down for {span(day.down)}"
                broken.append(f'<path class="down" d="{drawn}"><title>{note}</title></path>')
            else:
                paths[part.kind].append(drawn)
    drawn_paths = "".join(_path(kind, drawings) for kind, drawings in paths.items() if drawings)
    size = f'viewBox="0 0 {width} {HEIGHT}" width="{width}" height="{HEIGHT}"'
    known = sum(day.known > 0 for day in days)
    label = escape(
        f"{percent(availability)} up in the last {len(days)} days, of which {known} are known; {outages(days)}"
    )
    drawn = f'<svg class="days" role="img" {size} aria-label="{label}">{drawn_paths}{"".join(broken)}</svg>'
    return Markup(drawn)  # noqa: S704  only numbers and words of this module


def parts(day: Day, now: float) -> Iterator[Part]:
    """Yields the parts of one bar: filled from below for the share of the day that is known, hatched above."""
    asked = min(DAY, now - day.start) - day.maintenance - day.paused
    if day.known <= 0:
        yield Part("maintenance", 0, _EMPTY) if day.maintenance > 0 else Part("gap", 0, HEIGHT)
        return
    filled = HEIGHT if day.known >= _WHOLE * asked else max(round(HEIGHT * day.known / asked), 4)
    yield from _filled(day, filled)
    if filled < HEIGHT - _GAP:
        yield Part("gap", filled + _GAP, HEIGHT - filled - _GAP)


def _filled(day: Day, height: float) -> Iterator[Part]:
    if day.down >= 1:
        cap = min(next((tall for limit, tall in _CAPS if day.down < limit), HEIGHT), height)
        if cap + _GAP < height:
            yield Part("up", 0, height - cap - _GAP)
        yield Part("down", height - cap, cap)
    elif day.degraded >= _SLOW * day.known:
        yield Part("slow", 0, min(_SLOW_HEIGHT, height))
    else:
        yield Part("up", 0, height)


def _path(kind: str, drawings: Sequence[str]) -> str:
    fill = ' fill="url(#hatch)"' if kind == "gap" else ""
    return f'<path class="{kind}"{fill} d="{"".join(drawings)}"/>'


def _draw(part: Part, x: int) -> str:
    y = HEIGHT - part.bottom
    if part.kind == "maintenance":  # hollow
        return f"M{x + 0.5} {y - 0.5}v-{part.height - 1:g}h{_WIDTH - 1}v{part.height - 1:g}z"
    return f"M{x} {y:g}v-{part.height:g}h{_WIDTH}v{part.height:g}z"
