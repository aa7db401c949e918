"""The TLS check: connects, shakes hands, and closes the connection."""

from __future__ import annotations

import asyncio

from monitor.model.outcome import Finding, Reason
from monitor.model.result import Result
from monitor.net.classify import TABLE
from monitor.net.connection import Connection
from monitor.net.dial import Dialer
from monitor.net.run import Disconnected, Run
from monitor.protocols.place import place_of
from monitor.protocols.resources import Resources
from monitor.protocols.running import within_limits
from monitor.protocols.tls.protocol import PORT
from monitor.rules.state import seconds


class _Handshake(Connection):
    """A connection that only shakes hands."""

    def hear(self, data: bytes) -> None:
        """Ignores what follows the handshake."""

    def end(self, exc: BaseException | None) -> None:
        """Takes the end of the connection."""
        self._failure = self._failure or exc or Disconnected()
        self._wake()


async def run_tls(run: Run, resources: Resources) -> Result:
    """Runs the check once and returns its result. Raises only if the program has a bug, or CancelledError."""
    _, failed = await within_limits(run, _shake_hands(run, resources), TABLE)
    took = seconds((run.ended or run.began) - run.began)
    return run.result(failed or Finding(Reason.OK, f"{run.tls_version} agreed in {took}"))


async def _shake_hands(run: Run, resources: Resources) -> None:
    loop = asyncio.get_running_loop()
    to, proxy = place_of(run.spec, PORT, secure=True)
    run.host = to.host
    run.begin_hop()
    connection = await Dialer(run, resources, lambda: _Handshake(loop), proxy).connect(to)
    connection.part()  # lest the server takes the check for a client whose handshake failed
