"""Scripts of servers that misbehave: what a connection meets, from the first byte to the last."""

from __future__ import annotations

import asyncio
import random
import struct
import zlib

from tests.servers.http import answer
from tests.servers.tcp import Connection, Script

DRIP = 0.05
"""Seconds between two dripped bytes."""

_BLOCK = 1 << 20


# Before the answer


async def reset_on_accept(connection: Connection) -> None:
    """RST as soon as the connection is there."""
    connection.reset()


async def reset_after_request(connection: Connection) -> None:
    """RST in place of an answer."""
    await connection.read_head()
    connection.reset()


async def close_without_a_byte(connection: Connection) -> None:
    """FIN in place of an answer."""
    await connection.read_head()


async def silent(connection: Connection) -> None:
    """Read the request and never answer."""
    await connection.read_head()
    await connection.hold()


async def never_reads(connection: Connection) -> None:
    """Take nothing and say nothing; give the server a small `receive_buffer` with this."""
    await connection.freeze()


# In the head


async def close_in_head(connection: Connection) -> None:
    """FIN in the middle of a header."""
    await connection.read_head()
    await connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/pl")


async def reset_in_head(connection: Connection) -> None:
    """RST in the middle of a header, once the client had time to see its beginning."""
    await connection.read_head()
    await connection.drip(b"HTTP/1.1 200 OK\r\nCo", 0.001)
    connection.reset()


async def dripped_head(connection: Connection) -> None:
    """A head that comes byte by byte, and takes 5 s."""
    await connection.read_head()
    await connection.drip(answer(200, b"", [("X-Padding", "x" * 60)]), DRIP)


async def endless_head_line(connection: Connection) -> None:
    """A status line that never ends."""
    await connection.read_head()
    await connection.send(b"HTTP/1.1 200 ")
    while True:
        await connection.send(b"O" * 65536)


def huge_header(total: int, *, lines: bool) -> Script:
    """A head of `total` bytes, in one line or in lines of 1 KiB, and then a good body."""

    async def script(connection: Connection) -> None:
        await connection.read_head()
        await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n")
        line = b"X-Line: " + b"a" * 1014 + b"\r\n"
        if lines:
            for _ in range(total // _BLOCK):
                await connection.send(line * (_BLOCK // len(line)))
            await connection.send(b"\r\nok")
            return
        await connection.send(b"X-Line: ")
        for _ in range(total // _BLOCK):
            await connection.send(b"a" * _BLOCK)
        await connection.send(b"\r\n\r\nok")

    return script


async def endless_informational(connection: Connection) -> None:
    """1xx answers without end, and never a final one."""
    await connection.read_head()
    while True:
        await connection.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" * 64)


async def dripped_informational(connection: Connection) -> None:
    """A 1xx answer every 50 ms, and never a final one."""
    await connection.read_head()
    while True:
        await connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        await asyncio.sleep(DRIP)


# Not HTTP


async def ssh_banner(connection: Connection) -> None:
    """An SSH server, which speaks first and then waits."""
    await connection.send(b"SSH-2.0-OpenSSH_9.6p1 Debian-4\r\n")
    await connection.hold()


async def http_0_9(connection: Connection) -> None:
    """A body without a head, as in 1991."""
    await connection.read_head()
    await connection.send(b"<html><body>It works!</body></html>\n")


async def random_bytes(connection: Connection) -> None:
    """4 KiB of noise, the same each time."""
    await connection.read_head()
    await connection.send(random.Random(7).randbytes(4096))
    await connection.hold()


def raw(data: bytes, *, hold: bool = True) -> Script:
    """These bytes as the answer, whatever they are; then wait for the client to go, or close."""

    async def script(connection: Connection) -> None:
        await connection.read_head()
        await connection.send(data)
        if hold:
            await connection.hold()

    return script


# In the body


async def short_body(connection: Connection) -> None:
    """Closed before Content-Length is reached."""
    await connection.read_head()
    await connection.send(answer(200, b"half", length=8))


async def chunked_cut_off(connection: Connection) -> None:
    """Closed inside a chunk."""
    await connection.read_head()
    await connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n8\r\nof i")


async def chunked_without_end(connection: Connection) -> None:
    """Closed between two chunks, before the last one."""
    await connection.read_head()
    await connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")


async def bad_chunk_size(connection: Connection) -> None:
    """A chunk whose size is no number."""
    await connection.read_head()
    await connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nlots\r\n")
    await connection.hold()


async def reset_in_body(connection: Connection) -> None:
    """RST in the middle of the body, once the client had time to see its beginning."""
    await connection.read_head()
    await connection.send(answer(200, b"", length=4096))
    await connection.drip(b"half", 0.001)
    connection.reset()


async def stalled_body(connection: Connection) -> None:
    """Half of the body at once, and never the rest."""
    await connection.read_head()
    await connection.send(answer(200, b"half", length=8))
    await connection.hold()


async def stalled_chunk(connection: Connection) -> None:
    """Half of a chunked body at once, and never the rest."""
    await connection.read_head()
    await connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")
    await connection.hold()


async def dripped_body(connection: Connection) -> None:
    """A body of 1,000 bytes that takes 50 s."""
    await connection.read_head()
    await connection.send(answer(200, b"", length=1000))
    await connection.drip(b"d" * 1000, DRIP)


async def endless_body(connection: Connection) -> None:
    """A chunked body as fast as the client takes it, without end."""
    await connection.read_head()
    await connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    chunk = b"10000\r\n" + b"e" * 65536 + b"\r\n"
    while True:
        await connection.send(chunk)


async def single_bytes(connection: Connection) -> None:
    """A body of 20,000 chunks of one byte each, all at once."""
    await connection.read_head()
    await connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    await connection.send(b"1\r\nb\r\n" * 20_000 + b"0\r\n\r\n")


def gzip_bomb(decoded: int = 1 << 30) -> Script:
    """A gzip body about a thousandth of `decoded` on the wire; made while it is sent."""
    squeezer = zlib.compressobj(9, wbits=-15)
    block = squeezer.compress(bytes(_BLOCK)) + squeezer.flush(zlib.Z_FULL_FLUSH)  # may be repeated as it is
    blocks = decoded // _BLOCK
    start = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
    wire = len(start) + blocks * len(block) + 2 + 8

    async def script(connection: Connection) -> None:
        await connection.read_head()
        head = answer(200, b"", [("Content-Encoding", "gzip")], length=wire)
        await connection.send(head + start)
        checksum = 0
        for _ in range(blocks):
            await connection.send(block)
            checksum = zlib.crc32(bytes(_BLOCK), checksum)
        await connection.send(b"\x03\x00" + struct.pack("<II", checksum, decoded & 0xFFFFFFFF))
        await connection.hold()

    return script
