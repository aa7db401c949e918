"""Every outcome and every state beside each other, on one page, in one document and in one scrape."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.servers import faults, tls
from tests.servers.http import HttpServer, answer, redirect
from tests.servers.tcp import Server, closed_port, hanging_port
from tests.service.conftest import Serve, Start

BROKEN = Path(__file__).with_name("broken.py")
UNWELL = "internal error in a check"

EXPECTED = {
    "fine": ("up", "success", "ok"),
    "slow": ("degraded", "success", "ok"),
    "ending": ("degraded", "success", "ok"),
    "status": ("down", "http_error", "unexpected_status"),
    "loop": ("down", "http_error", "too_many_redirects"),
    "refused": ("down", "connection_error", "refused"),
    "expired": ("down", "connection_error", "tls_certificate_expired"),
    "garbage": ("down", "connection_error", "invalid_response"),
    "silent": ("down", "timeout", "response_timeout"),
    "hanging": ("down", "timeout", "connect_timeout"),
    "stalled": ("down", "timeout", "read_timeout"),
    "denied": ("down", "connection_error", "address_denied"),
    "buggy": ("unknown", "inconclusive", "internal_error"),
    "off": ("paused", None, None),
}


def seen(check: dict[str, Any]) -> tuple[str, str | None, str | None]:
    """State, outcome and reason of one check in the document."""
    last = check["last"] or {"outcome": None, "reason": None}
    return check["state"], last["outcome"], last["reason"]


async def test_all_outcomes_are_shown_alike_everywhere(
    start: Start, serve: Serve, target: HttpServer, ca_path: Path
) -> None:
    trusted = {"tls": {"ca_file": str(ca_path)}}
    troubled = await serve(HttpServer(lambda _: answer(503)))
    looping = await serve(HttpServer(lambda _: redirect("/")))
    async with hanging_port() as hanging:
        with closed_port() as closed:
            urls = {
                "fine": target.url(),
                "slow": target.url(),
                "ending": (await serve(tls.ending_in(3))).url(),
                "status": troubled.url(),
                "loop": looping.url(),
                "refused": f"http://127.0.0.1:{closed}/",
                "expired": (await serve(tls.expired())).url(),
                "garbage": (await serve(Server(faults.random_bytes))).url(),
                "silent": (await serve(Server(faults.silent))).url(),
                "hanging": f"http://127.0.0.1:{hanging}/",
                "stalled": (await serve(Server(faults.stalled_body))).url(),
                "denied": "http://169.254.169.254/latest",
                "buggy": target.url("/bug"),
                "off": target.url(),
            }
            more = {
                "slow": {"expect": {"latency": 0.00001}},
                "off": {"enabled": False},
                "ending": trusted,
                "expired": trusted,
            }
            daemon = await start(
                *({"name": name, "url": url, **more.get(name, {})} for name, url in urls.items()),
                defaults={"interval": "2s", "timeout": {"connect": "700ms", "read": "700ms", "total": "1900ms"}},
                first=BROKEN,
            )
            daemon.tolerated.add(UNWELL)

            checks = await daemon.until_checks(lambda found: {n: seen(c) for n, c in found.items()} == EXPECTED)
            document = await daemon.status()
            metrics = await daemon.metrics()
            page = await daemon.page()

    assert document["summary"] == {"up": 1, "degraded": 2, "down": 9, "unknown": 1, "paused": 1, "maintenance": 0}
    for state, count in document["summary"].items():
        assert metrics.value("monitor_checks", state=state) == count
    for name, (state, outcome, reason) in EXPECTED.items():
        assert name in page
        assert metrics.value("probe_state", check=name, state=state) == 1
        assert len(metrics.all("probe_state", check=name)) == 1
        assert metrics.value("probe_up", check=name) == {"up": 1, "degraded": 1, "down": 0}.get(state)
        failures = [(s.labels["outcome"], s.labels["reason"]) for s in metrics.all("probe_failure_info", check=name)]
        assert failures == ([(outcome, reason)] if state == "down" else [])
    for reason in ("unexpected_status", "refused", "response_timeout"):
        assert reason in page or reason.replace("_", " ") in page
    assert checks["ending"]["last"]["certificate"]["not_after"]
    assert checks["expired"]["last"]["certificate"]["not_after"]
    assert (metrics.value("probe_ssl_earliest_cert_expiry", check="expired") or 0) > 1e9
    assert checks["loop"]["last"]["status_code"] == 302
    assert checks["refused"]["last"]["status_code"] is None
    metrics.assert_adds_up()
