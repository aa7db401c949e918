"""A DNS server on loopback, UDP and TCP, whose answers are scripted name by name."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self, cast

A, AAAA = 1, 28
NOERROR, SERVFAIL, NXDOMAIN, REFUSED = 0, 2, 3, 5
_TYPES = {A: "A", AAAA: "AAAA"}


@dataclass(frozen=True)
class Reply:
    """One answer: addresses of either family, or an error code; late, cut short over UDP, or never sent."""

    addresses: tuple[str, ...] = ()
    code: int = NOERROR
    ttl: int = 300
    delay: float = 0.0
    truncated: bool = False
    silent: bool = False
    silent_for: int = 0
    """A type that is not answered, as by resolvers that drop what they do not know."""

    def unsaid(self, kind: int) -> bool:
        """True if a query of this type receives no answer."""
        return self.silent or self.silent_for == kind


def addresses(*found: str, delay: float = 0.0, truncated: bool = False) -> Reply:
    """An answer with these addresses, good for 300 s; only those of the family asked for are given."""
    return Reply(found, delay=delay, truncated=truncated)


NOT_FOUND = Reply(code=NXDOMAIN)
EMPTY = Reply()
FAILED = Reply(code=SERVFAIL)
DENIED = Reply(code=REFUSED)
SILENT = Reply(silent=True)

Zone = Mapping[str, Reply | Sequence[Reply]]
"""Answers by name; of a sequence the n-th goes to the n-th query of a type, and the last to all after it."""


@dataclass(frozen=True)
class _Question:
    ident: int
    name: str
    kind: int
    raw: bytes


class DnsServer:
    """Answers from its zone, NXDOMAIN elsewhere; `queries` holds («name», «A»), `over_tcp` counts those by TCP."""

    def __init__(self, zone: Zone, *, host: str = "127.0.0.1") -> None:
        self.zone = dict(zone)
        self.host = host
        self.port = 0
        self.queries: list[tuple[str, str]] = []
        self.over_tcp = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> str:
        """Where it listens, by UDP and TCP: «127.0.0.1:4711»."""
        return f"{self.host}:{self.port}"

    def asked(self, name: str, kind: str = "A") -> int:
        """How often a name was asked for."""
        return self.queries.count((name, kind))

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        datagrams, stream = _pair(self.host)
        self.port = datagrams.getsockname()[1]
        self._datagrams, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), sock=datagrams)
        self._stream = await asyncio.start_server(self._converse, sock=stream)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._datagrams.close()
        self._stream.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._stream.wait_closed()

    def reply_to(self, question: _Question) -> Reply:
        """Note the query, and find its answer."""
        self.queries.append((question.name, _TYPES.get(question.kind, str(question.kind))))
        found = self.zone.get(question.name, NOT_FOUND)
        if isinstance(found, Reply):
            return found
        asked = self.asked(question.name, _TYPES.get(question.kind, ""))
        return found[min(asked, len(found)) - 1]

    def spawn(self, task: asyncio.Task[None]) -> None:
        """Keep a task until it is done or the server is left."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.spawn(task)
        try:
            while True:
                (length,) = struct.unpack("!H", await reader.readexactly(2))
                question = _parse(await reader.readexactly(length))
                self.over_tcp += 1
                reply = self.reply_to(question)
                await asyncio.sleep(reply.delay)
                if not reply.unsaid(question.kind):
                    packet = _packet(question, reply)
                    writer.write(struct.pack("!H", len(packet)) + packet)
                    await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: DnsServer) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)  # asyncio's own is no subclass of it

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        question = _parse(data)
        reply = self._server.reply_to(question)
        if not reply.unsaid(question.kind):
            self._server.spawn(asyncio.get_running_loop().create_task(self._send(question, reply, addr)))

    async def _send(self, question: _Question, reply: Reply, addr: tuple[str, int]) -> None:
        if reply.delay:
            await asyncio.sleep(reply.delay)
        self._transport.sendto(_packet(question, reply, cut=reply.truncated), addr)


def _pair(host: str) -> tuple[socket.socket, socket.socket]:
    """A UDP and a TCP socket on one port number."""
    for _ in range(50):
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        datagrams.bind((host, 0))
        stream = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            stream.bind(datagrams.getsockname())
        except OSError:
            datagrams.close()
            stream.close()
            continue
        datagrams.setblocking(False)
        stream.setblocking(False)
        return datagrams, stream
    raise RuntimeError("no port that is free for both UDP and TCP")


def _parse(packet: bytes) -> _Question:
    """The one question of a query (RFC 1035, 4.1)."""
    (ident,) = struct.unpack_from("!H", packet)
    labels, position = [], 12
    while length := packet[position]:
        labels.append(packet[position + 1 : position + 1 + length].decode("ascii").lower())
        position += 1 + length
    (kind,) = struct.unpack_from("!H", packet, position + 1)
    return _Question(ident, ".".join(labels), kind, packet[12 : position + 5])


def _packet(question: _Question, reply: Reply, *, cut: bool = False) -> bytes:
    """The answer: header, the question again, and a record per address of the family asked for."""
    wanted = 4 if question.kind == A else 6
    found = [] if cut else [a for a in map(ipaddress.ip_address, reply.addresses) if a.version == wanted]
    flags = 0x8580 | (0x0200 if cut else 0) | reply.code  # an authoritative answer, recursion available
    header = struct.pack("!HHHHHH", question.ident, flags, 1, len(found), 0, 0)
    records = (struct.pack("!HHHIH", 0xC00C, question.kind, 1, reply.ttl, len(a.packed)) + a.packed for a in found)
    return header + question.raw + b"".join(records)
