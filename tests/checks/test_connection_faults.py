"""Connections that break: which reason each break has, and that it costs the target one connection and one request."""

from __future__ import annotations

import pytest

from monitor.outcome import Reason, Result
from tests.checks.harness import Run
from tests.servers import certs, faults
from tests.servers.http import HttpServer, answer
from tests.servers.tcp import Script, Server, closed_port

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


@pytest.mark.parametrize("address", ["127.255.255.255", "224.0.0.1", "255.255.255.255"])
async def test_address_without_a_route_is_unreachable(run: Run, address: str) -> None:
    result = await run(f"http://{address}:9/")
    assert result.reason is Reason.UNREACHABLE, result.detail


@pytest.mark.parametrize("lines", [True, False], ids=["many lines", "one line"])
async def test_huge_header_is_invalid_response_long_before_its_end(run: Run, lines: bool) -> None:
    async with Server(faults.huge_header(MB100, lines=lines)) as server:
        result = await run(server.url())
    assert result.reason is Reason.INVALID_RESPONSE, result.detail
    assert result.duration < 1


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
    assert (result.reason, result.status_code, result.body_bytes) == (Reason.OK, 201, 4)


async def test_status_is_known_when_the_body_breaks(run: Run) -> None:
    async with Server(faults.short_body) as server:
        result: Result = await run(server.url())
    assert (result.status_code, result.http_version, result.body_bytes) == (200, "1.1", 4)
    assert result.content_length == 8
    assert result.remote_address == server.address


async def test_plain_http_to_a_tls_port_is_no_answer(run: Run) -> None:
    async with HttpServer(tls=certs.server_context(certs.issue())) as server:
        result = await run(server.url(scheme="http"))
    assert result.reason in (Reason.DISCONNECTED, Reason.RESET, Reason.INVALID_RESPONSE), result.detail
