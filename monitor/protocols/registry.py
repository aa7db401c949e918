"""All protocols: whose scheme a URL has, and whose request a check makes."""

from __future__ import annotations

from typing import Annotated

from monitor.keys.types import url
from monitor.model.answer import Answer
from monitor.model.spec import CheckSpec
from monitor.protocols.http.protocol import HTTP
from monitor.protocols.protocol import Client, Facts, Protocol
from monitor.protocols.tcp.protocol import TCP
from monitor.protocols.tls.protocol import TLS
from monitor.secrets.secret import Text

PROTOCOLS = (HTTP, TCP, TLS)
_OF_REQUEST = {protocol.asked: protocol for protocol in PROTOCOLS}
_OF_ANSWER: dict[type | None, Protocol] = {protocol.answered: protocol for protocol in PROTOCOLS}
_OF_SCHEME = {scheme: protocol for protocol in PROTOCOLS for scheme in protocol.schemes}

_CLIENTS: dict[str, Client] = {}

Url = Annotated[Text, *url(tuple(_OF_SCHEME))]
"""The key of checks.toml that takes the URL of a check."""


def protocol_of(spec: CheckSpec) -> Protocol:
    """The protocol of a check."""
    return _OF_REQUEST[type(spec.request)]


def protocol_of_url(url: str) -> Protocol:
    """The protocol of a valid URL."""
    return _OF_SCHEME[url.partition(":")[0].lower()]


def client_of(protocol: Protocol) -> Client:
    """Returns the client of a protocol; the first call loads it, which takes a tenth of a second."""
    client = _CLIENTS.get(protocol.name)
    if client is None:
        client = _CLIENTS[protocol.name] = protocol.client()
    return client


def facts_of(answer: Answer | None) -> Facts:
    """Returns the facts of an answer of any protocol."""
    return _OF_ANSWER.get(type(answer), HTTP).facts(answer)


def blank_document() -> dict[str, object]:
    """Returns the keys that the documents of all results share, with null values."""
    return {**HTTP.facts(None).document, "answer": None}
