"""Finds the line of a server that a pattern matches, and fills what it captured into other texts."""

from __future__ import annotations

import functools
import re
from collections import deque
from collections.abc import Mapping
from typing import Any

import re2

_LONGEST = 16 * 1024
"""Bytes of one line."""
_MOST = 256 * 1024
"""Bytes received while one line is awaited."""
_KEPT = 4096
"""Bytes of the beginning that are kept: twice as many as are shown, so that no secret is cut in two unseen."""
_AT_ONCE = 200
"""Lines that are matched in one turn of the loop: half a millisecond."""
_REFERENCE = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)\})")
"""References in the form of Go's regexp.Expand, and so of blackbox_exporter: $$, $1, ${1}, ${name}."""


class TooMuchData(Exception):
    """The server says more than is read."""


class Lines:
    """Splits received bytes into lines; reads each byte once."""

    def __init__(self) -> None:
        self.beginning = bytearray()
        """The first bytes that were received."""
        self.last: str | None = None
        """The last whole line that the current step did not expect."""
        self._waiting: deque[bytes] = deque()
        self._rest = bytearray()
        self._received = 0

    @property
    def left(self) -> bool:
        """True if bytes follow the line that was matched last."""
        return bool(self._waiting or self._rest)

    @property
    def unmatched(self) -> bool:
        """True if whole lines were received that no pattern has been tried on."""
        return bool(self._waiting)

    def begin_step(self) -> None:
        """Another line is awaited now."""
        self.last = None
        self._received = 0

    def add(self, data: bytes) -> None:
        """Takes more bytes. Raises TooMuch."""
        self._received += len(data)
        self.beginning += data[: _KEPT - len(self.beginning)]
        if self._received > _MOST:
            raise TooMuchData(f"the server sent more than {_MOST // 1024} KiB")
        *ended, rest = data.split(b"\n")
        if ended:
            ended[0] = bytes(self._rest) + ended[0]
            self._rest.clear()
        self._waiting += ended
        self._rest += rest
        if len(self._rest) > _LONGEST or any(len(line) > _LONGEST for line in ended):
            raise TooMuchData(f"a line of the server is longer than {_LONGEST // 1024} KiB")

    def end(self) -> bool:
        """Takes the end of the connection, which ends the last line too; False if there is no such line."""
        if not self._rest:
            return False
        self._waiting.append(bytes(self._rest))
        self._rest.clear()
        return True

    def match(self, pattern: str) -> dict[str, str] | None:
        """Returns the groups of the first line that matches, by number and name; None if the next lines do not match.

        Only whole lines match: what a pattern captures must not depend on how the bytes fall into packets.
        """
        search = compiled(pattern).search
        for _ in range(min(_AT_ONCE, len(self._waiting))):
            text = self._waiting.popleft().decode("utf-8", "replace").removesuffix("\r")
            if (found := search(text)) is not None:
                self.last = None
                return _groups(found)
            self.last = text
        return None


@functools.lru_cache(maxsize=4096)
def compiled(pattern: str) -> Any:
    """The pattern, ready to search."""
    return re2.compile(pattern)


def filled(template: str, groups: Mapping[str, str]) -> str:
    """The text with its references replaced by groups; one that no pattern has is empty, as in blackbox_exporter."""
    return _REFERENCE.sub(lambda m: m[1] or groups.get(m[2] or m[3], ""), template)


def _groups(found: Any) -> dict[str, str]:
    numbered = {str(n): found.group(n) or "" for n in range(found.re.groups + 1)}
    return numbered | {name: found.group(n) or "" for name, n in found.re.groupindex.items()}
