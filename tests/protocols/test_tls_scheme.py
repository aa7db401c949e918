"""tls:// checks: a handshake with services of any kind, and what it says of their certificates."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any

import pytest

from monitor.model.outcome import Reason
from monitor.model.request import TlsHandshake
from monitor.model.route import TlsSpec
from tests.protocols.harness import QUICK, Run
from tests.servers import certs, tls
from tests.servers.tcp import Connection, Server

Trusting = Callable[..., TlsSpec]


async def mute(connection: Connection) -> None:
    """A service that waits for its client to speak first."""
    await connection.hold()


async def test_a_handshake_is_a_success_with_its_facts(run: Run) -> None:
    async with Server(mute, tls=certs.server_context(certs.issue("127.0.0.1"))) as server:
        result = await run(server.url("", scheme="tls"), request=TlsHandshake())
    assert result.reason is Reason.OK, result.detail
    assert result.detail.startswith("TLSv1.3 agreed in ")
    assert (result.tls_version, result.answer) == ("TLSv1.3", None)
    assert result.earliest_expiry is not None
    assert (result.phases.tls or 0) > 0


async def test_no_protocol_is_offered_so_that_any_service_answers(run: Run) -> None:
    context = certs.server_context(certs.issue("127.0.0.1"))
    context.set_alpn_protocols(["imap"])
    offered: list[str | None] = []

    async def script(connection: Connection) -> None:
        offered.append(connection.writer.get_extra_info("ssl_object").selected_alpn_protocol())
        connection.server.record(b"")
        await connection.hold()

    async with Server(script, tls=context) as server:
        result = await run(server.url("", scheme="tls"), request=TlsHandshake())
        await server.until(lambda: bool(offered))
    assert (result.reason, offered) == (Reason.OK, [None])


@pytest.mark.parametrize(
    ("server", "over", "reason"),
    [
        (tls.expired, {}, Reason.TLS_CERTIFICATE_EXPIRED),
        (tls.not_yet_valid, {}, Reason.TLS_CERTIFICATE_NOT_YET_VALID),
        (tls.wrong_host, {}, Reason.TLS_HOSTNAME_MISMATCH),
        (tls.self_signed, {}, Reason.TLS_UNTRUSTED),
        (tls.unknown_authority, {}, Reason.TLS_UNTRUSTED),
        (lambda: tls.Bare(tls.silent), {"limits": QUICK}, Reason.TLS_TIMEOUT),
        (lambda: tls.Bare(tls.closes), {}, Reason.TLS_HANDSHAKE_FAILED),
        (lambda: tls.Bare(tls.resets), {}, Reason.TLS_HANDSHAKE_FAILED),
        (lambda: tls.Bare(tls.plain_http), {}, Reason.TLS_HANDSHAKE_FAILED),
        (lambda: tls.Bare(tls.garbage), {}, Reason.TLS_HANDSHAKE_FAILED),
    ],
)
async def test_each_fault_has_its_word(
    run: Run, server: Callable[[], Server], over: dict[str, Any], reason: Reason
) -> None:
    async with server() as there:
        result = await run(there.url("", scheme="tls"), request=TlsHandshake(), **over)
    assert result.reason is reason, result.detail


async def test_a_certificate_that_ends_soon_fails_if_the_check_says_so(run: Run, trusting: Trusting) -> None:
    context = certs.server_context(certs.issue("127.0.0.1", days=(-1, 3)))
    async with Server(mute, tls=context) as server:
        strict = trusting(expiry_warning=14 * 86400.0, expiry_down=True)
        result = await run(server.url("", scheme="tls"), request=TlsHandshake(), tls=strict)
    assert result.reason is Reason.UNEXPECTED_CERTIFICATE


async def test_an_old_version_is_refused(run: Run, trusting: Trusting) -> None:
    context = certs.server_context(certs.issue("127.0.0.1"))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    async with Server(mute, tls=context) as server:
        result = await run(server.url("", scheme="tls"), request=TlsHandshake(), tls=trusting(min_version="1.3"))
    assert result.reason is Reason.TLS_HANDSHAKE_FAILED
