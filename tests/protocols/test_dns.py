"""Name resolution: how it fails, which family is taken, that nothing is cached, and that the next address is tried."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest

from monitor.model.outcome import Reason
from monitor.model.spec import Limits
from tests.flat import http
from tests.protocols.harness import Run, ends_after, opened_resources
from tests.servers import dns
from tests.servers.http import HttpServer, redirect
from tests.servers.tcp import closed_port, hanging_port
from tests.starvation import Starvation

LOOPBACK = dns.addresses("127.0.0.1")


@contextlib.asynccontextmanager
async def dead(*hosts: str, port: int, hanging: bool = False) -> AsyncIterator[None]:
    """This port of these addresses refuses, or hangs."""
    async with contextlib.AsyncExitStack() as stack:
        for host in hosts:
            if hanging:
                await stack.enter_async_context(hanging_port(host, port))
            else:
                stack.enter_context(closed_port(host, port))
        yield


async def test_name_is_resolved_by_the_resolver_of_the_check(run: Run) -> None:
    async with dns.DnsServer({"target.test": LOOPBACK}) as resolver, HttpServer() as server:
        result = await run(server.url(host="target.test"), resolver=(resolver.address,))
    assert result.reason is Reason.OK, result.detail
    assert result.remote_address == server.address
    assert resolver.asked("target.test") == 1
    assert server.requests[0].header("Host") == f"target.test:{server.port}"


async def test_localhost_is_resolved_by_the_system(run: Run) -> None:
    async with HttpServer() as server:
        result = await run(server.url(host="localhost"))
    assert result.reason is Reason.OK, result.detail


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (dns.NOT_FOUND, Reason.DNS_NOT_FOUND),
        (dns.EMPTY, Reason.DNS_NOT_FOUND),
        (dns.FAILED, Reason.DNS_FAILED),
        (dns.DENIED, Reason.DNS_FAILED),
    ],
    ids=["NXDOMAIN", "no address", "SERVFAIL", "REFUSED"],
)
async def test_answer_without_an_address_has_its_reason(run: Run, reply: dns.Reply, reason: Reason) -> None:
    async with dns.DnsServer({"target.test": reply}) as resolver:
        result = await run("http://target.test/", resolver=(resolver.address,))
    assert result.reason is reason, result.detail
    assert "target.test" in result.detail
    assert result.remote_address is None


async def test_no_resolver_listening_is_dns_failed(run: Run) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.1", 0))
        port = holder.getsockname()[1]
    result = await run("http://target.test/", resolver=(f"127.0.0.1:{port}",))
    assert result.reason is Reason.DNS_FAILED, result.detail


@pytest.mark.parametrize(
    ("version", "found"), [(4, ("::1",)), (6, ("127.0.0.1",))], ids=["only IPv6 for 4", "only IPv4 for 6"]
)
async def test_no_address_of_the_wanted_family_is_dns_not_found(run: Run, version: int, found: tuple[str, ...]) -> None:
    async with dns.DnsServer({"target.test": dns.addresses(*found)}) as resolver:
        result = await run("http://target.test/", resolver=(resolver.address,), ip_version=version)
    assert result.reason is Reason.DNS_NOT_FOUND, result.detail


@pytest.mark.parametrize(("host", "version"), [("127.0.0.1", 6), ("[::1]", 4)])
async def test_literal_address_of_the_other_family_is_dns_not_found(run: Run, host: str, version: int) -> None:
    async with HttpServer(host=host.strip("[]")) as server:
        result = await run(server.url(), ip_version=version)
        assert result.reason is Reason.DNS_NOT_FOUND, result.detail
        assert server.connections == 0


@pytest.mark.parametrize(("version", "host"), [(4, "127.0.0.1"), (6, "::1")])
async def test_ip_version_decides_the_family(run: Run, version: int, host: str) -> None:
    async with (
        dns.DnsServer({"target.test": dns.addresses("127.0.0.1", "::1")}) as resolver,
        HttpServer(host=host) as server,
    ):
        url = server.url(host="target.test")
        result = await run(url, resolver=(resolver.address,), ip_version=version)
    assert result.reason is Reason.OK, result.detail
    assert result.remote_address == server.address
    assert {kind for _, kind in resolver.queries} == {"A" if version == 4 else "AAAA"}


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_any_version_finds_the_family_that_answers(run: Run, host: str) -> None:
    async with (
        dns.DnsServer({"target.test": dns.addresses("127.0.0.1", "::1")}) as resolver,
        HttpServer(host=host) as server,
    ):
        result = await run(server.url(host="target.test"), resolver=(resolver.address,))
    assert result.reason is Reason.OK, result.detail
    assert result.remote_address == server.address


async def test_ipv6_literal_is_asked_with_brackets(run: Run) -> None:
    async with HttpServer(host="::1") as server:
        result = await run(server.url())
    assert result.reason is Reason.OK, result.detail
    assert result.remote_address == f"[::1]:{server.port}"
    assert server.requests[0].header("Host") == f"[::1]:{server.port}"


async def test_addresses_that_refuse_are_passed_over_and_listed(run: Run) -> None:
    names = {"target.test": dns.addresses("127.0.0.2", "127.0.0.3", "127.0.0.1")}
    async with dns.DnsServer(names) as resolver, HttpServer() as server:
        async with dead("127.0.0.2", "127.0.0.3", port=server.port):
            result = await run(server.url(host="target.test"), resolver=(resolver.address,))
        assert result.reason is Reason.OK, result.detail
        assert server.connections == 1
    assert [attempt.address for attempt in result.attempts] == [f"127.0.0.{last}:{server.port}" for last in (2, 3, 1)]
    assert [bool(attempt.error) for attempt in result.attempts] == [True, True, False]


async def test_address_that_hangs_is_passed_over_within_the_connect_limit(run: Run, starvation: Starvation) -> None:
    names = {"target.test": dns.addresses("127.0.0.2", "127.0.0.1")}
    async with (
        dns.DnsServer(names) as resolver,
        HttpServer() as server,
        dead("127.0.0.2", port=server.port, hanging=True),
    ):
        result = await run(server.url(host="target.test"), resolver=(resolver.address,))
    assert result.reason is Reason.OK, result.detail
    assert result.duration < 1 + starvation.seconds
    assert {attempt.address for attempt in result.attempts} == {f"127.0.0.{n}:{server.port}" for n in (1, 2)}
    assert result.remote_address == server.address


async def test_every_address_refusing_is_refused_and_lists_all(run: Run) -> None:
    names = {"target.test": dns.addresses("127.0.0.1", "127.0.0.2", "::1")}
    with closed_port() as port:
        async with dead("127.0.0.2", "::1", port=port), dns.DnsServer(names) as resolver:
            result = await run(f"http://target.test:{port}/", resolver=(resolver.address,))
    assert result.reason is Reason.REFUSED, result.detail
    assert len(result.attempts) == 3
    assert all(attempt.error for attempt in result.attempts)


async def test_one_refusing_and_one_hanging_is_connect_timeout(run: Run) -> None:
    names = {"target.test": dns.addresses("127.0.0.1", "127.0.0.2")}
    limits = Limits(connect=0.4, read=0.4, total=1)
    with closed_port() as port:
        async with dead("127.0.0.2", port=port, hanging=True), dns.DnsServer(names) as resolver:
            url = f"http://target.test:{port}/"
            result = await ends_after(0.4, lambda: run(url, resolver=(resolver.address,), limits=limits))
    assert result.reason is Reason.CONNECT_TIMEOUT, result.detail
    assert len(result.attempts) == 2


async def test_answer_is_never_cached(run: Run) -> None:
    turns = [dns.addresses("127.0.0.1"), dns.addresses("127.0.0.2"), dns.NOT_FOUND]
    async with (
        dns.DnsServer({"target.test": turns}) as resolver,
        HttpServer() as one,
        opened_resources() as resources,
        HttpServer(host="127.0.0.2", port=one.port) as two,
    ):
        over = {"resolver": (resolver.address,), "resources": resources, "ip_version": 4}
        results = [await run(one.url(host="target.test"), **over) for _ in range(3)]
    assert [result.reason for result in results] == [Reason.OK, Reason.OK, Reason.DNS_NOT_FOUND]
    assert [result.remote_address for result in results] == [one.address, two.address, None]
    assert resolver.asked("target.test") == 3


async def test_recovery_is_never_hidden_by_a_cached_failure(run: Run) -> None:
    turns = [dns.NOT_FOUND, dns.FAILED, LOOPBACK]
    async with (
        dns.DnsServer({"target.test": turns}) as resolver,
        HttpServer() as server,
        opened_resources() as resources,
    ):
        over = {"resolver": (resolver.address,), "resources": resources, "ip_version": 4}
        assert (await run(server.url(host="target.test"), **over)).reason is Reason.DNS_NOT_FOUND
        resolver.zone["target.test"] = LOOPBACK
        assert (await run(server.url(host="target.test"), **over)).reason is Reason.OK


async def test_a_resolver_that_drops_queries_for_ipv6_costs_the_resolution_delay(
    run: Run, starvation: Starvation
) -> None:
    names = {"target.test": dns.Reply(("127.0.0.1",), silent_for=dns.AAAA)}
    async with dns.DnsServer(names) as resolver, HttpServer() as server:
        result = await run(server.url(host="target.test"), resolver=(resolver.address,))
    assert result.reason is Reason.OK
    assert 0.05 <= (result.phases.resolve or 0.0) <= 0.3 + starvation.seconds


async def test_a_slow_answer_for_both_families_keeps_the_order_of_both(run: Run) -> None:
    names = {"target.test": dns.addresses("127.0.0.1", "::1", delay=0.12)}
    async with dns.DnsServer(names) as resolver, HttpServer(host="::1") as server:
        url = server.url(host="target.test")
        result = await run(url, resolver=(resolver.address,))
    assert result.reason is Reason.OK
    assert result.attempts[0].address.startswith("[::1]")


async def test_each_hop_is_resolved_afresh(run: Run) -> None:
    async with (
        dns.DnsServer({"target.test": LOOPBACK}) as resolver,
        HttpServer(lambda r: redirect("/b" if r.target == "/" else None)) as server,
    ):
        url = server.url(host="target.test")
        result = await run(url, resolver=(resolver.address,), ip_version=4)
    assert (result.reason, http(result).redirects) == (Reason.OK, 1)
    assert resolver.asked("target.test") == 2


async def test_truncated_answer_is_asked_for_again_by_tcp(run: Run) -> None:
    async with (
        dns.DnsServer({"target.test": dns.addresses("127.0.0.1", truncated=True)}) as resolver,
        HttpServer() as server,
    ):
        result = await run(server.url(host="target.test"), resolver=(resolver.address,))
    assert result.reason is Reason.OK, result.detail
    assert resolver.over_tcp >= 1


async def test_name_with_a_dead_resolver_does_not_hold_up_others(run: Run, starvation: Starvation) -> None:
    names = {"target.test": LOOPBACK, "silent.test": dns.SILENT}
    async with dns.DnsServer(names) as resolver, HttpServer() as server, opened_resources() as resources:
        over = {"resolver": (resolver.address,), "resources": resources}
        stuck = [run(f"http://silent.test:{n}/", limits=Limits(1, 1, 2), **over) for n in range(1, 41)]
        *others, result = await asyncio.gather(*stuck, run(server.url(host="target.test"), **over))
    assert {other.reason for other in others} == {Reason.DNS_TIMEOUT}
    assert result.reason is Reason.OK, result.detail
    assert result.duration < 0.7 + starvation.seconds


@pytest.mark.parametrize("name", ["münchen.test", "xn--mnchen-3ya.test", "TARGET.TEST", "target.test."])
async def test_names_are_asked_for_in_their_ascii_form(run: Run, name: str) -> None:
    names = {"xn--mnchen-3ya.test": LOOPBACK, "target.test": LOOPBACK}
    async with dns.DnsServer(names) as resolver, HttpServer() as server:
        result = await run(server.url(host=name), resolver=(resolver.address,))
    assert result.reason is Reason.OK, result.detail


@pytest.mark.parametrize("name", ["a" * 64 + ".test", "a..test", ".".join(["a" * 60] * 5)])
async def test_impossible_name_is_not_found_rather_than_a_crash(run: Run, name: str) -> None:
    async with dns.DnsServer({}) as resolver:
        result = await run(f"http://{name}/", resolver=(resolver.address,))
    assert result.reason in (Reason.DNS_NOT_FOUND, Reason.DNS_FAILED), result.detail
