"""Keys that are right on their own and wrong together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from monitor.keys.finding import Finding, has, related
from monitor.keys.shape import Path


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
