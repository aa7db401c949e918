"""TLS: how a handshake can fail, what it is asked with, and that a failure costs one connection and no request."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.model.outcome import Reason
from monitor.model.route import TlsSpec
from tests.flat import http
from tests.protocols.harness import Run, file_ref
from tests.servers import certs, dns, faults, relay, tls
from tests.servers.http import HttpServer, echo, redirect
from tests.servers.tcp import Script, Server

Trusting = Callable[..., TlsSpec]


def name(value: object) -> str:
    """How a case is called in the test's name."""
    return getattr(value, "__name__", str(value))


async def assert_handshake_fails(run: Run, server: Server, **over: object) -> None:
    """The check fails in the handshake, after one connection and no request."""
    result = await run(server.url(), **over)
    assert result.reason is Reason.TLS_HANDSHAKE_FAILED, result.detail
    assert server.connections == 1
    assert server.heads == []


async def test_reset_during_handshake_is_tls_handshake_failed(run: Run) -> None:
    async with tls.Bare(tls.resets) as server:
        await assert_handshake_fails(run, server)


async def test_end_during_handshake_is_tls_handshake_failed(run: Run) -> None:
    async with tls.Bare(tls.closes) as server:
        await assert_handshake_fails(run, server)


@pytest.mark.parametrize("shape", [relay.resetting(150), relay.closing(150)], ids=["reset", "end"])
async def test_break_inside_the_server_hello_is_tls_handshake_failed(run: Run, shape: relay.Shape) -> None:
    async with tls.https() as good, relay.Relay(good, shape) as server:
        await assert_handshake_fails(run, server)


@pytest.mark.parametrize("script", [tls.garbage, tls.noise], ids=name)
async def test_garbage_during_handshake_is_tls_handshake_failed(run: Run, script: Script) -> None:
    async with tls.Bare(script) as server:
        await assert_handshake_fails(run, server)


async def test_plain_http_on_a_tls_port_is_tls_handshake_failed(run: Run) -> None:
    async with tls.Bare(tls.plain_http) as server:
        await assert_handshake_fails(run, server)


async def test_http_server_that_answers_a_client_hello_is_tls_handshake_failed(run: Run) -> None:
    async with tls.Bare(faults.ssh_banner) as server:
        await assert_handshake_fails(run, server)


@pytest.mark.parametrize("description", [40, 70, 80, 112], ids=["handshake", "version", "internal", "name"])
async def test_fatal_alert_is_tls_handshake_failed(run: Run, description: int) -> None:
    async with tls.Bare(tls.alert(description)) as server:
        await assert_handshake_fails(run, server)


async def test_older_version_than_wanted_is_tls_handshake_failed(run: Run, trusting: Trusting) -> None:
    async with tls.of_version(tls.V12) as server:
        await assert_handshake_fails(run, server, tls=trusting(min_version="1.3"))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
async def test_obsolete_version_is_refused_by_default_and_taken_on_request(
    run: Run, trusting: Trusting, version: str
) -> None:
    server = tls.obsolete(ssl.TLSVersion[version])
    if server is None:
        pytest.skip("this OpenSSL has no such version any more")
    async with server:
        await assert_handshake_fails(run, server)
        result = await run(server.url(), tls=trusting(min_version="1.0"))
        assert result.reason is Reason.OK, result.detail


@pytest.mark.parametrize(("version", "word"), [(tls.V12, "1.2"), (tls.V13, "1.3")])
async def test_tls_version_is_known(run: Run, version: ssl.TLSVersion, word: str) -> None:
    async with tls.https(only=version) as server:
        result = await run(server.url())
    assert result.reason is Reason.OK, result.detail
    assert word in result.tls_version


async def test_tls_version_of_plain_http_is_none(run: Run) -> None:
    async with HttpServer() as server:
        result = await run(server.url())
    assert result.tls_version is None
    assert result.certificates == ()


@pytest.mark.parametrize("version", [tls.V12, tls.V13], ids=["1.2", "1.3"])
async def test_missing_client_certificate_is_tls_handshake_failed(run: Run, version: ssl.TLSVersion) -> None:
    async with tls.demanding_client_certificate(version) as server:
        await assert_handshake_fails(run, server)


