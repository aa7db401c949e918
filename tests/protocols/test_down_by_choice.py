"""Successes that `down = true` makes failures: too slow an answer, a certificate that ends too soon."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from monitor.model.outcome import Outcome, Reason
from monitor.model.request import Expect
from monitor.model.route import TlsSpec
from monitor.model.spec import Limits
from tests.flat import http
from tests.protocols.harness import Run
from tests.servers import certs, tls
from tests.servers.http import Answer, HttpServer, Request, ok, redirect

Trusting = Callable[..., TlsSpec]
LATENCY = 0.1
WEEK = 7 * 86400.0


async def late(_: Request) -> Answer:
    """Take half as long again as is good."""
    await asyncio.sleep(LATENCY * 1.5)
    return ok(b"late but whole\n", ("X-From", "late"))


@pytest.mark.parametrize("down", [True, False])
async def test_a_slow_answer_fails_only_by_choice(run: Run, down: bool) -> None:
    async with HttpServer(late) as server:
        result = await run(server.url(), latency=LATENCY, latency_down=down)
    assert http(result).status == 200
    assert result.duration is not None
    assert result.duration > LATENCY
    if down:
        assert (result.outcome, result.reason) == (Outcome.TIMEOUT, Reason.TOTAL_TIMEOUT)
        assert result.detail.startswith("answered in 1")
        assert result.detail.endswith(" ms, expected within 100 ms")
    else:
        assert result.reason is Reason.OK


async def test_a_quick_answer_is_a_success(run: Run) -> None:
    async with HttpServer() as server:
        result = await run(server.url(), latency=2.0, latency_down=True)
    assert result.reason is Reason.OK


async def test_a_slow_failure_keeps_its_own_reason(run: Run) -> None:
    async with HttpServer(late) as server:
        result = await run(server.url(), expect=Expect(status=((500, 500),)), latency=LATENCY, latency_down=True)
    assert result.reason is Reason.UNEXPECTED_STATUS


async def test_a_limit_that_passes_keeps_its_own_reason(run: Run) -> None:
    async with HttpServer(late) as server:
        limits = Limits(1, LATENCY, 1)
        result = await run(server.url(), limits=limits, latency=LATENCY / 2, latency_down=True)
    assert result.reason is Reason.RESPONSE_TIMEOUT


@pytest.mark.parametrize(("days", "reason"), [(3, Reason.UNEXPECTED_CERTIFICATE), (30, Reason.OK)])
async def test_a_certificate_that_ends_within_fails(run: Run, trusting: Trusting, days: int, reason: Reason) -> None:
    async with tls.https(credential=certs.issue(days=(-1, days), subject=f"ends-{days}")) as server:
        result = await run(server.url(), tls=trusting(expiry_warning=WEEK, expiry_down=True))
    assert result.reason is reason
    assert http(result).status == 200
    assert result.certificate is not None
    if reason is Reason.UNEXPECTED_CERTIFICATE:
        assert result.outcome is Outcome.UNEXPECTED_ANSWER
        assert result.detail == "the certificate of 127.0.0.1 ends in 3 days"


async def test_a_certificate_that_ends_within_is_a_success_unless_chosen_otherwise(
    run: Run, trusting: Trusting
) -> None:
    async with tls.https(credential=certs.issue(days=(-1, 3), subject="ends-3")) as server:
        result = await run(server.url(), tls=trusting(expiry_warning=WEEK))
    assert result.reason is Reason.OK


async def test_a_certificate_behind_a_redirect_from_http_counts(run: Run, trusting: Trusting) -> None:
    async with (
        tls.https(credential=certs.issue(days=(-1, 3), subject="ends-3")) as server,
        HttpServer(lambda _: redirect(server.url())) as front,
    ):
        result = await run(front.url(), tls=trusting(expiry_warning=WEEK, expiry_down=True))
    assert result.reason is Reason.UNEXPECTED_CERTIFICATE


async def test_plain_http_has_no_certificate_to_fail_for(run: Run) -> None:
    async with HttpServer() as server:
        result = await run(server.url(), tls=TlsSpec(expiry_warning=WEEK, expiry_down=True))
    assert result.reason is Reason.OK
