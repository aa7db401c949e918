"""The limits on later hops: each hop has its own connect and read limit, and the total spans them all."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import pytest

from monitor.model.outcome import Reason
from monitor.model.spec import Limits
from tests.flat import http
from tests.protocols.harness import Run, ends_after
from tests.servers import dns, faults, relay, tls
from tests.servers.http import HttpServer, Request, redirect
from tests.servers.tcp import Server, hanging_port

LIMITS = Limits(connect=0.3, read=0.3, total=1.0)
ROOMY = Limits(connect=0.55, read=0.55, total=3.0)


@contextlib.asynccontextmanager
async def hanging() -> AsyncIterator[str]:
    """The URL of a port that never answers."""
    async with hanging_port() as port:
        yield f"http://127.0.0.1:{port}/"


@contextlib.asynccontextmanager
async def url_of(server: Server) -> AsyncIterator[str]:
    """The URL of a server."""
    async with server:
        yield server.url()


@contextlib.asynccontextmanager
async def unresolved() -> AsyncIterator[str]:
    """The URL of a name that the test's DNS server keeps silent about."""
    yield "http://silent.test:9/"


STAGES: dict[Reason, Callable[[], Any]] = {
    Reason.DNS_TIMEOUT: unresolved,
    Reason.CONNECT_TIMEOUT: hanging,
    Reason.TLS_TIMEOUT: lambda: url_of(tls.Bare(tls.silent)),
    Reason.RESPONSE_TIMEOUT: lambda: url_of(Server(faults.silent)),
    Reason.READ_TIMEOUT: lambda: url_of(Server(faults.stalled_body)),
}


@pytest.mark.parametrize("reason", STAGES, ids=str)
async def test_second_hop_hanging_in_each_stage_ends_at_its_own_limit(run: Run, reason: Reason) -> None:
    names = {"silent.test": dns.SILENT}
    async with (
        dns.DnsServer(names) as resolver,
        STAGES[reason]() as second,
        HttpServer(lambda _: redirect(second)) as first,
    ):
        again = partial(run, first.url(), limits=LIMITS, resolver=(resolver.address,))
        result = await ends_after(0.3, again)
    assert result.reason is reason, result.detail
    assert http(result).redirects == 1
    assert len(http(result).hops) == 2


@pytest.mark.parametrize("reason", STAGES, ids=str)
async def test_total_limit_cuts_the_second_hop_in_each_stage(run: Run, reason: Reason) -> None:
    limits = Limits(connect=0.3, read=0.3, total=0.4)

    names = {"silent.test": dns.SILENT}
    async with dns.DnsServer(names) as resolver, STAGES[reason]() as second:

        async def late(_: Request) -> bytes:
            await asyncio.sleep(0.2)
            return redirect(second)

        async with HttpServer(late) as first:
            again = partial(run, first.url(), limits=limits, resolver=(resolver.address,))
            result = await ends_after(0.4, again)
    assert result.reason is Reason.TOTAL_TIMEOUT, result.detail


async def test_connect_limit_starts_anew_on_each_hop(run: Run) -> None:
    async with contextlib.AsyncExitStack() as stack:
        target = await stack.enter_async_context(tls.https())
        last = await stack.enter_async_context(relay.Relay(target, relay.late(0.3)))
        middle = await stack.enter_async_context(tls.https(lambda _: redirect(last.url())))
        first = await stack.enter_async_context(relay.Relay(middle, relay.late(0.3)))
        result = await run(first.url(), limits=ROOMY)
    assert result.reason is Reason.OK, result.detail
    assert result.phases.tls >= 0.59


async def test_read_limit_starts_anew_on_each_hop(run: Run) -> None:
    async def late(request: Request) -> bytes:
        await asyncio.sleep(0.3)
        return redirect("/last") if request.target == "/" else redirect(None, 200)

    async with HttpServer(late) as server:
        result = await run(server.url(), limits=ROOMY)
    assert result.reason is Reason.OK, result.detail
    assert result.phases.processing >= 0.59


async def test_endless_slow_redirects_end_at_the_total_limit(run: Run) -> None:
    async def late(_: Request) -> bytes:
        await asyncio.sleep(0.1)
        return redirect("/again")

    async with HttpServer(late) as server:
        again = partial(run, server.url(), limits=Limits(connect=0.3, read=0.3, total=0.45), max_redirects=50)
        result = await ends_after(0.45, again)
    assert result.reason is Reason.TOTAL_TIMEOUT, result.detail
    assert http(result).status == 302
    assert 2 <= http(result).redirects <= 4


async def test_body_of_a_redirect_that_never_ends_does_not_hold_the_run_up(run: Run) -> None:
    async def script(connection: Any) -> None:
        head = await connection.read_head()
        if head.startswith(b"GET /last"):
            await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            return
        await connection.send(
            b"HTTP/1.1 302 Found\r\nLocation: /last\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"
        )
        await connection.hold()

    async with Server(script) as server:
        result = await run(server.url(), limits=LIMITS)
    assert result.reason is Reason.OK, result.detail
    assert http(result).redirects == 1
