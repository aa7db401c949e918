"""Applies the settings of the listener: access, host names and TLS; warns if access is open to everyone."""

from __future__ import annotations

import structlog

from monitor.model.settings import MonitorSpec
from monitor.web.access import Access
from monitor.web.server import Server
from monitor.web.site import Site
from monitor.web.tls import Tls

_log = structlog.get_logger("monitor.web")


class Entrance:
    """Access, names and TLS of one listener."""

    def __init__(self, spec: MonitorSpec) -> None:
        self.access = Access(spec.access)
        self.site = Site(spec)
        self.tls = Tls(spec.tls) if spec.tls else None
        self._server: Server | None = None

    async def prepared(self) -> Tls | None:
        """Returns the listener's TLS, None for plain HTTP. Raises StartError."""
        if self.tls is not None:
            await self.tls.start()
        return self.tls

    def opened(self, server: Server) -> None:
        """The listener is there; warn if it is there for everybody."""
        self._server = server
        self._warn()

    async def use(self, spec: MonitorSpec) -> None:
        """Applies these settings."""
        self.access.use(spec.access)
        self.site.use(spec)
        if (spec.tls is None) is not (self.tls is None):
            _log.warning("TLS is switched on or off at the next restart")
        elif self.tls is not None and spec.tls is not None:
            await self.tls.use(spec.tls)
        self._warn()

    def close(self) -> None:
        """Watch no more."""
        if self.tls is not None:
            self.tls.stop()

    @property
    def troubles(self) -> tuple[str, ...]:
        """Sentences for on-call: certificate files that cannot be used, or access without rules."""
        unguarded = f"{self._unguarded}; say in [monitor.access] who may" if self._unguarded else ""
        refused = self.tls.trouble if self.tls else None
        return tuple(trouble for trouble in (refused, unguarded) if trouble)

    @property
    def _unguarded(self) -> str:
        if self._server is None or self._server.loopback or self.access.stated:
            return ""
        return f"whoever reaches {self._server.address} may see and change everything here"

    def _warn(self) -> None:
        if self._unguarded and self._server is not None:
            _log.warning(
                "listening beyond loopback without access control",
                listen=self._server.address,
                advice="say in [monitor.access] who may do what, see docs/access.md",
            )
