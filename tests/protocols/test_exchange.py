"""One request and one answer over one connection: what comes too early, too late, in pieces, or not at all."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator

import pytest

from monitor.model.outcome import Reason
from monitor.model.request import Body
from monitor.model.route import TlsSpec
from monitor.model.spec import Limits
from tests.flat import http
from tests.protocols.harness import LagMeter, Run, expecting_body
from tests.servers import certs, tls
from tests.servers.http import HttpServer, answer, ok, redirect
from tests.servers.proxy import Proxy
from tests.servers.tcp import Connection, Script, Server
from tests.starvation import Starvation

BOTH = pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
UNTIL_CLOSED = b"HTTP/1.1 200 OK\r\n\r\nhalf"


def server(script: Script, *, secure: bool) -> Server:
    """A server of this script, behind a good certificate or bare."""
    return Server(script, tls=certs.server_context(certs.issue()) if secure else None)


def in_pieces(*pieces: bytes, reset: bool = False, hold: bool = False) -> Script:
    """The request is read, then these are sent, each for itself."""

    async def script(connection: Connection) -> None:
        await connection.read_head()
        for piece in pieces:
            await connection.send(piece)
            await asyncio.sleep(0.05)
        if reset:
            connection.reset()
        elif hold:
            await connection.hold()

    return script


@BOTH
@pytest.mark.parametrize("rest", [b"lots\r\n", b"4\r\nhalfX", b"-1\r\n"])
async def test_chunk_that_is_none_is_invalid_response_as_soon_as_it_comes(
    run: Run, secure: bool, rest: bytes, starvation: Starvation
) -> None:
    async with server(in_pieces(CHUNKED, b"4\r\nhalf\r\n", rest, hold=True), secure=secure) as target:
        result = await run(target.url(), expect=expecting_body(contains="half"))
    assert result.reason is Reason.INVALID_RESPONSE, result.detail
    assert result.duration < 0.5 + starvation.seconds


@BOTH
async def test_reset_ends_no_body_that_ends_with_the_connection(run: Run, secure: bool) -> None:
    async with server(in_pieces(UNTIL_CLOSED, reset=True), secure=secure) as target:
        result = await run(target.url())
    assert result.reason is Reason.RESET, result.detail
    assert http(result).figures.body_bytes == 4


@BOTH
async def test_body_that_ends_with_the_connection_is_whole_then(run: Run, secure: bool) -> None:
    async with server(in_pieces(UNTIL_CLOSED, b" and half"), secure=secure) as target:
        result = await run(target.url(), expect=expecting_body(equals="half and half"))
    assert (result.reason, http(result).figures.body_bytes) == (Reason.OK, 13), result.detail


async def test_goodbye_of_tls_ends_a_body_though_the_connection_stays(run: Run) -> None:
    """The peer's close_notify, and no FIN behind it."""
    context = certs.server_context(certs.issue())

    async def script(connection: Connection) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        peer = context.wrap_bio(incoming, outgoing, server_side=True)

        async def done(step: object, *arguments: object) -> None:
            while True:
                try:
                    step(*arguments)  # type: ignore[operator]
                except ssl.SSLWantReadError:
                    await connection.send(outgoing.read())
                    incoming.write(await connection.reader.read(65536))
                else:
                    return await connection.send(outgoing.read())

        await done(peer.do_handshake)
        await done(peer.read)
        peer.write(UNTIL_CLOSED)
        with contextlib.suppress(ssl.SSLWantReadError):
            peer.unwrap()
        await connection.send(outgoing.read())
        await connection.hold()

    async with Server(script) as target:
        result = await run(target.url(scheme="https"), expect=expecting_body(equals="half"))
    assert result.reason is Reason.OK, result.detail


@BOTH
async def test_what_follows_a_whole_answer_later_does_no_harm(run: Run, secure: bool) -> None:
    async with server(in_pieces(ok(b"whole"), b"\0rubbish", hold=True), secure=secure) as target:
        result = await run(target.url(), expect=expecting_body(equals="whole"))
    assert result.reason is Reason.OK, result.detail


@BOTH
async def test_the_first_of_two_answers_counts(run: Run, secure: bool) -> None:
    async with server(in_pieces(ok(b"first") + answer(500, b"second"), hold=True), secure=secure) as target:
        result = await run(target.url(), expect=expecting_body(equals="first"))
    assert (result.reason, http(result).status) == (Reason.OK, 200), result.detail


@BOTH
async def test_answer_before_the_request_and_a_close_is_no_answer(run: Run, secure: bool) -> None:
    async def hasty(connection: Connection) -> None:
        await connection.send(ok(b"early"))

    async with server(hasty, secure=secure) as target:
        for _ in range(20):
            result = await run(target.url())
            assert result.reason in (Reason.OK, Reason.DISCONNECTED, Reason.RESET), result.detail
            assert result.reason is not Reason.OK or http(result).figures.body_bytes == 5


@BOTH
async def test_answer_byte_by_byte_is_the_same_answer(run: Run, secure: bool) -> None:
    async def pieces(_: object) -> AsyncIterator[bytes]:
        for byte in b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n0\r\n\r\n":
            yield bytes([byte])
            await asyncio.sleep(0.001)

    context = certs.server_context(certs.issue()) if secure else None
    async with HttpServer(pieces, tls=context) as target:
        result = await run(target.url(), expect=expecting_body(equals="whole"))
    assert result.reason is Reason.OK, result.detail


# the request


