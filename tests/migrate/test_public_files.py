# ruff: noqa: E501
"""Configurations as people publish them, with what is odd about them: checks, and every loss once with its place."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from monitor.migrate import blackbox, gatus
from monitor.migrate import kuma as uptime_kuma
from monitor.model.errors import ForeignFileError
from tests.migrate.harness import Made, made, yaml_file

GATUS: dict[str, tuple[str, dict[str, int], list[str]]] = {
    "anchors and merge keys": (
        """
x-defaults: &defaults
  interval: 2m
  client: {timeout: 5s}
  conditions: &ok ["[STATUS] == 200", "[RESPONSE_TIME] < 1500"]
alerting: {pagerduty: {integration-key: "${PD_KEY}", default-alert: {failure-threshold: 5, send-on-resolved: true}}}
endpoints:
- {<<: *defaults, name: blog, group: web/public, url: "https://blog.example.com", alerts: [{type: pagerduty}]}
- {<<: *defaults, name: shop, group: web/public, url: "https://shop.example.com", interval: 10s, conditions: *ok}
""",
        {"blog": 5, "shop": 1},
        ["alerting: this monitor sends no messages", "alert pagerduty: "],
    ),
    "the environment everywhere": (
        """
endpoints:
- name: "${ENVIRONMENT} api"
  url: "https://${HOST}/health"
  headers: {Authorization: "Bearer ${TOKEN:-none}", X-Price: "$$5", X-Key: $KEY}
  conditions: ["[STATUS] == ${STATUS}", "[BODY].env == ${ENVIRONMENT}", "[STATUS] < 500"]
""",
        {"ENVIRONMENT-api": 1},
        ["name: stands on every page", "STATUS cannot be filled in", "ENVIRONMENT cannot be filled in"],
    ),
    "every protocol": (
        """
endpoints:
- {name: web, url: "https://a.example.com", conditions: ["[CONNECTED] == true"]}
- {name: ping, url: "icmp://a.example.com", conditions: ["[CONNECTED] == true"]}
- {name: dns, url: "8.8.8.8", dns: {query-name: example.com, query-type: A}, conditions: ["[BODY] == pat(*.*.*.*)", "[DNS_RCODE] == NOERROR"]}
- {name: mail, url: "starttls://smtp.example.com:587", conditions: ["[CERTIFICATE_EXPIRATION] > 48h"]}
- {name: socket, url: "wss://echo.example.com", body: hi, conditions: ["[BODY] == hi"]}
- {name: shell, url: "ssh://a.example.com", ssh: {username: u, password: plain-1}, body: '{"command": "uptime"}', conditions: ["[STATUS] == 0"]}
- {name: udp, url: "udp://a.example.com:53", conditions: ["[CONNECTED] == true"]}
external-endpoints: [{name: cron, token: plain-2, heartbeat: {interval: 30m}}]
""",
        {"web": 1},
        [
            "ping: icmp cannot",
            "dns: dns cannot",
            "mail: starttls",
            "socket: wss",
            "shell: ssh",
            "udp: udp",
            "cron: results cannot be pushed",
        ],
    ),
    "clients": (
        """
endpoints:
- {name: a, url: "https://a.example.com", client: {insecure: true, ignore-redirect: true, timeout: 30s, network: ip4}, conditions: ["[STATUS] == 301"]}
- {name: b, url: "https://b.example.com", client: {oauth2: {token-url: "https://id.example.com", client-id: x, client-secret: plain-1, scopes: [y]}}, conditions: ["[STATUS] == 200"]}
- {name: c, url: "https://c.example.com", client: {proxy-url: "socks5://p:1080", dns-resolver: "tcp://1.1.1.1:53"}, conditions: ["[STATUS] == 200"]}
- {name: d, url: "https://d.example.com", client: {identity-aware-proxy: {audience: x}}, conditions: ["[STATUS] == 200"]}
""",
        {"a": 1, "b": 1, "c": 1, "d": 1},
        ["oauth2: tokens are not fetched", "the proxy is spoken to in socks5", "identity-aware-proxy: "],
    ),
    "the page and its maintenance": (
        """
