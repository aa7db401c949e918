"""Holds what the monitor says of itself: the configuration in force, its address, and whether it is ready."""

from __future__ import annotations

from collections.abc import Sequence

from monitor import __version__
from monitor.live.view import ConfigView, MonitorView
from monitor.model.clock import Clock
from monitor.model.errors import Problem
from monitor.model.settings import Configuration

_DRAINING = "draining"


class Lifecycle:
    """Changed by the service alone; everything else reads. Times are Unix seconds."""

    def __init__(self, config: Configuration, clock: Clock) -> None:
        self._clock = clock
        self.config = config
        self.started_at = self.loaded_at = self._clock().wall
        self.config_error: str | None = None
        """Problems of a later configuration, which is not in force."""
        self.address = ""
        self.unready: str | None = "starting"
        """Why clients should not rely on the monitor now, in a word; None if it is ready."""

    @property
    def draining(self) -> bool:
        """True once the monitor ends."""
        return self.unready == _DRAINING

    def ready(self) -> None:
        """Notes that every part is up."""
        self.unready = None

    def drain(self) -> None:
        """Notes that the monitor ends."""
        self.unready = _DRAINING

    def loaded(self, config: Configuration) -> None:
        """Notes a configuration that is in force from now on."""
        self.config, self.config_error, self.loaded_at = config, None, self._clock().wall

    def refused(self, problems: Sequence[Problem]) -> None:
        """Notes the problems of a configuration that is not used."""
        first, *more = map(str, problems)
        self.config_error = first + (f" (and {len(more)} more)" if more else "")

    def view(self, troubles: tuple[str, ...]) -> MonitorView:
        """Returns the monitor itself, with sentences about its troubles."""
        config = ConfigView(self.config.path, self.loaded_at, self.config_error)
        return MonitorView(__version__, self.config.monitor.title, self.started_at, self.address, config, troubles)
