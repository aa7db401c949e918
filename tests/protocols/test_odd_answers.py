"""Answers that are odd and taken all the same, with a note; and those that are none, with a whole sentence."""

from __future__ import annotations

import asyncio
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model.outcome import Reason
from monitor.model.request import Expect
from monitor.model.spec import Limits
from monitor.protocols.http.answer_head import InvalidAnswer
from monitor.protocols.http.reading import AnswerReader
from tests.flat import http
from tests.protocols.harness import Run, expecting_body
from tests.servers.replies import OK, OK_2, REPLIES, head, with_header
from tests.servers.tcp import Connection, Script, Server

MIB = 1024 * 1024
BOTH_WAYS = pytest.mark.parametrize("pause", [0.0, 0.05], ids=["one packet", "a pause"])


def in_two(first: bytes, second: bytes, pause: float) -> Script:
    """The request is read, then both are sent, at once or with a pause between."""

    async def script(connection: Connection) -> None:
        await connection.read_head()
        await connection.send(first + second if not pause else first)
        if pause:
            await asyncio.sleep(pause)
            await connection.send(second)

    return script


@BOTH_WAYS
@pytest.mark.parametrize(
    ("method", "answer", "status"),
    [
        ("HEAD", head(OK, "Content-Length: 5"), 200),
        ("HEAD", head(OK, "Transfer-Encoding: chunked"), 200),
        ("HEAD", head(OK, OK_2, OK_2), 200),
        ("GET", head("HTTP/1.1 204 No Content"), 204),
        ("GET", head("HTTP/1.1 204 No Content", "Content-Length: 5"), 204),
        ("GET", head("HTTP/1.1 304 Not Modified", "Content-Length: 5"), 304),
        ("GET", head(OK, "Content-Length: 0"), 200),
        ("GET", head(OK, "Content-Length: 5") + b"whole", 200),
    ],
)
async def test_bytes_behind_an_answer_are_no_failure(
    run: Run, method: str, answer: bytes, status: int, pause: float
) -> None:
    async with Server(in_two(answer, b"hello", pause)) as server:
        result = await run(server.url(), method=method)
    assert (result.reason, http(result).status) == (Reason.OK, status), result.detail
    assert pause or any(note.startswith("5 bytes after the end") for note in result.notes), result.notes


@BOTH_WAYS
async def test_redirect_with_bytes_behind_it_is_followed(run: Run, pause: float) -> None:
    async def script(connection: Connection) -> None:
        if b" /old " in await connection.read_head():
            redirect = head("HTTP/1.1 302 Found", "Location: /new", "Content-Length: 0", "Content-Length: 0")
            await connection.send(redirect)
            await asyncio.sleep(pause)
            await connection.send(b"moved")
        else:
            await connection.send(head(OK, OK_2) + b"ok")

    async with Server(script) as server:
        result = await run(server.url("/old"))
    assert (result.reason, http(result).redirects, http(result).status) == (Reason.OK, 1, 200), result.detail
    assert "two identical Content-Length headers" in result.notes


NO = "the answer is not HTTP: the first line is no status line"
NOTES = {
    "surplus1": "1 byte after the end of the answer",
    "te-cl": "its Content-Length is ignored beside a Transfer-Encoding",
    "cl-cl-same": "two identical Content-Length headers",
    "cl-blank": "its Content-Length is empty",
    "204-len-body": "a 204, which has no body, announces one",
    "h-space-colon": "a blank stands before the colon of a header",
    "h-crcrlf": "some lines of the head do not end in CR LF",
    "h-fold": "a header is folded over several lines",
    "h-name-space": "the name of a header contains characters that no name may have, or none",
    "h-val-ctl": "the value of a header contains a control character",
    "lf-head": "some lines of the head do not end in CR LF",
    "chunk-lf-size": "some lines between the chunks do not end in CR LF",
    "chunk-ext-space": "a blank follows the size of a chunk",
    "te-twice": "its Transfer-Encoding is not chunked alone",
    "te-http10": "a Transfer-Encoding in HTTP/1.0, which has none, is ignored",
    "s-lower": "the status line names an odd version of HTTP",
    "s-s200x": "no blank follows the status",
    "s-lead-crlf": "a blank line before the answer",
}


@pytest.mark.parametrize("name", NOTES)
async def test_what_is_odd_is_noted(run: Run, name: str) -> None:
    async with Server(in_two(REPLIES[name], b"", 0.0)) as server:
        result = await run(server.url(), expect=Expect(status=((100, 999),)))
    assert result.reason is Reason.OK, result.detail
    assert NOTES[name] in result.notes


