"""Checks through a proxy: what it is asked, what it must not see, and how its failures are told from the target's."""

from __future__ import annotations

import base64

import pytest

from monitor.model.outcome import Reason
from monitor.model.request import BearerAuth
from monitor.secrets.secret import Secret
from tests.flat import http
from tests.protocols.harness import Run
from tests.servers import dns, proxy, tls
from tests.servers.http import HttpServer, answer, redirect
from tests.servers.proxy import Proxy
from tests.servers.tcp import Connection, Script, Server, closed_port

HOSTS = {"target.test": "127.0.0.1"}
ANN = "Basic " + base64.b64encode(b"ann:s3cr3t pass").decode()


def with_userinfo(server: Proxy, userinfo: str) -> Secret:
    """The proxy's URL with a name and a password."""
    return Secret(server.url().replace("http://", f"http://{userinfo}@"))


async def test_http_goes_through_in_absolute_form(run: Run) -> None:
    async with HttpServer() as target, Proxy(hosts=HOSTS) as server:
        url = target.url("/x?y=z", host="target.test")
        result = await run(url, proxy=server.url())
        assert result.reason is Reason.OK, result.detail
        assert [request.target for request in server.forwarded] == [url]
        assert target.requests[0].header("Host") == f"target.test:{target.port}"
        assert (server.connections, target.connections) == (1, 1)


async def test_https_goes_through_a_tunnel(run: Run) -> None:
    async with tls.https() as target, Proxy(hosts=HOSTS) as server:
        result = await run(target.url("/x?secret=4711", host="target.test"), proxy=server.url())
        assert result.reason is Reason.OK, result.detail
        assert server.tunnels == [f"target.test:{target.port}"]
        assert b"4711" not in b"".join(server.heads)
        assert server.requests[0].header("Host") == f"target.test:{target.port}"
        assert (server.connections, target.connections) == (1, 1)
    assert result.certificate is not None
    assert result.tls_version is not None


async def test_proxy_resolves_the_name_of_the_target(run: Run) -> None:
    async with HttpServer() as target, Proxy(hosts={"only-the-proxy-knows.test": "127.0.0.1"}) as server:
        result = await run(target.url(host="only-the-proxy-knows.test"), proxy=server.url())
    assert result.reason is Reason.OK, result.detail


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
async def test_credentials_of_the_proxy_are_for_the_proxy(run: Run, secure: bool) -> None:
    make = tls.https if secure else HttpServer
    async with make() as target, Proxy(credentials=("ann", "s3cr3t pass")) as server:
        result = await run(target.url(), proxy=with_userinfo(server, "ann:s3cr3t%20pass"))
        assert result.reason is Reason.OK, result.detail
        assert server.requests[0].header("Proxy-Authorization") == ANN
        assert server.connections == 1
        assert target.requests[0].header("Proxy-Authorization") is None
        assert target.requests[0].header("Authorization") is None


async def test_credentials_of_the_target_stay_inside_the_tunnel(run: Run) -> None:
    async with tls.https() as target, Proxy() as server:
        await run(target.url(), proxy=server.url(), auth=BearerAuth(Secret("t0k3n-4711")), headers=(("X-Trace", "7"),))
        assert target.requests[0].header("Authorization") == "Bearer t0k3n-4711"
        head = server.heads[0].lower()
    assert b"t0k3n" not in head
    assert b"x-trace" not in head
    assert b"authorization" not in head


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("userinfo", ["", "ann:wrong"])
async def test_proxy_that_wants_other_credentials_is_proxy_failed(run: Run, secure: bool, userinfo: str) -> None:
    make = tls.https if secure else HttpServer
    async with make() as target, Proxy(credentials=("ann", "s3cr3t pass")) as server:
        result = await run(target.url(), proxy=with_userinfo(server, userinfo) if userinfo else server.url())
        assert result.reason is Reason.PROXY_FAILED, result.detail
        assert (server.connections, len(server.requests), target.connections) == (1, 1, 0)
    assert "407" in result.detail


@pytest.mark.parametrize("script", [proxy.refuses, proxy.closes, proxy.resets, proxy.garbage])
async def test_failed_connect_is_proxy_failed(run: Run, script: Script) -> None:
    async with Proxy(connect=script) as server:
        result = await run("https://target.test/", proxy=server.url())
        assert result.reason is Reason.PROXY_FAILED, result.detail
        assert (server.connections, len(server.requests)) == (1, 1)
    assert result.phases.tls is None
    assert http(result).status is None


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_refusing_proxy_is_proxy_failed(run: Run, scheme: str) -> None:
    with closed_port() as port:
        result = await run(f"{scheme}://target.test/", proxy=f"http://127.0.0.1:{port}")
    assert result.reason is Reason.PROXY_FAILED, result.detail
    assert f"127.0.0.1:{port}" in result.detail


async def test_unknown_proxy_is_a_failure(run: Run) -> None:
    async with dns.DnsServer({}) as resolver:
        result = await run("http://target.test/", proxy="http://proxy.test:3128", resolver=(resolver.address,))
    assert result.reason in (Reason.PROXY_FAILED, Reason.DNS_NOT_FOUND), result.detail


async def test_bad_status_that_a_proxy_forwards_is_the_targets(run: Run) -> None:
    async with HttpServer(lambda _: answer(503)) as target, Proxy() as server:
        result = await run(target.url(), proxy=server.url())
    assert (result.reason, http(result).status) == (Reason.UNEXPECTED_STATUS, 503)


async def test_tls_failure_behind_a_proxy_is_the_targets(run: Run) -> None:
    async with tls.expired() as target, Proxy() as server:
        result = await run(target.url(), proxy=server.url())
        assert server.connections == target.connections == 1
    assert result.reason is Reason.TLS_CERTIFICATE_EXPIRED, result.detail
    assert result.certificate is not None


async def test_break_of_the_handshake_behind_a_proxy_is_the_targets(run: Run) -> None:
    async with tls.Bare(tls.closes) as target, Proxy() as server:
        result = await run(target.url(), proxy=server.url())
    assert result.reason is Reason.TLS_HANDSHAKE_FAILED, result.detail


async def test_each_hop_goes_through_the_proxy(run: Run) -> None:
    async with tls.https() as last, HttpServer(lambda _: redirect(last.url())) as first, Proxy() as server:
        result = await run(first.url(), proxy=server.url())
        assert (result.reason, http(result).redirects) == (Reason.OK, 1), result.detail
        assert [request.method for request in server.requests] == ["GET", "CONNECT"]
        assert server.connections == 2


async def test_proxy_that_drops_the_request_is_asked_once(run: Run) -> None:
    async def drop(connection: Connection) -> None:
        await connection.read_head()

    async with Server(drop) as server:
        result = await run("http://target.test/", proxy=server.url())
        assert result.reason in (Reason.DISCONNECTED, Reason.PROXY_FAILED), result.detail
        assert (server.connections, len(server.heads)) == (1, 1)
