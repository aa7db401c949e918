"""Certificates: each way to be bad has its reason, and what was sent is known whether the handshake failed or not."""

from __future__ import annotations

import ssl
from collections.abc import Callable

import pytest

from monitor.model.outcome import Outcome, Reason
from monitor.model.result import Certificate, Result
from monitor.model.route import FileRef, TlsSpec
from monitor.net.chain import first_ending
from tests.flat import http
from tests.protocols.harness import Run, opened_resources
from tests.servers import certs, dns, tls
from tests.servers.http import HttpServer, redirect
from tests.servers.tcp import Server

Make = Callable[[], HttpServer]

BAD: list[tuple[Make, Callable[[], certs.Credential], Reason]] = [
    (tls.expired, lambda: certs.issue(days=(-90, -1), subject="expired"), Reason.TLS_CERTIFICATE_EXPIRED),
    (tls.not_yet_valid, lambda: certs.issue(days=(1, 90), subject="early"), Reason.TLS_CERTIFICATE_NOT_YET_VALID),
    (tls.wrong_host, lambda: certs.issue("elsewhere.test", subject="elsewhere"), Reason.TLS_HOSTNAME_MISMATCH),
    (tls.self_signed, certs.self_signed, Reason.TLS_UNTRUSTED),
    (tls.unknown_authority, lambda: certs.issue(ca=certs.stranger(), subject="stranger"), Reason.TLS_UNTRUSTED),
    (tls.intermediate_missing, lambda: certs.issue(ca=certs.intermediate(), subject="below"), Reason.TLS_UNTRUSTED),
]

NAMES = ["expired", "not yet valid", "wrong host", "self-signed", "unknown authority", "intermediate missing"]


def assert_leaf(result: Result, credential: certs.Credential) -> None:
    """The first certificate of the result is the server's."""
    leaf, found = credential.leaf, result.certificate
    assert found is not None
    assert found.not_after == leaf.not_valid_after_utc.timestamp()
    assert found.not_before == leaf.not_valid_before_utc.timestamp()
    assert found.subject == leaf.subject.rfc4514_string()
    assert found.issuer == leaf.issuer.rfc4514_string()


@pytest.mark.parametrize(("make", "credential", "reason"), BAD, ids=NAMES)
async def test_bad_certificate_has_its_reason_and_is_known(
    run: Run, make: Make, credential: Callable[[], certs.Credential], reason: Reason
) -> None:
    async with make() as server:
        result = await run(server.url())
        assert result.reason is reason, result.detail
        assert (server.connections, server.heads) == (1, [])
    assert_leaf(result, credential())
    assert result.remote_address == server.address


@pytest.mark.parametrize(("make", "credential", "reason"), BAD, ids=NAMES)
async def test_bad_certificate_is_taken_and_known_without_verification(
    run: Run, make: Make, credential: Callable[[], certs.Credential], reason: Reason
) -> None:
    async with make() as server:
        result = await run(server.url(), tls=TlsSpec(verify=False))
        assert result.reason is Reason.OK, result.detail
        assert (server.connections, len(server.heads)) == (1, 1)
    assert_leaf(result, credential())


@pytest.mark.parametrize("version", [tls.V12, tls.V13], ids=["1.2", "1.3"])
async def test_expired_certificate_is_known_in_each_version(run: Run, version: ssl.TLSVersion) -> None:
    credential = certs.issue(days=(-90, -1), subject="expired")
    async with tls.https(credential=credential, only=version) as server:
        result = await run(server.url())
        assert server.connections == 1
    assert result.reason is Reason.TLS_CERTIFICATE_EXPIRED
    assert_leaf(result, credential)


async def test_good_certificate_is_known(run: Run) -> None:
    async with tls.https() as server:
        result = await run(server.url())
    assert result.reason is Reason.OK
    assert_leaf(result, certs.issue())
    assert set(result.certificate.names) >= {"target.test", "localhost"}


async def test_chain_is_known_leaf_first_and_its_earliest_end(run: Run) -> None:
    async with tls.with_intermediate() as server:
        result = await run(server.url())
    assert result.reason is Reason.OK, result.detail
    below = certs.issue(ca=certs.intermediate(), subject="below")
    assert_leaf(result, below)
    assert len(result.certificates) == 2
    assert result.certificates[0].issuer == result.certificates[1].subject
    assert result.earliest_expiry == below.leaf.not_valid_after_utc.timestamp()


