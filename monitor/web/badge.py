"""Draws a badge: a label, followed by a state with its shape, or by a figure."""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

from markupsafe import escape

from monitor.model.outcome import State
from monitor.secrets.visible import legible
from monitor.web.xml import xml_text

_HEIGHT = 20
_SIZE = 11
"""Pixels of the font."""
_PAD = 6
_SHAPE = 16
"""The width of the shape and the gap behind it."""
_GROUND = "#2b3138"
_NEUTRAL = "#59626d"
_COLOURS = {State.UP: "#197a3a", State.DEGRADED: "#8a5600", State.DOWN: "#c8141e", State.MAINTENANCE: "#1259b0"}
_SHAPES = {
    State.UP: '<circle cx="5" cy="5" r="4" fill="#fff"/>',
    State.DEGRADED: '<path d="M5 .3 9.7 5 5 9.7.3 5z" fill="#fff"/>',
    State.DOWN: '<path d="M.4 1h9.2L5 9.4z" fill="#fff"/>',
    State.UNKNOWN: '<circle cx="5" cy="5" r="3.7" fill="none" stroke="#fff" stroke-width="1.6"/>',
    State.MAINTENANCE: '<path d="M5 1 9 5 5 9 1 5z" fill="none" stroke="#fff" stroke-width="1.6"/>',
    State.PAUSED: '<path d="M1.4 1h2.4v8H1.4zM6.2 1h2.4v8H6.2z" fill="#fff"/>',
}
_WIDTHS = (
    32, 40, 46, 84, 64, 95, 78, 27, 39, 39, 50, 84, 32, 36, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 34, 34, 84,
    84, 84, 53, 100, 68, 69, 70, 77, 63, 58, 77, 75, 29, 29, 66, 56, 86, 75, 79, 60, 79, 69, 63, 61, 73, 68, 99, 69, 61,
    69, 39, 34, 39, 84, 50, 50, 61, 63, 55, 63, 62, 35, 63, 63, 28, 28, 58, 28, 97, 63, 61, 63, 63, 41, 52, 39, 63, 59,
    82, 59, 59, 52, 64, 34, 64, 84,
)  # fmt: skip
"""Hundredths of the font's size that DejaVu Sans, which is as wide as Verdana, needs for each character of ASCII."""
_OTHER = 66
"""The average for other characters; `textLength` fits the text to the real font."""


class Badge(NamedTuple):
    """The content of a badge; it has the colour and shape of its state, or is grey without one."""

    label: str
    value: str
    state: State | None = None


def badge_svg(badge: Badge) -> str:
    """The badge as SVG, without styles and scripts, so that it works wherever an image does."""
    label, value = xml_text(legible(badge.label)), xml_text(badge.value)
    shape = _SHAPES.get(badge.state, "") if badge.state else ""
    left, beside = text_width(label), text_width(value)
    middle = left + 2 * _PAD
    begin = middle + _PAD + (_SHAPE if shape else 0)
    width = begin + beside + _PAD
    colour = _COLOURS.get(badge.state, _NEUTRAL) if badge.state else _NEUTRAL
    told = escape(f"{label}: {value}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{_HEIGHT}" role="img" aria-label="{told}">'
        f"<title>{told}</title>"
        f'<path fill="{_GROUND}" d="M3 0H{middle}V{_HEIGHT}H3a3 3 0 0 1-3-3V3a3 3 0 0 1 3-3z"/>'
        f'<path fill="{colour}" d="M{middle} 0H{width - 3}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3H{middle}z"/>'
        + (f'<g transform="translate({middle + _PAD} 5)">{shape}</g>' if shape else "")
        + f'<g fill="#fff" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="{_SIZE}">'
        + _text(label, _PAD, left)
        + _text(value, begin, beside)
        + "</g></svg>\n"
    )


def _text(text: str, x: int, width: int) -> str:
    if not text:
        return ""
    return f'<text x="{x}" y="14" textLength="{width}" lengthAdjust="spacingAndGlyphs">{escape(text)}</text>'


def text_width(text: str) -> int:
    """Returns the approximate width of a text, in pixels."""
    return round(sum(map(_width, text)) * _SIZE / 100)


def _width(character: str) -> int:
    bare = unicodedata.normalize("NFD", character)[0]  # a letter with an accent is as wide as without it
    if " " <= bare <= "~":
        return _WIDTHS[ord(bare) - 32]
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):  # drawn over the one before
        return 0
    return 100 if unicodedata.east_asian_width(character) in "WF" else _OTHER
