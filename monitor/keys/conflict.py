"""Keys that are right on their own and wrong together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from monitor.keys.finding import Finding, has, related
from monitor.keys.shape import Path
from monitor.secrets.secret import Text, reveal

_URL = (("url",),)


@dataclass(frozen=True, slots=True)
class Conflict:
    """Keys that contradict each other, the likeliest culprit first."""

    keys: tuple[Path, ...]
    message: str
    suggestion: str | None = None

    def blamed(self, own: dict[str, Any], doubtful: list[Path]) -> Finding | None:
        """The finding at the first key that the table itself states.

        None if it states none, for then they stand in [defaults] and are found there; None too if a key among them
        is wrong by itself, for then nobody knows what it was meant to say.
        """
        if any(related(key, path) for key in self.keys for path in doubtful):
            return None
        return next((Finding(key, self.message, self.suggestion) for key in self.keys if has(own, key)), None)


def place_conflicts(url: Text | None, port: int | None = None) -> Iterator[Conflict]:
    """Yields the parts that a URL of a host and a port must not have; without a default `port` it must name one."""
    if url is None:
        return
    parts = urlsplit(reveal(url))
    example = f"{parts.scheme}://{'HOST' if port else 'HOST:PORT'}"
    if parts.port is None and port is None:
        yield Conflict(_URL, "the URL has no port, and there is no default one", f"write {example}")
    if parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc:
        yield Conflict(_URL, "the URL has more than a host and a port", f"write {example}")