@pytest.mark.parametrize(
    "name", ["plain", "plain-nolen", "chunk", "http10", "100", "103-close", "big-body", "204-body"]
)
async def test_what_is_ordinary_is_not(run: Run, name: str) -> None:
    async with Server(in_two(REPLIES[name], b"", 0.0)) as server:
        result = await run(server.url())
    assert [note for note in result.notes if "after the end" not in note] == []


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (REPLIES["cl-alpha"], "the answer is not HTTP: its Content-Length is no number; connected in"),
        (REPLIES["cl-cl-diff"], "the answer is not HTTP: it has several Content-Lengths, which differ;"),
        (REPLIES["cl-huge64"], "the answer is not HTTP: its Content-Length is larger than any body;"),
        (REPLIES["s-rtsp"], f"{NO}, it begins with «RTSP/1.0 200 OK»"),
        (REPLIES["ssh"], f"{NO}, it begins with «SSH-2.0-OpenSSH_9.2»"),
        (REPLIES["tls-alert"], f"{NO}, it begins with «\\x15\\x03\\x01"),
        (REPLIES["h-no-colon"], "the answer is not HTTP: a header line has no colon; connected in"),
        (REPLIES["chunk-badhex"], "the answer is not HTTP: the size of a chunk is no number, or larger than any body;"),
        (REPLIES["chunk-extra-data"], "the answer is not HTTP: a chunk is longer than its size says; connected in"),
        (with_header(*["a: b"] * 5000), "the head has more than 4096 lines; connected in"),
        (with_header("a: " + "b" * MIB), "the head is longer than 1024 KiB; connected in"),
        (REPLIES["chunk"][:-5] + b"1;" + b"x" * 20000, "a line between chunks is longer than 16 KiB; connected in"),
    ],
)  # fmt: skip
async def test_what_is_no_answer_is_said_in_a_sentence(run: Run, reply: bytes, sentence: str) -> None:
    async with Server(in_two(reply, b"", 0.0)) as server:
        result = await run(server.url())
    assert result.reason is Reason.INVALID_RESPONSE, result.detail
    assert result.detail.startswith(sentence)


async def test_a_body_of_tiny_chunks_holds_nobody_up(run: Run) -> None:
    """A hundred thousand chunks come at once; each is found, and the loop goes on meanwhile."""
    body = b"1\r\nx\r\n" * 100_000 + b"0\r\n\r\n"
    async with Server(in_two(head(OK, "Transfer-Encoding: chunked"), body, 0.0)) as server:
        limits = Limits(connect=20, read=20, total=20)
        result = await run(server.url(), expect=expecting_body(matches="^x{1000}"), limits=limits)
    assert (result.reason, http(result).figures.body_bytes) == (Reason.OK, 100_000), result.detail


HOSTILE = {
    "head lines": lambda n: b"HTTP/1.1 200 OK\r\n" + b"a:b\r\n" * n,
    "carriage returns": lambda n: b"HTTP/1.1 200 OK\r\n" + b"\r" * n * 8,
    "one header": lambda n: b"HTTP/1.1 200 OK\r\nx: " + b"y" * n * 8,
    "blanks": lambda n: b"HTTP/1.1 200 OK\r\nx:" + b" " * n * 8 + b"\x01\r\n\r\n",
    "folds": lambda n: b"HTTP/1.1 200 OK\r\nx: y" + b"\r\n z" * n,
    "interim": lambda n: b"HTTP/1.1 100 C\r\n\r\n" * (n // 4),
    "tiny chunks": lambda n: head(OK, "Transfer-Encoding: chunked") + b"1\r\nx\r\n" * n,
    "digits": lambda n: with_header("Content-Length: " + "0" * n * 8),
    "lengths": lambda n: with_header("Content-Length: " + "2," * n * 4 + "2"),
    "codings": lambda n: with_header("Transfer-Encoding: " + "," * n * 8 + "chunked"),
}


def work(data: bytes, size: int) -> float:
    """Seconds of CPU that reading this in pieces costs, at best."""

    def once() -> float:
        reader = AnswerReader(lambda _: None)
        began = time.thread_time()
        try:
            for start in range(0, len(data), size):
                reader.feed(data[start : start + size])
                while reader.body is not None and reader.body.held:
                    reader.feed(b"")
        except InvalidAnswer:
            pass
        return time.thread_time() - began

    return min(once() for _ in range(5))


@pytest.mark.parametrize("size", [1 << 20, 64])
@pytest.mark.parametrize("name", HOSTILE)
def test_work_grows_as_the_answer_does(name: str, size: int) -> None:
    small, large = (work(HOSTILE[name](n), size) for n in (500, 4000))
    assert large < 0.001 + 8 * 2.5 * small, (small, large)


PIECES = [
    b"HTTP/1.1 200 OK\r\n", b"HTTP/1.", b"\r\n", b"\n", b"\r", b" ", b":", b"\0", b"Content-Length", b"2", b";", b",",
    b"Transfer-Encoding", b"chunked", b"ffffffffffffffff", b"\xff", b"a", b"\t", b"1\r\nx\r\n", b"0\r\n\r\n",
]  # fmt: skip


@settings(max_examples=100)
@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=6), max_size=40), st.integers(1, 9), st.booleans())
def test_no_bytes_do_worse_than_be_refused(parts: list[bytes], size: int, to_head: bool) -> None:
    data = b"".join(parts)
    reader = AnswerReader(lambda _: None, to_head=to_head)
    try:
        for start in range(0, len(data), size):
            reader.feed(data[start : start + size])
        reader.end()
    except InvalidAnswer:
        return
    assert reader.head is None or 100 <= reader.head.status <= 999
