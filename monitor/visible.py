"""Makes characters visible that steer a terminal or turn the direction of a text."""

from __future__ import annotations

import re

_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # control characters but tab and the ends of lines
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # the direction of the text (UAX 9)
    "\u2028\u2029\ufff9-\ufffb"  # separators and annotations, which browsers draw as they like
    "\ud800-\udfff"  # halves of surrogate pairs, which no encoding can write
    "\U000e0000-\U000e007f]"  # tags, which nothing draws
)
_PICTURES = 0x2400
"""Where Unicode has pictures of the control characters below 32; that of 127 is U+2421."""


def visible(text: str) -> str:
    """The text with «␛» for an escape and «<U+202E>» for an override of the direction; most texts stay the same."""
    return text if text.isprintable() else _HIDDEN.sub(_picture, text)


def _picture(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 32:
        return chr(_PICTURES + code)
    return "\u2421" if code == 127 else f"<U+{code:04X}>"
