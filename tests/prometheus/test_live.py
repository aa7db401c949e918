"""Every query of the dashboard, every rule, and what dashboards of blackbox_exporter ask, against real programs."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
from prometheus_client.parser import text_string_to_metric_families as parse

from deploy.grafana.generate import TARGET, text
from tests.prometheus.live import Prometheus, alerting, check, daemon, scraping, targets
from tests.prometheus.world import RULES
from tests.servers.http import HttpServer, Request, ok

VARIABLES = {"$__rate_interval": "10s", "$__range": "1m", "$__interval": "1s", "$group": "shop"}
CHECKS = ("healthy", "slow", "failing", "secure", "expired")

NO_DATA = {
    ("Certificate ends in", "healthy"): "plain HTTP has no certificate",
    ("Certificate ends in", "slow"): "plain HTTP has no certificate",
    ("Certificate ends in", "failing"): "plain HTTP has no certificate",
}
"""Queries that rightly answer nothing, by panel and check."""

BLACKBOX = (
    'probe_success{instance=~"$target"}',
    'avg_over_time(probe_success{instance=~"$target"}[1h]) * 100',
    'avg(probe_success{job="monitor"})',
    'sum(probe_http_duration_seconds{instance=~"$target"}) by (instance)',
    'avg(probe_http_duration_seconds{instance=~"$target"}) by (phase)',
    'probe_http_duration_seconds{instance=~"$target", phase="resolve"}',
    'probe_http_duration_seconds{instance=~"$target", phase="connect"}',
    'probe_http_duration_seconds{instance=~"$target", phase="tls"}',
    'probe_http_duration_seconds{instance=~"$target", phase="processing"}',
    'probe_http_duration_seconds{instance=~"$target", phase="transfer"}',
    'probe_ssl_earliest_cert_expiry{instance=~"$target"} - time()',
    '(min by (instance) (probe_ssl_earliest_cert_expiry{instance=~"$target"}) - time()) / 86400',
    'probe_duration_seconds{instance=~"$target"}',
    'avg_over_time(probe_duration_seconds{instance=~"$target"}[1m])',
    'probe_http_status_code{instance=~"$target"}',
    'probe_http_ssl{instance=~"$target"}',
    'probe_http_version{instance=~"$target"}',
    'probe_http_redirects{instance=~"$target"}',
    'probe_http_content_length{instance=~"$target"}',
    'probe_http_uncompressed_body_length{instance=~"$target"}',
    'probe_ip_protocol{instance=~"$target"}',
    'probe_tls_version_info{instance=~"$target"}',
    "count(probe_success == 0) or vector(0)",
    'count by (instance) (probe_http_status_code{instance=~"$target"} >= 200)',
)
"""What dashboards made for blackbox_exporter ask, with `instance` as the target."""


def queries() -> Iterator[tuple[str, str]]:
    """Each panel of the dashboard with each of its expressions."""
    for panel in json.loads(TARGET.read_text())["panels"]:
        yield from ((panel["title"], target["expr"]) for target in panel.get("targets", ()))


def substituted(expr: str, check: str) -> str:
    for name, value in {**VARIABLES, "$check": check}.items():
        expr = expr.replace(name, value)
    assert "$" not in expr
    return expr


def metrics(expr: str) -> set[str]:
    """The names of metrics in an expression; those that a recording rule makes are told by their colons."""
    return set(
        re.findall(r"\b(?:probe|monitor|process|python)_[a-z_]+\b(?!:)", re.sub(r'"[^"]*"|\w+:[\w:]+', "", expr))
    )


def test_dashboard_is_what_its_generator_writes() -> None:
    assert TARGET.read_text() == text(), "run deploy/grafana/generate.py"


def test_dashboard_is_one_that_grafana_10_takes_without_plugins() -> None:
    board = json.loads(TARGET.read_text())
    assert board["schemaVersion"] >= 38
    core = {"row", "stat", "table", "timeseries", "state-timeline", "heatmap"}
    assert {panel["type"] for panel in board["panels"]} <= core
    assert [panel["id"] for panel in board["panels"]] == list(range(1, len(board["panels"]) + 1))
    assert {variable["name"] for variable in board["templating"]["list"]} == {"datasource", "group", "check"}
    cells = [(x, y) for panel in board["panels"] for x, y in covered(panel["gridPos"])]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) == 23
    for panel in board["panels"]:
        assert panel["type"] == "row" or panel["datasource"]["uid"] == "${datasource}"
        refs = [target["refId"] for target in panel.get("targets", ())]
        assert len(refs) == len(set(refs))


def covered(position: dict[str, int]) -> Iterator[tuple[int, int]]:
    for x in range(position["x"], position["x"] + position["w"]):
        yield from ((x, y) for y in range(position["y"], position["y"] + position["h"]))


async def exposed(address: str) -> set[str]:
    """The names of the series that the daemon has."""
    async with aiohttp.ClientSession() as session, session.get(f"http://{address}/metrics") as response:
        families = list(parse(await response.text()))
    return {sample.name for family in families for sample in family.samples}


async def rules_of(prometheus: Prometheus) -> list[dict[str, Any]]:
    return [rule for group in (await prometheus.api("rules"))["groups"] for rule in group["rules"]]


async def test_dashboard_and_rules_have_data(prometheus: str, tmp_path: Path) -> None:
    async with (
        targets(tmp_path) as checks,
        daemon(tmp_path, f"[monitor]\nworkers = 1\n\n{checks}") as address,
        scraping(prometheus, tmp_path, "prometheus.yml", address) as asked,
    ):

        async def seen() -> bool:
            """Every check has run several times, and the slowest to be known is known."""
            ran = await asked.query("probe_attempts_total >= 3 and increase(probe_attempts_total[10s]) > 0")
            alerts = {alert["labels"].get("check") for alert in (await asked.api("alerts"))["alerts"]}
            return len(ran) == 6 and alerts >= {"failing", "refusing", "expired"}

        await asked.until(seen)
        await asked.until(lambda: known(asked, "group:probe_failures:ratio5m"))
        names = await exposed(address)

        asks = [expr for _, expr in queries()] + re.findall(r"label_values\((.*?),", TARGET.read_text())
        asks += [rule["query"] for rule in await rules_of(asked)]
        assert {name for expr in asks for name in metrics(expr)} - names == set()

        empty = {
            (panel, check)
            for check in CHECKS
            for panel, expr in queries()
            if not await asked.query(substituted(expr, check))
        }
        assert empty == set(NO_DATA)

        down = await asked.query(substituted(next(expr for panel, expr in queries() if panel == "Down"), ""))
        found = {series["metric"]["check"]: series["metric"]["reason"] for series in down}
        wanted = {"failing": "unexpected_status", "refusing": "refused", "expired": "tls_certificate_expired"}
        assert found == wanted

        rules = await rules_of(asked)
        assert [rule["name"] for rule in rules if rule["health"] != "ok"] == []
        assert len(rules) == sum(len(re.findall(r"- (?:alert|record):", path.read_text())) for path in RULES)
        alerts = {
            alert["labels"]["check"]: alert["annotations"]["summary"]
            for alert in (await asked.api("alerts"))["alerts"]
            if alert["labels"]["alertname"] == "EndpointDown" and alert["state"] == "firing"
        }
        outcomes = {"failing": "http_error", "refusing": "connection_error", "expired": "connection_error"}
        assert alerts == {name: f"{name} is down: {wanted[name]} ({outcomes[name]})" for name in wanted}


async def test_who_is_on_call_hears_of_a_target_that_stops(prometheus: str, alertmanager: str, tmp_path: Path) -> None:
    heard: list[tuple[str, Any]] = []

    def receive(request: Request) -> bytes:
        heard.append((request.target, json.loads(request.body)))
        return ok()

    async with contextlib.AsyncExitStack() as opened, contextlib.AsyncExitStack() as running:
        target = await running.enter_async_context(HttpServer())
        receiver = await opened.enter_async_context(HttpServer(receive))
        checks = '[defaults]\ninterval = "1s"\ntimeout.total = "0.9s"\ntimeout.connect = "0.5s"\n'
        address = await opened.enter_async_context(daemon(tmp_path, checks + check("cart", target.url())))
        sent_to = await opened.enter_async_context(alerting(alertmanager, tmp_path, receiver.url().rstrip("/")))
        scraped = scraping(prometheus, tmp_path, "prometheus.yml", address, alertmanager=sent_to)
        asked = await opened.enter_async_context(scraped)
        await asked.until(lambda: known(asked, "probe_up == 1"))
        assert heard == []
        await running.aclose()
        await asked.until(lambda: came(heard))
    path, message = heard[0]
    assert path == "/shop-on-call", "the group of the check is a team of its own"
    (alert,) = message["alerts"]
    assert alert["status"] == "firing"
    assert alert["annotations"]["summary"] == "cart is down: refused (connection_error)"
    assert alert["annotations"]["runbook_url"].endswith("/runbooks.md#endpointdown")


async def came(heard: list[Any]) -> bool:
    return bool(heard)


async def known(asked: Prometheus, expr: str) -> bool:
    return bool(await asked.query(expr))


async def test_dashboards_of_blackbox_exporter_have_data_by_instance(prometheus: str, tmp_path: Path) -> None:
    async with (
        targets(tmp_path) as checks,
        daemon(tmp_path, checks) as address,
        scraping(prometheus, tmp_path, "blackbox-dashboards.yml", address) as asked,
    ):
        await asked.until(
            lambda: known(
                asked, 'probe_tls_version_info and on (instance) probe_http_status_code{instance="secure"} == 200'
            )
        )
        for query in BLACKBOX:
            assert await asked.query(query.replace("$target", "secure")), query
            assert await asked.query(query.replace("$target", ".*")), query
        labels = [series["metric"] for series in await asked.query("probe_success")]
        assert {(each["instance"], each["monitor"]) for each in labels} >= {("secure", address)}
        (up,) = await asked.query("up")
        assert up["metric"]["instance"] == up["metric"]["monitor"] == address
        (build,) = await asked.query("monitor_build_info")
        assert build["metric"]["instance"] == address
        assert (await asked.query('probe_http_ssl{instance="secure"}'))[0]["value"][1] == "1"
        assert (await asked.query('probe_http_version{instance="secure"}'))[0]["value"][1] == "1.1"
