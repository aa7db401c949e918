"""Makes what cannot be seen visible: control, direction and zero-width characters in text that came from elsewhere."""

from __future__ import annotations

import re

_BLANKS = frozenset(" \u00a0\u1680\u202f\u205f\u3000") | {chr(n) for n in range(0x2000, 0x200B)}
_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0\U000e0100-\U000e01ef]")
"""Characters that Python takes for printable and that show as nothing."""


_WRITTEN = "\n\r\t\f\u200c\u200d"


def visible(text: str, keep: str = "") -> str:
    r"""The text with everything that shows as nothing, or moves what is shown, spelled out as in `\u202e`."""
    if text.isprintable() and _UNSEEN.search(text) is None:
        return text
    return "".join(c if _is_seen(c) or c in keep else ascii(c)[1:-1] for c in text)


def _is_seen(character: str) -> bool:
    return character in _BLANKS or (character.isprintable() and _UNSEEN.match(character) is None)


def legible(text: str) -> str:
    """Text that a person wrote, made visible; line ends stay, and the joiners that Persian, Hindi and emoji need."""
    return visible(text, _WRITTEN)
