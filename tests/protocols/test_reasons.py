"""Every reason of the closed list that one HTTP check can find, each from a real server, on both event loops."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from monitor.model.outcome import Outcome, Reason
from monitor.model.request import Expect, Step, TcpDialogue
from monitor.model.route import TlsSpec
from tests.protocols.harness import QUICK, Run, expecting_body, rules
from tests.servers import certs, dns, faults, http, proxy, tls
from tests.servers.tcp import Server, closed_port, hanging_port

Scene = contextlib.AbstractAsyncContextManager[tuple[str, dict[str, Any]]]
"""A server that is up, the URL to ask, and the fields of the check."""


@contextlib.asynccontextmanager
async def served(server: Server, path: str = "/", **over: Any) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """A server and nothing else."""
    async with server:
        yield server.url(path), over


@contextlib.asynccontextmanager
async def named(reply: dns.Reply, **over: Any) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """A name whose DNS server says this."""
    async with dns.DnsServer({"target.test": reply}) as server:
        yield "http://target.test:9/", {"resolver": (server.address,), **over}


@contextlib.asynccontextmanager
async def refusing() -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """A port that refuses."""
    with closed_port() as port:
        yield f"http://127.0.0.1:{port}/", {}


@contextlib.asynccontextmanager
async def hanging() -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """A port that never answers."""
    async with hanging_port() as port:
        yield f"http://127.0.0.1:{port}/", {"limits": QUICK}


@contextlib.asynccontextmanager
async def unroutable() -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """Loopback's broadcast address, to which no TCP connection has a route."""
    yield "http://127.255.255.255:9/", {}


@contextlib.asynccontextmanager
async def tunnelled() -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """A proxy that cannot reach the target."""
    async with proxy.Proxy(connect=proxy.refuses) as server:
        yield "https://target.test/", {"proxy": server.url()}


def page(data: bytes, **over: Any) -> Scene:
    """A server with one answer."""
    return served(http.HttpServer(lambda _: data), **over)


SCENES: dict[Reason, Callable[[], Scene]] = {
    Reason.OK: lambda: page(http.ok()),
    Reason.UNEXPECTED_STATUS: lambda: page(http.answer(500)),
    Reason.UNEXPECTED_HEADER: lambda: page(http.ok(), expect=Expect(headers=(("X-Mode", rules(equals="live")),))),
    Reason.UNEXPECTED_BODY: lambda: page(http.ok(b"no"), expect=expecting_body(contains="yes")),
    Reason.UNEXPECTED_HTTP_VERSION: lambda: page(
        http.answer(200, b"", version="1.0"), expect=Expect(http_version=("1.1",))
    ),
    Reason.BODY_TOO_LARGE: lambda: page(http.ok(bytes(99)), max_body=98, expect=expecting_body()),
    Reason.INVALID_CONTENT: lambda: page(http.ok(b"{"), expect=Expect(json=(("$.a", rules(equals=1)),))),
    Reason.TOO_MANY_REDIRECTS: lambda: page(http.redirect("/"), max_redirects=2),
    Reason.FORBIDDEN_REDIRECT: lambda: page(http.redirect("ftp://127.0.0.1/")),
    Reason.DNS_NOT_FOUND: lambda: named(dns.NOT_FOUND),
    Reason.DNS_FAILED: lambda: named(dns.FAILED),
    Reason.REFUSED: refusing,
    Reason.UNREACHABLE: unroutable,
    Reason.RESET: lambda: served(Server(faults.reset_after_request)),
    Reason.DISCONNECTED: lambda: served(Server(faults.close_without_a_byte)),
    Reason.INVALID_RESPONSE: lambda: served(Server(faults.ssh_banner)),
    Reason.PROXY_FAILED: tunnelled,
    Reason.TLS_CERTIFICATE_EXPIRED: lambda: served(tls.expired()),
    Reason.TLS_CERTIFICATE_NOT_YET_VALID: lambda: served(tls.not_yet_valid()),
    Reason.TLS_HOSTNAME_MISMATCH: lambda: served(tls.wrong_host()),
    Reason.TLS_UNTRUSTED: lambda: served(tls.unknown_authority()),
    Reason.TLS_HANDSHAKE_FAILED: lambda: served(tls.Bare(tls.garbage)),
    Reason.ALPN_REFUSED: lambda: served(tls.Bare(tls.alert(120))),
    Reason.ADDRESS_DENIED: lambda: served(http.HttpServer(), deny=["127.0.0.0/8"]),
    Reason.DNS_TIMEOUT: lambda: named(dns.SILENT, limits=QUICK),
    Reason.CONNECT_TIMEOUT: hanging,
    Reason.TLS_TIMEOUT: lambda: served(tls.Bare(tls.silent), limits=QUICK),
    Reason.RESPONSE_TIMEOUT: lambda: served(Server(faults.silent), limits=QUICK),
    Reason.READ_TIMEOUT: lambda: served(Server(faults.stalled_body), limits=QUICK),
    Reason.TOTAL_TIMEOUT: lambda: served(Server(faults.dripped_head), limits=QUICK),
    Reason.UNEXPECTED_DATA: lambda: served(
        Server(faults.http_0_9), "", request=TcpDialogue((Step(send="x\r\n\r\n"), Step(expect="^220 "))), limits=QUICK
    ),
    Reason.UNEXPECTED_CERTIFICATE: lambda: served(
        tls.https(credential=certs.issue(days=(-1, 3), subject="ending")),
        tls=TlsSpec(verify=False, expiry_warning=7 * 86400.0, expiry_down=True),
    ),
}

ELSEWHERE = {Reason.LOCAL_RESOURCES, Reason.MONITOR_OFFLINE}
"""Tested in processes of their own, in `test_local_resources`."""

NOT_OF_A_CHECK = {reason for reason in Reason if reason.outcome is Outcome.INCONCLUSIVE} - ELSEWHERE
"""The monitor's own verdicts on a run, which a check by itself does not find."""


def test_every_reason_has_a_scene() -> None:
    assert set(SCENES) == set(Reason) - ELSEWHERE - NOT_OF_A_CHECK


@pytest.mark.parametrize("reason", SCENES, ids=str)
async def test_reason_is_found(run: Run, reason: Reason) -> None:
    async with SCENES[reason]() as (url, over):
        result = await run(url, **over)
    assert result.reason is reason, result.detail
    assert result.outcome is reason.outcome
