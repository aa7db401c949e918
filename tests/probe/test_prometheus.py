"""A real Prometheus scrapes /probe with the relabelling that everybody has for blackbox_exporter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp

from tests.probe.conftest import Daemons, other, polled, program
from tests.project.conftest import ROOT
from tests.project.markdown import blocks
from tests.servers import faults
from tests.servers.http import HttpServer, answer
from tests.servers.tcp import Server, free_port

TEXT = '[monitor.probe]\nallow = ["127.0.0.1"]\n'


def configuration(address: str, *targets: str) -> str:
    """The scrape configuration of docs/probe.md, for these targets and at a quicker pace."""
    (written,) = (b.text for b in blocks(ROOT / "docs" / "probe.md", "yaml") if "__param_target" in b.text)
    head, _, tail = written.partition("          - https://shop.example.com/health\n")
    assert "127.0.0.1:8420" in tail
    listed = "".join(f"          - {target}\n" for target in targets)
    pace = "global: { scrape_interval: 1s, scrape_timeout: 1s }\n"
    rest = tail.partition("    relabel_configs:")
    return pace + head + listed + "".join(rest[1:]).replace("127.0.0.1:8420", address)


async def test_a_real_prometheus_with_the_usual_relabelling(tmp_path: Path, daemon: Daemons) -> None:
    async with (
        HttpServer() as fine,
        HttpServer(lambda _: answer(500)) as broken,
        Server(faults.silent) as silent,
        daemon(TEXT) as monitor,
    ):
        names = {
            f"http://127.0.0.1:{fine.port}/": ("1", "1"),
            f"127.0.0.1:{broken.port}": ("1", "0"),
            f"http://127.0.0.1:{silent.port}/": ("1", "0"),
            "http://192.0.2.1/": ("0", None),
        }
        config = tmp_path / "prometheus.yml"
        config.write_text(configuration(monitor.address, *names))
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        options = (
            f"--config.file={config}",
            f"--storage.tsdb.path={tmp_path / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
        )
        async with other(f"{url}/-/ready", program("prometheus"), *options), aiohttp.ClientSession(url) as session:
            assert await polled(lambda: _values(session), lambda found: found == names) == names
            reasons = await _query(session, "probe_failure_info")
        assert {(r["metric"]["instance"], r["metric"]["reason"]) for r in reasons} == {
            (f"127.0.0.1:{broken.port}", "unexpected_status"),
            (f"http://127.0.0.1:{silent.port}/", "total_timeout"),
        }


async def _values(session: aiohttp.ClientSession) -> dict[str, tuple[str | None, str | None]]:
    """By instance: whether the scrape succeeded, and whether the probe did."""
    up = {r["metric"]["instance"]: r["value"][1] for r in await _query(session, "up")}
    success = {r["metric"]["instance"]: r["value"][1] for r in await _query(session, "probe_success")}
    return {instance: (value, success.get(instance)) for instance, value in up.items()}


async def _query(session: aiohttp.ClientSession, query: str) -> list[dict[str, Any]]:
    async with session.get("/api/v1/query", params={"query": query}) as got:
        found: list[dict[str, Any]] = (await got.json())["data"]["result"]
        return found
