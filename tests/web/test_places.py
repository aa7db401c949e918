"""Clients that hold more connections than there are: they lose their own, and nobody is shut out."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.web import Limits, Server
from monitor.web.api import events
from monitor.web.places import Place, Places
from tests.service.daemon import until
from tests.web.conftest import Begin, FakeService
from tests.web.test_limits import closed_after, connected, head

SILENT = b""
DRIPPING = b"GET /status HTTP/1.1\r\nHost: loc"
KEPT = b"GET /-/ready HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def ask(address: str, path: str, source: str = "127.0.0.1") -> bytes:
    """The head of the answer to a request on a connection of its own."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port), local_addr=(source, 0))
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        return await head(reader)
    finally:
        writer.close()


@asynccontextmanager
async def crowd(address: str, count: int, sent: bytes) -> AsyncIterator[None]:
    """Connections that have sent this and wait."""
    host, _, port = address.rpartition(":")
    loop = asyncio.get_running_loop()
    with ExitStack() as opened:
        for _ in range(count):
            client = opened.enter_context(socket.socket())
            client.setblocking(False)
            await loop.sock_connect(client, (host, int(port)))
            await loop.sock_sendall(client, sent)
        yield


@pytest.mark.parametrize("sent", [SILENT, DRIPPING, KEPT], ids=["silent", "dripping", "kept"])
async def test_idle_connections_of_one_address_shut_nobody_out(begin: Begin, sent: bytes) -> None:
    server = await begin(Limits(connections=64))
    async with crowd(server.address, 100, sent):
        for path in ("/-/healthy", "/metrics", "/status", "/status.json"):
            assert b" 200 " in await ask(server.address, path), path
            assert b" 200 " in await ask(server.address, path, source="127.0.0.2"), path


async def test_the_connection_that_waited_longest_goes_first(begin: Begin) -> None:
    server = await begin(Limits(connections=4))  # one is kept free, and one client has two of the others
    async with connected(server.address) as (oldest, _), connected(server.address) as (newer, writer):
        writer.write(KEPT)
        await head(newer)
        assert b" 200 " in await ask(server.address, "/-/ready")
        assert await closed_after(oldest) < 2
        writer.write(KEPT)
        assert b" 200 " in await head(newer)


async def test_a_crowd_costs_another_client_nothing(begin: Begin) -> None:
    server = await begin(Limits(connections=64))
    host, _, port = server.address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port), local_addr=("127.0.0.2", 0))
    async with crowd(server.address, 200, SILENT):
        assert b" 200 " in await ask(server.address, "/-/healthy")
        writer.write(KEPT)
        assert b" 200 " in await head(reader)
    writer.close()


@asynccontextmanager
async def busy(server: Server, service: FakeService, count: int) -> AsyncIterator[None]:
    """So many connections whose answers are under way."""
    go_on, held = asyncio.Event(), 0

    async def slow_reload() -> list[object]:
        nonlocal held
        held += 1
        await go_on.wait()
        return []

    service.reload = slow_reload  # type: ignore[assignment, method-assign]
    async with AsyncExitStack() as stack:
        for _ in range(count):
            _, writer = await stack.enter_async_context(connected(server.address))
            writer.write(b"POST /-/reload HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await until(lambda: held == count)
        yield
        go_on.set()


async def test_when_all_are_busy_the_monitor_still_says_that_it_lives(begin: Begin, service: FakeService) -> None:
    server = await begin(Limits(connections=16))
    async with busy(server, service, 9):  # three quarters of those that are not kept free
        for path in ("/-/healthy", "/-/ready", "/metrics") * 4:
            assert b" 200 " in await ask(server.address, path), path
        refused = await ask(server.address, "/status")
        assert b" 503 " in refused
        assert b"Retry-After: 5" in refused
        assert b" 200 " in await ask(server.address, "/status", source="127.0.0.2")
    async with asyncio.timeout(5):
        while b" 200 " not in await ask(server.address, "/status"):
            pass


async def test_with_no_place_left_at_all_the_answer_is_503(begin: Begin, service: FakeService) -> None:
    server = await begin(Limits(connections=1))
    async with busy(server, service, 0), connected(server.address) as (_, writer):
        writer.write(b"POST /-/reload HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b" 503 " in await ask(server.address, "/status")


async def test_a_stream_of_events_outlives_the_limit_of_an_answer(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "_HEARTBEAT", 0.1)
    server = await begin(Limits(answer=0.5))
    async with connected(server.address) as (reader, writer):
        writer.write(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b" 200 " in await head(reader)
        async with asyncio.timeout(10):
            for _ in range(15):  # a second and a half of heartbeats
                await reader.readuntil(b":\n\n")


async def test_a_listener_that_reads_nothing_is_hung_up_on(
    begin: Begin, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "_HEARTBEAT", 0.02)
    monkeypatch.setattr(events.EventHandlers, "_written", lambda *_: b": " + b"x" * 100_000 + b"\n\n")
    server = await begin(Limits(answer=0.5))
    async with connected(server.address) as (reader, writer):
        writer.write(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await head(reader)
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        await until(lambda: service.bus.queues == 1)
        await until(lambda: service.bus.queues == 0)


async def test_streams_leave_half_of_the_connections_to_pages(begin: Begin, service: FakeService) -> None:
    server = await begin(Limits(connections=16))
    async with AsyncExitStack() as stack:
        for _ in range(8):
            reader, writer = await stack.enter_async_context(connected(server.address))
            writer.write(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b" 200 " in await head(reader)
        await until(lambda: service.bus.queues == 8)
        assert b" 503 " in await ask(server.address, "/api/v1/events")
        assert b" 200 " in await ask(server.address, "/status")


@pytest.mark.parametrize("path", ["/status", "/status.json", "/metrics", "/api/v1/checks", "/public", "/api/v1/events"])
async def test_a_client_that_leaves_while_its_answer_begins_is_no_error(
    begin: Begin, service: FakeService, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    server = await begin()
    arrived, go_on = asyncio.Event(), asyncio.Event()
    overview = service.overview

    async def slow_overview() -> object:
        arrived.set()
        await go_on.wait()
        return await overview()

    service.overview = slow_overview  # type: ignore[assignment, method-assign]
    host, _, port = server.address.rpartition(":")
    with socket.create_connection((host, int(port))) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        if path not in ("/metrics", "/public", "/api/v1/events"):
            await arrived.wait()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # hang up with a reset
    await ask(server.address, "/-/healthy")  # by now the server knows that the other one is gone
    go_on.set()
    for _ in range(3):
        assert b" 200 " in await ask(server.address, "/-/healthy")
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


STEPS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["wait", "work", "leave"])), max_size=80)


@given(st.integers(2, 40), STEPS)
def test_there_are_never_more_places_and_one_is_free_while_anything_waits(
    most: int, steps: list[tuple[str, str]]
) -> None:
    places, held, working = Places(most), dict[Place, None](), set[Place]()
    for client, then in steps:
        place = places.take(client)
        assert place is not None or working
        if place is None:
            continue
        held[place] = None
        place.hang_up = lambda gone=place: held.pop(gone)  # type: ignore[misc]
        getattr(places, then)(place)
        if then == "work":
            working.add(place)
        elif then == "leave":
            del held[place]
        assert len(held) <= most
        assert working <= held.keys()
