"""The servers of the tests do what they say: seen through plain sockets, so that no client's kindness hides it."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import socket
import ssl
import time
from collections.abc import AsyncIterator

import pytest

from tests.servers import certs, dns, faults, http, proxy, relay, tls
from tests.servers.tcp import Script, Server, closed_port, hanging_port

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def ask(server: Server, request: bytes = GET, **options: object) -> bytes:
    """Send a request, and return all that comes until the server ends."""
    reader, writer = await asyncio.open_connection(server.host, server.port, **options)
    try:
        writer.write(request)
        return await reader.read()
    finally:
        writer.transport.abort()


def trusting(host: str = "localhost") -> dict[str, object]:
    """Options of a TLS connection that trusts the authority of the tests."""
    context = ssl.create_default_context(cadata=certs.authority().cert_pem.bytes().decode())
    return {"ssl": context, "server_hostname": host}


CLOSE = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


async def test_http_server_counts_connections_and_keeps_requests() -> None:
    async with http.HttpServer(http.echo) as server:
        body = b"POST /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nConnection: close\r\n\r\nping"
        head, _, sent = (await ask(server, body)).partition(b"\r\n\r\n")
        await ask(server, CLOSE)
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert json.loads(sent)["body"] == "ping"
    assert (server.connections, len(server.requests), len(server.heads)) == (2, 2, 2)
    assert server.heads[0] == body[:-4]
    assert server.requests[0].target == "/a?b=c"
    assert server.requests[1].connection == 2


async def test_http_server_takes_several_requests_on_one_connection() -> None:
    async with http.HttpServer() as server:
        assert (await ask(server, GET + CLOSE)).count(b"200 OK") == 2
    assert (server.connections, len(server.requests)) == (1, 2)


async def test_http_server_reads_chunked_requests() -> None:
    async with http.HttpServer(http.echo) as server:
        await ask(server, CLOSE[:-2] + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
    assert server.requests[0].body == b"abcde"


async def test_answers_are_spelt_as_asked() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\n\r\n"
        yield b"until "
        yield b"closed"

    table = {
        "/gzip": http.compressed(b"text"),
        "/chunked": http.chunked([b"a", b"bc"]),
        "/away": http.redirect("/", 301),
        "/none": http.answer(204),
        "/until": lambda _: pieces(),
    }
    async with http.HttpServer(http.routes(table)) as server:
        got = {path: await ask(server, CLOSE.replace(b"/ ", path.encode() + b" ", 1)) for path in [*table, "/x"]}
    assert gzip.decompress(got["/gzip"].partition(b"\r\n\r\n")[2]) == b"text"
    assert got["/chunked"].endswith(b"\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n")
    assert b"301 Moved Permanently\r\nLocation: /\r\n" in got["/away"]
    assert got["/none"] == b"HTTP/1.1 204 No Content\r\n\r\n"
    assert got["/until"].endswith(b"\r\n\r\nuntil closed")
    assert got["/x"].startswith(b"HTTP/1.1 404")


async def test_failing_script_fails_the_test() -> None:
    async def broken(_: object) -> None:
        raise ZeroDivisionError

    async def use() -> None:
        async with Server(broken) as server:
            with contextlib.suppress(ConnectionResetError):
                await ask(server)

    with pytest.raises(ExceptionGroup, match="script"):
        await use()


@pytest.mark.parametrize("script", [faults.reset_on_accept, faults.reset_after_request, tls.resets])
async def test_resets_are_resets(script: Script) -> None:
    async with Server(script) as server:
        with pytest.raises(ConnectionResetError):
            await ask(server)
    assert server.connections == 1


@pytest.mark.parametrize("script", [faults.reset_in_head, faults.reset_in_body])
async def test_resets_in_the_answer_come_after_its_beginning(script: Script) -> None:
    async with Server(script) as server:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(GET)
        assert await reader.readuntil(b"200 OK")
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.transport.abort()


@pytest.mark.parametrize(
    ("script", "ending"),
    [
        (faults.close_without_a_byte, b""),
        (faults.close_in_head, b"text/pl"),
        (faults.short_body, b"half"),
        (faults.chunked_cut_off, b"of i"),
        (faults.chunked_without_end, b"half\r\n"),
        (faults.http_0_9, b"</html>\n"),
        (faults.raw(b"bye", hold=False), b"bye"),
    ],
)
async def test_closes_are_clean(script: Script, ending: bytes) -> None:
    async with Server(script) as server:
        assert (await ask(server)).endswith(ending)


@pytest.mark.parametrize(
    ("script", "beginning"),
    [
        (faults.silent, b""),
        (faults.stalled_body, b"HTTP/1.1 200"),
        (faults.stalled_chunk, b"HTTP/1.1 200"),
        (faults.ssh_banner, b"SSH-2.0"),
        (faults.bad_chunk_size, b"HTTP/1.1 200"),
        (faults.random_bytes, b""),
    ],
)
async def test_holding_scripts_hold(script: Script, beginning: bytes) -> None:
    async with Server(script) as server:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(GET)
        assert (await reader.readexactly(len(beginning))) == beginning
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(_until_end(reader), 0.05)
        assert server.open == 1
        writer.transport.abort()
        await server.until(lambda: server.open == 0)


async def _until_end(reader: asyncio.StreamReader) -> None:
    while await reader.read(65536):
        pass


@pytest.mark.parametrize(
    "script",
    [
        faults.endless_body,
        faults.endless_head_line,
        faults.endless_informational,
        faults.huge_header(8 << 20, lines=True),
        faults.huge_header(8 << 20, lines=False),
    ],
)
async def test_floods_flood(script: Script) -> None:
    async with Server(script) as server:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(GET)
        assert len(await reader.readexactly(6 << 20)) == 6 << 20
        writer.transport.abort()


async def test_gzip_bomb_is_small_on_the_wire_and_whole() -> None:
    async with Server(faults.gzip_bomb(64 << 20)) as server:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(GET)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split()[0])
        body = await reader.readexactly(length)
        writer.transport.abort()
    assert length < 100_000
    assert len(gzip.decompress(body)) == 64 << 20


async def test_a_server_that_never_reads_blocks_the_writer() -> None:
    async with Server(faults.never_reads, receive_buffer=4096) as server:
        _, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(bytes(64 << 20))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(writer.drain(), 0.2)
        writer.transport.abort()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1"])
async def test_closed_port_refuses_and_hanging_port_hangs(host: str) -> None:
    with closed_port(host) as port, pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(host, port)
    async with hanging_port(host) as port:
        for _ in range(3):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asyncio.open_connection(host, port), 0.1)


async def test_good_tls_server_is_good() -> None:
    for server in (tls.https(), tls.with_intermediate(), tls.ending_in(3), tls.https(only=tls.V12)):
        async with server:
            for name in ("localhost", "target.test", "127.0.0.1"):
                assert b"fine" in await ask(server, CLOSE, **trusting(name))
            assert (server.connections, server.handshake_failures) == (3, [])


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (tls.expired, 10),
        (tls.not_yet_valid, 9),
        (tls.wrong_host, 62),
        (tls.self_signed, 18),
        (tls.unknown_authority, 20),
        (tls.intermediate_missing, 20),
    ],
)
async def test_bad_certificates_are_bad_in_their_own_way(make, code: int) -> None:
    async with make() as server:
        with pytest.raises(ssl.SSLCertVerificationError) as caught:
            await ask(server, **trusting())
        assert caught.value.verify_code == code
        assert server.connections == 1


@pytest.mark.parametrize("version", [tls.V12, tls.V13])
async def test_demanded_client_certificates_are_demanded(version: ssl.TLSVersion, tmp_path) -> None:
    async with tls.demanding_client_certificate(version) as server:
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            await ask(server, CLOSE, **trusting())
        options = trusting()
        options["ssl"].load_cert_chain(*certs.issue(subject="client").write(tmp_path))
        assert b"fine" in await ask(server, CLOSE, **options)


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (tls.closes, (ConnectionResetError, ssl.SSLError)),
        (tls.resets, ConnectionResetError),
        (tls.plain_http, ssl.SSLError),
        (tls.garbage, ssl.SSLError),
        (tls.noise, ssl.SSLError),
        (tls.alert(40), ssl.SSLError),
    ],
)
async def test_broken_handshakes_break(script: Script, error) -> None:
    async with tls.Bare(script) as server:
        assert server.url().startswith("https://")
        with pytest.raises(error):
            await ask(server, **trusting())


@pytest.mark.parametrize("shape", [relay.resetting(200), relay.closing(200)])
async def test_relay_spoils_a_handshake_halfway(shape: relay.Shape) -> None:
    async with tls.https() as server, relay.Relay(server, shape) as spoilt:
        with pytest.raises((ConnectionResetError, ssl.SSLError)):
            await ask(spoilt, **trusting())


@pytest.mark.parametrize("shape", [relay.dripping(0.01), relay.stalling(200), tls.silent])
async def test_relay_holds_a_handshake_up(shape) -> None:
    async with (
        tls.https() as server,
        relay.Relay(server, shape) if shape is not tls.silent else tls.Bare(shape) as slow,
    ):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ask(slow, **trusting()), 0.1)


async def test_relay_lets_a_good_answer_through_late() -> None:
    async with tls.https() as server, relay.Relay(server, relay.late(0.1)) as slow:
        started = time.monotonic()
        assert b"fine" in await ask(slow, CLOSE, **trusting())
        assert time.monotonic() - started >= 0.1


def _query(name: str, kind: int) -> bytes:
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return (
        b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + labels + b"\x00" + kind.to_bytes(2, "big") + b"\x00\x01"
    )


async def _udp(server: dns.DnsServer, name: str, kind: int = dns.A) -> bytes:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        await loop.sock_connect(sock, (server.host, server.port))
        await loop.sock_sendall(sock, _query(name, kind))
        return await asyncio.wait_for(loop.sock_recv(sock, 512), 0.2)


async def test_dns_server_answers_by_its_script() -> None:
    zone = {
        "a.test": dns.addresses("127.0.0.1", "127.0.0.2", "::1"),
        "none.test": dns.EMPTY,
        "fails.test": dns.FAILED,
        "denied.test": dns.DENIED,
        "turns.test": [dns.addresses("127.0.0.1"), dns.NOT_FOUND],
        "cut.test": dns.addresses("127.0.0.1", truncated=True),
        "silent.test": dns.SILENT,
    }
    async with dns.DnsServer(zone) as server:
        four, six = await _udp(server, "A.test"), await _udp(server, "a.test", dns.AAAA)
        assert (four[7], six[7]) == (2, 1)
        assert four.endswith(b"\x00\x00\x01\x2c\x00\x04" + bytes([127, 0, 0, 2]))
        codes = [
            (await _udp(server, f"{name}.test"))[3] & 15 for name in ("none", "fails", "denied", "turns", "turns", "x")
        ]
        assert codes == [0, 2, 5, 0, 3, 3]
        assert (await _udp(server, "cut.test"))[2] & 2
        with pytest.raises(TimeoutError):
            await _udp(server, "silent.test")
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(len(_query("cut.test", 1)).to_bytes(2, "big") + _query("cut.test", 1))
        assert (await reader.readexactly(9))[8:9] == b"\x00"
        writer.transport.abort()
        assert (server.asked("a.test"), server.asked("a.test", "AAAA"), server.over_tcp) == (1, 1, 1)


async def test_proxy_forwards_and_tunnels() -> None:
    async with http.HttpServer(http.echo) as target, proxy.Proxy(hosts={"target.test": "127.0.0.1"}) as server:
        url = target.url("/p?q=1", host="target.test")
        got = await ask(server, f"GET {url} HTTP/1.1\r\nHost: target.test\r\n\r\n".encode())
        assert json.loads(got.partition(b"\r\n\r\n")[2])["target"] == "/p?q=1"
        got = await ask(server, f"CONNECT target.test:{target.port} HTTP/1.1\r\nHost: x\r\n\r\n".encode() + CLOSE)
        assert got.startswith(b"HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 200 OK")
    assert server.forwarded[0].target == url
    assert server.tunnels == [f"target.test:{target.port}"]
    assert (server.connections, target.connections) == (2, 2)


async def test_proxy_asks_for_credentials() -> None:
    async with http.HttpServer() as target, proxy.Proxy(credentials=("u", "p")) as server:
        line = f"CONNECT {target.address} HTTP/1.1\r\nHost: x\r\n".encode()
        assert (await ask(server, line + b"\r\n")).startswith(b"HTTP/1.1 407")
        good = await ask(server, line + b"Proxy-Authorization: Basic dTpw\r\n\r\n" + CLOSE)
        assert b"fine" in good


@pytest.mark.parametrize(("script", "said"), [(proxy.refuses, b"HTTP/1.1 502 Bad Gateway"), (proxy.closes, b"")])
async def test_proxy_variants_fail_connect(script: Script, said: bytes) -> None:
    async with proxy.Proxy(connect=script) as server:
        assert (await ask(server, b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n")).startswith(said)
