"""Content codings: what is none, several of them, those that were not asked for, broken ones, and bombs."""

from __future__ import annotations

import functools
import gzip
import zlib
from collections.abc import Callable
from typing import Any

import brotli
import pytest
from backports import zstd

from monitor.model.outcome import Reason
from monitor.protocols.http.codings import Undecodable
from monitor.protocols.http.decode import Decoder
from tests.flat import http
from tests.protocols.harness import LagMeter, Run, expecting_body
from tests.servers.http import HttpServer, ok

TEXT = b"all is well, and has been for a while\n" * 40
RAW = zlib.compressobj(wbits=-15)

GOOD: dict[str, tuple[str, bytes, int]] = {
    "none": ("none", TEXT, 1),
    "a charset": ("utf-8", TEXT, 1),
    "another charset": ("ISO-8859-1", TEXT, 1),
    "binary": ("binary", TEXT, 1),
    "chunks of Amazon": ("aws-chunked", TEXT, 1),
    "empty": ("", TEXT, 0),
    "identity": ("identity", TEXT, 0),
    "several times nothing": ("identity, utf-8,none", TEXT, 2),
    "nothing and gzip": ("aws-chunked, gzip", gzip.compress(TEXT), 1),
    "gzip twice": ("gzip, gzip", gzip.compress(gzip.compress(TEXT)), 0),
    "gzip around deflate": ("deflate, gzip", gzip.compress(zlib.compress(TEXT)), 0),
    "deflate around gzip": ("gzip, deflate", zlib.compress(gzip.compress(TEXT)), 0),
    "five times": (
        "gzip,gzip,gzip,gzip,gzip",
        gzip.compress(gzip.compress(gzip.compress(gzip.compress(gzip.compress(TEXT))))),
        0,
    ),
    "X-GZIP": ("X-GZIP", gzip.compress(TEXT), 0),
    "members": ("gzip", gzip.compress(TEXT[:9]) + gzip.compress(TEXT[9:]) + bytes(9), 0),
    "surplus": ("gzip", gzip.compress(TEXT) + b"surplus", 1),
    "bare deflate": ("deflate", RAW.compress(TEXT) + RAW.flush(), 0),
    "br": ("br", brotli.compress(TEXT), 1),
    "zstd": ("zstd", zstd.compress(TEXT), 1),
    "zstd of two frames": ("zstd", zstd.compress(TEXT[:9]) + zstd.compress(TEXT[9:]), 1),
    "zstd in br": ("zstd, br", brotli.compress(zstd.compress(TEXT)), 2),
}


@pytest.mark.parametrize("case", GOOD)
async def test_a_body_is_read_through_its_codings(run: Run, case: str) -> None:
    encoding, data, notes = GOOD[case]
    async with HttpServer(lambda _: ok(data, ("Content-Encoding", encoding))) as server:
        result = await run(server.url(), expect=expecting_body(equals=TEXT.decode()))
    assert result.reason is Reason.OK, result.detail
    assert len(result.notes) == notes, result.notes


async def test_codings_on_several_lines_are_one_list(run: Run) -> None:
    lines = [("Content-Encoding", "deflate"), ("Content-Encoding", "gzip")]
    async with HttpServer(lambda _: ok(gzip.compress(zlib.compress(TEXT)), *lines)) as server:
        result = await run(server.url(), expect=expecting_body(equals=TEXT.decode()))
    assert result.reason is Reason.OK, result.detail


@pytest.mark.parametrize(("asked", "notes"), [("br", 0), ("gzip, br;q=0.5", 0), ("*", 0), ("identity", 1), (None, 1)])
async def test_a_coding_that_was_not_asked_for_is_named(run: Run, asked: str | None, notes: int) -> None:
    over: dict[str, Any] = {} if asked is None else {"headers": (("accept-encoding", asked),)}
    async with HttpServer(lambda _: ok(brotli.compress(TEXT), ("Content-Encoding", "br"))) as server:
        result = await run(server.url(), expect=expecting_body(contains="well"), **over)
    assert result.reason is Reason.OK
    assert [("br" in note) for note in result.notes] == [True] * notes


