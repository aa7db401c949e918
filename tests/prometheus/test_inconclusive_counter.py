"""The daemon counts runs that found nothing out by their reason."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
from prometheus_client.parser import text_string_to_metric_families as parse

from tests.prometheus.live import PATIENCE, check, daemon
from tests.servers import faults
from tests.servers.tcp import Server

DEFAULTS = '[defaults]\ninterval = "1s"\ntimeout = { connect = "0.5s", read = "0.8s", total = "0.9s" }\n'


async def counted(session: aiohttp.ClientSession, base: str) -> tuple[dict[str, float], float]:
    """By reason, over all checks; and the sum that the checks themselves have."""
    async with session.get(f"{base}/metrics") as response:
        samples = [sample for family in parse(await response.text()) for sample in family.samples]
    by_reason = {s.labels["reason"]: s.value for s in samples if s.name == "monitor_runs_inconclusive_total"}
    return by_reason, sum(s.value for s in samples if s.name == "probe_inconclusive_total")


async def test_runs_cancelled_by_a_reload_are_counted_as_that(tmp_path: Path) -> None:
    path = tmp_path / "checks.toml"
    async with Server(faults.silent) as silent, aiohttp.ClientSession() as session, asyncio.timeout(PATIENCE):
        checks = DEFAULTS + check("silent", silent.url(), "down_after = %d")
        async with daemon(tmp_path, checks % 1) as address:
            base = f"http://{address}"
            by_reason, _ = await counted(session, base)
            assert set(by_reason.values()) == {0.0}
            turn = 1
            while not by_reason["cancelled"]:
                seen = silent.connections
                await silent.until(lambda seen=seen: silent.connections > seen)  # type: ignore[misc]  # a run is under way
                turn += 1
                path.write_text(checks % turn)
                async with session.post(f"{base}/-/reload") as response:
                    assert response.status == 200
                by_reason, total = await counted(session, base)
            assert by_reason["cancelled"] == total
            assert sum(by_reason.values()) == total