@BOTH
async def test_body_waits_for_leave_where_that_is_asked_for(run: Run, secure: bool) -> None:
    before: list[bytes] = []

    async def script(connection: Connection) -> None:
        await connection.read_head()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.1):
                before.append(await connection.reader.read(1))
        await connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        before.append(await connection.reader.readexactly(5))
        await connection.send(ok())

    async with server(script, secure=secure) as target:
        body = Body(b"plain", None, secret=False)
        result = await run(target.url(), method="POST", body=body, headers=(("Expect", "100-Continue"),))
    assert result.reason is Reason.OK, result.detail
    assert before == [b"plain"]


async def test_body_is_kept_where_no_leave_is_given(run: Run) -> None:
    came: list[bytes] = []

    async def script(connection: Connection) -> None:
        await connection.read_head()
        await connection.send(answer(417, b"no"))
        came.append(await connection.reader.read())

    async with Server(script) as target:
        body = Body(b"plain", None, secret=False)
        result = await run(target.url(), method="POST", body=body, headers=(("expect", "100-continue"),))
        await target.until(lambda: bool(came))
    assert http(result).status == 417
    assert came == [b""]


@BOTH
@pytest.mark.parametrize("size", [65_536, 65_537, 3_000_001])
async def test_body_of_any_length_arrives_whole(run: Run, secure: bool, size: int) -> None:
    body = Body(bytes(range(251)) * (size // 251) + b"x" * (size % 251), None, secret=False)
    context = certs.server_context(certs.issue()) if secure else None
    async with HttpServer(tls=context) as target:
        result = await run(target.url(), method="PUT", body=body)
        assert result.reason is Reason.OK, result.detail
        assert target.requests[0].body == body.data


@BOTH
async def test_long_body_holds_up_nobody_else(run: Run, secure: bool, starvation: Starvation) -> None:
    """The target, in a thread, takes it as fast as it can."""
    context = certs.server_context(certs.issue()) if secure else None
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            peer = listening.accept()[0]
            if context is not None:
                peer = context.wrap_socket(peer, server_side=True)
            with peer:
                left = 48 << 20
                while left > 0 and (data := peer.recv(1 << 20)):
                    left -= len(data)
                peer.sendall(ok())

        serving = asyncio.create_task(asyncio.to_thread(serve))
        body = Body(bytes(48 << 20), None, secret=False)
        async with LagMeter() as lag:
            url = f"{'https' if secure else 'http'}://127.0.0.1:{listening.getsockname()[1]}/"
            result = await run(url, method="PUT", body=body, limits=Limits(5, 5, 10))
        await serving
    assert result.reason is Reason.OK, result.detail
    assert lag.worst < 0.1 + starvation.seconds


@BOTH
async def test_target_that_takes_no_more_of_a_body_is_a_limit(run: Run, secure: bool) -> None:
    async def script(connection: Connection) -> None:
        await connection.read_head()
        await connection.freeze()

    async with server(script, secure=secure) as target:
        body = Body(bytes(16 << 20), None, secret=False)
        result = await run(target.url(), method="PUT", body=body, limits=Limits(0.5, 0.3, 1))
    assert result.reason is Reason.RESPONSE_TIMEOUT, result.detail


# TLS


async def test_target_is_told_why_its_certificate_is_refused(run: Run) -> None:
    async with tls.https() as target:
        result = await run(target.url(), tls=TlsSpec())
        await target.until(lambda: bool(target.handshake_failures))
        assert result.reason is Reason.TLS_UNTRUSTED, result.detail
        assert "UNKNOWN_CA" in str(target.handshake_failures[0]).upper().replace(" ", "_")


async def test_what_a_proxy_says_behind_its_answer_is_not_tls(run: Run) -> None:
    async def talkative(connection: Connection) -> None:
        await connection.send(b"HTTP/1.1 200 OK\r\n\r\nwelcome to the tunnel")
        await connection.hold()

    async with Proxy(connect=talkative) as proxy:
        result = await run("https://target.test/", proxy=proxy.url())
    assert result.reason is Reason.TLS_HANDSHAKE_FAILED, result.detail


@pytest.mark.parametrize("host", [".test", "a" * 64 + ".test", "a..b"])
async def test_redirect_behind_a_proxy_to_what_is_no_name_is_no_bug(run: Run, host: str) -> None:
    async def opens(connection: Connection) -> None:
        await connection.send(b"HTTP/1.1 200 OK\r\n\r\n")
        await connection.hold()

    async with HttpServer(lambda _: redirect(f"https://{host}/")) as target, Proxy(connect=opens) as proxy:
        result = await run(target.url(), proxy=proxy.url())
    assert result.reason is Reason.TLS_HANDSHAKE_FAILED, result.detail


async def test_head_of_several_pieces_stays_before_its_body(run: Run) -> None:
    long, body = "v" * 200_000, Body(b"b" * 300_000, None, secret=False)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> bytes:
            came = b""
            with listening.accept()[0] as peer:
                while len(came) < 500_000:
                    came += peer.recv(1 << 20)
                peer.sendall(ok())
            return came

        serving = asyncio.create_task(asyncio.to_thread(serve))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        result = await run(url, method="PUT", body=body, headers=(("X-Long", long),))
        head, _, rest = (await serving).partition(b"\r\n\r\n")
    assert result.reason is Reason.OK, result.detail
    assert f"X-Long: {long}\r\nContent-Length: 300000\r\n".encode() in head
    assert rest == body.data
