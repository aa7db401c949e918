"""A proxy on loopback: absolute-form requests are forwarded, CONNECT opens a tunnel, and either can go wrong."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from urllib.parse import urlsplit

from tests.servers.http import Request, answer, read_request
from tests.servers.tcp import Connection, Script, Server

_HOP_BY_HOP = {"connection", "proxy-connection", "proxy-authorization"}


class Proxy(Server):
    """A proxy that keeps its requests; it resolves names by its own table, and takes other hosts as addresses.

    With `credentials` it asks for them (407); with `connect`, that script runs in place of a tunnel once the head of
    a CONNECT has been read.
    """

    def __init__(
        self,
        *,
        credentials: tuple[str, str] | None = None,
        connect: Script | None = None,
        hosts: Mapping[str, str] | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        super().__init__(self._mediate, host=host)
        self.requests: list[Request] = []
        self._connect = connect
        self._hosts = dict(hosts or {})
        self._pass = credentials and "Basic " + base64.b64encode(":".join(credentials).encode()).decode()

    @property
    def tunnels(self) -> list[str]:
        """What CONNECT was asked for: «target.test:443»."""
        return [request.target for request in self.requests if request.method == "CONNECT"]

    @property
    def forwarded(self) -> list[Request]:
        """The requests in absolute form."""
        return [request for request in self.requests if request.method != "CONNECT"]

    async def _mediate(self, connection: Connection) -> None:
        head = await connection.read_head()
        if not head.endswith(b"\r\n\r\n"):
            return
        request = await read_request(connection, head)
        self.requests.append(request)
        if self._pass and request.header("Proxy-Authorization") != self._pass:
            challenge = [("Proxy-Authenticate", 'Basic realm="tests"'), ("Connection", "close")]
            await connection.send(answer(407, b"who are you?", challenge))
        elif request.method != "CONNECT":
            await self._forward(connection, request)
        elif self._connect is not None:
            await self._connect(connection)
        else:
            await self._tunnel(connection, request)

    async def _forward(self, client: Connection, request: Request) -> None:
        parts = urlsplit(request.target)
        reader, writer = await self._dial(parts.hostname or "", parts.port or 80)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        kept = [f"{name}: {value}" for name, value in request.headers if name.lower() not in _HOP_BY_HOP]
        head = "\r\n".join([f"{request.method} {path} HTTP/1.1", *kept, "Connection: close", "", ""])
        writer.write(head.encode("latin-1") + request.body)
        await _pour(reader, client.writer)
        writer.transport.abort()

    async def _tunnel(self, client: Connection, request: Request) -> None:
        host, _, port = request.target.rpartition(":")
        reader, writer = await self._dial(host.strip("[]"), int(port))
        await client.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        there = asyncio.create_task(_pour(client.reader, writer))
        try:
            await _pour(reader, client.writer)
        finally:
            there.cancel()
            await asyncio.gather(there, return_exceptions=True)
            writer.transport.abort()

    async def _dial(self, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(self._hosts.get(host, host), port)


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


# Scripts for `connect`: they begin after the head has been read.


async def refuses(connection: Connection) -> None:
    """502: the proxy cannot reach the target."""
    await connection.send(answer(502, b"cannot reach it"))


async def closes(connection: Connection) -> None:
    """FIN in answer to CONNECT."""


async def resets(connection: Connection) -> None:
    """RST in answer to CONNECT."""
    connection.reset()


async def silent(connection: Connection) -> None:
    """No answer to CONNECT."""
    await connection.hold()


async def garbage(connection: Connection) -> None:
    """Bytes that are not HTTP in answer to CONNECT."""
    await connection.send(b"SSH-2.0-OpenSSH_9.6p1\r\n\r\n")
    await connection.hold()


async def dripping(connection: Connection) -> None:
    """The head of a 200 in answer to CONNECT, byte by byte, 50 ms apart."""
    await connection.drip(b"HTTP/1.1 200 Connection established\r\nX-Padding: " + b"x" * 60 + b"\r\n\r\n", 0.05)
