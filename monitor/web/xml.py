"""Text as XML 1.0 may hold it."""

from __future__ import annotations

import re

_NO_CHARACTERS = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_text(text: str) -> str:
    """The text without what no XML document may hold, not even escaped (XML 1.0, 2.2); it is still to be escaped."""
    return _NO_CHARACTERS.sub("\ufffd", text)
