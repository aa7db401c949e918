# ruff: noqa: E501
"""Odd, broken and hostile files of each product: what is clear is carried over, the rest is said, no secret gets out."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from monitor.errors import ForeignFileError
from monitor.migrate import blackbox, gatus
from monitor.migrate import kuma as uptime_kuma
from monitor.migrate.prometheus import nickname
from monitor.migrate.relabel import Rule, relabelled
from monitor.secret import reveal
from monitor.spec import BasicAuth, BearerAuth, CheckSpec
from tests.migrate import kuma
from tests.migrate.harness import Made, made, yaml_file


def of_gatus(tmp_path: Path, text: str, **environment: str) -> Made:
    return made(gatus.read(yaml_file(tmp_path / "gatus.yml", text)), tmp_path, **environment)


def of_endpoint(tmp_path: Path, keys: str) -> tuple[CheckSpec, Made]:
    found = of_gatus(tmp_path, f"endpoints:\n- {{name: it, url: 'https://a.example.com', {keys}}}\n")
    return found.checks["it"], found


def of_module(
    tmp_path: Path, http: str, target: str = "https://a.example.com", job: str = "", group: str = "", name: str = "m"
) -> tuple[CheckSpec, Made]:
    modules = yaml_file(tmp_path / "blackbox.yml", f"modules: {{{name}: {{prober: http, http: {{{http}}}}}}}")
    targets = yaml_file(
        tmp_path / "prometheus.yml",
        f"""
scrape_configs:
- job_name: j
  metrics_path: /probe
  params: {{module: [{name}]}}
  static_configs: [{{targets: ["{target}"]{group}}}]
  relabel_configs: [{{source_labels: [__address__], target_label: __param_target}}]
{job}""",
    )
    found = made(blackbox.read(modules, [targets]), tmp_path)
    (check,) = found.checks.values()
    return check, found


def of_monitor(tmp_path: Path, **row: Any) -> tuple[CheckSpec, Made]:
    path = tmp_path / "backup.json"
    monitor = {"id": 1, "type": "http", "name": "it", "url": "https://a.example.com"} | row
    path.write_text(json.dumps({"monitorList": [monitor]}))
    found = made(uptime_kuma.read(path), tmp_path)
    return found.checks["it"], found


def said(found: Made, part: str) -> bool:
    return any(part in line for line in found.lost)


# YAML


def test_the_first_of_several_merged_mappings_wins(tmp_path: Path) -> None:
    text = """
x-a: &a {interval: 10s}
x-b: &b {interval: 20s, enabled: false}
endpoints: [{name: it, url: "http://a.example.com", <<: [*a, *b]}, {name: own, url: "http://a.example.com", <<: *b, interval: 5s}]
"""
    checks = of_gatus(tmp_path, text).checks
    assert (checks["it"].interval, checks["it"].enabled, checks["own"].interval) == (10, False, 5)


def test_a_key_that_is_there_twice_is_said(tmp_path: Path) -> None:
    text = "endpoints:\n- {name: it, url: 'http://a.example.com'}\n- name: b\n  url: http://b.example.com\n  url: http://c\n"
    found = of_gatus(tmp_path, text)
    assert list(found.checks) == ["it"]
    assert found.lost == [f"{tmp_path}/gatus.yml:5: endpoints[1].url: is there twice, first in line 4"]
    with pytest.raises(ForeignFileError, match=r"gatus.yml:2: endpoints: is there twice"):
        of_gatus(tmp_path, "endpoints: []\nendpoints: []\n")


@pytest.mark.parametrize("content", ['a: "\\UFFFFFFFF"', 'a: "\\ud800"\nendpoints: []\nmodules: {}'])
def test_escapes_that_stand_for_no_character(content: str, tmp_path: Path) -> None:
    path = yaml_file(tmp_path / "it.yml", content)
    try:
        assert "\ufffd" not in made(gatus.read(path), tmp_path).text
    except ForeignFileError as refused:
        assert str(refused) == f"{path}: has an escape in it that stands for no character"  # noqa: PT017


def test_a_billion_laughs_cost_nothing(tmp_path: Path) -> None:
    levels = "".join(f"x-{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 40))
    bomb = f"x-0: &l0 ha\n{levels}"
    endpoint = "{name: it, url: 'http://a.example.com', headers: *l39, conditions: *l39, alerts: *l39, body: *l39}"
    assert len(of_gatus(tmp_path, f"{bomb}endpoints:\n- {endpoint}\n- *l39\n").lost) < 40


def test_a_list_that_holds_itself(tmp_path: Path) -> None:
    found = of_gatus(tmp_path, "endpoints: &e [*e, {name: it, url: 'http://a.example.com', conditions: *e}]\n")
    assert list(found.checks) == ["it"]


def test_json_with_tabs_and_escaped_slashes_is_read(tmp_path: Path) -> None:
    (tmp_path / "targets.json").write_text('[{"targets": [\n\t"https:\\/\\/b.example.com\\/\\ud83d\\ude00"]}]')
    modules = yaml_file(tmp_path / "b.yml", "modules: {http_2xx: {prober: http}}")
    text = """
