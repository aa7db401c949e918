"""What curl and blackbox_exporter take for an answer is one here: a few hundred raw replies, judged live by all three.

Each reply comes in one packet, with a pause behind its head, and byte by byte; the verdict is always the same.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import pytest

from monitor.model.outcome import Outcome, Reason
from monitor.model.request import Expect
from monitor.model.spec import Limits
from monitor.protocols.http.answer_head import InvalidAnswer
from monitor.protocols.http.reading import AnswerReader
from tests.flat import http
from tests.protocols.harness import Run
from tests.servers.replies import REPLIES
from tests.servers.tcp import Connection, Server
from tests.service.prometheus import blackbox, program

AT_ONCE = 8
EVERY_STATUS = {"prober": "http", "http": {"follow_redirects": False, "valid_status_codes": list(range(100, 1000)),
                                           "fail_if_body_matches_regexp": ["nothing like it"]}}  # fmt: skip
"""A module of blackbox_exporter that reads the body, and takes every answer."""

OTHERS_REFUSE = {
    "s-lead-crlf": "Chromium takes up to four bytes before the status line",
    "s-lead-lf": "Chromium takes up to four bytes before the status line",
    "s-lead-crlf2": "Chromium takes up to four bytes before the status line",
}
"""Replies that both others refuse and that are answers here, with the reason for each."""

_LENGTH_IS_DIGITS = "RFC 9110, 8.6: a length is digits; curl takes as many as it can read and forgets the rest"
_ONE_LENGTH = "RFC 9112, 6.3: lengths that differ make an answer invalid; curl takes the last or the first"
_CODING_COUNTS = "RFC 9112, 6.3: Transfer-Encoding overrides Content-Length, whatever that says"
_IDENTITY = "browsers and curl read a body of an identity or repeated coding; Go refuses all but one `chunked`"
_LF = "curl and browsers take lines that end in LF, or in several CR; Go only some of them"
_VERSION = "browsers take every version 0.x to 2.x that a status line names; curl and Go take different ones of them"
_STATUS_LINE = "curl and browsers read the status line in any case, and up to the end of its digits"
_NUL = "curl and browsers refuse NUL bytes; Go keeps them"
_LIMIT = "heads up to 1 MiB are read here; curl stops at 100 KiB, Go at 10 MiB"
_CUT = "curl takes a connection that ends in the head for the end of the head"
_INTERIM = "Go gives up at the sixth interim answer"
_CHUNK = "curl and browsers take blanks and long extensions behind the size of a chunk"

DISPUTED = {
    "clbad-te": _CODING_COUNTS, "te-identity-cl": _IDENTITY,
    "cl-cl-diff2": _ONE_LENGTH, "cl-list-diff": _ONE_LENGTH,
    "cl-list-same": "RFC 9110, 8.6: a list of equal lengths is their value", "cl-cl-zeros": "the two are equal",
    **dict.fromkeys(("cl-plus", "cl-hex", "cl-float", "cl-trail", "cl-semi", "cl-space"), _LENGTH_IS_DIGITS),
    **dict.fromkeys(("cl-huge64", "cl-huge63p", "cl-huge65", "cl-verylong"), _LENGTH_IS_DIGITS),
    "cl-blank": "Go and browsers take an empty length for none",
    **dict.fromkeys(("chunk-lf", "chunk-trailers-lf", "chunk-lf-data", "lf-head-chunk"), _LF),
    **dict.fromkeys(("crcrlf-all", "crcrlf-end"), _LF),
    **dict.fromkeys(("chunk-ext-space", "chunk-ext-long"), _CHUNK),
    "chunk-comment": "Go and browsers refuse anything but blanks and extensions behind the size of a chunk",
    **dict.fromkeys(("te-identity", "te-identity-chunked", "te-chunked-identity", "te-chunked-chunked"), _IDENTITY),
    **dict.fromkeys(("te-empty", "te-comma", "te-twice", "te-twice-id"), _IDENTITY),
    **dict.fromkeys(("h-val-nul", "h-name-nul", "s-reason-nul"), _NUL),
    "h-name-cr": "Go keeps a CR in a name; curl refuses it, Chromium takes it for a blank",
    "h-fold-cl": "Go and browsers unfold every header, curl not this one",
    **dict.fromkeys(("h-200k", "h-300k", "h-900k", "h-1200k"), _LIMIT),
    **dict.fromkeys(("s-lower", "s-mixed", "s-s200x", "s-s200dot", "s-s200-tab"), _STATUS_LINE),
    **dict.fromkeys(("s-ver12", "s-ver19", "s-ver2", "s-ver09", "s-ver00"), _VERSION),
    **dict.fromkeys(("partial-line", "partial-head"), _CUT),
    **dict.fromkeys(("100x6", "100x50"), _INTERIM),
}  # fmt: skip
"""Replies that one of the others takes and the other refuses, with the reason for what is done here."""


class Seen(NamedTuple):
    """Whether a reply is an answer, and then its status."""

    answer: bool
    status: int | None


Show = Callable[[str], str]


@pytest.fixture(scope="module")
def curl() -> str:
    return program("curl", "curl")


async def reply(connection: Connection) -> None:
    """`/pieces/NAME`: the reply of this name, whole, with a pause behind its head, or byte by byte."""
    found = re.match(rb"\w+ /(\w+)/(\S+) ", await connection.read_head())
    if found is None:
        return
    data = REPLIES[found[2].decode()]
    head, blank, rest = data.partition(b"\r\n\r\n")
    match found[1]:
        case b"paused" if rest:
            await connection.send(head + blank)
            await asyncio.sleep(0.05)
            await connection.send(rest)
        case _:
            await connection.send(data)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server(reply) as running:
        yield running


async def of_each(names: Iterable[str], judge: Callable[[str], Awaitable[Seen]]) -> dict[str, Seen]:
    """What a judge sees in each of the replies, some of them at once."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(name: str) -> tuple[str, Seen]:
        async with room:
            return name, await judge(name)

    return dict(await asyncio.gather(*map(one, names)))


