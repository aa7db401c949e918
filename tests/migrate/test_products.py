"""Whole files of each product: what becomes of every option, that all is valid, and that no secret is written."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from monitor.migrate import blackbox, gatus
from monitor.migrate import kuma as uptime_kuma
from monitor.migrate.values import STATUSES
from monitor.model.request import BasicAuth, BearerAuth
from monitor.secrets.secret import reveal
from tests.migrate import kuma
from tests.migrate.harness import FILES, Made, made


@pytest.fixture
def from_blackbox(tmp_path: Path) -> Made:
    return made(blackbox.read(FILES / "blackbox.yml", [FILES / "prometheus.yml"]), tmp_path)


@pytest.fixture
def from_gatus(tmp_path: Path) -> Made:
    return made(gatus.read(FILES / "gatus.yml"), tmp_path)


@pytest.fixture(params=["version 1", "version 2", "backup"])
def from_kuma(request: pytest.FixtureRequest, tmp_path: Path) -> Made:
    path = tmp_path / "kuma.db"
    if request.param == "backup":
        kuma.backup(path)
        return made(uptime_kuma.read(path), tmp_path)
    with contextlib.closing(kuma.database(path, int(request.param[-1]))):  # it is being written to all the while
        return made(uptime_kuma.read(path), tmp_path)


def test_no_plaintext_secret_is_written(from_blackbox: Made, from_gatus: Made, from_kuma: Made) -> None:
    for found in (from_blackbox, from_gatus, from_kuma):
        assert "plain-" not in found.text
        assert not any("plain-" in line for line in found.lost)


def test_blackbox_targets_are_relabelled(from_blackbox: Made) -> None:
    check = from_blackbox.checks["shop.example.com-health"]
    assert (check.group, reveal(check.url)) == ("websites", "https://shop.example.com/health")
    assert dict(check.labels) == {"team": "payments", "group_": "core"}
    assert reveal(from_blackbox.checks["blog.example.com"].url) == "http://blog.example.com"
    assert dict(from_blackbox.checks["full.example.com"].labels) == {"instance": "full!"}
    assert dict(from_blackbox.checks["found.example.com"].labels) == {"env": "prod"}


def test_blackbox_time_is_that_of_the_scrape_or_of_the_module(from_blackbox: Made) -> None:
    shop, bearer = from_blackbox.checks["shop.example.com-health"], from_blackbox.checks["bearer.example.com"]
    assert (shop.interval, shop.limits.total, shop.limits.connect, shop.limits.read) == (30, 5, 5, 5)
    assert (bearer.interval, bearer.limits.total) == (60, 9.5)


def test_blackbox_every_option_of_http_is_carried_over_or_said(from_blackbox: Made) -> None:
    check = from_blackbox.checks["full.example.com"]
    assert (check.request.method, check.route.ip_version, check.request.follow_redirects, check.request.max_body) == (
        "POST",
        4,
        False,
        2 << 20,
    )
    assert (check.route.tls.verify, check.route.tls.server_name) == (False, "www.example.com")
    assert check.route.tls.min_version == "1.3"
    assert [rule.operator for rule in dict(check.request.expect.headers)["X-Optional"]] == ["optional", "matches"]
    assert check.request.expect.status == ((200, 202), (204, 204), (301, 301))
    assert check.request.expect.http_version == ("1.1",)
    headers = {name: value for name, value in check.request.headers if isinstance(value, str)}
    assert headers["Host"] == "www.example.com"
    assert headers["X-Tenant"] == "blue"
    assert isinstance(check.request.auth, BasicAuth)
    block = from_blackbox.block("full.example.com")
    assert "tls.max_version" in block
    for gone in ("valid_http_versions", "cel", "no_proxy", "some_day", "ca_file"):
        assert any(gone in line for line in from_blackbox.lost), gone
        assert gone in block


def test_blackbox_credentials_of_every_kind(from_blackbox: Made) -> None:
    bearer, file = from_blackbox.checks["bearer.example.com"].request.auth, from_blackbox.checks["file.example.com"]
    assert isinstance(bearer, BearerAuth)
    assert isinstance(file.request.auth, BearerAuth)
    assert reveal(file.request.auth.token) == "plain-token-of-a-file"
    assert file.request.method == "GET"
    assert not from_blackbox.checks["oauth.example.com"].enabled
    assert isinstance(from_blackbox.checks["found.example.com"].request.auth, BasicAuth)


def test_blackbox_lists_what_is_no_http_check(from_blackbox: Made) -> None:
    lost = "\n".join(from_blackbox.lost)
    for part in ("icmp cannot be checked", "no module http_nothing", "dns_sd_configs", "metric_relabel_configs",
                 "none.yml", "the module unused"):  # fmt: skip
        assert part in lost
    assert "prometheus.yml:4: the job node" in from_blackbox.text


def test_gatus_endpoint(from_gatus: Made) -> None:
    check = from_gatus.checks["front-page"]
    assert (check.group, check.title, check.interval) == ("core", "front page", 30)
    assert (check.down_after, check.up_after) == (3, 2)
    assert (check.latency, check.latency_down) == (0.5, True)
    assert (check.route.tls.expiry_warning, check.route.tls.expiry_down) == (48 * 3600, True)
    assert check.request.expect.status == ((200, 200),)
    assert from_gatus.checks["front-page-2"].request.expect.status == ((200, 299),)
    assert from_gatus.checks["oauth"].request.expect.status == ((400, STATUSES[-1]),)
    assert not from_gatus.checks["oauth"].enabled


def test_gatus_client_and_environment(from_gatus: Made) -> None:
    check = from_gatus.checks["api"]
    assert (check.enabled, check.route.tls.verify, check.request.follow_redirects) == (False, False, False)
    assert check.route.resolver == ("127.0.0.1:53",)
    assert check.limits.total == check.interval == 60
    assert "the limit of 90s is longer than the interval" in from_gatus.block("api")
    assert 'auth = { bearer = { env = "API_TOKEN" } }' in from_gatus.text
    assert dict(check.request.headers)["X-Trace"] == "gatus-$1"
    assert 'url = { env = "FRONT_URL" }' in from_gatus.text


def test_gatus_lists_every_other_endpoint_at_its_line(from_gatus: Made) -> None:
    lines = (FILES / "gatus.yml").read_text().splitlines()
    lost = "\n".join(from_gatus.lost)
    for name in ("resolver", "port", "ping", "pushed", "flow"):
        number = next(n for n, line in enumerate(lines, 1) if f"name: {name}," in line)
        assert f"gatus.yml:{number}: " in lost
        assert f": {name}: " in lost


def test_kuma_http(from_kuma: Made) -> None:
    check = from_kuma.checks["Shop-Kaufe-Co"]
    assert (check.group, check.description) == ("Core / Inner", "where people buy")
    assert (check.interval, check.limits.total, check.down_after, check.request.max_redirects) == (120, 48, 4, 3)
    assert check.request.expect.status == ((200, 299), (301, 301))
    assert isinstance(check.request.auth, BasicAuth)
    assert dict(check.labels)["team"] == "payments"
    assert dict(check.request.headers)["Content-Type"] == "application/json"
    assert (check.title, check.retry_interval) == ("Shop: Käufe & Co", 20)
    assert any("notification" in line for line in from_kuma.lost)


def test_kuma_keyword_json_and_what_is_paused(from_kuma: Made) -> None:
    word, inverted = from_kuma.checks["word"], from_kuma.checks["word-2"]
    assert [(r.operator, r.operand) for r in word.request.expect.body] == [("contains", 'say "hello"')]
    assert [(r.operator, r.operand) for r in inverted.request.expect.body] == [("not_contains", "error")]
    assert (word.enabled, word.request.follow_redirects, word.route.tls.verify, word.limits.total) == (
        False,
        False,
        False,
        60,
    )
    assert not inverted.enabled
    assert not from_kuma.checks["jsonata"].enabled
    ((path, (rule,)),) = from_kuma.checks["json"].request.expect.json
    assert (path, rule.operator, rule.operand) == ("$.data.items[0].n", "equals", 5)
    for part in ("type ping", "type push", "has no URL", "upside_down", "ntlm", "mtls", "$count(items)", "socks5"):
        assert any(part in line for line in from_kuma.lost), part


def test_kuma_version_2_has_more(tmp_path: Path) -> None:
    with contextlib.closing(kuma.database(tmp_path / "kuma.db", 2)):
        found = made(uptime_kuma.read(tmp_path / "kuma.db"), tmp_path)
    assert isinstance(found.checks["bearer"].request.auth, BearerAuth)
    assert found.checks["bearer"].route.ip_version == 6
    assert found.checks["bearer"].route.tls.expiry_warning == 30 * 86400
    ((_, (rule,)),) = found.checks["less"].request.expect.json
    assert (rule.operator, rule.operand) == ("less_than", 0.5)
    assert any("cache_bust" in line for line in found.lost)


def test_kuma_is_not_written_to(tmp_path: Path) -> None:
    with contextlib.closing(kuma.database(tmp_path / "kuma.db", 2)) as running:
        before = (tmp_path / "kuma.db").read_bytes(), (tmp_path / "kuma.db-wal").read_bytes()
        uptime_kuma.read(tmp_path / "kuma.db")
        assert before == ((tmp_path / "kuma.db").read_bytes(), (tmp_path / "kuma.db-wal").read_bytes())
        running.execute("UPDATE monitor SET name = 'written at the same time' WHERE id = 3")
        assert "written-at-the-same-time" in made(uptime_kuma.read(tmp_path / "kuma.db"), tmp_path).checks


def test_a_backup_names_the_line_of_each_monitor(tmp_path: Path) -> None:
    kuma.backup(tmp_path / "backup.json")
    found = made(uptime_kuma.read(tmp_path / "backup.json"), tmp_path)
    lines = (tmp_path / "backup.json").read_text().splitlines()
    for draft in found.imported.drafts:
        number = int(draft.place.rpartition(":")[2])
        assert lines[number - 1].strip() == "{"
        assert '"id": ' in lines[number]