scrape_configs:
- metrics_path: /probe
  file_sd_configs: [{files: [targets.json], refresh_interval: 1m}]
  relabel_configs: [{source_labels: [__address__], target_label: __param_target}]
"""
    found = made(blackbox.read(modules, [yaml_file(tmp_path / "p.yml", text)]), tmp_path)
    assert [reveal(check.url) for check in found.checks.values()] == ["https://b.example.com/\U0001f600"]
    assert found.lost == []


# Prometheus and blackbox_exporter


def test_the_timeout_of_a_scrape_is_never_longer_than_its_interval(tmp_path: Path) -> None:
    check, _ = of_module(tmp_path, "", job="  scrape_interval: 5s\n")
    assert (check.interval, check.limits.total) == (5, 4.5)


def test_targets_may_have_an_interval_of_their_own(tmp_path: Path) -> None:
    labels = ", labels: {__scrape_interval__: 15s, __scrape_timeout__: 3s}"
    check, _ = of_module(tmp_path, "", group=labels)
    assert (check.interval, check.limits.total) == (15, 2.5)
    _, found = of_module(tmp_path, "", group=", labels: {__scrape_interval__: often}, lables: {a: b}")
    assert said(found, "scrape_interval is not a duration; Prometheus's 1m is taken")
    assert said(found, "lables: there is no such key known here")


def test_jobs_of_other_exporters_are_left_alone(tmp_path: Path) -> None:
    modules = yaml_file(tmp_path / "b.yml", "modules: {m: {prober: http}}")
    text = """
