"""The entry of HTTP in the registry."""

from __future__ import annotations

from monitor.model.answer import HttpAnswer
from monitor.model.outcome import Outcome
from monitor.model.request import HttpRequest
from monitor.protocols.http.conflicts import conflicts
from monitor.protocols.http.credentials import secrets
from monitor.protocols.http.families import FAMILIES
from monitor.protocols.http.request import request
from monitor.protocols.http.table import KEYS, HttpTable
from monitor.protocols.http.words import asks, facts, options, settings, unsaid
from monitor.protocols.protocol import Client, Protocol
from monitor.secrets.secret import reveal


def _client() -> Client:
    from monitor.protocols.http.check import run_http

    return run_http


HTTP = Protocol(
    name="http",
    schemes=("http", "https"),
    asked=HttpRequest,
    answered=HttpAnswer,
    failures=(Outcome.HTTP_ERROR, Outcome.CONNECTION_ERROR, Outcome.TIMEOUT),
    table=HttpTable,
    keys=KEYS,
    request=request,
    asks=asks,
    conflicts=conflicts,
    secrets=secrets,
    client=_client,
    encrypted=lambda spec: reveal(spec.url).lower().startswith("https:"),
    facts=facts,
    settings=settings,
    options=options,
    unsaid=unsaid,
    families=FAMILIES,
    alpn=("http/1.1",),
    curl=True,
)
