"""Credentials over redirects: what stays with its origin, what follows, and what is forgotten after the run."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from monitor.model.outcome import Reason
from monitor.model.request import BasicAuth, BearerAuth, Body
from monitor.secrets.secret import Secret
from tests.protocols.harness import Run, opened_resources
from tests.servers import dns, tls
from tests.servers.http import HttpServer, Request, ok, redirect

BASIC = BasicAuth("ann", Secret("correct horse"))
BASIC_VALUE = "Basic " + base64.b64encode(b"ann:correct horse").decode()

CREDENTIALS: dict[str, tuple[dict[str, Any], str, str]] = {
    "basic": ({"auth": BASIC}, "Authorization", BASIC_VALUE),
    "bearer": ({"auth": BearerAuth(Secret("token-4711"))}, "Authorization", "Bearer token-4711"),
    "secret header": ({"headers": (("X-Api-Key", Secret("key-4711")),)}, "X-Api-Key", "key-4711"),
    "literal Authorization": ({"headers": (("authorization", "Bearer plain"),)}, "Authorization", "Bearer plain"),
    "literal Cookie": ({"headers": (("Cookie", "session=1"),)}, "Cookie", "session=1"),
}

CASES = pytest.mark.parametrize(("over", "header", "value"), CREDENTIALS.values(), ids=CREDENTIALS)


async def test_password_of_a_variable_that_is_not_utf_8_is_sent_as_its_bytes(run: Run) -> None:
    auth = BasicAuth("ann", Secret(b"caf\xe9-4711".decode("utf-8", "surrogateescape")))
    async with HttpServer() as server:
        result = await run(server.url(), auth=auth)
        assert result.reason is Reason.OK, result.detail
        expected = "Basic " + base64.b64encode(b"ann:caf\xe9-4711").decode()
        assert server.requests[0].header("Authorization") == expected


@CASES
async def test_credential_stays_within_its_origin(run: Run, over: dict[str, Any], header: str, value: str) -> None:
    async with HttpServer(lambda r: redirect("/b") if r.target == "/" else ok()) as server:
        result = await run(server.url(), **over)
        assert result.reason is Reason.OK, result.detail
        assert [request.header(header) for request in server.requests] == [value, value]


@CASES
async def test_credential_does_not_follow_to_another_port(
    run: Run, over: dict[str, Any], header: str, value: str
) -> None:
    async with HttpServer() as other, HttpServer(lambda _: redirect(other.url())) as first:
        result = await run(first.url(), **over)
        assert result.reason is Reason.OK, result.detail
        assert first.requests[0].header(header) == value
        assert other.requests[0].header(header) is None
        assert value.encode() not in other.heads[0]


@CASES
async def test_credential_does_not_follow_to_another_host(
    run: Run, over: dict[str, Any], header: str, value: str
) -> None:
    def respond(request: Request) -> bytes:
        return redirect(server.url("/b", host="other.test")) if request.target == "/" else ok()

    names = {name: dns.addresses("127.0.0.1") for name in ("target.test", "other.test")}
    async with dns.DnsServer(names) as resolver, HttpServer(respond) as server:
        await run(server.url(host="target.test"), resolver=(resolver.address,), **over)
        assert [request.header(header) for request in server.requests] == [value, None]


@CASES
async def test_credential_does_not_follow_to_another_scheme(
    run: Run, over: dict[str, Any], header: str, value: str
) -> None:
    async with HttpServer() as plain, tls.https(lambda _: redirect(plain.url())) as secure:
        result = await run(secure.url(), allow_downgrade=True, **over)
        assert result.reason is Reason.OK, result.detail
        assert secure.requests[0].header(header) == value
        assert plain.requests[0].header(header) is None


@CASES
async def test_credential_does_not_come_in_by_way_of_a_second_redirect(
    run: Run, over: dict[str, Any], header: str, value: str
) -> None:
    async with (
        HttpServer(lambda r: redirect("/b") if r.target == "/" else ok()) as other,
        HttpServer(lambda _: redirect(other.url())) as first,
    ):
        await run(first.url(), **over)
        assert [request.header(header) for request in other.requests] == [None, None]


async def test_plain_headers_follow_everywhere(run: Run) -> None:
    headers = (("Accept", "application/json"), ("X-Trace", "7"))
    async with HttpServer() as other, HttpServer(lambda _: redirect(other.url())) as first:
        await run(first.url(), headers=headers)
        assert [other.requests[0].header(name) for name, _ in headers] == ["application/json", "7"]


async def test_content_type_of_the_body_follows_with_it(run: Run) -> None:
    body = Body(b"{}", "application/json", secret=False)
    async with HttpServer() as other, HttpServer(lambda _: redirect(other.url(), 307)) as first:
        await run(first.url(), method="POST", body=body)
        assert other.requests[0].header("Content-Type") == "application/json"
        assert other.requests[0].body == b"{}"


async def test_body_with_a_secret_does_not_follow_to_another_origin(run: Run) -> None:
    body = Body(b"password=correct+horse", "application/x-www-form-urlencoded", secret=True)
    async with HttpServer() as other, HttpServer(lambda _: redirect(other.url(), 307)) as first:
        result = await run(first.url(), method="POST", body=body)
        assert first.requests[0].body == body.data
        assert all(b"horse" not in request.body for request in other.requests)
    assert result.failed, result.detail


async def test_explicit_host_stays_with_its_origin(run: Run) -> None:
    def respond(request: Request) -> bytes:
        return redirect("/b") if request.target == "/" else redirect(other.url())

    async with HttpServer() as other, HttpServer(respond) as first:
        await run(first.url(), headers=(("Host", "virtual.test"),))
        assert [request.header("Host") for request in first.requests] == ["virtual.test", "virtual.test"]
        assert other.requests[0].header("Host") == other.address


async def test_cookies_are_kept_within_a_run(run: Run) -> None:
    def respond(request: Request) -> bytes:
        if request.target == "/":
            return redirect("/b", 302, ("Set-Cookie", "session=abc; Path=/"), ("Set-Cookie", "b=2"))
        return ok()

    async with HttpServer(respond) as server:
        await run(server.url())
        assert server.requests[0].header("Cookie") is None
        assert sorted((server.requests[1].header("Cookie") or "").split("; ")) == ["b=2", "session=abc"]


async def test_cookies_are_forgotten_after_the_run(run: Run) -> None:
    async with (
        HttpServer(lambda _: ok(b"", ("Set-Cookie", "session=abc; Path=/"))) as server,
        opened_resources() as resources,
    ):
        await run(server.url(), resources=resources)
        await run(server.url(), resources=resources)
        assert [request.header("Cookie") for request in server.requests] == [None, None]


@pytest.mark.parametrize("attributes", ["Path=/", "Path=/; Domain=127.0.0.1", "Path=/; SameSite=None"])
async def test_cookies_do_not_follow_to_another_port(run: Run, attributes: str) -> None:
    away = ("Set-Cookie", f"session=abc; {attributes}")
    async with HttpServer() as other, HttpServer(lambda _: redirect(other.url(), 302, away)) as first:
        await run(first.url())
        assert other.requests[0].header("Cookie") is None


async def test_cookies_of_a_domain_do_not_follow_to_another_host(run: Run) -> None:
    def respond(request: Request) -> bytes:
        if request.target == "/":
            return redirect(server.url("/b", host="b.shop.test"), 302, ("Set-Cookie", "s=1; Domain=shop.test; Path=/"))
        return ok()

    names = {f"{name}.shop.test": dns.addresses("127.0.0.1") for name in "ab"}
    async with dns.DnsServer(names) as resolver, HttpServer(respond) as server:
        await run(server.url(host="a.shop.test"), resolver=(resolver.address,))
        assert [request.header("Cookie") for request in server.requests] == [None, None]


async def test_expired_cookie_is_not_sent(run: Run) -> None:
    def respond(request: Request) -> bytes:
        step = {"/": ("/b", "s=1; Path=/"), "/b": ("/c", "s=; Path=/; Max-Age=0")}.get(request.target)
        return redirect(step[0], 302, ("Set-Cookie", step[1])) if step else ok()

    async with HttpServer(respond) as server:
        await run(server.url())
        assert [request.header("Cookie") for request in server.requests] == [None, "s=1", None]


async def test_userinfo_in_a_location_is_not_believed(run: Run) -> None:
    async with HttpServer() as other:
        location = other.url().replace("http://", "http://evil:pass@")
        async with HttpServer(lambda _: redirect(location)) as first:
            result = await run(first.url())
    assert "pass@" not in repr(result)
    assert "evil" not in repr(result)