scrape_config_files: [more.yml]
scrape_configs: [{job_name: snmp, metrics_path: /snmp, params: {module: [if_mib]}, static_configs: [{targets: [a]}]}]
"""
    found = made(blackbox.read(modules, [yaml_file(tmp_path / "p.yml", text)]), tmp_path)
    assert "the job snmp does not go to a blackbox_exporter" in found.text
    assert said(found, "p.yml:2: scrape_config_files: are not opened; name each of them with --targets, too")
    assert not said(found, "if_mib")


def test_relabelling_that_prometheus_would_not_do() -> None:
    labels = {"a": "one"}
    assert relabelled(labels, [Rule(["a"], target="$1 ", replacement="x")]) == labels
    assert relabelled(labels, [Rule(["a"], target="b", replacement="${99999999999999999999}")]) == labels


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://user:plain@host/path?q=1", "host/path"),
        ("https://user:pl#ain@host/path", "host/path"),
        ("https://user:pl/ain@host/", "host"),
        ("host:8080/a@b", "host:8080/a@b"),
        ("http://[2001:db8::1]:80/a@b", "[2001:db8::1]:80/a@b"),
    ],
)
def test_a_target_is_called_by_its_address_without_its_password(address: str, name: str) -> None:
    assert nickname(address) == name


def test_keys_inside_of_credentials_are_said_too(tmp_path: Path) -> None:
    http = """basic_auth: {username: u, password_ref: r}, http_headers: {X-A: {values: [a], vault: [b]}},
        fail_if_header_matches: [{header: A, regexp: b, negate: true}], tls_config: {cert: plain-inline}"""
    check, found = of_module(tmp_path, http)
    for key in ("basic_auth.password_ref", "http_headers.X-A.vault", "fail_if_header_matches[0].negate"):
        assert said(found, f": {key}: there is no such key known here")
    assert said(found, "tls_config.cert: write it into a file")
    assert not check.enabled
    assert "plain-" not in found.text


def test_of_several_ways_to_authenticate_the_one_that_wins_there_wins(tmp_path: Path) -> None:
    http = "basic_auth: {username: m, password: plain-1}, headers: {authorization: Bearer plain-2}"
    check, found = of_module(tmp_path, http, "https://user:plain-3@a.example.com")
    assert isinstance(check.auth, BearerAuth)
    assert sum("a second way to authenticate" in line for line in found.lost) == 2
    check, found = of_module(tmp_path, "bearer_token: plain-2", "https://user:plain-3@a.example.com")
    assert isinstance(check.auth, BasicAuth)
    assert "M_TOKEN" not in found.text


@pytest.mark.parametrize("proxy", ["user:plain-proxy@proxy:3128", "socks5://user:plain-proxy@proxy"])
def test_a_proxy_that_is_refused_is_not_quoted(proxy: str, tmp_path: Path) -> None:
    check, found = of_module(tmp_path, f"proxy_url: '{proxy}'")
    assert not check.enabled
    assert "plain-" not in found.text


def test_the_variable_of_a_proxy_sends_no_other_program_through_it(tmp_path: Path) -> None:
    _, found = of_module(tmp_path, "proxy_url: 'http://u:p@proxy:3128'", name="http")
    assert re.findall(r'env = "(\w+)"', found.text) == ["HTTP_PROXY_2"]


def test_compression_that_is_not_understood_is_not_asked_for(tmp_path: Path) -> None:
    check, found = of_module(tmp_path, "compression: br")
    assert "Accept-Encoding" not in dict(check.headers)
    assert said(found, "compression: gzip and deflate are")


def test_a_secret_in_an_https_url_leaves_it_an_https_url(tmp_path: Path) -> None:
    target = "https://a.example.com/?token=plain-1"
    check, found = of_module(tmp_path, "fail_if_not_ssl: true, headers: {Host: b.example.com}", target)
    assert found.lost == []
    assert check.tls.server_name == "b.example.com"
    assert not of_module(tmp_path, "fail_if_ssl: true", target)[0].enabled
    assert of_monitor(tmp_path, url=target, expiryNotification=True)[0].tls.expiry_warning == 21 * 86400


def test_a_check_without_its_certificate_authority_is_paused(tmp_path: Path) -> None:
    check, found = of_module(tmp_path, "tls_config: {ca_file: /no/such.pem}, source_ip_address: 127.0.0.1")
    assert (check.enabled, check.source_address) == (False, "127.0.0.1")
    assert said(found, "no such file or directory; so the check is written with enabled = false")


@pytest.mark.parametrize(
    "http",
    [
        "[1]", "7", "{a: b}", "{valid_status_codes: 7}", "{valid_status_codes: [x]}", "{valid_status_codes: [99999999999999999]}",
        "{headers: [a]}", "{headers: {A: [b]}}", "{http_headers: {A: b}}", "{http_headers: {A: {values: {a: b}}}}",
        "{basic_auth: x}", "{fail_if_header_matches: {a: b}}", "{fail_if_header_matches: [7]}", "{tls_config: 7}",
        "{fail_if_body_matches_regexp: [[a]]}", "{fail_if_body_matches_regexp: ['(']}", "{body_size_limit: -1}",
        "{body_size_limit: 999999999999999PB}", "{fail_if_ssl: maybe}", "{ip_protocol_fallback: [x]}", "{method: 'GE T'}",
        "{headers: {'A B': c}}", "{headers: {'': x}}", "{headers: {A: 1, a: 2}}", "{proxy_url: 'http://'}",
        '{headers: {A: "b\\r\\nC: d"}}', "{preferred_ip_protocol: ip4, ip_protocol_fallback: false, source_ip_address: '::1'}",
    ],
)  # fmt: skip
def test_wrong_values_in_a_module_are_said(http: str, tmp_path: Path) -> None:
    modules = yaml_file(tmp_path / "b.yml", f"modules:\n  m: {{prober: http, http: {http}}}\n")
    text = (
        "scrape_configs: [{params: {module: [m], target: ['https://a.example.com']}, static_configs: [{targets: [x]}]}]"
    )
    found = made(blackbox.read(modules, [yaml_file(tmp_path / "p.yml", text)]), tmp_path)
    assert "plain-" not in found.text
    assert found.lost


# Gatus


def test_a_pause_is_not_lifted_by_enabled_true(tmp_path: Path) -> None:
    assert not of_endpoint(tmp_path, "client: {oauth2: {token-url: x}}, enabled: true")[0].enabled
    check, found = of_endpoint(tmp_path, 'conditions: ["[CONNECTED] == false"]')
    assert not check.enabled
    assert said(found, "condition [CONNECTED] == false: a check that fails if it can connect")


def test_labels_that_become_one_are_all_kept(tmp_path: Path) -> None:
    check, _ = of_endpoint(tmp_path, "extra-labels: {a-b: x, a_b: y, ä_b: z}")
    assert dict(check.labels) == {"a_b": "x", "a_b_": "y", "a_b__": "z"}


def test_conditions_do_not_tell_secrets(tmp_path: Path) -> None:
    conditions = """["[BODY].token == plain-1", "plain-2 == [BODY].password", "[BODY] == pat(*\\"secret\\": \\"plain-3*)",
        "[BODY].state == authorized", "has([BODY].token) == true", "[BODY].author == sam"]"""
    check, found = of_endpoint(tmp_path, f"conditions: {conditions}")
    assert "plain-" not in found.text
    assert sorted(path for path, _ in check.expect.json) == ["$.author", "$.state", "$.token"]
    assert len(found.lost) == 3


def test_variables_are_said_where_they_cannot_stand(tmp_path: Path) -> None:
    text = """
