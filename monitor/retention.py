"""Where the past is kept, and how long."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote


@dataclass(frozen=True, slots=True)
class HistorySpec:
    """Where the past is kept, and how long: stretches and incidents for seconds, results of a check by number.

    `location` is an URL, `sqlite:///…` or `postgresql://…`; empty for the default place.
    """

    enabled: bool = True
    location: str = field(default="", repr=False)
    minutes: float = 86400.0
    hours: float = 90 * 86400.0
    days: float = 1095 * 86400.0
    incidents: float = 1095 * 86400.0
    results: int = 100
    failures: int = 500

    @property
    def secrets(self) -> set[str]:
        """Every text to strike from what is shown."""
        userinfo, at, _ = self.location.partition("://")[2].rpartition("@")
        password = userinfo.partition(":")[2]
        return {text for text in (password, unquote(password)) if at and text}


DEFAULT_HISTORY = HistorySpec()
"""What holds for a configuration that says nothing about it."""
