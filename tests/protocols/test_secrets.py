"""Secrets: a server that echoes them, in whatever spelling and wherever it can, makes none of them seen in a result."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from monitor.model.outcome import Reason
from monitor.model.request import BasicAuth, BearerAuth, Expect
from monitor.model.result import Result
from monitor.secrets.secret import Secret
from tests.flat import http
from tests.protocols.harness import Run, expecting_body, rules
from tests.servers import faults, proxy
from tests.servers.http import HttpServer, Request, answer, as_json, ok, redirect
from tests.servers.tcp import Server

TOKEN = 'zQ9x/W7v"K3+h<8&Lp=é%Rt'
QUERY = "qW5e/Tz?Yu:8i+Oo"
PASSWORD = "pL2m@Nb:Vc#5x Zz"
ALL = (TOKEN, QUERY, PASSWORD)

LEAST = 6
"""So many characters of a secret's spelling in a row are too many."""


def spellings(secret: str) -> dict[str, str]:
    """How a secret may come back."""
    return {
        "as it is": secret,
        "percent-encoded": quote(secret, safe=""),
        "percent-encoded, slashes kept": quote(secret),
        "percent-encoded, lower case": quote(secret, safe="").replace("%2F", "%2f").replace("%C3%A9", "%c3%a9"),
        "as a form": quote_plus(secret),
        "JSON": json.dumps(secret)[1:-1],
        "JSON in UTF-8": json.dumps(secret, ensure_ascii=False)[1:-1],
        "base64": base64.b64encode(secret.encode()).decode(),
        "base64 for URLs": base64.urlsafe_b64encode(secret.encode()).decode(),
        "HTML": html.escape(secret),
        "Basic": base64.b64encode(f"ann:{PASSWORD}".encode()).decode(),
        "Python": repr(secret)[1:-1],
    }


EVERY_SPELLING = sorted({spelling for secret in ALL for spelling in spellings(secret).values()})


def assert_nothing_seen(result: Result) -> None:
    """No secret in any spelling, and no long piece of one, in what a result shows."""
    shown = repr(result)
    for spelling in EVERY_SPELLING:
        pieces = {spelling[start : start + LEAST] for start in range(len(spelling) - LEAST + 1)}
        seen = sorted(piece for piece in pieces if piece in shown)
        assert not seen, f"{seen} of a secret in {shown}"


def holding(**over: Any) -> dict[str, Any]:
    """The fields of a check with every kind of secret."""
    return {
        "headers": (("X-Token", Secret(TOKEN.encode().decode("latin-1"))), ("X-Name", Secret(QUERY))),
        "auth": BasicAuth("ann", Secret(PASSWORD)),
        "secrets": frozenset({*ALL, f"ann:{PASSWORD}", TOKEN.encode().decode("latin-1")}),
        **over,
    }


def line(text: str) -> str:
    """The text as it can stand in a header: UTF-8, one character per byte."""
    return text.encode().decode("latin-1")