def ours(run: Run, server: Server, pieces: str) -> Callable[[str], Awaitable[Seen]]:
    """Our own verdict."""
    expect = Expect(status=((100, 999),))

    async def judge(name: str) -> Seen:
        limits = Limits(connect=5, read=5, total=10)
        result = await run(server.url(f"/{pieces}/{name}"), expect=expect, follow_redirects=False, limits=limits)
        assert result.reason in (Reason.OK, Reason.INVALID_RESPONSE, Reason.DISCONNECTED), (name, result.detail)
        return Seen(result.outcome is Outcome.SUCCESS, http(result).status)

    return judge


def by_curl(curl: str, server: Server) -> Callable[[str], Awaitable[Seen]]:
    """The verdict of a curl of its own: one that has met a broken chunk misjudges what it asks for next."""

    async def judge(name: str) -> Seen:
        command = [curl, "-sq", "--max-time", "10", "-o", "/dev/null", "-w", "%{http_code}", server.url(f"/one/{name}")]
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        written, _ = await process.communicate()
        return Seen(process.returncode == 0, int(written))

    return judge


async def test_what_both_others_take_is_an_answer_and_what_both_refuse_is_none(
    run: Run, server: Server, curl: str, tmp_path: Path
) -> None:
    async with blackbox(tmp_path, {"any": EVERY_STATUS}) as exporter:

        async def by_blackbox(name: str) -> Seen:
            found = await exporter.probe(server.url(f"/one/{name}"), "any")
            return Seen(found.value("probe_success") == 1, int(found.value("probe_http_status_code") or 0))

        theirs = await of_each(REPLIES, by_curl(curl, server)), await of_each(REPLIES, by_blackbox)
    mine = await of_each(REPLIES, ours(run, server, "one"))
    agreed = {name: seen for name, seen in theirs[0].items() if seen.answer is theirs[1][name].answer}
    wrong = {n: (mine[n], s) for n, s in agreed.items() if mine[n].answer is not s.answer and n not in OTHERS_REFUSE}
    assert not wrong, "ours, and what both others see"
    assert not {
        n: (mine[n], s) for n, s in agreed.items() if mine[n].answer and s.answer and mine[n].status != s.status
    }
    assert set(REPLIES) - set(agreed) == set(DISPUTED), "disputed replies have a reason each, and are disputed still"
    assert all(mine[name].answer and not agreed[name].answer for name in OTHERS_REFUSE)


async def test_the_verdict_does_not_depend_on_packets(run: Run, server: Server) -> None:
    whole = await of_each(REPLIES, ours(run, server, "one"))
    paused = await of_each(REPLIES, ours(run, server, "paused"))
    assert paused == whole


def read_in_pieces(data: bytes, size: int) -> tuple[object, ...]:
    """What the reader makes of a reply that comes in pieces of this size."""
    notes: dict[str, None] = {}
    reader = AnswerReader(notes.setdefault)
    body = b""
    try:
        for start in range(0, len(data), size):
            body += reader.feed(data[start : start + size])
            while reader.body is not None and reader.body.held:
                body += reader.feed(b"")
        reader.end()
    except InvalidAnswer as error:
        return ("invalid", error.sentence)
    odd = [note for note in notes if "after the end" not in note]  # whose number of bytes is that of a packet
    return reader.whole, reader.head and (reader.head.status, list(reader.head.headers.items())), body, odd


def test_bytes_mean_the_same_however_they_are_cut() -> None:
    for name, data in REPLIES.items():
        whole = read_in_pieces(data, len(data) or 1)
        sizes = (1, 2, 3, 7, 61) if len(data) < 20_000 else (977, 8192)
        assert [read_in_pieces(data, size) for size in sizes] == [whole] * len(sizes), name
