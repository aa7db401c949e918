"""Defines one check, immutable and compared at a reload; no state of checks lives here."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field, fields
from typing import Any

from monitor.model.request import HttpRequest, Request
from monitor.model.route import Route
from monitor.secrets.redaction import Redactor
from monitor.secrets.secret import Text

_ROUTE, _REQUEST = Route(), HttpRequest()


@dataclass(frozen=True, slots=True)
class Limits:
    """The three limits of a run, in seconds."""

    connect: float = 5.0
    read: float = 10.0
    total: float = 15.0


@dataclass(frozen=True)
class CheckSpec:
    """One check. `url` is as written (reveal before use); `target` is the URL as it may be shown.

    Durations are seconds.
    """

    name: str
    url: Text
    target: str
    title: str = ""
    group: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    description: str = ""
    runbook: str = ""
    enabled: bool = True
    interval: float = 30.0
    limits: Limits = Limits()
    down_after: int = 2
    up_after: int = 1
    retry_interval: float | None = None
    degraded_after: int = 1
    latency: float | None = None
    """The longest duration of a good run; a slower success is degraded, or a failure with `latency_down`."""
    latency_down: bool = False
    route: Route = _ROUTE
    request: Request = _REQUEST
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
    was: tuple[str, ...] = field(default=(), compare=False)
    """Names that it had before, by which its past is found; they change nothing of what runs."""

    @property
    def display_name(self) -> str:
        """The title, or the name of a check without one: what people read. The name stays the identity."""
        return self.title or self.name

    @functools.cached_property
    def redactor(self) -> Redactor:
        """Strikes this check's secrets out of anything shown."""
        return Redactor(self.secrets)

    @functools.cached_property
    def kept(self) -> dict[str, object]:
        """Values that modules derive from this check and keep for its next run, by their names."""
        return {}

    def __getstate__(self) -> dict[str, Any]:
        """Returns the fields to pickle for another process; derived values are made again there."""
        return {f.name: getattr(self, f.name) for f in fields(self)}