@pytest.mark.parametrize("version", [tls.V12, tls.V13], ids=["1.2", "1.3"])
async def test_client_certificate_of_a_stranger_is_tls_handshake_failed(
    run: Run, trusting: Trusting, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    cert, key = certs.issue(ca=certs.stranger(), subject="client").write(tmp_path)
    async with tls.demanding_client_certificate(version) as server:
        settings = trusting(cert_file=file_ref(cert), key_file=file_ref(key))
        await assert_handshake_fails(run, server, tls=settings)


@pytest.mark.parametrize("version", [tls.V12, tls.V13], ids=["1.2", "1.3"])
async def test_good_client_certificate_is_taken(
    run: Run, trusting: Trusting, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    cert, key = certs.issue(subject="client").write(tmp_path)
    async with tls.demanding_client_certificate(version) as server:
        result = await run(server.url(), tls=trusting(cert_file=file_ref(cert), key_file=file_ref(key)))
    assert result.reason is Reason.OK, result.detail


async def test_key_in_the_certificate_file_is_enough(run: Run, trusting: Trusting, tmp_path: Path) -> None:
    client = certs.issue(subject="client")
    both = tmp_path / "both.pem"
    both.write_bytes(client.key + client.chain[0])
    async with tls.demanding_client_certificate(tls.V13) as server:
        result = await run(server.url(), tls=trusting(cert_file=file_ref(both)))
    assert result.reason is Reason.OK, result.detail


async def test_server_name_decides_sni_and_verification(run: Run, trusting: Trusting) -> None:
    context, seen = certs.server_context(certs.issue("elsewhere.test")), []
    context.sni_callback = lambda _sock, sni, _context: seen.append(sni)
    async with HttpServer(echo, tls=context) as server:
        result = await run(server.url(), tls=trusting(server_name="elsewhere.test"))
        assert result.reason is Reason.OK, result.detail
        assert server.requests[0].header("Host") == server.address
    assert seen == ["elsewhere.test"]


async def test_server_name_stands_for_no_origin_that_a_redirect_leads_to(run: Run, trusting: Trusting) -> None:
    async with (
        tls.https() as other,
        tls.https(lambda _: redirect(other.url()), certs.issue("elsewhere.test")) as server,
    ):
        result = await run(server.url(), tls=trusting(server_name="elsewhere.test"))
        assert (result.reason, http(result).redirects) == (Reason.OK, 1), result.detail
        wrong = await run(server.url(), tls=trusting(server_name="third.test"))
        assert wrong.reason is Reason.TLS_HOSTNAME_MISMATCH
        assert "not for third.test" in wrong.detail


async def test_connect_to_keeps_host_and_sni(run: Run) -> None:
    context, seen = certs.server_context(certs.issue("shop.test")), []
    context.sni_callback = lambda _sock, sni, _context: seen.append(sni)
    async with HttpServer(echo, tls=context) as server:
        result = await run("https://shop.test/x", connect_to=("127.0.0.1", server.port))
        assert result.reason is Reason.OK, result.detail
        assert server.requests[0].header("Host") == "shop.test"
    assert seen == ["shop.test"]
    assert result.remote_address == server.address


async def test_sni_is_the_name_and_never_an_address(run: Run) -> None:
    context, seen = certs.server_context(certs.issue()), []
    context.sni_callback = lambda _sock, sni, _context: seen.append(sni)
    async with (
        dns.DnsServer({"target.test": dns.addresses("127.0.0.1")}) as resolver,
        HttpServer(tls=context) as server,
    ):
        over = {"resolver": (resolver.address,)}
        assert (await run(server.url(host="target.test"), **over)).reason is Reason.OK
        assert (await run(server.url(), **over)).reason is Reason.OK
    assert seen == ["target.test", None]


async def test_system_authorities_do_not_trust_the_tests(run: Run) -> None:
    async with tls.https() as server:
        result = await run(server.url(), tls=TlsSpec())
    assert result.reason is Reason.TLS_UNTRUSTED, result.detail


async def test_offers_no_http2(run: Run) -> None:
    context, offered = certs.server_context(certs.issue()), []
    context.set_alpn_protocols(["h2", "http/1.1"])

    async with HttpServer(tls=context) as server:
        result = await run(server.url())
        offered.append(http(result).version)
    assert (result.reason, offered) == (Reason.OK, ["1.1"])


async def test_request_does_not_wait_for_a_delayed_acknowledgement(run: Run) -> None:
    async with tls.https() as server:
        for _ in range(20):  # a busy machine delays some, Linux each by 40 ms
            result = await run(server.url())
            if result.phases.processing < 0.03:
                break
    assert result.phases.processing < 0.03
