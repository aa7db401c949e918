"""The entry of TCP in the registry."""

from __future__ import annotations

from monitor.model.answer import TcpAnswer
from monitor.model.outcome import Outcome
from monitor.model.request import TcpDialogue
from monitor.protocols.protocol import Client, Protocol
from monitor.protocols.tcp.table import KEYS, TcpKeys, conflicts, request
from monitor.protocols.tcp.words import FAMILIES, facts, settings, starts_tls, unsaid


def _client() -> Client:
    from monitor.protocols.tcp.check import run_tcp

    return run_tcp


TCP = Protocol(
    name="tcp",
    schemes=("tcp",),
    asked=TcpDialogue,
    answered=TcpAnswer,
    failures=(Outcome.CONNECTION_ERROR, Outcome.TIMEOUT, Outcome.UNEXPECTED_ANSWER),
    table=TcpKeys,
    keys=KEYS,
    request=request,
    conflicts=conflicts,
    client=_client,
    encrypted=starts_tls,
    facts=facts,
    settings=settings,
    unsaid=unsaid,
    families=FAMILIES,
)
