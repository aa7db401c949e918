"""All protocols: whose scheme a URL has, and whose request a check makes."""

from __future__ import annotations

import time
from typing import Annotated

from msgspec import structs

from monitor.keys.types import url
from monitor.model.answer import Answer, HttpAnswer, TcpAnswer
from monitor.model.outcome import Finding, Outcome, Reason
from monitor.model.request import HttpRequest, TcpDialogue, TlsHandshake
from monitor.model.result import Result
from monitor.model.spec import CheckSpec
from monitor.net.run import Run
from monitor.protocols.http.protocol import HTTP
from monitor.protocols.protocol import Facts, Protocol
from monitor.protocols.resources import Net
from monitor.protocols.tcp.protocol import TCP
from monitor.protocols.tls.protocol import TLS
from monitor.rules.state import expiry, slowness
from monitor.secrets.secret import Text

PROTOCOLS = (HTTP, TCP, TLS)
_OF_REQUEST = {HttpRequest: HTTP, TcpDialogue: TCP, TlsHandshake: TLS}
_OF_ANSWER: dict[type, Protocol] = {HttpAnswer: HTTP, TcpAnswer: TCP}
_OF_SCHEME = {scheme: protocol for protocol in PROTOCOLS for scheme in protocol.schemes}

Url = Annotated[Text, *url(tuple(_OF_SCHEME))]
"""The key of checks.toml that takes the URL of a check."""


def protocol_of(spec: CheckSpec) -> Protocol:
    """The protocol of a check."""
    return _OF_REQUEST[type(spec.request)]


def protocol_of_url(url: str) -> Protocol:
    """The protocol of a valid URL."""
    return _OF_SCHEME[url.partition(":")[0].lower()]


def facts_of(answer: Answer | None) -> Facts:
    """What an answer of any protocol says."""
    return _OF_ANSWER.get(type(answer), HTTP).facts(answer)


def blank_document() -> dict[str, object]:
    """The keys that every result's document has, of whatever protocol, with nothing in them."""
    return {**HTTP.facts(None).document, "answer": None}


async def check(spec: CheckSpec, net: Net) -> Result:
    """Run a check once, by its protocol."""
    protocol = protocol_of(spec)
    try:
        net.tls.get(spec.route.tls, protocol.alpn)  # from disk the first time, which must not count as the target's
    except OSError as error:
        return Run(spec).result(Finding(Reason.LOCAL_RESOURCES, f"a file of this check's TLS is gone: {error}"))
    run = Run(spec)
    run.client_certificate = net.tls.client_certificate(spec.route.tls)
    result = await protocol.run(run, net)
    return strictly(spec, result) if result.outcome is Outcome.SUCCESS else result


def strictly(spec: CheckSpec, success: Result) -> Result:
    """The success, or a failure instead if it is slow, or its certificate ends, and `down = true` says so."""
    if spec.latency_down and (slow := slowness(spec, success)):
        return structs.replace(success, reason=Reason.TOTAL_TIMEOUT, detail=slow)
    if spec.route.tls.expiry_down and (ending := expiry(spec, success, time.time())):
        return structs.replace(success, reason=Reason.UNEXPECTED_CERTIFICATE, detail=ending)
    return success
