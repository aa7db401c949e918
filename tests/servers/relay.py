"""A relay between a client and a good server that spoils what the server says: for faults inside a real handshake."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from tests.servers.tcp import Connection, Server

Shape = Callable[[Connection, asyncio.StreamReader], Awaitable[None]]
"""How the server's bytes (the reader's) get to the client (the connection)."""


class Relay(Server):
    """Passes the client's bytes to `upstream` as they come, and what comes back through a shape."""

    def __init__(self, upstream: Server, shape: Shape) -> None:
        super().__init__(self._pass)
        self.scheme = upstream.scheme
        self._upstream = upstream
        self._shape = shape

    async def _pass(self, client: Connection) -> None:
        reader, writer = await asyncio.open_connection(self._upstream.host, self._upstream.port)
        forward = asyncio.create_task(_copy(client.reader, writer))
        try:
            await self._shape(client, reader)
        finally:
            forward.cancel()
            writer.transport.abort()  # first: the end of the server may cancel what is awaited here
            await asyncio.gather(forward, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.write_eof()


async def _pass_on(client: Connection, reader: asyncio.StreamReader, count: int | None = None) -> None:
    """Pass `count` bytes on, or all that come."""
    while count is None or count > 0:
        data = await reader.read(65536 if count is None else count)
        if not data:
            return
        await client.send(data)
        if count is not None:
            count -= len(data)


def dripping(interval: float) -> Shape:
    """One byte at a time."""

    async def shape(client: Connection, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(65536):
            await client.drip(data, interval)

    return shape


def late(seconds: float, after: int = 0) -> Shape:
    """A pause after so many bytes; the rest as it comes."""

    async def shape(client: Connection, reader: asyncio.StreamReader) -> None:
        await _pass_on(client, reader, after)
        await asyncio.sleep(seconds)
        await _pass_on(client, reader)

    return shape


def resetting(after: int) -> Shape:
    """RST after so many bytes."""

    async def shape(client: Connection, reader: asyncio.StreamReader) -> None:
        await _pass_on(client, reader, after)
        client.reset()

    return shape


def closing(after: int) -> Shape:
    """FIN after so many bytes."""

    async def shape(client: Connection, reader: asyncio.StreamReader) -> None:
        await _pass_on(client, reader, after)

    return shape


def stalling(after: int) -> Shape:
    """Silence after so many bytes."""

    async def shape(client: Connection, reader: asyncio.StreamReader) -> None:
        await _pass_on(client, reader, after)
        await client.freeze()

    return shape
