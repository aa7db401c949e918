"""The three limits: each holds to within 50 ms whatever is slow, and the earliest that passes names the reason."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import pytest

from monitor.model.outcome import Reason
from monitor.model.request import Body
from monitor.model.spec import Limits
from tests.flat import http
from tests.protocols.harness import Run, ends_after, expecting_body
from tests.servers import certs, dns, faults, proxy, relay, tls
from tests.servers.http import HttpServer, Request, answer, ok
from tests.servers.tcp import Connection, Script, Server, hanging_port

LIMITS = Limits(connect=0.3, read=0.3, total=1.0)
ROOMY = Limits(connect=0.55, read=0.55, total=3.0)
LONG = Limits(connect=0.2, read=0.2, total=0.45)


def name(value: object) -> str:
    """How a case is called in the test's name."""
    return getattr(value, "__name__", str(value))


@pytest.mark.parametrize(
    "reply", [dns.SILENT, dns.addresses("127.0.0.1", delay=0.6)], ids=["silent", "later than the limit"]
)
async def test_silent_dns_is_dns_timeout_at_the_connect_limit(run: Run, reply: dns.Reply) -> None:
    async with dns.DnsServer({"target.test": reply}) as server:
        again = partial(run, "http://target.test:9/", limits=LIMITS, resolver=(server.address,))
        result = await ends_after(0.3, again)
    assert result.reason is Reason.DNS_TIMEOUT, result.detail
    assert result.phases.connect is None
    assert result.attempts == ()


async def test_hanging_connect_is_connect_timeout(run: Run) -> None:
    async with hanging_port() as port:
        result = await ends_after(0.3, partial(run, f"http://127.0.0.1:{port}/", limits=LIMITS))
    assert result.reason is Reason.CONNECT_TIMEOUT, result.detail
    assert f"127.0.0.1:{port}" in result.detail
    assert result.phases.tls is None
    assert result.phases.processing is None


async def test_several_hanging_addresses_share_one_connect_limit(run: Run) -> None:
    names = {"target.test": dns.addresses("127.0.0.1", "127.0.0.2", "127.0.0.3")}
    async with dns.DnsServer(names) as server, hanging_port() as port, contextlib.AsyncExitStack() as stack:
        for host in ("127.0.0.2", "127.0.0.3"):
            await stack.enter_async_context(hanging_port(host, port))
        again = partial(run, f"http://target.test:{port}/", limits=LIMITS, resolver=(server.address,))
        result = await ends_after(0.3, again)
    assert result.reason is Reason.CONNECT_TIMEOUT, result.detail


async def test_connect_limit_spans_resolution_and_connection(run: Run) -> None:
    names = {"target.test": dns.addresses("127.0.0.1", delay=0.2)}
    async with dns.DnsServer(names) as server, hanging_port() as port:
        again = partial(run, f"http://target.test:{port}/", limits=LIMITS, resolver=(server.address,))
        result = await ends_after(0.3, again)
    assert result.reason is Reason.CONNECT_TIMEOUT, result.detail


@contextlib.asynccontextmanager
async def relayed(shape: relay.Shape) -> AsyncIterator[Server]:
    """A good HTTPS server behind a relay."""
    async with tls.https() as server, relay.Relay(server, shape) as spoilt:
        yield spoilt


HANDSHAKES: dict[str, Callable[[], Any]] = {
    "silent": lambda: tls.Bare(tls.silent),
    "dripped": lambda: relayed(relay.dripping(0.02)),
    "stalled halfway": lambda: relayed(relay.stalling(200)),
}


@pytest.mark.parametrize("shape", HANDSHAKES)
async def test_slow_handshake_is_tls_timeout(run: Run, shape: str) -> None:
    async with HANDSHAKES[shape]() as server:
        result = await ends_after(0.3, partial(run, server.url(), limits=LIMITS))
    assert result.reason is Reason.TLS_TIMEOUT, result.detail
    assert result.phases.connect is not None
    assert result.phases.processing is None
    assert "; connected in 30" not in result.detail, "the handshake that was not done is no part of being connected"


async def test_connect_limit_spans_resolution_and_handshake(run: Run) -> None:
    names = {"target.test": dns.addresses("127.0.0.1", delay=0.2)}
    async with dns.DnsServer(names) as resolver, tls.Bare(tls.silent) as server:
        url = server.url(host="target.test")
        result = await ends_after(0.3, partial(run, url, limits=LIMITS, resolver=(resolver.address,)))
    assert result.reason is Reason.TLS_TIMEOUT, result.detail


async def stalled_head(connection: Connection) -> None:
    """The status line at once, and nothing more."""
    await connection.read_head()
    await connection.send(b"HTTP/1.1 200 OK\r\n")
    await connection.hold()


