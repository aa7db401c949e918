"""Imported checks, run against real servers: they fail and succeed as their originals do."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest

from monitor.migrate import blackbox, gatus
from monitor.migrate import kuma as uptime_kuma
from monitor.model.outcome import Reason
from monitor.model.spec import CheckSpec
from monitor.protocols.running import check as run_check
from tests.migrate import kuma
from tests.migrate.harness import made, yaml_file
from tests.protocols.harness import opened_resources
from tests.servers.http import HttpServer, answer


async def reason_of(spec: CheckSpec) -> Reason:
    async with opened_resources() as resources:
        return (await run_check(spec, resources)).reason


GOOD = {"parts": [{"ok": True}, {"ok": True}], "status": "UP", "ids": [1, 2], "queue": 5, "name": "johnny"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, Reason.OK),
        ({"status": "DOWN"}, Reason.UNEXPECTED_BODY),
        ({"ids": [1]}, Reason.UNEXPECTED_BODY),
        ({"ids": [1, 2, 3]}, Reason.UNEXPECTED_BODY),
        ({"queue": 100}, Reason.UNEXPECTED_BODY),
        ({"name": "mary"}, Reason.UNEXPECTED_BODY),
        ({"errors": []}, Reason.UNEXPECTED_BODY),
        ({"parts": []}, Reason.UNEXPECTED_BODY),
        ({"parts": [{"ok": True}, {"ok": False}]}, Reason.UNEXPECTED_BODY),
    ],
)
async def test_gatus_conditions(change: dict[str, object], reason: Reason, tmp_path: Path) -> None:
    body = json.dumps(GOOD | change).encode()
    async with HttpServer(lambda _: answer(429, body)) as server:
        text = f"""
endpoints:
  - name: it
    url: {server.url()}
    conditions: ["[STATUS] == any(200, 429)", "[BODY].status == UP", "len([BODY].ids) == 2", "100 > [BODY].queue",
                 "[BODY].name == pat(john*)", "has([BODY].errors) == false", "[BODY].parts[*].ok == true",
                 "[BODY] == pat(*status*)"]
"""
        found = made(gatus.read(yaml_file(tmp_path / "gatus.yml", text)), tmp_path)
        assert found.lost == []
        assert await reason_of(found.checks["it"]) is reason


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (answer(200, b"all ok", [("X-Kind", "v1")]), Reason.OK),
        (answer(200, b"all ok"), Reason.UNEXPECTED_HEADER),
        (answer(200, b"all ok", [("X-Kind", "w")]), Reason.UNEXPECTED_HEADER),
        (answer(200, b"all bad", [("X-Kind", "v1")]), Reason.UNEXPECTED_BODY),
        (answer(200, b"ok, Fatal", [("X-Kind", "v1")]), Reason.UNEXPECTED_BODY),
        (answer(302, b"ok", [("X-Kind", "v1"), ("Location", "/")]), Reason.UNEXPECTED_STATUS),
    ],
)
async def test_blackbox_module(reply: bytes, reason: Reason, tmp_path: Path) -> None:
    async with HttpServer(lambda _: reply) as server:
        modules = """
modules:
  m:
    prober: http
    http:
      follow_redirects: false
      body: hello
      headers: {X-Asked: please}
      basic_auth: {username: u, password: p}
      fail_if_body_matches_regexp: ["(?i)fatal"]
      fail_if_body_not_matches_regexp: ["ok"]
      fail_if_header_not_matches: [{header: X-Kind, regexp: "^v[0-9]"}]
"""
        targets = f"""
scrape_configs:
  - job_name: j
    metrics_path: /probe
    params: {{module: [m]}}
    static_configs: [{{targets: ["{server.url()}"]}}]
    relabel_configs: [{{source_labels: [__address__], target_label: __param_target}}]
"""
        files = yaml_file(tmp_path / "blackbox.yml", modules), yaml_file(tmp_path / "prometheus.yml", targets)
        (check,) = made(blackbox.read(files[0], [files[1]]), tmp_path, M_PASSWORD="p").checks.values()
        assert await reason_of(check) is reason
        (request,) = server.requests
        assert (request.method, request.body) == ("GET", b"hello")
        assert request.header("X-Asked") == "please"
        assert request.header("Authorization") == "Basic dTpw"


async def test_kuma_monitor(tmp_path: Path) -> None:
    async with HttpServer(lambda _: answer(200, b'{"data": {"items": [{"n": 5}]}}')) as server:
        with contextlib.closing(kuma.database(tmp_path / "kuma.db", 1)) as database:
            database.execute("UPDATE monitor SET url = ?", [server.url()])
        found = made(uptime_kuma.read(tmp_path / "kuma.db"), tmp_path)
        assert await reason_of(found.checks["json"]) is Reason.OK
        assert await reason_of(found.checks["word"]) is Reason.UNEXPECTED_BODY
        assert await reason_of(found.checks["word-2"]) is Reason.OK
        assert server.requests[-1].header("Content-Type") == "text/xml; charset=utf-8"
