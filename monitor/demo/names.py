"""A name server on loopback: every name leads to 127.0.0.1, except for those that something is wrong with."""

from __future__ import annotations

import asyncio
import struct
from typing import cast

NOERROR, SERVFAIL, NXDOMAIN = 0, 2, 3
WRONG: dict[str, int | None] = {
    "no-such-name.example.com": NXDOMAIN,
    "broken-zone.example.com": SERVFAIL,
    "silent-dns.example.com": None,
}
"""Names with the code that they are answered with; None: with silence."""

_A = 1
_ANSWER = 0x8580
"""QR, AA, RD and RA (RFC 1035, 4.1.1): an authoritative answer."""
_HEADER = struct.Struct("!HHHHHH")
_ADDRESS = struct.pack("!HHHIH4B", 0xC00C, _A, 1, 60, 4, 127, 0, 0, 1)
"""A record for the name of the question: 127.0.0.1, good for a minute."""


class NameServer(asyncio.DatagramProtocol):
    """Answers over UDP."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps the transport."""
        self._transport = cast("asyncio.DatagramTransport", transport)  # asyncio's own is no subclass of it

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """A question, which is answered at once or never."""
        reply = replied(data)
        if reply is not None:
            self._transport.sendto(reply, addr)


def replied(query: bytes) -> bytes | None:
    """The answer to a query, None for silence and for what is no query."""
    try:
        ident = _HEADER.unpack_from(query)[0]
        name, end = _question(query)
        (kind,) = struct.unpack_from("!H", query, end)
    except (struct.error, IndexError, UnicodeDecodeError):
        return None
    code = WRONG.get(name, NOERROR)
    if code is None:
        return None
    record = _ADDRESS if code == NOERROR and kind == _A else b""
    header = _HEADER.pack(ident, _ANSWER | code, 1, bool(record), 0, 0)
    return header + query[_HEADER.size : end + 4] + record


def _question(query: bytes) -> tuple[str, int]:
    """Returns the name in the query, and the index of its end."""
    labels, place = [], _HEADER.size
    while length := query[place]:
        labels.append(query[place + 1 : place + 1 + length].decode("ascii").lower())
        place += 1 + length
    return ".".join(labels), place + 1


async def serve_names() -> str:
    """Answer on a free port for as long as the loop runs; says where."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(NameServer, local_addr=("127.0.0.1", 0))
    host, port = transport.get_extra_info("sockname")
    return f"{host}:{port}"
