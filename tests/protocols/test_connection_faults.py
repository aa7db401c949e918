"""Connections that break: which reason each break has, and that it costs the target one connection and one request."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket

import pytest

from monitor.model.outcome import Reason
from monitor.model.result import Result
from tests.flat import http
from tests.protocols.harness import Run, expecting_body
from tests.servers import certs, faults
from tests.servers.http import HttpServer, answer, chunked, compressed, redirect
from tests.servers.tcp import Connection, Script, Server, closed_port
from tests.starvation import Starvation

MB100 = 100 << 20

BREAKS = [
    (faults.reset_after_request, Reason.RESET),
    (faults.reset_in_head, Reason.RESET),
    (faults.reset_in_body, Reason.RESET),
    (faults.close_without_a_byte, Reason.DISCONNECTED),
    (faults.close_in_head, Reason.DISCONNECTED),
    (faults.short_body, Reason.DISCONNECTED),
    (faults.chunked_cut_off, Reason.DISCONNECTED),
    (faults.chunked_without_end, Reason.DISCONNECTED),
    (faults.bad_chunk_size, Reason.INVALID_RESPONSE),
    (faults.ssh_banner, Reason.INVALID_RESPONSE),
    (faults.http_0_9, Reason.INVALID_RESPONSE),
    (faults.random_bytes, Reason.INVALID_RESPONSE),
    (faults.endless_head_line, Reason.INVALID_RESPONSE),
]


def name(value: object) -> str:
    """How a case is called in the test's name."""
    return getattr(value, "__name__", str(value))


def of_script(script: Script, *, tls: bool) -> Server:
    """A server of this script, behind a good certificate or bare."""
    return Server(script, tls=certs.server_context(certs.issue()) if tls else None)


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize(("script", "reason"), BREAKS, ids=name)
async def test_break_has_its_reason_and_costs_one_connection(
    run: Run, script: Script, reason: Reason, tls: bool
) -> None:
    async with of_script(script, tls=tls) as server:
        result = await run(server.url())
        assert result.reason is reason, result.detail
        assert server.connections == 1
        assert len(server.heads) <= 1


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
async def test_server_that_speaks_before_it_is_asked_is_invalid_response(run: Run, tls: bool) -> None:
    """From a thread, so that its banner is there as soon as the connection is; its bytes are counted once."""
    with socket.create_server(("127.0.0.1", 0)) as listening, contextlib.ExitStack() as opened:
        context = certs.server_context(certs.issue()) if tls else None

        def serve() -> None:
            for _ in range(20):
                peer = opened.enter_context(listening.accept()[0])
                if context is not None:
                    peer = opened.enter_context(context.wrap_socket(peer, server_side=True))
                peer.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")

        serving = asyncio.create_task(asyncio.to_thread(serve))
        for _ in range(20):
            result = await run(f"{'https' if tls else 'http'}://127.0.0.1:{listening.getsockname()[1]}/")
            assert result.reason is Reason.INVALID_RESPONSE, result.detail
        await serving


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("script", [faults.close_without_a_byte, faults.reset_after_request], ids=name)
async def test_idempotent_request_is_never_sent_again(run: Run, script: Script, method: str) -> None:
    async with Server(script) as server:
        result = await run(server.url(), method=method)
        assert result.reason in (Reason.DISCONNECTED, Reason.RESET)
        assert [head.split()[0].decode() for head in server.heads] == [method]
        assert server.connections == 1


async def test_reset_on_accept_is_reset(run: Run) -> None:
    async with Server(faults.reset_on_accept) as server:
        result = await run(server.url())
        assert result.reason is Reason.RESET, result.detail
        assert server.connections == 1


async def test_closed_port_is_refused_and_names_the_address(run: Run) -> None:
    with closed_port() as port:
        result = await run(f"http://127.0.0.1:{port}/")
    assert result.reason is Reason.REFUSED
    assert f"127.0.0.1:{port}" in result.detail
    assert [attempt.address for attempt in result.attempts] == [f"127.0.0.1:{port}"]
    assert result.attempts[0].error


