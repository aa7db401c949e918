"""The entry of TLS in the registry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from monitor.keys.conflict import Conflict, place_conflicts
from monitor.keys.types import Table
from monitor.model.outcome import Outcome
from monitor.model.request import TlsHandshake
from monitor.protocols.protocol import Client, Protocol

PORT = 443
"""The port of a URL without one."""


class _NoKeys(Table):
    """TLS has no keys but those of the route."""


def _conflicts(table: Any, _: dict[str, Any]) -> Iterator[Conflict]:
    yield from place_conflicts(table.url, PORT)


def _client() -> Client:
    from monitor.protocols.tls.check import run_tls

    return run_tls


TLS = Protocol(
    name="tls",
    schemes=("tls",),
    asked=TlsHandshake,
    answered=None,
    failures=(Outcome.CONNECTION_ERROR, Outcome.TIMEOUT, Outcome.UNEXPECTED_ANSWER),
    table=_NoKeys,
    keys=(),
    request=lambda _, __: TlsHandshake(),
    conflicts=_conflicts,
    client=_client,
    encrypted=lambda _: True,
    unsaid=lambda spec: ["expect.latency"] if spec.latency else [],
)