ui: {title: Status, header: Services}
web: {port: 8080}
storage: {type: sqlite, path: /data/data.db}
security: {basic: {username: john, password-bcrypt-base64: plain-1}}
announcements: [{timestamp: 2026-01-01T00:00:00Z, type: information, message: hello}]
connectivity: {checker: {target: "1.1.1.1:53", interval: 60s}}
maintenance: {start: "02:00", duration: 1h, every: [Sunday]}
endpoints:
- name: a
  url: https://a.example.com
  ui: {hide-url: true, hide-hostname: true, badge: {response-time: {thresholds: [50, 200]}}}
  maintenance-windows: [{start: "07:30", duration: 40m, timezone: Europe/Berlin}]
  conditions: ["[STATUS] == 200"]
""",
        {"a": 1},
        [
            "ui: every page shows every check in one way",
            "security: write [monitor.access]",
            "announcements: make them with `monitor announce`",
        ],
    ),
    "names": (
        """
endpoints:
- {name: "Café – München", group: "Büro / Nord", url: "https://a.example.com", conditions: ["[STATUS] == 200"]}
- {name: "Cafe Munchen", url: "https://b.example.com", conditions: ["[STATUS] == 200"]}
- {name: "cafe/munchen", url: "https://c.example.com", conditions: ["[STATUS] == 200"]}
- {name: "サービス", url: "https://d.example.com", conditions: ["[STATUS] == 200"]}
- {name: "サーバ", url: "https://d.example.com", conditions: ["[STATUS] == 200"]}
- {name: 404, url: "https://e.example.com", conditions: ["[STATUS] == 404"]}
- {name: on, url: "https://f.example.com", conditions: ["[STATUS] == 200"]}
""",
        {
            "Cafe-Munchen": 1,
            "Cafe-Munchen-2": 1,
            "cafe-munchen": 1,
            "d.example.com": 1,
            "d.example.com-2": 1,
            "404": 1,
            "on": 1,
        },
        [],
    ),
    "graphql and bodies": (
        """
endpoints:
- {name: q, url: "https://a.example.com/graphql", method: POST, graphql: true, body: "{ users(gender: \\"female\\") { id } }", headers: {Content-Type: application/json}, conditions: ["[STATUS] == 200", "[BODY].data.users[0].gender == female"]}
- {name: hook, group: g, url: "https://b.example.com", method: post, body: '{"text": "[ENDPOINT_GROUP]/[ENDPOINT_NAME] [RANDOM_STRING_10]"}', conditions: ["[STATUS] == any(200, 201)"]}
""",
        {"q": 1, "hook": 1},
        ["body: [RANDOM_STRING…] is sent as it is written"],
    ),
    "old and new versions": (
        """
metrics: true
debug: false
disable-monitoring-lock: true
concurrency: 5
services:
- {name: old, url: "https://a.example.com/health", interval: 30s, insecure: true, conditions: ["[STATUS] == 200", "[BODY].status == UP", "[RESPONSE_TIME] < 300"], alerts: [{type: twilio, enabled: true, threshold: 5}]}
""",
        {"old": 3},
        ["insecure: there is no such key known here"],
    ),
    "suites": (
        """
suites:
- name: login flow
  interval: 5m
  endpoints:
  - {name: login, url: "https://a.example.com/login", method: POST, store: {token: "[BODY].token"}, conditions: ["[STATUS] == 200"]}
  - {name: use, url: "https://a.example.com", headers: {Authorization: "Bearer [CONTEXT].token"}, conditions: ["[STATUS] == 200"]}
""",
        {},
        ["suites: login flow: a check is one request here"],
    ),
}


@pytest.mark.parametrize("name", GATUS)
def test_gatus(name: str, tmp_path: Path) -> None:
    text, down_after, losses = GATUS[name]
    found = made(gatus.read(yaml_file(tmp_path / "gatus.yml", text)), tmp_path)
    assert {check.name: check.down_after for check in found.checks.values()} == down_after
    said_once(found, losses)


def said_once(found: Made, losses: list[str]) -> None:
    """Each loss is listed once with its place, and no secret is."""
    for loss in losses:
        assert sum(loss in line for line in found.lost) == 1, (loss, found.lost)
    assert len(set(found.lost)) == len(found.lost)
    assert all(re.match(r"\S+(?::\d+|: \w+ \w+)[:,]", line) for line in found.lost), found.lost
    assert "plain-" not in found.text + "".join(found.lost)
    for stale in (
        "there is no history",
        "one page, of all",
        "no announcements",
        "page has no login",
        "not to be had",
        "at Kuma's own",
    ):
        assert stale not in found.text


BLACKBOX = """
modules:
  http_2xx: {prober: http, timeout: 10s, http: {preferred_ip_protocol: ip4, valid_http_versions: ["HTTP/1.1", "HTTP/2.0"]}}
  http_post: {prober: http, http: {method: post, headers: {Content-Type: application/json}, body: '{}'}}
  http_auth: {prober: http, http: {basic_auth: {username: u, password: plain-1}, fail_if_not_ssl: true}}
  http_auth_secret: {prober: http, http: {authorization: {type: ApiKey, credentials: plain-2}}}
  http_body: {prober: http, http: {fail_if_body_not_matches_regexp: ["(?i)welcome", "v[0-9]+"], fail_if_header_not_matches: [{header: Strict-Transport-Security, regexp: ".*", allow_missing: true}]}}
  http_tls: {prober: http, http: {tls_config: {insecure_skip_verify: true, min_version: TLS12, max_version: TLS13}}}
  http_no_redirect: {prober: http, http: {follow_redirects: false, valid_status_codes: [301, 302]}}
  tcp_connect: {prober: tcp, timeout: 5s}
  ssh_banner: {prober: tcp, tcp: {query_response: [{expect: "^SSH-2.0-"}]}}
  icmp: {prober: icmp}
  dns_soa: {prober: dns, dns: {query_name: example.com, query_type: SOA}}