WAYS: dict[str, tuple[Callable[[str], bytes], dict[str, Any], Reason]] = {
    "reason phrase": (lambda s: answer(500, b"", reason=line(s)), {}, Reason.UNEXPECTED_STATUS),
    "header": (
        lambda s: ok(b"", ("X-Echo", line(s))),
        {"expect": Expect(headers=(("X-Echo", rules(equals="y")),))},
        Reason.UNEXPECTED_HEADER,
    ),
    "header name": (lambda s: answer(503, b"", [("X-" + quote(s, safe=""), "1")]), {}, Reason.UNEXPECTED_STATUS),
    "body": (lambda s: ok(s.encode()), {"expect": expecting_body(contains="needle")}, Reason.UNEXPECTED_BODY),
    "JSON": (
        lambda s: as_json({"a": s}),
        {"expect": Expect(json=(("$.a", rules(equals="y")),))},
        Reason.UNEXPECTED_BODY,
    ),
    "JSON object": (
        lambda s: as_json({"a": {s: [s]}}),
        {"expect": Expect(json=(("$.a", rules(equals="y")),))},
        Reason.UNEXPECTED_BODY,
    ),
    "broken JSON": (
        lambda s: ok(s.encode()),
        {"expect": Expect(json=(("$.a", rules(equals="y")),))},
        Reason.INVALID_CONTENT,
    ),
    "charset": (
        lambda s: answer(200, b"\xff", [("Content-Type", f"text/plain; charset={line(s)}")]),
        {"expect": expecting_body()},
        Reason.OK,  # with a note that quotes it
    ),
    "Content-Encoding": (
        lambda s: ok(b"\xff", ("Content-Encoding", line(s))),
        {"expect": expecting_body()},
        Reason.INVALID_CONTENT,
    ),
    "Location of another scheme": (lambda s: redirect("ftp://x/" + line(s)), {}, Reason.FORBIDDEN_REDIRECT),
    "query of a Location": (lambda s: redirect("/?token=" + quote(s)), {"max_redirects": 1}, Reason.TOO_MANY_REDIRECTS),
    "path of a Location": (
        lambda s: redirect("/" + quote(s, safe="")),
        {"max_redirects": 1},
        Reason.TOO_MANY_REDIRECTS,
    ),
    "fragment of a Location": (lambda s: redirect("/#" + quote(s)), {"max_redirects": 1}, Reason.TOO_MANY_REDIRECTS),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("secret", ALL, ids=["token", "query", "password"])
async def test_echoed_secret_is_not_seen(run: Run, way: str, secret: str) -> None:
    make, over, reason = WAYS[way]
    for how, spelling in spellings(secret).items():
        async with HttpServer(lambda _, spelling=spelling: make(spelling)) as server:
            result = await run(server.url(f"/?token={quote(QUERY, safe='')}"), **holding(**over))
        assert result.reason is reason, f"{how}: {result.detail}"
        assert_nothing_seen(result)


def everything(request: Request) -> bytes:
    """An answer that says all it was told, everywhere."""
    told = " ".join([request.target, *(f"{name}={value}" for name, value in request.headers)])
    return answer(500, told.encode(), [("X-Told", told), ("WWW-Authenticate", told)], reason=told)


async def test_whole_request_echoed_is_not_seen(run: Run) -> None:
    expects = [
        Expect(),
        Expect(status=((500, 500),), headers=(("X-Told", rules(equals="y")),)),
        Expect(status=((500, 500),), headers=(("WWW-Authenticate", rules(not_contains="ann", exists=False)),)),
        Expect(status=((500, 500),), body=rules(contains="needle")),
        Expect(status=((500, 500),), json=(("$.a", rules(equals=1)),)),
    ]
    async with HttpServer(everything) as server:
        for expect in expects:
            url = server.url(f"/p?token={quote(QUERY, safe='')}&other={quote(TOKEN, safe='')}")
            result = await run(url, **holding(expect=expect))
            assert result.failed
            assert_nothing_seen(result)


@pytest.mark.parametrize("padding", range(0, 200, 7))
async def test_secret_at_the_edge_of_a_quotation_is_not_seen(run: Run, padding: int) -> None:
    for spelling in (TOKEN, quote(TOKEN, safe=""), base64.b64encode(TOKEN.encode()).decode()):
        text = "-" * padding + spelling + "-" * 300
        cases = [
            (ok(b"", ("X-Echo", line(text))), Expect(headers=(("X-Echo", rules(equals="y")),))),
            (as_json({"a": text}), Expect(json=(("$.a", rules(equals="y")),))),
            (ok(text.encode()), expecting_body(contains="needle")),
            (answer(500, b"", reason=line(text)), Expect()),
        ]
        for data, expect in cases:
            async with HttpServer(lambda _, data=data: data) as server:
                result = await run(server.url(), **holding(expect=expect))
            assert_nothing_seen(result)


@pytest.mark.parametrize("cut", range(4, len(TOKEN) + 1, 3))
async def test_secret_that_the_server_cuts_short_is_not_seen(run: Run, cut: int) -> None:
    value = line("you sent " + TOKEN)[: 9 + cut]
    expect = Expect(headers=(("X-Echo", rules(equals="y")),))
    async with HttpServer(lambda _: ok(b"", ("X-Echo", value))) as server:
        result = await run(server.url(), **holding(expect=expect))
    assert result.reason is Reason.UNEXPECTED_HEADER
    shown = repr(result)
    assert TOKEN[: min(cut, LEAST)] not in shown


@pytest.mark.parametrize("secret", ALL, ids=["token", "query", "password"])
async def test_secret_in_bytes_that_are_not_http_is_not_seen(run: Run, secret: str) -> None:
    said = secret.encode()
    cases = [
        said + b"\r\n\r\n",
        b"HTTP/1.1 " + said + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + said + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: " + said + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + said + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: \0" + said + b"\r\n\r\n",
    ]
    for data in cases:
        async with Server(faults.raw(data)) as server:
            result = await run(server.url(), **holding())
        assert result.failed, result.detail  # a secret with a colon in it makes a header
        assert_nothing_seen(result)


async def test_secrets_of_the_urls_of_a_run_are_not_seen(run: Run) -> None:
    async with HttpServer() as last:
        location = last.url(f"/end?code={quote(TOKEN, safe='')}").replace("http://", "http://ann:Foreign-Pass-7@")
        async with HttpServer(lambda _: redirect(location)) as first:
            result = await run(first.url(f"/start?key={quote(QUERY, safe='')}"), **holding())
    assert [hop.status for hop in http(result).hops] == [302, 200]
    assert "Foreign-Pass-7" not in repr(result)
    assert_nothing_seen(result)


async def test_new_secret_in_the_query_of_a_location_is_not_seen(run: Run) -> None:
    async with HttpServer(lambda _: redirect("/login?session=fresh-session-4711&next=%2Fa")) as server:
        result = await run(server.url(), max_redirects=2)
    assert result.reason is Reason.TOO_MANY_REDIRECTS
    assert "fresh-session" not in repr(result)


@pytest.mark.parametrize("script", [proxy.refuses, proxy.garbage, proxy.closes])
async def test_credentials_of_a_proxy_are_not_seen(run: Run, script: Any) -> None:
    async with proxy.Proxy(connect=script) as server:
        url = server.url().replace("http://", f"http://ann:{quote(PASSWORD, safe='')}@")
        result = await run("https://target.test/", proxy=Secret(url), **holding())
    assert result.reason is Reason.PROXY_FAILED, result.detail
    assert_nothing_seen(result)


async def test_bearer_token_is_not_seen(run: Run) -> None:
    echo = Expect(status=((500, 500),), headers=(("X-Told", rules(equals="y")),))
    async with HttpServer(everything) as server:
        result = await run(server.url(), auth=BearerAuth(Secret("bearer-token-4711")), expect=echo)
    assert result.reason is Reason.UNEXPECTED_HEADER
    assert "token-4711" not in repr(result)


async def test_secret_that_is_expected_is_not_seen(run: Run) -> None:
    for expect in (
        expecting_body(contains=Secret("expected-4711")),
        Expect(headers=(("X-Key", rules(equals=Secret("expected-4711"))),)),
        Expect(json=(("$.a", rules(equals=Secret("expected-4711"))),)),
    ):
        async with HttpServer(lambda _: as_json({"a": "b"}, 200, ("X-Key", "other"))) as server:
            result = await run(server.url(), expect=expect, secrets=frozenset({"expected-4711"}))
        assert result.failed
        assert "expected-4711" not in repr(result)
