"""A scriptable HTTP/1.1 server: a function makes the bytes of each answer, and every request is kept."""

from __future__ import annotations

import gzip
import inspect
import json
import re
import ssl
import zlib
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from http import HTTPStatus

from tests.servers.tcp import Connection, Server

Answer = bytes | AsyncIterable[bytes]
Responder = Callable[["Request"], Answer | Awaitable[Answer]]
Headers = Iterable[tuple[str, str]]


@dataclass(frozen=True)
class Request:
    """One request as it came; `head` is raw, and `connection` counts from 1."""

    method: str
    target: str
    version: str
    headers: tuple[tuple[str, str], ...]
    head: bytes
    body: bytes
    connection: int

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name: str) -> str | None:
        """The value of a header, None if it is not there; more than one is an error of the client."""
        values = self.all(name)
        if len(values) > 1:
            raise ValueError(f"{name} came {len(values)} times")
        return values[0] if values else None


class HttpServer(Server):
    """Answers each request with what the responder returns: bytes, or pieces that an async iterator yields.

    A connection stays open for further requests unless the client said `Connection: close` or the answer ends only
    with the connection, so that a client which should open one connection per request has to do so by itself.
    HEAD gets the head alone.
    """

    def __init__(
        self,
        responder: Responder | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(self._converse, host=host, port=port, tls=tls)
        self.responder = responder or (lambda _: ok())
        self.requests: list[Request] = []

    async def _converse(self, connection: Connection) -> None:
        while (head := await connection.read_head()).endswith(b"\r\n\r\n"):
            request = await read_request(connection, head)
            self.requests.append(request)
            self._news.set()
            if not await self._answer(connection, request):
                return

    async def _answer(self, connection: Connection, request: Request) -> bool:
        """Send the answer; whether the connection may carry another request."""
        made = self.responder(request)
        answer = await made if inspect.isawaitable(made) else made
        if isinstance(answer, bytes) and request.method == "HEAD":
            answer = b"".join(answer.partition(b"\r\n\r\n")[:2])
        pieces = _once(answer) if isinstance(answer, bytes) else answer
        first = b""
        async for piece in pieces:
            first = first or piece
            await connection.send(piece)
        return _delimited(first, request) and "close" not in (request.header("Connection") or "").lower()


def parse_head(head: bytes, connection: int) -> Request:
    """The request that begins with this head, without its body."""
    start, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, target, version = start.split(" ")
    pairs = (line.partition(":") for line in lines)
    headers = tuple((name, value.strip(" \t")) for name, _, value in pairs)
    return Request(method, target, version.removeprefix("HTTP/"), headers, head, b"", connection)


async def read_request(connection: Connection, head: bytes) -> Request:
    """The request that begins with this head, its body read to the end."""
    request = parse_head(head, connection.number)
    if "chunked" in (request.header("Transfer-Encoding") or ""):
        body = await _read_chunked(connection)
    else:
        body = await connection.reader.readexactly(int(request.header("Content-Length") or 0))
    return replace(request, body=body)


async def _read_chunked(connection: Connection) -> bytes:
    body = b""
    while size := int(await connection.reader.readline(), 16):
        body += (await connection.reader.readexactly(size + 2))[:-2]
    await connection.reader.readuntil(b"\r\n")
    return body


async def _once(data: bytes) -> AsyncIterable[bytes]:
    yield data


def _delimited(start: bytes, request: Request) -> bool:
    """Whether an answer that starts like this ends before its connection does."""
    head = start.partition(b"\r\n\r\n")[0].lower()
    bodiless = request.method == "HEAD" or re.match(rb"http/1\.\d (204|304)", head) is not None
    return head.startswith(b"http/1.1") and (
        bodiless or b"\r\ncontent-length:" in head or b"\r\ntransfer-encoding: chunked" in head
    )


def answer(
    status: int = 200,
    body: bytes = b"",
    headers: Headers = (),
    *,
    reason: str | None = None,
    version: str = "1.1",
    length: int | None = -1,
) -> bytes:
    """A whole answer; `length` is the Content-Length that it claims: the true one (-1), any other, or none (None)."""
    phrase = HTTPStatus(status).phrase if reason is None else reason
    fields = list(headers)
    if length is not None and status not in (204, 304):
        fields.append(("Content-Length", str(len(body) if length == -1 else length)))
    lines = [f"HTTP/{version} {status} {phrase}", *(f"{name}: {value}" for name, value in fields)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "surrogateescape") + body


def ok(body: bytes = b"fine\n", *headers: tuple[str, str]) -> bytes:
    """200 with a small text, or with these bytes."""
    return answer(200, body, [("Content-Type", "text/plain; charset=utf-8"), *headers])


def as_json(value: object, status: int = 200, *headers: tuple[str, str]) -> bytes:
    """A JSON document."""
    return answer(status, json.dumps(value).encode(), [("Content-Type", "application/json"), *headers])


def redirect(location: str | None, status: int = 302, *headers: tuple[str, str]) -> bytes:
    """A redirect, with no Location if that is None."""
    return answer(status, b"", [*headers, *([("Location", location)] if location is not None else [])])


def chunked(pieces: Iterable[bytes], *headers: tuple[str, str], end: bytes = b"0\r\n\r\n") -> bytes:
    """A chunked answer, one chunk per piece; `end` replaces the last chunk."""
    body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return answer(200, body + end, [("Transfer-Encoding", "chunked"), *headers], length=None)


def compressed(body: bytes, coding: str = "gzip", *headers: tuple[str, str]) -> bytes:
    """A compressed answer; `coding` is gzip, deflate (with the zlib wrapper), or raw-deflate (without, as some do)."""
    deflater = zlib.compressobj(wbits=-15)
    packed = {
        "gzip": lambda: gzip.compress(body, mtime=0),
        "deflate": lambda: zlib.compress(body),
        "raw-deflate": lambda: deflater.compress(body) + deflater.flush(),
    }[coding]()
    return ok(packed, ("Content-Encoding", coding.removeprefix("raw-")), *headers)


def echo(request: Request) -> bytes:
    """What was asked, as JSON: method, target, headers, body."""
    return as_json(
        {
            "method": request.method,
            "target": request.target,
            "headers": [list(pair) for pair in request.headers],
            "body": request.body.decode("latin-1"),
        }
    )


def routes(table: dict[str, Answer | Responder]) -> Responder:
    """A responder by path (the query is not looked at), 404 elsewhere."""

    def respond(request: Request) -> Answer | Awaitable[Answer]:
        found = table.get(request.target.partition("?")[0], answer(404))
        return found(request) if callable(found) else found

    return respond