"""
PROMETHEUS: dict[str, tuple[str, list[str], list[str]]] = {
    "the usual job": (
        """
global: {scrape_interval: 15s, external_labels: {cluster: a}}
rule_files: [rules.yml]
alerting: {alertmanagers: [{static_configs: [{targets: [localhost:9093]}]}]}
scrape_configs:
- job_name: blackbox
  metrics_path: /probe
  params: {module: [http_2xx]}
  static_configs: [{targets: [example.com, "https://example.com", "http://example.com:8080"]}]
  relabel_configs:
  - source_labels: [__address__]
    target_label: __param_target
  - source_labels: [__param_target]
    target_label: instance
  - target_label: __address__
    replacement: 127.0.0.1:9115
- {job_name: prometheus, static_configs: [{targets: ["localhost:9090"]}]}
""",
        ["example.com", "example.com-2", "example.com-8080"],
        ["no target uses the module icmp"],
    ),
    "module as a label": (
        """
scrape_configs:
- job_name: probe
  scrape_interval: 5m
  metrics_path: /probe
  static_configs:
  - {targets: [a.example.com, b.example.com], labels: {module: http_post}}
  - {targets: ["ssh.example.com:22"], labels: {module: ssh_banner}}
  - {targets: [10.0.0.1], labels: {module: icmp}}
  relabel_configs:
  - {source_labels: [module], target_label: __param_module}
  - {source_labels: [__address__], target_label: __param_target}
  - {regex: module, action: labeldrop}
""",
        ["a.example.com", "b.example.com"],
        ["ssh.example.com:22: tcp cannot be checked", "10.0.0.1: icmp cannot be checked"],
    ),
    "targets with separators": (
        """
scrape_configs:
- job_name: split
  metrics_path: /probe
  static_configs: [{targets: ["http_no_redirect|web|https://a.example.com/", "http_nothing|web|https://b.example.com/", "bad"]}]
  relabel_configs:
  - {source_labels: [__address__], regex: '([^|]+)\\|([^|]+)\\|(.+)', target_label: __param_module, replacement: $1}
  - {source_labels: [__address__], regex: '([^|]+)\\|([^|]+)\\|(.+)', target_label: group, replacement: $2}
  - {source_labels: [__address__], regex: '([^|]+)\\|([^|]+)\\|(.+)', target_label: __param_target, replacement: $3}
""",
        ["a.example.com"],
        ["there is no module http_nothing", "after its relabel_configs there is no __param_target"],
    ),
    "kubernetes and consul": (
        """
scrape_configs:
- job_name: services
  metrics_path: /probe
  params: {module: [http_2xx]}
  kubernetes_sd_configs: [{role: service}]
  relabel_configs: [{source_labels: [__meta_kubernetes_service_annotation_prometheus_io_probe], action: keep, regex: "true"}]
