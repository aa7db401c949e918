"""Where the time of a run goes: each delay is seen in its own phase, and what was not reached is None."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from monitor.model.outcome import Finding, Reason
from monitor.model.result import PHASE_NAMES, Phases, Result
from monitor.net.run import Run
from monitor.net.stage import Stage
from tests.protocols import harness
from tests.protocols.harness import make_spec
from tests.servers import dns, faults, proxy, relay, tls
from tests.servers.http import HttpServer, Request, answer, ok, redirect
from tests.servers.tcp import Connection, Server, closed_port, hanging_port

DELAY = 0.2


def slow_phase(result: Result, least: float = DELAY) -> str:
    """The phase that took longest, and no less than the delay."""
    assert result.reason is Reason.OK, result.detail
    spent = {name: seconds for name, seconds in result.phases.items() if seconds is not None}
    longest = max(spent, key=spent.__getitem__)
    assert spent[longest] >= least - 0.01, result.phases
    return longest


async def test_slow_resolution_is_in_resolve(run: harness.Run) -> None:
    names = {"target.test": dns.addresses("127.0.0.1", delay=DELAY)}
    async with dns.DnsServer(names) as resolver, HttpServer() as server:
        result = await run(server.url(host="target.test"), resolver=(resolver.address,))
    assert slow_phase(result) == "resolve"


async def test_dead_first_address_is_in_connect(run: harness.Run) -> None:
    names = {"target.test": dns.addresses("127.0.0.2", "127.0.0.1")}
    async with dns.DnsServer(names) as resolver, HttpServer() as server, hanging_port("127.0.0.2", server.port):
        result = await run(server.url(host="target.test"), resolver=(resolver.address,))
    assert slow_phase(result, least=0.05) == "connect"


async def test_slow_proxy_is_in_connect(run: harness.Run) -> None:
    async def tunnel_late(connection: Connection) -> None:
        await asyncio.sleep(DELAY)
        request = server.requests[-1]
        await server._tunnel(connection, request)

    async with tls.https() as target, proxy.Proxy(connect=tunnel_late) as server:
        result = await run(target.url(), proxy=server.url())
    assert slow_phase(result) == "connect"


async def test_slow_handshake_is_in_tls(run: harness.Run) -> None:
    async with tls.https() as target, relay.Relay(target, relay.late(DELAY)) as server:
        result = await run(server.url())
    assert slow_phase(result) == "tls"


async def test_slow_answer_is_in_processing(run: harness.Run) -> None:
    async def late(_: Request) -> bytes:
        await asyncio.sleep(DELAY)
        return ok()

    async with HttpServer(late) as server:
        result = await run(server.url())
    assert slow_phase(result) == "processing"


async def test_slow_body_is_in_transfer(run: harness.Run) -> None:
    async def halves(_: Request) -> AsyncIterator[bytes]:
        yield answer(200, b"ha", length=4)
        await asyncio.sleep(DELAY)
        yield b"lf"

    async with HttpServer(halves) as server:
        result = await run(server.url())
    assert slow_phase(result) == "transfer"


async def test_head_in_two_pieces_ends_processing_with_its_first_byte(run: harness.Run) -> None:
    async def pieces(_: Request) -> AsyncIterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\n"
        await asyncio.sleep(DELAY)
        yield b"Content-Length: 0\r\n\r\n"

    async with HttpServer(pieces) as server:
        result = await run(server.url())
    assert slow_phase(result) == "transfer"


async def test_phases_add_up_over_redirects(run: harness.Run) -> None:
    async def late(request: Request) -> bytes:
        await asyncio.sleep(DELAY / 2 + 0.01)
        return ok() if request.target == "/last" else redirect("/last")

    async with HttpServer(late) as server:
        result = await run(server.url())
    assert slow_phase(result) == "processing"


async def test_phases_behind_a_refused_connection_are_none(run: harness.Run) -> None:
    with closed_port() as port:
        result = await run(f"https://127.0.0.1:{port}/")
    assert result.phases.connect is not None
    assert unreached(result.phases) == ["tls", "processing", "transfer"]


async def test_phases_behind_an_unknown_name_are_none(run: harness.Run) -> None:
    async with dns.DnsServer({}) as resolver:
        result = await run("http://target.test/", resolver=(resolver.address,))
    assert unreached(result.phases) == ["connect", "tls", "processing", "transfer"]


async def test_phases_behind_a_failed_handshake_are_none(run: harness.Run) -> None:
    async with tls.expired() as server:
        result = await run(server.url())
    assert result.phases.tls is not None
    assert unreached(result.phases) == ["processing", "transfer"]


async def test_transfer_without_a_byte_of_the_answer_is_none(run: harness.Run) -> None:
    async with Server(faults.close_without_a_byte) as server:
        result = await run(server.url())
    assert unreached(result.phases) == ["tls", "transfer"]


async def test_plain_http_has_no_tls_phase_and_https_has_all(run: harness.Run) -> None:
    names = {"target.test": dns.addresses("127.0.0.1")}
    async with contextlib.AsyncExitStack() as stack:
        resolver = await stack.enter_async_context(dns.DnsServer(names))
        plain = await stack.enter_async_context(HttpServer())
        secure = await stack.enter_async_context(tls.https())
        over = {"resolver": (resolver.address,)}
        assert unreached((await run(plain.url(host="target.test"), **over)).phases) == ["tls"]
        assert unreached((await run(secure.url(host="target.test"), **over)).phases) == []


def unreached(phases: Phases) -> list[str]:
    """The phases that were not reached."""
    return [name for name in PHASE_NAMES if getattr(phases, name) is None]


async def test_run_ends_with_the_last_byte_however_late_its_task_learns_of_it() -> None:
    async with Run(make_spec("http://127.0.0.1/")) as run:
        run.begin_hop()
        for stage in (Stage.CONNECT, Stage.HEAD):
            run.enter(stage)
        run.heard(1)
        run.enter(Stage.BODY)
        run.whole()
        await asyncio.sleep(0.5)
    result = run.result(Finding(Reason.OK, "fine"))
    assert result.duration is not None
    assert result.duration < 0.4
    assert abs(sum(seconds or 0.0 for _, seconds in result.phases.items()) - result.duration) < 1e-6
