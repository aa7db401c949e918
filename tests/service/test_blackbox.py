"""The metrics that blackbox_exporter also has mean the same here: both ask the same targets, and are compared."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers import faults, http, tls
from tests.servers.tcp import Server, closed_port
from tests.service.conftest import Serve, Start
from tests.service.daemon import Metrics
from tests.service.prometheus import blackbox
from tests.starvation import Starvation

EXACT = (
    "probe_success", "probe_http_status_code", "probe_http_version", "probe_http_redirects", "probe_http_ssl",
    "probe_http_content_length", "probe_http_uncompressed_body_length", "probe_ip_protocol",
    "probe_ssl_earliest_cert_expiry",
)  # fmt: skip
PHASES = ("resolve", "connect", "tls", "processing", "transfer")

ON_PURPOSE: dict[str, dict[str, str]] = {
    "expired": {
        "probe_ssl_earliest_cert_expiry": "theirs vanishes with the failed handshake, and the alert with it",
    },
}
"""Where ours differs, and why; nothing else may."""


async def _slowly(_: http.Request) -> http.Answer:
    await asyncio.sleep(0.3)
    return http.ok()


@pytest.fixture
async def targets(serve: Serve) -> AsyncIterator[dict[str, str]]:
    """The URLs that both ask, by check."""
    plain = await serve(
        http.HttpServer(
            http.routes(
                {
                    "/ok": http.ok(),
                    "/missing": http.answer(404, b"nothing here"),
                    "/broken": http.answer(500),
                    "/once": http.redirect("/ok"),
                    "/twice": http.redirect("/once", 301),
                    "/chunked": http.chunked([b"some", b" pieces"]),
                    "/slow": _slowly,
                    "/gzip": http.compressed(b"a text that is long enough " * 40),
                    "/empty": http.answer(204),
                }
            )
        )
    )
    paths = ("ok", "missing", "broken", "once", "twice", "chunked", "slow", "gzip", "empty")
    good, old, below = await serve(tls.https()), await serve(tls.expired()), await serve(tls.with_intermediate())
    six = await serve(http.HttpServer(host="::1"))
    ancient = await serve(http.HttpServer(lambda _: http.answer(200, b"old", version="1.0")))
    cut, mute = await serve(Server(faults.short_body)), await serve(Server(faults.close_without_a_byte))
    with closed_port() as closed:
        yield {
            **{name: plain.url(f"/{name}") for name in paths},
            "tls": good.url(),
            "intermediate": below.url(),
            "six": six.url(),
            "http10": ancient.url(),
            "cut": cut.url(),
            "mute": mute.url(),
            "expired": old.url(),
            "refused": f"http://127.0.0.1:{closed}/",
        }


def module(ca: Path) -> dict[str, Any]:
    """A module that asks as our checks do."""
    return {
        "prober": "http",
        "timeout": "2s",
        "http": {
            "tls_config": {"ca_file": str(ca)},
            "valid_status_codes": list(range(200, 400)),
            "headers": {"Accept-Encoding": "gzip"},
            "compression": "gzip",
            "preferred_ip_protocol": "ip4",
        },
    }


async def test_what_both_expose_has_the_same_value(
    start: Start, targets: dict[str, str], ca_path: Path, tmp_path: Path
) -> None:
    daemon = await start(*({"name": n, "url": u, "tls": {"ca_file": str(ca_path)}} for n, u in targets.items()))
    starvation = Starvation(daemon.pid)
    await daemon.until_all_ran()
    ours = await daemon.metrics()
    plain = module(ca_path)
    raw = {**plain, "http": {k: v for k, v in plain["http"].items() if k not in ("compression", "headers")}}
    async with blackbox(tmp_path, {"gzip": plain, "plain": raw}) as exporter:
        theirs = {n: await exporter.probe(u, "gzip" if n == "gzip" else "plain") for n, u in targets.items()}
    differences = []
    for name, found in theirs.items():
        for metric in EXACT:
            mine, other = ours.value(metric, check=name), found.value(metric)
            if mine != other and metric not in ON_PURPOSE.get(name, {}):
                differences.append(f"{name} {metric}: ours {mine}, theirs {other}")
    assert not differences, "\n".join(differences)
    for name in targets:
        assert_alike(name, ours, theirs[name], 0.25 + starvation.seconds)


def assert_alike(name: str, ours: Metrics, theirs: Metrics, within: float) -> None:
    """Durations, to within so many seconds: both ask a server on loopback."""
    mine, other = ours.value("probe_duration_seconds", check=name), theirs.value("probe_duration_seconds")
    assert mine is not None
    assert other is not None
    assert abs(mine - other) < within, name
    if name == "slow":
        assert mine >= 0.29
        assert (ours.value("probe_http_duration_seconds", check=name, phase="processing") or 0) >= 0.29
    assert {s.labels["phase"] for s in ours.all("probe_http_duration_seconds", check=name)} == set(PHASES)
    assert {s.labels["phase"] for s in theirs.all("probe_http_duration_seconds")} == set(PHASES)
    for phase in PHASES:
        a = ours.value("probe_http_duration_seconds", check=name, phase=phase)
        b = theirs.value("probe_http_duration_seconds", phase=phase)
        assert abs((a or 0) - (b or 0)) < within, (name, phase)
    if name == "tls":
        assert ours.all("probe_tls_version_info", check=name, version="TLS 1.3")
        assert theirs.all("probe_tls_version_info", version="TLS 1.3")


async def test_the_expiry_stays_when_the_certificate_fails_the_handshake(
    start: Start, targets: dict[str, str], ca_path: Path, tmp_path: Path
) -> None:
    daemon = await start({"name": "expired", "url": targets["expired"], "tls": {"ca_file": str(ca_path)}})
    await daemon.until_all_ran()
    ours = (await daemon.metrics()).value("probe_ssl_earliest_cert_expiry", check="expired")
    assert ours is not None
    assert ours < time.time()
    async with blackbox(tmp_path, {"m": module(ca_path)}) as exporter:
        theirs = await exporter.probe(targets["expired"], "m")
    assert theirs.value("probe_ssl_earliest_cert_expiry") in (None, 0)
