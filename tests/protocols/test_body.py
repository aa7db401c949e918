"""The body: how it ends, how it is decoded, how much of it is read, and when that matters."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from typing import Any

import pytest

from monitor.model.outcome import Reason
from monitor.model.request import Expect
from tests.flat import http
from tests.protocols.harness import Run, expecting_body, rules
from tests.servers import faults
from tests.servers.http import HttpServer, Request, answer, as_json, chunked, compressed, ok
from tests.servers.tcp import Server
from tests.starvation import Starvation

TEXT = b"all is well, and has been for a while\n" * 40
PACKED = gzip.compress(TEXT, mtime=0)


def served(data: bytes) -> HttpServer:
    """A server of one answer."""
    return HttpServer(lambda _: data)


async def test_content_length_and_received_bytes_are_told_apart(run: Run) -> None:
    async with served(compressed(TEXT)) as server:
        result = await run(server.url())
    assert result.reason is Reason.OK, result.detail
    assert http(result).figures.content_length == len(PACKED)
    assert http(result).figures.body_bytes == len(TEXT)


TRAILED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x;a=b\r\n%b\r\n0\r\nX-Sum: 1\r\n\r\n"

ENDINGS = {
    "length": answer(200, TEXT),
    "chunks": chunked([TEXT[:7], TEXT[7:500], TEXT[500:]]),
    "chunks with extension and trailer": TRAILED % (len(TEXT), TEXT),
    "end of connection": answer(200, TEXT, length=None),
    "end of connection, 1.0": answer(200, TEXT, version="1.0", length=None),
    "gzip": compressed(TEXT),
    "deflate": compressed(TEXT, "deflate"),
    "raw deflate": compressed(TEXT, "raw-deflate"),
    "identity": ok(TEXT, ("Content-Encoding", "identity")),
    "gzip in chunks": chunked([PACKED[n : n + 9] for n in range(0, len(PACKED), 9)], ("Content-Encoding", "gzip")),
}


@pytest.mark.parametrize("ending", ENDINGS)
async def test_body_is_whole_however_it_is_sent(run: Run, ending: str) -> None:
    async with Server(faults.raw(ENDINGS[ending], hold="end of" not in ending)) as server:
        result = await run(server.url(), expect=expecting_body(equals=TEXT.decode()))
    assert result.reason is Reason.OK, result.detail
    assert http(result).figures.body_bytes == len(TEXT)
    assert (http(result).figures.content_length is not None) is (
        ending in ("length", "gzip", "deflate", "raw deflate", "identity")
    )


@pytest.mark.parametrize("status", [204, 304])
async def test_answer_that_has_no_body_does_not_wait_for_one(run: Run, status: int, starvation: Starvation) -> None:
    head = f"HTTP/1.1 {status} X\r\nContent-Length: 5\r\n\r\n" if status == 304 else f"HTTP/1.1 {status} X\r\n\r\n"
    async with Server(faults.raw(head.encode())) as server:
        result = await run(server.url())
    assert (result.reason, http(result).status) == (Reason.OK, status), result.detail
    assert not http(result).figures.body_bytes
    assert result.duration < 0.5 + starvation.seconds


async def test_head_has_a_length_and_no_body(run: Run) -> None:
    async with Server(faults.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n")) as server:
        result = await run(server.url(), method="HEAD")
    assert (result.reason, http(result).figures.content_length) == (Reason.OK, 1234), result.detail
    assert not http(result).figures.body_bytes


async def test_empty_body_is_zero_bytes(run: Run) -> None:
    async with served(answer(200)) as server:
        result = await run(server.url(), expect=expecting_body(equals=""))
    assert (result.reason, http(result).figures.body_bytes, http(result).figures.content_length) == (Reason.OK, 0, 0)


FIVE_THOUSAND = {
    "plain": answer(200, b"x" * 5000),
    "chunked": chunked([b"x" * 100] * 50),
    "gzip": compressed(b"x" * 5000),
    "deflate": compressed(b"x" * 5000, "deflate"),
}


@pytest.mark.parametrize("form", FIVE_THOUSAND)
async def test_long_body_is_a_success_if_nothing_depends_on_it(run: Run, form: str) -> None:
    async with served(FIVE_THOUSAND[form]) as server:
        result = await run(server.url(), max_body=1000)
    assert (result.reason, http(result).figures.body_bytes) == (Reason.OK, 1000), result.detail


@pytest.mark.parametrize("form", FIVE_THOUSAND)
@pytest.mark.parametrize(
    "expect",
    [expecting_body(contains="x"), expecting_body(not_contains="y"), Expect(json=(("$.a", rules(equals=1)),))],
    ids=["contains", "not_contains", "json"],
)
async def test_long_body_is_too_large_if_something_depends_on_it(run: Run, form: str, expect: Expect) -> None:
    async with served(FIVE_THOUSAND[form]) as server:
        result = await run(server.url(), max_body=1000, expect=expect)
    assert result.reason is Reason.BODY_TOO_LARGE, result.detail
    assert http(result).status == 200
    assert "1000" in result.detail or "1,000" in result.detail or "1 000" in result.detail


@pytest.mark.parametrize("form", FIVE_THOUSAND)
async def test_body_of_exactly_the_limit_is_judged(run: Run, form: str) -> None:
    async with served(FIVE_THOUSAND[form]) as server:
        result = await run(server.url(), max_body=5000, expect=expecting_body(equals="x" * 5000))
    assert (result.reason, http(result).figures.body_bytes) == (Reason.OK, 5000), result.detail


async def test_small_body_in_a_large_wrapping_is_not_too_large(run: Run) -> None:
    async with Server(faults.single_bytes) as server:  # six bytes on the wire for each of the body
        result = await run(server.url(), max_body=20_000, expect=expecting_body(equals="b" * 20_000))
    assert (result.reason, http(result).figures.body_bytes) == (Reason.OK, 20_000), result.detail


async def test_endless_body_is_a_success_if_nothing_depends_on_it(run: Run) -> None:
    async with Server(faults.endless_body) as server:
        result = await run(server.url(), max_body=100_000)
        await server.until(lambda: server.open == 0)  # the check hangs up
    assert (result.reason, http(result).figures.body_bytes) == (Reason.OK, 100_000), result.detail


@pytest.mark.parametrize(
    "data",
    [
        ok(b"this is not gzip", ("Content-Encoding", "gzip")),
        ok(PACKED[:-12], ("Content-Encoding", "gzip")),
        ok(PACKED[:20] + b"\xff" * 20, ("Content-Encoding", "gzip")),
        ok(b"\xff\xff\xff\xff", ("Content-Encoding", "deflate")),
        ok(PACKED[:-8] + b"\0" * 8, ("Content-Encoding", "gzip")),
    ],
    ids=["not gzip", "cut short", "spoilt", "not deflate", "wrong checksum"],
)
async def test_broken_compression_is_invalid_content(run: Run, data: bytes) -> None:
    async with served(data) as server:
        result = await run(server.url(), expect=expecting_body())
    assert result.reason is Reason.INVALID_CONTENT, result.detail
    assert http(result).status == 200


@pytest.mark.parametrize("coding", ["x-secret-sauce", "gzip, x-secret-sauce"])
async def test_unknown_compression_is_invalid_content_if_the_body_matters(run: Run, coding: str) -> None:
    async with served(ok(b"\x8b\x00\xff\xfe", ("Content-Encoding", coding))) as server:
        result = await run(server.url(), expect=expecting_body())
    assert result.reason is Reason.INVALID_CONTENT, result.detail


@pytest.mark.parametrize(
    ("charset", "body"),
    [
        ("; charset=utf-8", "café".encode()),
        ("", "café".encode()),
        ("; charset=iso-8859-1", b"caf\xe9"),
        ("; charset=UTF-16", "café".encode("utf-16")),
        ('; charset="utf-8"', "café".encode()),
    ],
)
async def test_text_is_read_in_its_charset(run: Run, charset: str, body: bytes) -> None:
    async with served(answer(200, body, [("Content-Type", "text/plain" + charset)])) as server:
        result = await run(server.url(), expect=expecting_body(equals="café"))
    assert result.reason is Reason.OK, result.detail


async def test_charset_of_a_body_that_does_not_matter_does_no_harm(run: Run) -> None:
    async with served(answer(200, b"caf\xe9", [("Content-Type", "text/plain; charset=klingon")])) as server:
        result = await run(server.url())
    assert (result.reason, http(result).figures.body_bytes) == (Reason.OK, 4), result.detail


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"", b"{", b'{"a": 1} x', b"\xff", b"[" * 100_000],
    ids=["html", "empty", "cut", "more", "bytes", "deep"],
)
async def test_what_is_not_json_is_invalid_content(run: Run, body: bytes) -> None:
    async with served(answer(200, body, [("Content-Type", "application/json")])) as server:
        result = await run(server.url(), expect=Expect(json=(("$.a", rules(equals=1)),)))
    assert result.reason is Reason.INVALID_CONTENT, result.detail


async def test_json_is_judged_whatever_its_content_type(run: Run) -> None:
    async with served(ok(b'{"a": 1}')) as server:
        result = await run(server.url(), expect=Expect(json=(("$.a", rules(equals=1)),)))
    assert result.reason is Reason.OK, result.detail


async def test_status_is_judged_before_the_body(run: Run) -> None:
    cases: list[tuple[bytes, dict[str, Any]]] = [
        (answer(500, b"oops"), {"expect": expecting_body(contains="fine")}),
        (answer(500, b"x" * 99), {"expect": expecting_body(contains="fine"), "max_body": 10}),
        (as_json({}, 500), {"expect": Expect(json=(("$.a", rules(equals=1)),))}),
    ]
    for data, over in cases:
        async with served(data) as server:
            result = await run(server.url(), **over)
        assert (result.reason, http(result).status) == (Reason.UNEXPECTED_STATUS, 500)


async def test_body_in_many_small_pieces_is_one_body(run: Run) -> None:
    async def pieces(_: Request) -> AsyncIterator[bytes]:
        yield answer(200, b"", length=300)
        for _piece in range(300):
            yield b"p"

    async with HttpServer(pieces) as server:
        result = await run(server.url(), expect=expecting_body(equals="p" * 300))
    assert (result.reason, http(result).figures.body_bytes) == (Reason.OK, 300), result.detail