endpoints:
- {name: "it-${REGION}", url: "https://a.example.com", group: $GROUP, method: $METHOD, interval: "${OFTEN}",
   headers: {authorization: "bearer ${T}"}, conditions: ["[BODY] == ${ANSWER}"]}
"""
    found = of_gatus(tmp_path, text, METHOD="PUT")
    check = found.checks["it-REGION"]
    assert (check.group, check.method) == ("GROUP", "PUT")
    assert isinstance(check.auth, BearerAuth)
    for part in ("name: stands on every page", "group: stands on every page", "interval: is not a duration", "ANSWER"):
        assert said(found, part)


def test_files_of_a_kubernetes_volume_are_read_once(tmp_path: Path) -> None:
    volume, data = tmp_path / "volume", tmp_path / "volume" / "..2026"
    data.mkdir(parents=True)
    yaml_file(data / "a.yaml", "endpoints: [{name: it, url: 'http://a.example.com'}]")
    (volume / "..data").symlink_to("..2026")
    (volume / "a.yaml").symlink_to("..data/a.yaml")
    (volume / "directory.yaml").mkdir()
    assert list(made(gatus.read(volume), tmp_path).checks) == ["it"]


@pytest.mark.parametrize(
    "keys",
    ["client: [x]", "client: {timeout: [x]}", "interval: {a: b}", "interval: -1s", "interval: 99999999999h", "graphql: x",
     "headers: x", "headers: {a: [b]}", "alerts: 7", "alerts: [7]", "alerts: [{failure-threshold: 99999999999999999999999}]",
     "client: {timeout: 1ns}", "client: {dns-resolver: 'tcp://name:53'}", "conditions: {a: b}", "conditions: [[a]]",
     "conditions: ['[STATUS] == 1000']", "conditions: ['[BODY].a == 99999999999999999999']", "new-key: plain-1",
     "conditions: ['[RESPONSE_TIME] < 1e300']", "group: [x]", 'group: "a\\nb"', "extra-labels: {a: [b]}", "client: {tls: 7}",
     "name: [x]", "conditions: ['[BODY].a[0][1] == pat([)']", "conditions: ['[BODY].a == any()']"],
)  # fmt: skip
def test_wrong_values_in_an_endpoint_are_said(keys: str, tmp_path: Path) -> None:
    name = "" if keys.startswith("name") else "name: it, "
    text = f"endpoints: [{{{name}url: 'http://a.example.com', {keys}}}, {{name: b, url: 'http://b.example.com'}}]"
    found = of_gatus(tmp_path, text)
    assert "b" in found.checks
    assert "plain-" not in found.text
    valid = ("\\n", "1ns", "99999999999999999999", "any()")
    assert found.lost or any(part in keys for part in valid), found.text


# Uptime Kuma


def test_a_user_name_left_over_is_not_used(tmp_path: Path) -> None:
    old = {"basic_auth_user": "u", "basic_auth_pass": "plain-1"}
    assert of_monitor(tmp_path, **old, authMethod=None)[0].auth is None
    assert isinstance(of_monitor(tmp_path, **old)[0].auth, BasicAuth)


def test_jsonata_that_only_looks_like_a_path_is_said(tmp_path: Path) -> None:
    check, found = of_monitor(tmp_path, type="json-query", jsonPath="$total", expectedValue="5")
    assert check.expect.json == ()
    assert said(found, "json_path $total: is more of JSONata than a path")


def test_a_database_of_another_version(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "kuma.db") as database:
        database.execute("CREATE TABLE monitor (name, url, type, place, some_day)")
        database.execute("CREATE TABLE proxy (host)")
        database.execute("CREATE TABLE tag (name)")
        database.execute("CREATE TABLE monitor_tag (value)")
        database.execute("INSERT INTO monitor VALUES ('it', 'https://a.example.com', 'http', 'x', x'ff00')")
        database.execute("INSERT INTO monitor VALUES (x'ff', 7, 'http', 'x', 1e999)")
        database.execute("INSERT INTO proxy VALUES (1)")
        database.execute("INSERT INTO tag VALUES (1)")
        database.execute("INSERT INTO monitor_tag VALUES (1)")
    database.close()
    found = made(uptime_kuma.read(tmp_path / "kuma.db"), tmp_path)
    assert list(found.checks) == ["it"]
    assert said(found, "some_day: is not known here")


def test_a_truncated_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "kuma.db"
    kuma.database(path, 2).close()
    path.write_bytes(path.read_bytes()[:-4096])
    with pytest.raises(
        ForeignFileError, match=r"kuma.db: the database cannot be read: database disk image is malformed"
    ):
        uptime_kuma.read(path)


def test_a_locked_database_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.migrate.kuma_source._PATIENCE", 0.05)
    path = tmp_path / "kuma.db"
    kuma.database(path, 2).close()
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode = DELETE")
    database.execute("BEGIN EXCLUSIVE")
    database.execute("UPDATE monitor SET name = 'half written'")
    try:
        with pytest.raises(ForeignFileError, match=r"kuma.db: the database cannot be read: database is locked"):
            uptime_kuma.read(path)
    finally:
        database.close()


@pytest.mark.parametrize(
    "row",
    [
        {"interval": "often", "maxretries": -5, "timeout": "1e999"}, {"maxredirects": 10**30, "maxretries": 10**30},
        {"headers": "[1]"}, {"headers": '{"a": {"b": 1}}'}, {"accepted_statuscodes": "x"}, {"accepted_statuscodes": [[], "9-1"]},
        {"accepted_statuscodes": ["²00"]}, {"proxyId": 7}, {"parent": 1}, {"tags": [{"name": "\ud800", "value": "\n"}]},
        {"description": "\ud800\x00"}, {"url": "https://u:plain-1@a.example.com/?key=plain-2"}, {"authMethod": "oauth2-cc"},
        {"url": "https://a.example.com/\n[monitor]\nlisten = 'x'"}, {"method": "A\nB"}, {"body": "x" * 100_000},
        {"name": '"]\n[[checks]]\nname = "evil"'}, {"some_secret": "plain-1"},
    ],
)  # fmt: skip
def test_wrong_values_in_a_monitor_never_break_the_file(row: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "backup.json"
    monitor = {"id": 1, "type": "http", "name": "it", "url": "https://a.example.com"} | row
    path.write_text(json.dumps({"monitorList": [monitor, monitor]}))
    found = made(uptime_kuma.read(path), tmp_path)
    assert "plain-" not in found.text
    assert "evil" not in found.checks
    assert os.linesep + "listen" not in found.text
