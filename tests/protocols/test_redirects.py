"""Redirects: where they lead, what they turn the request into, and where they must not lead."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.model.outcome import Reason
from monitor.model.request import Body
from tests.flat import http
from tests.protocols.harness import Run, expecting_body
from tests.servers import tls
from tests.servers.http import HttpServer, Request, ok, redirect

FORM = Body(b"a=b", "application/x-www-form-urlencoded", secret=False)


def away(location: str | None, status: int = 302, at: str = "/start") -> Any:
    """A responder that redirects one path, and answers all others."""
    return lambda request: redirect(location, status) if request.target == at else ok()


@pytest.mark.parametrize(
    ("status", "method", "then", "body"),
    [
        (301, "POST", "GET", b""),
        (302, "POST", "GET", b""),
        (303, "POST", "GET", b""),
        (303, "PUT", "GET", b""),
        (307, "POST", "POST", b"a=b"),
        (308, "POST", "POST", b"a=b"),
        (307, "PUT", "PUT", b"a=b"),
        (308, "PATCH", "PATCH", b"a=b"),
    ],
)
async def test_redirect_decides_method_and_body(run: Run, status: int, method: str, then: str, body: bytes) -> None:
    async with HttpServer(away("/end", status)) as server:
        result = await run(server.url("/start"), method=method, body=FORM)
        assert result.reason is Reason.OK, result.detail
        first, last = server.requests
    assert (first.method, first.body) == (method, b"a=b")
    assert (last.method, last.target, last.body) == (then, "/end", body)
    assert (last.header("Content-Type") is not None) is bool(body)
    assert bool(last.header("Content-Length") or last.header("Transfer-Encoding")) is bool(body)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_safe_method_stays(run: Run, status: int, method: str) -> None:
    async with HttpServer(away("/end", status)) as server:
        result = await run(server.url("/start"), method=method)
        assert result.reason is Reason.OK, result.detail
        assert [request.method for request in server.requests] == [method, method]
    assert (http(result).redirects, http(result).status) == (1, 200)
    assert [(hop.method, hop.status) for hop in http(result).hops] == [(method, status), (method, 200)]


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/b", "/b"),
        ("b", "/dir/b"),
        ("../b", "/b"),
        ("./", "/dir/"),
        ("?q=1", "/dir/start?q=1"),
        ("/b?q=1&r=%2F", "/b?q=1&r=%2F"),
        ("//{address}/b", "/b"),
        ("http://{address}/b", "/b"),
        ("HTTP://{address}/b", "/b"),
        ("http://{address}", "/"),
        ("/b#part", "/b"),
        ("http://{address}/b#part", "/b"),
        ("/a b", "/a%20b"),
        ("/caf\u00c3\u00a9", "/caf%C3%A9"),
    ],
)
async def test_location_is_resolved_against_the_url(run: Run, location: str, target: str) -> None:
    def respond(request: Request) -> bytes:
        if len(server.requests) > 1:
            return ok()
        return redirect(location.format(address=server.address))

    async with HttpServer(respond) as server:
        result = await run(server.url("/dir/start"))
        assert result.reason is Reason.OK, result.detail
        assert [request.target for request in server.requests] == ["/dir/start", target]
        assert server.requests[1].header("Host") == server.address


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirect_without_location_is_the_final_answer(run: Run, status: int) -> None:
    async with HttpServer(away(None, status)) as server:
        result = await run(server.url("/start"))
    assert (result.reason, http(result).status, http(result).redirects) == (Reason.OK, status, 0)


@pytest.mark.parametrize("status", [200, 201, 300, 304])
async def test_location_of_other_answers_is_not_followed(run: Run, status: int) -> None:
    async with HttpServer(away("/end", status)) as server:
        result = await run(server.url("/start"))
        assert len(server.requests) == 1
    assert (result.reason, http(result).status, http(result).redirects) == (Reason.OK, status, 0)


async def test_redirect_is_the_final_answer_if_not_to_be_followed(run: Run) -> None:
    async with HttpServer(away("/end")) as server:
        result = await run(server.url("/start"), follow_redirects=False)
        assert len(server.requests) == 1
    assert (result.reason, http(result).status, http(result).redirects) == (Reason.OK, 302, 0)


@pytest.mark.parametrize("most", [0, 1, 3])
async def test_one_redirect_more_than_allowed_is_too_many(run: Run, most: int) -> None:
    async with HttpServer(lambda r: redirect(f"/{len(r.target)}{r.target}", 307)) as server:
        result = await run(server.url(), max_redirects=most)
        assert result.reason is Reason.TOO_MANY_REDIRECTS, result.detail
        assert len(server.requests) == server.connections == most + 1
    assert (http(result).redirects, http(result).status) == (most, 307)
    assert str(most) in result.detail


async def test_as_many_redirects_as_allowed_are_fine(run: Run) -> None:
    async with HttpServer(lambda r: redirect(r.target + "x") if len(r.target) < 4 else ok()) as server:
        result = await run(server.url(), max_redirects=3)
        assert server.connections == 4
    assert (result.reason, http(result).redirects, len(http(result).hops)) == (Reason.OK, 3, 4)


async def test_redirect_to_itself_ends(run: Run) -> None:
    async with HttpServer(lambda _: redirect("/")) as server:
        result = await run(server.url())
        assert len(server.requests) == 11
    assert result.reason is Reason.TOO_MANY_REDIRECTS


@pytest.mark.parametrize(
    "location",
    [
        "ftp://127.0.0.1/x",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "data:text/html,x",
        "mailto:a@target.test",
        "ws://127.0.0.1/",
        "FILE:///etc/passwd",
    ],
)
async def test_redirect_to_another_scheme_is_forbidden(run: Run, location: str) -> None:
    async with HttpServer(away(location)) as server:
        result = await run(server.url("/start"))
        assert result.reason is Reason.FORBIDDEN_REDIRECT, result.detail
        assert server.connections == 1
    assert http(result).status == 302
    assert "/etc/passwd" not in result.detail or location.lower().startswith("file")


@pytest.mark.parametrize("location", ["http://[::1", "http://:80/", "http://127.0.0.1:99999/", "http://a b/"])
async def test_location_that_is_no_url_is_a_failure_of_the_target(run: Run, location: str) -> None:
    async with HttpServer(away(location)) as server:
        result = await run(server.url("/start"))
        assert result.failed, result.detail
        assert server.connections == 1


async def test_downgrade_is_forbidden(run: Run) -> None:
    async with HttpServer() as plain, tls.https(lambda _: redirect(plain.url())) as first:
        result = await run(first.url())
        assert result.reason is Reason.FORBIDDEN_REDIRECT, result.detail
        assert plain.connections == 0
    assert http(result).status == 302


async def test_downgrade_after_an_upgrade_is_forbidden(run: Run) -> None:
    async with (
        HttpServer() as plain,
        tls.https(lambda _: redirect(plain.url())) as secure,
        HttpServer(lambda _: redirect(secure.url())) as first,
    ):
        result = await run(first.url())
        assert result.reason is Reason.FORBIDDEN_REDIRECT, result.detail
        assert plain.connections == 0
    assert len(http(result).hops) == 2


async def test_downgrade_is_taken_if_allowed(run: Run) -> None:
    async with HttpServer() as plain, tls.https(lambda _: redirect(plain.url())) as first:
        result = await run(first.url(), allow_downgrade=True)
    assert (result.reason, http(result).redirects) == (Reason.OK, 1), result.detail
    assert result.remote_address == plain.address


async def test_upgrade_is_taken(run: Run) -> None:
    async with tls.https() as secure, HttpServer(lambda _: redirect(secure.url())) as first:
        result = await run(first.url())
    assert (result.reason, http(result).redirects) == (Reason.OK, 1), result.detail
    assert result.tls_version is not None
    assert result.certificates


async def test_expectations_are_for_the_last_answer(run: Run) -> None:
    def respond(request: Request) -> bytes:
        return ok(b"the end") if request.target == "/end" else redirect("/end")

    async with HttpServer(respond) as server:
        result = await run(server.url(), expect=expecting_body(equals="the end"))
    assert result.reason is Reason.OK, result.detail


async def test_each_hop_is_one_request_on_one_connection(run: Run) -> None:
    async with (
        HttpServer() as last,
        HttpServer(lambda _: redirect(last.url())) as middle,
        HttpServer(lambda r: redirect("/b" if r.target == "/" else middle.url())) as first,
    ):
        result = await run(first.url())
        assert [server.connections for server in (first, middle, last)] == [2, 1, 1]
        assert [len(server.requests) for server in (first, middle, last)] == [2, 1, 1]
    assert (result.reason, http(result).redirects) == (Reason.OK, 3)
    assert [hop.url for hop in http(result).hops] == [first.url(), first.url("/b"), middle.url(), last.url()]
    assert result.remote_address == last.address