- job_name: consul
  metrics_path: /probe
  params: {module: [http_2xx]}
  consul_sd_configs: [{server: "localhost:8500"}]
  static_configs: [{targets: [https://kept.example.com]}]
  relabel_configs: [{source_labels: [__address__], target_label: __param_target}]
""",
        ["kept.example.com"],
        ["kubernetes_sd_configs: targets are written out", "consul_sd_configs: targets are written out"],
    ),
    "an instance of its own": (
        """
scrape_configs:
- job_name: named
  metrics_path: /probe
  params: {module: [http_tls]}
  static_configs:
  - {targets: ["https://10.0.0.5:8443/health"], labels: {instance: node-5}}
  relabel_configs: [{source_labels: [__address__], target_label: __param_target}]
""",
        ["10.0.0.5-8443-health"],
        [],
    ),
}


@pytest.mark.parametrize("name", PROMETHEUS)
def test_blackbox(name: str, tmp_path: Path) -> None:
    text, checks, losses = PROMETHEUS[name]
    files = yaml_file(tmp_path / "blackbox.yml", BLACKBOX), yaml_file(tmp_path / "prometheus.yml", text)
    found = made(blackbox.read(files[0], [files[1]]), tmp_path)
    assert list(found.checks) == checks
    said_once(found, losses)
    if name == "an instance of its own":
        assert dict(found.checks[checks[0]].labels) == {"instance": "node-5"}


KUMA: dict[str, tuple[dict[str, Any], list[str]]] = {
    "as the database has it": (
        {
            "active": 1,
            "ignore_tls": 0,
            "upside_down": 0,
            "accepted_statuscodes_json": '["200-299","401"]',
            "maxretries": 1,
            "retry_interval": 20,
            "interval": 60,
        },
        [],
    ),
    "as the backup has it": (
        {
            "active": True,
            "ignoreTls": False,
            "upsideDown": False,
            "accepted_statuscodes": ["200-299"],
            "conditions": [],
            "kafkaProducerBrokers": [],
            "notificationIDList": {"3": True},
        },
        ["its notifications (1)"],
    ),
    "as the API has it": (
        {
            "path": ["a"],
            "pathName": "a",
            "childrenIDs": [],
            "maintenance": False,
            "forceInactive": False,
            "includeSensitiveData": True,
            "screenshot": None,
            "headers": {"Accept": "a"},
            "tags": [{"tag_id": 1, "name": "ümlaut", "value": "x", "color": "#fff"}],
        },
        [],
    ),
    "keyword, inverted": (
        {"type": "keyword", "keyword": 'a "b" \\', "invertKeyword": 1, "body": {"a": 1}, "method": "post"},
        [],
    ),
    "json-query": ({"type": "json-query", "jsonPath": "$.a.b[0]", "expectedValue": True, "jsonPathOperator": "=="}, []),
    "json-query in JSONata": (
        {"type": "json-query", "jsonPath": "$sum(a.b)", "expectedValue": "5"},
        ["is more of JSONata than a path"],
    ),
    "upside down": ({"upsideDown": 1}, ["upside_down: no check here takes a failure for a success"]),
    "limits": (
        {"interval": 20, "retryInterval": 20, "timeout": 48, "maxretries": 0, "resendInterval": 3},
        ["resend_interval: "],
    ),
    "oauth": (
        {"authMethod": "oauth2-cc", "oauth_client_secret": "plain-1"},
        ["auth_method oauth2-cc: is not spoken here"],
    ),
    "newer": (
        {"cacheBust": 1, "saveResponse": 1, "someDay": "x"},
        ["cache_bust: ", "save_response: ", "some_day: is not known here"],
    ),
}


@pytest.mark.parametrize("name", KUMA)
@pytest.mark.parametrize("listed", [True, False])
def test_kuma(name: str, listed: bool, tmp_path: Path) -> None:
    row, losses = KUMA[name]
    monitors = [
        {"id": 4, "name": "Überwacht", "type": "http", "url": "https://a.example.com"} | row,
        {"id": 5, "name": "redis", "type": "redis"},
    ]
    path = tmp_path / "kuma.json"
    path.write_text(json.dumps(monitors if listed else {"version": "1.23.16", "monitorList": monitors}, indent=2))
    found = made(uptime_kuma.read(path), tmp_path)
    assert [(check.name, check.title) for check in found.checks.values()] == [("Uberwacht", "Überwacht")]
    said_once(found, [*losses, "redis: type redis cannot be checked here"])


@pytest.mark.parametrize(
    "content", ["[" * 100_000, '{"a": ' * 100_000, "[1, 2]", '{"monitorList": 7}', '"x"', "7", "null", "{}", "[[{}]]"]
)
def test_json_that_is_no_list_of_monitors_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "kuma.json"
    path.write_text(content)
    with pytest.raises(ForeignFileError):
        uptime_kuma.read(path)
