"""A real Prometheus scrapes the daemon and is asked what its users ask."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.servers.http import HttpServer, answer
from tests.servers.tcp import closed_port
from tests.service.conftest import Serve, Start
from tests.service.daemon import configuration, eventually
from tests.service.prometheus import program, prometheus


def by_check(found: list[dict[str, Any]]) -> dict[str, float]:
    return {series["metric"]["check"]: float(series["value"][1]) for series in found}


@pytest.mark.timeout(90)
async def test_prometheus_answers_what_users_ask(
    start: Start, serve: Serve, target: HttpServer, tmp_path: Path
) -> None:
    ill = await serve(HttpServer(lambda _: answer(503)))
    with closed_port() as closed:
        good = {"name": "good", "url": target.url(), "group": "shop", "labels": {"team": "payments"}}
        checks = [
            good,
            {"name": "ill", "url": ill.url()},
            {"name": "gone", "url": f"http://127.0.0.1:{closed}/?token=secret-token"},
            {"name": "off", "url": target.url(), "enabled": False},
        ]
        daemon = await start(*checks)
        await daemon.until_all_ran()
        async with prometheus(tmp_path, daemon.address) as asked:

            async def success() -> dict[str, float]:
                return by_check(await asked.query("probe_success"))

            await eventually(success, lambda found: found == {"good": 1, "ill": 0, "gone": 0})
            assert by_check(await asked.query("probe_up")) == {"good": 1, "ill": 0, "gone": 0}
            (scrape,) = await asked.query("up == 1")
            assert scrape["metric"]["job"] == "monitor"
            failures = {
                s["metric"]["check"]: (s["metric"]["outcome"], s["metric"]["reason"])
                for s in await asked.query("probe_failure_info")
            }
            assert failures == {"ill": ("http_error", "unexpected_status"), "gone": ("connection_error", "refused")}
            (joined,) = await asked.query(
                'probe_success * on(check) group_left(team, target) probe_info{team="payments"}'
            )
            assert (joined["metric"]["check"], joined["metric"]["target"]) == ("good", target.url())
            assert by_check(await asked.query('probe_state{state="paused"}')) == {"off": 1}
            assert float((await asked.query('sum(monitor_checks{state="down"})'))[0]["value"][1]) == 2
            assert by_check(await asked.query('probe_http_status_code{check="ill"}')) == {"ill": 503}
            assert not await asked.query('{__name__=~".+", target=~".*secret-token.*"}')

            quantile = "histogram_quantile(0.9, sum by (le, check) (rate(probe_latency_seconds_bucket[10s])))"

            async def latency() -> list[dict[str, Any]]:
                return [s for s in await asked.query(quantile) if s["value"][1] != "NaN"]

            (slow,) = await eventually(latency)
            assert slow["metric"]["check"] == "good"
            assert 0 < float(slow["value"][1]) < 1
            rate = await asked.query('sum by (check) (rate(probe_failures_total{outcome="http_error"}[10s]))')
            assert by_check(rate)["ill"] > 0
            assert by_check(rate)["good"] == 0, "counters are there from the start, so that a rate is 0 and not absent"

            ill.responder = lambda _: answer(200)
            await eventually(success, lambda found: found["ill"] == 1)
            await eventually(lambda: asked.query("probe_failure_info"), lambda found: len(found) == 1)

            assert (await daemon.reload(configuration([good])))[0] == 200
            await eventually(success, lambda found: found == {"good": 1})
            (health,) = await asked.query("min_over_time(up[1m])")
            assert health["value"][1] == "1", "a scrape failed"


@pytest.mark.parametrize("accept", ["text/plain", "application/openmetrics-text; version=1.0.0"])
async def test_the_exposition_passes_promtool(start: Start, serve: Serve, target: HttpServer, accept: str) -> None:
    promtool = program("promtool", "prometheus")
    ill = await serve(HttpServer(lambda _: answer(503)))
    daemon = await start(
        {"name": "good", "url": target.url(), "labels": {"team": 'a "quoted" \\ team\u00e9'}},
        {"name": "ill", "url": ill.url()},
    )
    await daemon.until_all_ran()
    _, text = await daemon.get("/metrics", headers={"Accept": accept})
    if accept != "text/plain":
        assert text.endswith("# EOF\n")
        _, text = await daemon.get("/metrics")
    process = await asyncio.create_subprocess_exec(
        promtool, "check", "metrics",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate(text.encode())
    assert process.returncode == 0, said.decode()
    assert not said, said.decode()
