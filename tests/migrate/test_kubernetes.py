# ruff: noqa: E501
"""Configurations inside of Kubernetes objects, several documents in a file, and the operator's Probe and ScrapeConfig."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from monitor.migrate import blackbox, gatus
from monitor.model.errors import ForeignFileError
from monitor.secrets.secret import reveal
from tests.migrate.harness import Made, made, of_gatus, said, yaml_file

CONFIG_MAP = """apiVersion: apps/v1
kind: Deployment
metadata: {name: gatus}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: gatus}
data:
  nginx.conf: "server { listen 80; }"
  endpoints.yaml: |
    # comment
    endpoints:
      - name: first
        url: https://one.example.com
        alerts: [{type: slack}]
      - {name: port, url: "tcp://x:1"}
  config.yaml: |-
    alerting: {slack: {default-alert: {failure-threshold: 6}}}
    endpoints: [{name: second, url: "https://two.example.com"}]
  broken.yaml: |
    a: [
---
"""


def test_a_config_map_is_opened_and_places_are_lines_of_the_file(tmp_path: Path) -> None:
    found = of_gatus(tmp_path, CONFIG_MAP)
    assert (found.checks["first"].down_after, found.checks["second"].down_after) == (6, 1)
    lines = CONFIG_MAP.splitlines()
    for part, content in (("port: tcp cannot be checked", "name: port"), ("data.broken.yaml: is not", "a: [")):
        (line,) = [line for line in found.lost if part in line]
        number = int(line.split(":")[1])
        assert content in lines[number - 1] or not lines[number - 1].strip(" -")
    assert "data.nginx.conf: is no configuration of Gatus" in found.text


def test_lists_and_secrets_are_opened(tmp_path: Path) -> None:
    coded = base64.b64encode(b"endpoints: [{name: coded, url: 'https://a.example.com'}]").decode()
    text = f"""
apiVersion: v1
kind: List
items:
- {{apiVersion: v1, kind: Secret, metadata: {{name: a}}, data: {{config.yaml: {coded}, other: "%%%"}}}}
- apiVersion: v1
  kind: Secret
  stringData:
    config.json: '{{"endpoints": [{{"name": "plain", "url": "https:\\/\\/b.example.com"}}]}}'
"""
    found = of_gatus(tmp_path, text)
    assert sorted(found.checks) == ["coded", "plain"]
    assert said(found, "data.other: is not text in base64")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("apiVersion: v1\nkind: ConfigMap\ndata: {a: 'x: 1'}\n", "has no `endpoints`"),
        ("apiVersion: v1\nkind: ConfigMap\n", "has no `endpoints`"),
        ("apiVersion: v1\nkind: ConfigMap\ndata:\n  a: |\n    endpoints: [\n", "it.yml:6:1: data.a: is not valid YAML"),
        ("apiVersion: v1\nkind: ConfigMap\ndata: [a]\n", "data: must be a mapping"),
    ],
)
def test_objects_without_a_configuration_are_refused(text: str, sentence: str, tmp_path: Path) -> None:
    path = yaml_file(tmp_path / "it.yml", text)
    with pytest.raises(ForeignFileError) as refused:
        gatus.read(path)
    assert sentence in str(refused.value)


MODULES = """apiVersion: v1
kind: ConfigMap
metadata: {name: blackbox}
data:
  blackbox.yml: |
    modules:
      http_2xx: {prober: http}
      http_401: {prober: http, http: {valid_status_codes: [401]}}
"""
PROBE = """apiVersion: monitoring.coreos.com/v1
kind: Probe
metadata: {name: shop, namespace: web, labels: {release: prometheus}}
spec:
  jobName: shops
  interval: 20s
  scrapeTimeout: 5s
  module: http_401
  prober: {url: "blackbox.monitoring:9115", scheme: http, path: /probe}
  metricRelabelings: [{action: labeldrop, regex: x}]
  tlsConfig: {insecureSkipVerify: true}
  targets:
    staticConfig:
      static: ["https://shop.example.com/health", "магазин.example.com"]
      labels: {team: payments, instance: shop}
      relabelingConfigs:
      - {sourceLabels: [team], targetLabel: tribe, replacement: "t-$1"}
---
apiVersion: monitoring.coreos.com/v1
kind: Probe
metadata: {name: plain}
spec:
  targets: {staticConfig: {static: [https://plain.example.com]}, ingress: {selector: {}}}
---
apiVersion: monitoring.coreos.com/v1alpha1
kind: ScrapeConfig
metadata: {name: more, namespace: web}
spec:
  metricsPath: /probe
  scrapeInterval: 2m
  params: {module: [http_2xx]}
  staticConfigs: [{targets: [https://more.example.com], labels: {env: prod}}]
  httpSDConfigs: [{url: "http://x"}]
  relabelings:
  - {sourceLabels: [__address__], targetLabel: __param_target, action: Replace}
---
{apiVersion: v1, kind: Service, metadata: {name: x}}
"""


def of_probes(tmp_path: Path, targets: str, modules: str = MODULES) -> Made:
    files = yaml_file(tmp_path / "modules.yml", modules), yaml_file(tmp_path / "targets.yml", targets)
    return made(blackbox.read(files[0], [files[1]]), tmp_path)


def test_probes_and_scrape_configs_of_the_operator(tmp_path: Path) -> None:
    found = of_probes(tmp_path, PROBE)
    shop, plain, more = (
        found.checks[f"{name}"] for name in ("shop.example.com-health", "plain.example.com", "more.example.com")
    )
    assert (shop.group, shop.interval, shop.limits.total, shop.request.expect.status) == (
        "shops",
        20,
        4.5,
        ((401, 401),),
    )
    assert dict(shop.labels) == {
        "team": "payments",
        "namespace": "web",
        "tribe": "t-payments",
        "instance": "https://shop.example.com/health",
    }
    assert (plain.group, plain.interval, dict(plain.labels)) == ("probe/plain", 30, {})
    assert (more.group, more.interval, dict(more.labels)) == ("scrapeConfig/web/more", 120, {"env": "prod"})
    assert found.checks["example.com"].title == "магазин.example.com"
    for part in (
        "probe/plain: targets.ingress: targets are written out",
        "httpSDConfigs: targets are written out",
        "metricRelabelings: move it",
    ):
        assert said(found, part)
    assert "targets.yml:10: probe/web/shop: metricRelabelings" in "\n".join(found.lost)


@pytest.mark.parametrize("targets", ["[]", "- {a: b}", "{apiVersion: v1, kind: Pod}", "a: b", "{kind: Probe}"])
def test_files_without_any_job_are_refused(targets: str, tmp_path: Path) -> None:
    with pytest.raises(ForeignFileError, match="has no scrape_configs"):
        of_probes(tmp_path, targets)


@pytest.mark.parametrize("spec", ["7", "{}", "{targets: 7}", "{targets: {staticConfig: {static: 7}}}", "[]"])
def test_probes_of_the_wrong_shape_are_said(spec: str, tmp_path: Path) -> None:
    probe = f"{{apiVersion: monitoring.coreos.com/v1, kind: Probe, metadata: {{name: it}}, spec: {spec}}}"
    found = of_probes(tmp_path, probe)
    assert found.checks == {}
    assert any("targets.yml" in line for line in found.lost)


JOB = """
- job_name: web
  metrics_path: /probe
  params: {module: [http_2xx]}
  file_sd_configs: [{files: [FILES]}]
  relabel_configs: [{source_labels: [__address__], target_label: __param_target}]
"""


def test_a_list_of_jobs_is_read(tmp_path: Path) -> None:
    job = JOB.replace("file_sd_configs: [{files: [FILES]}]", "static_configs: [{targets: [https://a.example.com]}]")
    assert list(of_probes(tmp_path, job).checks) == ["a.example.com"]


@pytest.mark.parametrize(
    "name",
    [
        "targets/a.yml",
        "targets/*.yml",
        "/etc/prometheus/targets/a.yml",
        "/no/such/a.yml",
        "../etc/targets/*.yml",
        "a.yml",
    ],
)
def test_target_files_are_looked_for_beside_the_configuration(name: str, tmp_path: Path) -> None:
    folder = tmp_path if name in ("/no/such/a.yml", "a.yml") else tmp_path / "targets"
    folder.mkdir(exist_ok=True)
    yaml_file(folder / "a.yml", "- targets: [https://a.example.com]\n  labels: {instance: 'https://a.example.com'}\n")
    found = of_probes(tmp_path, f"scrape_configs:{JOB.replace('FILES', name)}")
    assert dict(found.checks["a.example.com"].labels) == {"instance": "https://a.example.com"}
    assert not said(found, "there is no file")
    if name.startswith("/"):
        assert f"{name}: is not here; {folder}/a.yml is read instead" in found.text


@pytest.mark.parametrize("name", ["a**", "x/\\u0000", "b" * 300, "[", "**", "..", "/", ""])
def test_odd_names_of_target_files_are_said(name: str, tmp_path: Path) -> None:
    found = of_probes(tmp_path, f"scrape_configs:{JOB.replace('FILES', chr(34) + name + chr(34))}")
    assert said(found, "there is no file")


def test_target_files_in_the_same_config_map_are_read(tmp_path: Path) -> None:
    job = "\n    ".join(f"scrape_configs:{JOB.replace('FILES', '/etc/prometheus/sd-*.yml')}".splitlines())
    text = f"""apiVersion: v1
kind: ConfigMap
data:
  prometheus.yml: |
    {job}
  sd-web.yml: "- targets: [https://a.example.com]"
"""
    found = of_probes(tmp_path, text)
    assert [reveal(check.url) for check in found.checks.values()] == ["https://a.example.com"]


def test_a_label_that_a_scrape_sets_is_said_to_get_another_name(tmp_path: Path) -> None:
    found = of_gatus(tmp_path, "endpoints: [{name: it, url: 'https://a.example.com', extra-labels: {instance: x}}]")
    assert dict(found.checks["it"].labels) == {"instance": "x"}
    assert "the label instance is exported_instance in Prometheus, unless the job" in found.text
