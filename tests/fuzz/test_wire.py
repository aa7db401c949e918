# ruff: noqa: E501
"""Bytes below HTTP: damaged answers in any pieces and with any end, sent to whole checks of many kinds."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import zlib
from typing import Any

import hypothesis.strategies as st
from hypothesis import given

from monitor.model.request import Expect, Rule, Step, TcpDialogue
from monitor.model.spec import CheckSpec, Limits
from monitor.protocols.resources import Resources
from monitor.protocols.running import check
from monitor.secrets.secret import Secret
from tests.fuzz.damage import bounded, damages
from tests.fuzz.field import Kept, loop, run
from tests.protocols.harness import assert_promises, expecting_body, make_spec, opened_resources, rules
from tests.servers.replies import OK, REPLIES, head
from tests.servers.tcp import Connection, Script, Server

EXAMPLES = 30
AT_ONCE = 8
LIMITS = Limits(connect=0.2, read=0.05, total=0.2)

DOCUMENT = b'{"status": "ok", "list": [1, 2.5e3, null, true, "\\u00e9\\ud83d"], "deep": {"a": {"b": [[[]]]}}}'
PAGE = "<html><meta charset=iso-8859-1><title>caf\u00e9</title> token=secret-token-1 </html>".encode("latin-1")


def coded(coding: str, body: bytes) -> bytes:
    return head(OK, f"Content-Encoding: {coding}", f"Content-Length: {len(body)}", "Content-Type: text/html") + body


SENT = [
    *REPLIES.values(),
    head(OK, "Content-Type: application/json", f"Content-Length: {len(DOCUMENT)}") + DOCUMENT,
    head(OK, "Content-Type: text/html; charset=utf-16") + PAGE,
    coded("gzip", gzip.compress(PAGE * 20)),
    coded("deflate", zlib.compress(PAGE * 20)),
    coded("gzip, br, zstd", gzip.compress(PAGE)),
    head(OK, "Transfer-Encoding: chunked", "Content-Encoding: gzip") + b"5\r\n\x1f\x8b\x08\x00\x00\r\n0\r\n\r\n",
    head("HTTP/1.1 302 Found", "Location: /next", "Set-Cookie: a=b; Path=/; Max-Age=9", "Content-Length: 0"),
    head("HTTP/1.1 307 T", "Location: //127.0.0.1:1/x?a=b#c", "Set-Cookie: s=1; Domain=.0.0.1; Expires=x"),
    head("HTTP/1.1 301 M", "Location: https://\xe9.example./%zz", "Content-Length: 0"),
    head("HTTP/1.1 103 Early Hints", "Link: </a>") * 3 + head(OK, "Content-Length: 0"),
    head("HTTP/1.1 401 U", 'WWW-Authenticate: Basic realm="secret-token-1"', "Content-Length: 14") + b"secret-token-1",
]  # fmt: skip

PIECES = [
    b"\r\n", b"\n", b"\r", b"\r\n\r\n", b" ", b":", b"\0", b"\xff\xfe", b"\x1b[2J", b"\xe2\x80\xae", b"%", b";", b",", b"=",
    b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Content-Encoding: gzip\r\n", b"Connection: upgrade\r\n",
    b"Location: /x\r\n", b"Location: http://[::1\r\n", b"Set-Cookie: a=\xff; Max-Age=999999999999999999999\r\n",
    b"Content-Type: application/json; charset=utf-7\r\n", b"HTTP/1.1 200 OK\r\n", b"HTTP/9.9 999 \xff\r\n", b"0\r\n\r\n",
    b"7fffffffffffffff\r\n", b"-1", b"99999999999999999999", b"[" * 200, b'{"a":' * 50, b"1e999", b"\\ud800", b"?" * 400,
    b"a" * 3000, b"&amp;" * 200, b"\x1f\x8b", b"secret-token-1",
]  # fmt: skip

KINDS: list[dict[str, Any]] = [
    {},
    {"method": "HEAD"},
    {"expect": expecting_body(contains="ok", not_matches="(a*)*b"), "max_body": 4096},
    {"expect": expecting_body(equals=Secret("secret-token-1"))},
    {"expect": Expect(json=(("$.status", rules(equals="ok")), ("$..*", rules(exists=True))))},
    {"expect": Expect(json=(("$.list[?@ > 1]", rules(contains=2)), ("$.deep.a", (Rule("length", Rule("at_most", 3)),))))},
    {"expect": Expect(headers=(("Location", rules(matches="x$")), ("Content-Type", rules(contains="html"))))},
    {"expect": Expect(status=((100, 999),), http_version=("1.1",)), "latency": 0.001, "max_redirects": 1},
    {"headers": (("X-Token", Secret("secret-token-1")),), "max_redirects": 3, "allow_downgrade": True},
    {"request": TcpDialogue((Step(send="x\r\n\r\n"), Step(expect=r"(\w+) ok", labels=(("a", "$1"),)), Step(expect="^e")))},
    {"follow_redirects": False, "expect": Expect(status=((300, 399),))},
]  # fmt: skip


def scripted(pieces: list[bytes], end: str) -> Script:
    """Reads one request, sends the pieces, and ends like this."""

    async def script(connection: Connection) -> None:
        await connection.read_head()
        for piece in pieces:
            await connection.send(piece)
            await asyncio.sleep(0)
        if end == "reset":
            connection.reset()
        elif end == "hold":
            await connection.hold()

    return script


@st.composite
def answers(draw: st.DrawFn) -> Script:
    data = draw(damages(PIECES)).to(draw(st.sampled_from(SENT)))
    cuts = sorted({int(cut * len(data)) for cut in draw(st.lists(st.floats(0, 1), max_size=5))} | {0, len(data)})
    pieces = [data[start:stop] for start, stop in itertools.pairwise(cuts)]
    return scripted(pieces, draw(st.sampled_from(["close", "close", "close", "reset", "reset", "hold"])))


async def keeps_its_promises(script: Script, kind: dict[str, Any], resources: Resources) -> None:
    async with Server(script) as server:
        spec: CheckSpec = make_spec(server.url("/?token=secret-token-1"), limits=LIMITS, **kind)
        assert_promises(spec, await check(spec, resources))


def test_no_bytes_below_http_do_worse_than_fail_a_check() -> None:
    kept = Kept()

    async def all_of(cases: list[tuple[Script, dict[str, Any]]]) -> None:
        async with opened_resources() as resources:
            resources.prepare([make_spec("tcp://a:1", request=TcpDialogue())])
            await asyncio.gather(*(keeps_its_promises(script, kind, resources) for script, kind in cases))

    with loop() as runner:

        @bounded(EXAMPLES)
        @given(st.lists(st.tuples(answers(), st.sampled_from(KINDS)), min_size=AT_ONCE, max_size=AT_ONCE))
        def example(cases: list[tuple[Script, dict[str, Any]]]) -> None:
            run(runner, all_of(cases))
            kept.example()

        example()
    kept.assert_flat()
