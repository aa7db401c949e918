"""What a failing run keeps of the answer: enough to see why, never a secret, never much; a success keeps nothing."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model.outcome import Reason
from monitor.model.request import Expect
from monitor.model.result import Evidence, Result
from monitor.model.spec import Limits
from monitor.protocols.http.evidence import BODY_BYTES, evidence_of
from monitor.secrets.redaction import Redactor
from monitor.secrets.secret import MASK, Secret
from tests.protocols.harness import Run, expecting_body, rules
from tests.servers import faults
from tests.servers.http import HttpServer, answer, chunked, compressed, ok, redirect, routes
from tests.servers.tcp import Server, closed_port

FAILS = Expect(status=((201, 201),))


async def seen(run: Run, reply: bytes, reason: Reason = Reason.UNEXPECTED_STATUS, **over: object) -> Evidence:
    """The evidence of a run that gets this reply and fails."""
    async with HttpServer(lambda _: reply) as server:
        result: Result = await run(server.url("/"), **{"expect": FAILS, **over})
    assert result.reason is reason
    assert result.evidence is not None
    return result.evidence


async def test_headers_and_text_are_kept(run: Run) -> None:
    found = await seen(
        run, answer(500, b'{"error": "no database"}', [("Content-Type", "application/json"), ("X-A", "b")])
    )
    assert ("X-A", "b") in found.headers
    assert (found.body, found.cut) == ('{"error": "no database"}', False)


async def test_a_long_body_is_cut(run: Run) -> None:
    found = await seen(run, answer(500, b"x" * 5000, [("Content-Type", "text/plain")]))
    assert found.body is not None
    assert (len(found.body), found.cut) == (BODY_BYTES, True)


@pytest.mark.parametrize(
    ("body", "content_type", "shown"),
    [
        (b"\x00\x01\x02", "text/plain", None),
        (b"\xff\xfe", "text/plain; charset=utf-8", None),
        (b"caf\xe9", "text/plain; charset=utf-8", "caf\ufffd"),
        (b"<meta charset=koi8-r>\xd4", "text/html", "<meta charset=koi8-r>т"),
        ("é".encode("latin-1"), "text/html; charset=iso-8859-1", "é"),
        (b"text", "text/plain; charset=klingon", "text"),
        ("a\u202eb\u200bc\x85\x1b[31m\td".encode(), "text/plain", "a\\u202eb\\u200bc\\x85\\x1b[31m\td"),
        (b"PNG", "image/png", None),
        (b"<a/>", "application/xhtml+xml", "<a/>"),
        (b"a=b", "application/x-www-form-urlencoded", "a=b"),
        (b"", "text/plain", None),
    ],
)
async def test_only_text_is_shown(run: Run, body: bytes, content_type: str, shown: str | None) -> None:
    found = await seen(run, answer(500, body, [("Content-Type", content_type)]))
    assert found.body == shown


async def test_a_character_that_the_end_cuts_through_is_left_out(run: Run) -> None:
    found = await seen(run, answer(500, b"x" + "é".encode() * 3000, [("Content-Type", "text/plain")]))
    assert found.body is not None
    assert set(found.body) == {"x", "é"}


async def test_a_compressed_body_is_shown_as_it_reads(run: Run) -> None:
    found = await seen(run, compressed(b"broken, in plain words"))
    assert found.body == "broken, in plain words"


async def test_a_body_that_was_read_for_its_content_is_the_evidence(run: Run) -> None:
    reply = ok(b"all is well", ("Content-Type", "text/plain"))
    found = await seen(run, reply, Reason.UNEXPECTED_BODY, expect=expecting_body(contains="needle"))
    assert found.body == "all is well"
    found = await seen(run, reply, Reason.UNEXPECTED_HEADER, expect=Expect(headers=(("X-B", rules(equals="c")),)))
    assert found.body == "all is well"


async def test_what_came_before_a_body_broke_off(run: Run) -> None:
    found = await seen(
        run, chunked([b"the beginning"], ("Content-Type", "text/plain"), end=b""), Reason.DISCONNECTED, expect=Expect()
    )
    assert found.body == "the beginning"


async def test_what_came_before_a_body_stalled(run: Run) -> None:
    limits = Limits(connect=1, read=0.2, total=2)
    async with Server(faults.stalled_body) as server:
        result = await run(server.url("/"), limits=limits)
    assert result.reason is Reason.READ_TIMEOUT
    assert result.evidence is not None
    assert result.evidence.headers


async def test_of_several_answers_the_last_one_counts(run: Run) -> None:
    pages = {"/": redirect("/b", 302, ("X-Hop", "first")), "/b": answer(500, b"last", [("X-Hop", "second")])}
    async with HttpServer(routes(pages)) as server:
        result = await run(server.url("/"), expect=FAILS)
    assert result.evidence is not None
    assert dict(result.evidence.headers)["X-Hop"] == "second"
    assert result.evidence.body == "last"


async def test_a_success_and_a_run_without_an_answer_keep_nothing(run: Run) -> None:
    async with HttpServer(lambda _: ok(b"x" * 5000)) as server:
        assert (await run(server.url("/"))).evidence is None
    with closed_port() as port:
        assert (await run(f"http://127.0.0.1:{port}/")).evidence is None


async def test_what_lets_somebody_in_is_hidden_by_its_name(run: Run) -> None:
    names = ("Set-Cookie", "Authorization", "X-Api-Key", "WWW-Authenticate", "X-Session-Id", "X-Amz-Security-Token")
    found = await seen(run, answer(500, b"", [(name, "tell nobody") for name in names]))
    assert {value for name, value in found.headers if name in names} == {MASK}


async def test_queries_and_users_in_urls_are_hidden(run: Run) -> None:
    links = [("Link", '<https://u:p4ssw0rd@x.example/?sig=s3cr3t>; rel="next"'), ("Location", "/a?code=s3cr3t")]
    found = await seen(run, answer(500, b"see https://x.example/?sig=s3cr3t", links))
    assert "s3cr3t" not in repr(found)
    assert "p4ssw0rd" not in repr(found)


SECRET = "zQ9xW7vK3hLp2"


@given(st.integers(BODY_BYTES - 40, BODY_BYTES + 5))
def test_half_a_secret_is_not_left_at_the_edge(place: int) -> None:
    body = (b"." * place + SECRET.encode() + b"." * 100)[: BODY_BYTES + 1]
    found = evidence_of([("Content-Type", "text/plain")], body, False, Redactor([SECRET]))
    assert found.body is not None
    assert not any(SECRET[:n] in found.body for n in range(3, len(SECRET) + 1))


TEXT = st.text(st.characters(max_codepoint=0x2FF), max_size=300)


@given(
    st.lists(st.tuples(st.text(string.ascii_letters + "-", min_size=1, max_size=30), TEXT), max_size=80), st.binary()
)
def test_whatever_a_server_sends_it_is_bounded_and_can_be_shown(headers: list[tuple[str, str]], body: bytes) -> None:
    found = evidence_of(headers, body, False, Redactor([SECRET]))
    assert sum(len(name) + len(value) for name, value in found.headers) <= 8192 + 40
    text = repr([found.headers, found.body])
    text.encode()
    assert all(c.isprintable() or c in "\t\n\r\x0c\x80\xa0\xad" or ord(c) >= 0x80 for c in found.body or "")


async def test_a_secret_that_is_sent_back_is_not_kept(run: Run) -> None:
    reply = answer(500, f"you sent {SECRET}".encode(), [("X-Echo", f"a{SECRET}b"), ("Content-Type", "text/plain")])
    found = await seen(run, reply, headers=(("X-Token", Secret(SECRET)),))
    assert SECRET not in repr(found)
    assert MASK in str(found.body)
