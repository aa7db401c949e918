"""Where a check connects: the address policy on every hop, `connect_to`, and `source_address`."""

from __future__ import annotations

import pytest

from monitor.model.outcome import Outcome, Reason
from tests.flat import http
from tests.protocols.harness import Run
from tests.servers import dns, proxy, tls
from tests.servers.http import HttpServer, redirect

LOOPBACK = ["127.0.0.0/8"]


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0", "target.test", "localhost"]
)
async def test_denied_address_is_address_denied_however_it_is_spelt(run: Run, host: str) -> None:
    async with dns.DnsServer({"target.test": dns.addresses("127.0.0.1")}) as resolver, HttpServer() as server:
        over = {} if host == "localhost" else {"resolver": (resolver.address,)}
        result = await run(server.url(host=host), deny=[*LOOPBACK, "::1/128"], **over)
        assert result.reason is Reason.ADDRESS_DENIED, result.detail
        assert server.connections == 0
    assert result.phases.processing is None


@pytest.mark.parametrize("host", ["[::1]", "[::]", "[0:0:0:0:0:0:0:1]"])
async def test_denied_ipv6_address_is_address_denied_however_it_is_spelt(run: Run, host: str) -> None:
    async with HttpServer(host="::1") as server:
        result = await run(server.url(host=host), deny=["::1/128"])
        assert result.reason is Reason.ADDRESS_DENIED, result.detail
        assert server.connections == 0


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1"])
async def test_odd_spelling_of_a_denied_address_gets_nowhere(run: Run, host: str) -> None:
    async with dns.DnsServer({}) as resolver, HttpServer() as server:
        result = await run(server.url(host=host), deny=LOOPBACK, resolver=(resolver.address,))
        assert result.failed, result.detail
        assert server.connections == 0


async def test_denied_address_by_ipv6_mapped_dns_answer_is_address_denied(run: Run) -> None:
    async with dns.DnsServer({"target.test": dns.addresses("::ffff:127.0.0.1")}) as resolver, HttpServer() as server:
        result = await run(server.url(host="target.test"), deny=LOOPBACK, resolver=(resolver.address,))
        assert result.reason is Reason.ADDRESS_DENIED, result.detail
        assert server.connections == 0


async def test_answer_that_changes_to_a_denied_address_is_caught(run: Run) -> None:
    turns = [dns.addresses("127.0.0.1"), dns.addresses("127.0.0.2")]
    async with (
        dns.DnsServer({"target.test": turns}) as resolver,
        HttpServer(host="127.0.0.1") as server,
        HttpServer(host="127.0.0.2", port=server.port) as denied,
    ):
        over = {"deny": ["127.0.0.2/32"], "resolver": (resolver.address,), "ip_version": 4}
        assert (await run(server.url(host="target.test"), **over)).reason is Reason.OK
        assert (await run(server.url(host="target.test"), **over)).reason is Reason.ADDRESS_DENIED
        assert denied.connections == 0


@pytest.mark.parametrize("host", ["127.0.0.2", "[::ffff:127.0.0.2]", "target.test"])
async def test_redirect_to_a_denied_address_is_forbidden_redirect(run: Run, host: str) -> None:
    async with (
        dns.DnsServer({"target.test": dns.addresses("127.0.0.2")}) as resolver,
        HttpServer(host="127.0.0.2") as denied,
        HttpServer(lambda _: redirect(denied.url(host=host))) as first,
    ):
        result = await run(first.url(), deny=["127.0.0.2/32"], resolver=(resolver.address,))
        assert result.reason is Reason.FORBIDDEN_REDIRECT, result.detail
        assert (first.connections, denied.connections) == (1, 0)
    assert http(result).status == 302
    assert result.outcome is Outcome.HTTP_ERROR


async def test_denied_network_elsewhere_does_no_harm(run: Run) -> None:
    async with HttpServer() as server:
        result = await run(server.url(), deny=["10.0.0.0/8", "::1/128", "127.0.0.2/32"])
    assert result.reason is Reason.OK, result.detail