async def interim_only(connection: Connection) -> None:
    """One interim answer, and nothing more."""
    await connection.read_head()
    await connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    await connection.hold()


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (faults.silent, Reason.RESPONSE_TIMEOUT),
        (stalled_head, Reason.RESPONSE_TIMEOUT),
        (interim_only, Reason.RESPONSE_TIMEOUT),
        (faults.stalled_body, Reason.READ_TIMEOUT),
        (faults.stalled_chunk, Reason.READ_TIMEOUT),
    ],
    ids=name,
)
async def test_silence_ends_at_the_read_limit(run: Run, script: Script, reason: Reason, secure: bool) -> None:
    async with Server(script, tls=certs.server_context(certs.issue()) if secure else None) as server:
        result = await ends_after(0.3, partial(run, server.url(), limits=LIMITS), since="connection")
        assert result.reason is reason, result.detail
        assert server.connections in (1, 2, 3)  # as often as it was measured
    assert (http(result).status is None) is (reason is Reason.RESPONSE_TIMEOUT)
    assert server.address in result.detail or reason is Reason.READ_TIMEOUT


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("script", [faults.dripped_head, faults.dripped_informational, faults.dripped_body], ids=name)
async def test_drips_end_at_the_total_limit(run: Run, script: Script, secure: bool) -> None:
    async with Server(script, tls=certs.server_context(certs.issue()) if secure else None) as server:
        result = await ends_after(0.45, partial(run, server.url(), limits=LONG))
    assert result.reason is Reason.TOTAL_TIMEOUT, result.detail


async def test_endless_fast_body_ends_at_the_total_limit(run: Run) -> None:
    async with Server(faults.endless_body) as server:
        result = await ends_after(0.45, partial(run, server.url(), limits=LONG, max_body=1 << 40))
    assert result.reason is Reason.TOTAL_TIMEOUT, result.detail


@pytest.mark.parametrize("script", [faults.silent, faults.stalled_body, tls.silent], ids=name)
async def test_earliest_limit_names_the_reason(run: Run, script: Script) -> None:
    secure = script is tls.silent
    limits = Limits(connect=0.6, read=0.6, total=0.3)
    async with tls.Bare(script) if secure else Server(script) as server:
        result = await ends_after(0.3, partial(run, server.url(), limits=limits))
    assert result.reason is Reason.TOTAL_TIMEOUT, result.detail


async def test_total_limit_during_a_hanging_connect_is_total_timeout(run: Run) -> None:
    limits = Limits(connect=0.6, read=0.6, total=0.3)
    async with hanging_port() as port:
        result = await ends_after(0.3, partial(run, f"http://127.0.0.1:{port}/", limits=limits))
    assert result.reason is Reason.TOTAL_TIMEOUT, result.detail


@pytest.mark.parametrize("script", [proxy.silent, proxy.dripping], ids=name)
async def test_slow_answer_to_connect_is_connect_timeout(run: Run, script: Script) -> None:
    async with proxy.Proxy(connect=script) as server:
        result = await ends_after(0.3, partial(run, "https://target.test/", limits=LIMITS, proxy=server.url()))
    assert result.reason is Reason.CONNECT_TIMEOUT, result.detail


async def test_hanging_proxy_is_connect_timeout(run: Run) -> None:
    async with hanging_port() as port:
        again = partial(run, "http://target.test/", limits=LIMITS, proxy=f"http://127.0.0.1:{port}")
        result = await ends_after(0.3, again)
    assert result.reason is Reason.CONNECT_TIMEOUT, result.detail


async def test_silent_handshake_behind_a_proxy_is_tls_timeout(run: Run) -> None:
    async with proxy.Proxy() as server, tls.Bare(tls.silent) as target:
        again = partial(run, target.url(), limits=LIMITS, proxy=server.url())
        result = await ends_after(0.3, again)
    assert result.reason is Reason.TLS_TIMEOUT, result.detail


async def test_request_that_nobody_reads_is_response_timeout(run: Run) -> None:
    body = Body(bytes(8 << 20), None, secret=False)
    async with Server(faults.never_reads, receive_buffer=4096) as server:
        again = partial(run, server.url(), limits=LIMITS, method="POST", body=body)
        result = await ends_after(0.3, again, since="connection")
    assert result.reason is Reason.RESPONSE_TIMEOUT, result.detail


@pytest.mark.asyncio(loop_factories=["uvloop"])
async def test_limits_above_five_seconds_are_not_rounded(run: Run) -> None:
    async with Server(faults.silent) as server:
        limits = Limits(connect=5.2, read=5.2, total=9.0)
        result = await ends_after(5.2, partial(run, server.url(), limits=limits))
    assert result.reason is Reason.RESPONSE_TIMEOUT


async def test_each_byte_of_the_body_starts_the_read_limit_anew(run: Run) -> None:
    async def three_pieces(_: Request) -> AsyncIterator[bytes]:
        yield answer(200, b"", length=3)
        for piece in (b"a", b"b", b"c"):
            await asyncio.sleep(0.3)
            yield piece

    async with HttpServer(three_pieces) as server:
        result = await run(server.url(), limits=ROOMY, expect=expecting_body(equals="abc"))
    assert result.reason is Reason.OK, result.detail


async def test_slow_but_within_every_limit_is_a_success(run: Run) -> None:
    async def late(_: Request) -> bytes:
        await asyncio.sleep(0.3)
        return ok()

    names = {"target.test": dns.addresses("127.0.0.1", delay=0.3)}
    async with dns.DnsServer(names) as resolver, HttpServer(late) as server:
        url = server.url(host="target.test")
        result = await run(url, limits=ROOMY, resolver=(resolver.address,))
    assert result.reason is Reason.OK, result.detail
    assert result.duration >= 0.59