async def test_address_without_a_route_is_unreachable(run: Run) -> None:
    result = await run("http://127.255.255.255:9/")  # loopback's broadcast address
    assert result.reason is Reason.UNREACHABLE, result.detail
    assert "127.255.255.255:9" in result.detail


@pytest.mark.parametrize("lines", [True, False], ids=["many lines", "one line"])
async def test_huge_header_is_invalid_response_long_before_its_end(
    run: Run, lines: bool, starvation: Starvation
) -> None:
    async with Server(faults.huge_header(MB100, lines=lines)) as server:
        result = await run(server.url())
    assert result.reason is Reason.INVALID_RESPONSE, result.detail
    assert result.duration < 1 + starvation.seconds


async def test_endless_informational_answers_end_with_the_run(run: Run) -> None:
    async with Server(faults.endless_informational) as server:
        result = await run(server.url())
    assert result.reason in (Reason.INVALID_RESPONSE, Reason.TOTAL_TIMEOUT), result.detail


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 banana\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/9.9 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon here\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"\r\n\r\n\r\n\r\nNO",
        b"\x15\x03\x03\x00\x02\x02\x46",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
async def test_broken_head_is_invalid_response_not_a_status(run: Run, data: bytes) -> None:
    async with Server(faults.raw(data)) as server:
        result = await run(server.url())
    assert result.reason is Reason.INVALID_RESPONSE, result.detail
    assert len(server.heads) == 1


async def test_interim_answers_are_passed_over(run: Run) -> None:
    early = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
    async with HttpServer(lambda _: early + answer(201, b"made")) as server:
        result = await run(server.url())
    assert (result.reason, http(result).status, http(result).figures.body_bytes) == (Reason.OK, 201, 4)


async def test_reset_after_a_whole_answer_does_no_harm(run: Run) -> None:
    async def script(connection: Connection) -> None:
        await connection.read_head()
        await connection.send(answer(200, b"whole"))
        connection.reset()

    async with Server(script) as server:
        result = await run(server.url())
    assert result.reason in (Reason.OK, Reason.RESET), result.detail  # the kernel may drop what was not read yet


def spoilt(seed: int) -> bytes:
    """A good answer with a few bytes changed, left out, or put in."""
    chance = random.Random(seed)
    good = [
        answer(200, b"all is well", [("Content-Type", "text/plain; charset=utf-8"), ("Set-Cookie", "a=b; Path=/")]),
        chunked([b"all", b" is ", b"well"], ("Content-Encoding", "identity")),
        compressed(b"all is well " * 9),
        redirect("/elsewhere?a=b", 307, ("Connection", "close")),
    ]
    data = bytearray(chance.choice(good))
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(data))
        piece = chance.choice([b"", b"\0", b"\r\n", b":", b" ", b"9" * 12, b"\xff", chance.randbytes(3)])
        data[place : place + chance.randint(0, 3)] = piece
    return bytes(data)


@pytest.mark.parametrize("batch", range(8))
async def test_any_answer_has_a_reason(run: Run, batch: int) -> None:
    for seed in range(batch * 50, batch * 50 + 50):
        async with Server(faults.raw(spoilt(seed), hold=False)) as server:
            result = await run(server.url(), expect=expecting_body(contains="well"), max_redirects=2)
        assert result.conclusive, f"seed {seed}: {result.detail}"


async def test_status_is_known_when_the_body_breaks(run: Run) -> None:
    async with Server(faults.short_body) as server:
        result: Result = await run(server.url())
    assert (http(result).status, http(result).version, http(result).figures.body_bytes) == (200, "1.1", 4)
    assert http(result).figures.content_length == 8
    assert result.remote_address == server.address


async def test_plain_http_to_a_tls_port_is_no_answer(run: Run) -> None:
    async with HttpServer(tls=certs.server_context(certs.issue())) as server:
        result = await run(server.url(scheme="http"))
    assert result.reason in (Reason.DISCONNECTED, Reason.RESET, Reason.INVALID_RESPONSE), result.detail