@pytest.mark.parametrize(
    ("encoding", "data", "words"),
    [
        ("x-secret-sauce", b"\x8b\x00\xff", "x-secret-sauce"),
        ("gzip, compress", b"\x1f\x9d", "compress"),
        (",".join(["gzip"] * 6), TEXT, "gzip"),
        ("gzip", TEXT, "gzip"),
        ("br", b"<html>", "br"),
        ("zstd", TEXT, "zstd"),
        ("zstd", zstd.compress(TEXT)[:-9], "zstd"),
        ("br", brotli.compress(TEXT)[:-3], "br"),
        ("gzip, br", brotli.compress(TEXT), "gzip"),
    ],
)
async def test_what_cannot_be_undone_is_named(run: Run, encoding: str, data: bytes, words: str) -> None:
    async with HttpServer(lambda _: ok(data, ("Content-Encoding", encoding))) as server:
        result = await run(server.url(), expect=expecting_body())
    assert result.reason is Reason.INVALID_CONTENT, result.detail
    assert words in result.detail


async def test_a_strange_coding_is_nobodys_business_if_the_body_does_not_matter(run: Run) -> None:
    async with HttpServer(lambda _: ok(b"\x8b\x00", ("Content-Encoding", "x-sauce"))) as server:
        result = await run(server.url())
    assert (result.reason, http(result).figures.body_bytes) == (Reason.OK, 2)


BOMBS: dict[str, Callable[[], bytes]] = {
    "gzip": lambda: gzip.compress(bytes(200_000_000), 1),
    "br": lambda: brotli.compress(bytes(200_000_000), quality=1),
    "zstd": lambda: zstd.compress(bytes(200_000_000)),
    "gzip, gzip": lambda: gzip.compress(gzip.compress(bytes(200_000_000), 1)),
}


@functools.cache
def bomb(encoding: str) -> bytes:
    """Made where it is thrown: it takes a second, which no process spends that only collects this test."""
    return BOMBS[encoding]()


@pytest.mark.parametrize("encoding", BOMBS)
async def test_a_bomb_is_read_as_far_as_max_body(run: Run, encoding: str) -> None:
    data = bomb(encoding)
    async with HttpServer(lambda _: ok(data, ("Content-Encoding", encoding))) as server, LagMeter() as lag:
        result = await run(server.url(), expect=expecting_body(contains="x"))
    assert (result.reason, http(result).figures.body_bytes) == (Reason.BODY_TOO_LARGE, 1 << 20), result.detail
    assert lag.held < 0.5


@pytest.mark.parametrize("encoding", BOMBS)
def test_pieces_are_of_a_bounded_size(encoding: str) -> None:
    pieces = Decoder(encoding).pieces(bomb(encoding))
    assert max(len(next(pieces)) for _ in range(300)) <= 256 * 1024


async def test_much_that_means_nothing_is_not_worked_through(run: Run) -> None:
    """Millions of empty members of gzip, which are a few kilobytes once they are compressed."""
    nothing = gzip.compress(gzip.compress(b"", mtime=0) * 2_000_000)
    async with HttpServer(lambda _: ok(nothing, ("Content-Encoding", "gzip, gzip"))) as server, LagMeter() as lag:
        result = await run(server.url(), expect=expecting_body(contains="x"))
    assert result.reason is Reason.INVALID_CONTENT, result.detail
    assert lag.held < 0.5


def test_what_lies_between_two_codings_is_bounded() -> None:
    decoder = Decoder("gzip, gzip")
    with pytest.raises(Undecodable, match="MiB"):
        for _ in decoder.pieces(gzip.compress(gzip.compress(bytes(100)) + bytes(100_000_000))):
            pass
