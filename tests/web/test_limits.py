"""Clients that are slow, silent, greedy or too many, with real sockets and shortened limits."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from monitor.web import Limits
from tests.starvation import Starvation
from tests.web.conftest import Begin, FakeService

GET = b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n"
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def connected(address: str) -> AsyncIterator[Streams]:
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield reader, writer
    finally:
        writer.close()


async def closed_after(reader: asyncio.StreamReader) -> float:
    """Seconds until the other side hangs up."""
    began = time.monotonic()
    try:
        async with asyncio.timeout(10):
            while await reader.read(65536):
                pass
    except ConnectionError:
        pass
    return time.monotonic() - began


async def head(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(5):
        return await reader.readuntil(b"\r\n\r\n")


async def ask_for_ever(writer: asyncio.StreamWriter) -> None:
    """Ask until nobody listens any more, at a pace."""
    async with asyncio.timeout(5):
        while True:
            writer.write(b"GET /status.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100)
            await writer.drain()
            await asyncio.sleep(0.01)


async def answer(reader: asyncio.StreamReader) -> bytes:
    """One whole answer to `GET`."""
    found = await head(reader)
    return found + await reader.readexactly(len(b"healthy\n"))


async def test_silent_client_is_closed(begin: Begin, starvation: Starvation) -> None:
    server = await begin(Limits(request=0.3))
    async with connected(server.address) as (reader, _):
        assert 0.2 < await closed_after(reader) < 2 + starvation.seconds


async def test_head_that_drips_is_closed_in_time_all_the_same(begin: Begin, starvation: Starvation) -> None:
    server = await begin(Limits(request=0.4))
    async with connected(server.address) as (reader, writer):

        async def drip() -> None:
            for byte in GET * 10:
                writer.write(bytes([byte]))
                await asyncio.sleep(0.05)

        dripping = asyncio.create_task(drip())
        assert 0.3 < await closed_after(reader) < 2 + starvation.seconds
        dripping.cancel()


async def test_body_that_never_comes_is_closed(begin: Begin, service: FakeService, starvation: Starvation) -> None:
    server = await begin(Limits(request=0.3))
    async with connected(server.address) as (reader, writer):
        writer.write(b"POST /-/reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nsome")
        assert 0.2 < await closed_after(reader) < 2 + starvation.seconds
    assert service.reloads == 0


async def test_second_request_that_drips_is_closed_by_the_limit_of_a_request(
    begin: Begin, starvation: Starvation
) -> None:
    server = await begin(Limits(request=0.3, idle=30))
    async with connected(server.address) as (reader, writer):
        writer.write(GET)
        assert b" 200 " in await answer(reader)
        writer.write(GET[:10])
        assert 0.2 < await closed_after(reader) < 2 + starvation.seconds


async def test_idle_connection_is_closed_and_a_busy_one_is_not(begin: Begin, starvation: Starvation) -> None:
    server = await begin(Limits(request=10, idle=0.4))
    async with connected(server.address) as (reader, writer):
        began = time.monotonic()
        while time.monotonic() - began < 0.8:
            writer.write(GET)
            assert b" 200 " in await answer(reader)
            await asyncio.sleep(0.05)  # the pace of the client, not a wait for the server
        assert 0.3 < await closed_after(reader) < 2 + starvation.seconds


async def test_client_that_takes_no_answer_is_closed(begin: Begin) -> None:
    server = await begin(Limits(request=10, idle=30, answer=0.4))
    async with connected(server.address) as (reader, writer):
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        with pytest.raises(ConnectionError):
            await ask_for_ever(writer)


async def test_body_too_long_is_413_before_it_is_sent(begin: Begin, starvation: Starvation) -> None:
    server = await begin()
    async with connected(server.address) as (reader, writer):
        writer.write(b"POST /-/reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 70000\r\n\r\n")
        assert b" 413 " in await head(reader)
        assert await closed_after(reader) < 2 + starvation.seconds


async def test_chunked_body_too_long_is_413(begin: Begin, service: FakeService) -> None:
    server = await begin()
    async with connected(server.address) as (reader, writer):
        writer.write(b"POST /-/reload HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        writer.write((b"4000\r\n" + b"x" * 0x4000 + b"\r\n") * 6)
        assert b" 413 " in await head(reader)
    assert service.reloads == 0


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /" + b"x" * 20000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"x" * 20000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"A: b\r\n" * 5000 + b"\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 this is a TLS client\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : x\r\nbad header\r\n\r\n",
    ],
    ids=["long line", "long header", "many headers", "tls", "malformed"],
)
async def test_what_is_no_request_gets_400_with_our_headers_and_no_noise(
    begin: Begin, request_: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    server = await begin()
    async with connected(server.address) as (reader, writer):
        writer.write(request_)
        said = await head(reader)
        assert b" 400 " in said
        assert b"Content-Security-Policy" in said
        assert b"Server: monitor\r\n" in said
        await closed_after(reader)
    assert not caplog.records


async def test_close_finishes_answers_and_hangs_up_on_idle_clients(
    begin: Begin, service: FakeService, starvation: Starvation
) -> None:
    reloading, go_on = asyncio.Event(), asyncio.Event()

    async def slow_reload() -> list[object]:
        reloading.set()
        await go_on.wait()
        return []

    service.reload = slow_reload  # type: ignore[assignment, method-assign]
    server = await begin()
    async with connected(server.address) as (idle, _), connected(server.address) as (reader, writer):
        writer.write(b"POST /-/reload HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await reloading.wait()
        closing = asyncio.create_task(server.close())
        await asyncio.sleep(0)
        go_on.set()
        assert b" 200 " in await head(reader)
        assert await closed_after(idle) < 2 + starvation.seconds
        await closing
    with pytest.raises(OSError, match=r"."):
        async with connected(server.address):
            pass