async def test_denied_connect_to_is_address_denied(run: Run) -> None:
    async with HttpServer(host="127.0.0.2") as server:
        connect_to = ("127.0.0.2", server.port)
        result = await run("http://target.test/", deny=["127.0.0.2/32"], connect_to=connect_to)
        assert result.reason is Reason.ADDRESS_DENIED, result.detail
        assert server.connections == 0


async def test_denied_proxy_is_address_denied(run: Run) -> None:
    async with proxy.Proxy(host="127.0.0.2") as server:
        result = await run("http://target.test/", deny=["127.0.0.2/32"], proxy=server.url())
        assert result.reason is Reason.ADDRESS_DENIED, result.detail
        assert server.connections == 0


async def test_denied_literal_address_is_not_asked_of_a_proxy_either(run: Run) -> None:
    async with HttpServer(host="127.0.0.2") as server, proxy.Proxy() as through:
        result = await run(server.url(), deny=["127.0.0.2/32"], proxy=through.url())
        assert result.reason is Reason.ADDRESS_DENIED, result.detail
        assert (through.connections, server.connections) == (0, 0)


async def test_connect_to_is_where_the_connection_goes(run: Run) -> None:
    async with HttpServer() as server:
        result = await run("http://shop.test:8080/x?y=z", connect_to=("127.0.0.1", server.port))
        assert result.reason is Reason.OK, result.detail
        assert server.requests[0].header("Host") == "shop.test:8080"
        assert server.requests[0].target == "/x?y=z"
    assert result.remote_address == server.address


async def test_connect_to_without_a_port_keeps_the_port_of_the_url(run: Run) -> None:
    async with HttpServer(host="127.0.0.2") as server:
        result = await run(f"http://shop.test:{server.port}/", connect_to=("127.0.0.2", None))
    assert result.reason is Reason.OK, result.detail
    assert result.remote_address == server.address


async def test_connect_to_may_be_a_name(run: Run) -> None:
    async with dns.DnsServer({"inner.test": dns.addresses("127.0.0.1")}) as resolver, HttpServer() as server:
        over = {"connect_to": ("inner.test", server.port), "resolver": (resolver.address,)}
        result = await run("http://shop.test/", **over)
        assert result.reason is Reason.OK, result.detail
        assert server.requests[0].header("Host") == "shop.test"


async def test_connect_to_holds_for_redirects_within_the_origin(run: Run) -> None:
    async with HttpServer(lambda r: redirect("http://shop.test/b" if r.target == "/" else None)) as server:
        result = await run("http://shop.test/", connect_to=("127.0.0.1", server.port))
    assert (result.reason, http(result).redirects) == (Reason.OK, 1)


async def test_connect_to_does_not_hold_for_other_origins(run: Run) -> None:
    async with HttpServer() as other, HttpServer(lambda _: redirect(other.url("/there"))) as server:
        result = await run("http://shop.test/", connect_to=("127.0.0.1", server.port))
        assert result.reason is Reason.OK, result.detail
        assert (server.connections, other.connections) == (1, 1)


@pytest.mark.parametrize("make", [HttpServer, tls.https], ids=["http", "https"])
async def test_source_address_is_what_the_server_sees(run: Run, make: type[HttpServer]) -> None:
    async with make() as server:
        result = await run(server.url(), source_address="127.0.0.2")
        assert result.reason is Reason.OK, result.detail
        assert server.peers == ["127.0.0.2"]


async def test_source_address_holds_on_every_hop(run: Run) -> None:
    async with HttpServer() as second, HttpServer(lambda _: redirect(second.url())) as first:
        await run(first.url(), source_address="127.0.0.2")
        assert first.peers + second.peers == ["127.0.0.2"] * 2


async def test_source_address_that_this_machine_has_not_is_inconclusive(run: Run) -> None:
    async with HttpServer() as server:
        result = await run(server.url(), source_address="192.0.2.1")
        assert result.outcome is Outcome.INCONCLUSIVE, result.detail
        assert server.connections == 0
