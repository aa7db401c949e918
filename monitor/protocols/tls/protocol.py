"""TLS: a connection and its handshake, for what certificates say of services of any kind."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from monitor.keys.conflict import Conflict
from monitor.keys.types import Table
from monitor.model.answer import Answer
from monitor.model.outcome import Finding, Outcome, Reason
from monitor.model.request import TlsHandshake
from monitor.model.result import Result
from monitor.net.classify import TABLE
from monitor.net.connection import Connection
from monitor.net.dial import Dialer
from monitor.net.proxy import proxy_of
from monitor.net.run import Disconnected, Run
from monitor.protocols.place import destination, place_conflicts
from monitor.protocols.protocol import Facts, Protocol
from monitor.protocols.resources import Net
from monitor.protocols.running import within_limits
from monitor.rules.state import seconds

_PORT = 443


class _NoKeys(Table):
    """TLS has no keys but those of the route."""


class _Handshake(Connection):
    """A connection that only shakes hands."""

    def part(self) -> None:
        """Ends the handshake and the connection in order, lest the server takes the check for a failed client."""
        self.flush()
        if self.transport is not None:
            self.transport.close()
            self.transport = None

    def hear(self, data: bytes) -> None:
        """Ignores what follows the handshake."""

    def end(self, exc: BaseException | None) -> None:
        """Takes the end of the connection."""
        self._failure = self._failure or exc or Disconnected()
        self._wake()


async def run_tls(run: Run, net: Net) -> Result:
    """Runs the check once and returns its result. Raises only if the program has a bug, or CancelledError."""
    _, failed = await within_limits(run, _shake_hands(run, net), TABLE)
    took = seconds((run.ended or run.began) - run.began)
    return run.result(failed or Finding(Reason.OK, f"{run.tls_version} agreed in {took}"))


async def _shake_hands(run: Run, net: Net) -> None:
    loop = asyncio.get_running_loop()
    to = destination(run.spec, _PORT, secure=True)
    run.host = to.host
    run.begin_hop()
    connection = await Dialer(run, net, lambda: _Handshake(loop), proxy_of(run.spec.route)).connect(to)
    connection.part()


def _conflicts(table: Any, _: dict[str, Any]) -> Iterator[Conflict]:
    yield from place_conflicts(table.url, _PORT)


def _facts(_: Answer | None) -> Facts:
    return Facts()


TLS = Protocol(
    name="tls",
    schemes=("tls",),
    failures=(Outcome.CONNECTION_ERROR, Outcome.TIMEOUT, Outcome.UNEXPECTED_ANSWER),
    table=_NoKeys,
    keys=(),
    request=lambda _, __: TlsHandshake(),
    asks=lambda spec: spec.target,
    conflicts=_conflicts,
    secrets=lambda _: iter(()),
    run=run_tls,
    facts=_facts,
    settings=lambda _: iter(()),
    options=lambda _: iter(()),
    unsaid=lambda spec: ["expect.latency"] if spec.latency else [],
)