async def test_earliest_end_may_be_the_one_of_an_expired_certificate(run: Run) -> None:
    async with tls.expired() as server:
        result = await run(server.url())
    assert result.earliest_expiry == certs.issue(days=(-90, -1), subject="expired").leaf.not_valid_after_utc.timestamp()


async def test_certificate_that_ends_soon_is_still_a_success(run: Run) -> None:
    async with tls.ending_in(3) as server:
        result = await run(server.url())
    assert result.reason is Reason.OK
    assert 2.9 * 86400 < result.earliest_expiry - result.started_at < 3.1 * 86400


@pytest.mark.parametrize("host", ["target.test", "127.0.0.1"])
async def test_host_name_and_address_are_both_compared(run: Run, host: str) -> None:
    credential = certs.issue("other.test", "127.0.0.9", subject="other")
    async with (
        dns.DnsServer({"target.test": dns.addresses("127.0.0.1")}) as resolver,
        tls.https(credential=credential) as server,
    ):
        result = await run(server.url(host=host), resolver=(resolver.address,))
    assert result.reason is Reason.TLS_HOSTNAME_MISMATCH, result.detail
    assert_leaf(result, credential)


async def test_wildcard_stands_for_one_label(run: Run) -> None:
    names = {f"{name}.wild.test": dns.addresses("127.0.0.1") for name in ("a", "a.b")}
    async with dns.DnsServer(names) as resolver, tls.https(credential=certs.issue("*.wild.test")) as server:
        over = {"resolver": (resolver.address,)}
        assert (await run(server.url(host="a.wild.test"), **over)).reason is Reason.OK
        assert (await run(server.url(host="a.b.wild.test"), **over)).reason is Reason.TLS_HOSTNAME_MISMATCH


async def test_expired_and_wrong_host_is_a_failure_of_the_certificate(run: Run) -> None:
    async with tls.https(credential=certs.issue("elsewhere.test", days=(-9, -1))) as server:
        result = await run(server.url())
    assert result.reason in (Reason.TLS_CERTIFICATE_EXPIRED, Reason.TLS_HOSTNAME_MISMATCH)


async def test_bad_certificate_behind_a_redirect_is_known(run: Run) -> None:
    async with tls.expired() as server, HttpServer(lambda _: redirect(server.url())) as first:
        result = await run(first.url())
    assert result.reason is Reason.TLS_CERTIFICATE_EXPIRED, result.detail
    assert_leaf(result, certs.issue(days=(-90, -1), subject="expired"))
    assert http(result).redirects == 1


async def test_missing_ca_file_at_run_time_is_no_fault_of_the_target(run: Run) -> None:
    async with tls.https() as server:
        result = await run(server.url(), tls=TlsSpec(ca_file=FileRef("/nowhere/ca.pem", "0")))
        assert server.connections == 0
    assert result.outcome is Outcome.INCONCLUSIVE, result.detail


async def test_settings_of_one_check_do_not_reach_another(run: Run) -> None:
    async with opened_resources() as resources, tls.expired() as server:
        assert (await run(server.url(), resources=resources, tls=TlsSpec(verify=False))).reason is Reason.OK
        assert (await run(server.url(), resources=resources)).reason is Reason.TLS_CERTIFICATE_EXPIRED
        assert (await run(server.url(), resources=resources, tls=TlsSpec(verify=False))).reason is Reason.OK


async def test_https_answer_is_read_like_any_other(run: Run) -> None:
    async with tls.https() as server:
        result = await run(server.url())
        assert isinstance(server, Server)
    assert (http(result).status, http(result).figures.body_bytes, http(result).figures.content_length) == (200, 5, 5)


def test_what_is_hidden_in_an_authoritys_name_is_visible_in_the_sentence() -> None:
    leaf = Certificate(0.0, 2e9, "CN=leaf", "CN=a")
    authority = Certificate(0.0, 1e9, "CN=a\u202eb\x1b[2J", "CN=root")
    ending = first_ending("leaf.test", [leaf, authority], verified=True)
    assert ending is not None
    assert ending.what == r"the authority's certificate «a\u202eb\x1b[2J»"
