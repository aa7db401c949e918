"""deploy/kubernetes: what kustomize makes of it is valid, agrees with itself and with the daemon, and is restricted."""

from __future__ import annotations

import base64
import importlib.util
import json
import re
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from monitor.config import load
from monitor.web.app import build_app
from tests.project.conftest import ROOT
from tests.project.kustomize import HASH, Manifest, containers, one, render
from tests.project.markdown import blocks
from tests.servers import certs
from tests.starvation import Starvation
from tests.system.daemon import REFUSED, RELOADED, Daemon, Volume, launch

HERE = ROOT / "deploy" / "kubernetes"
KUSTOMIZATIONS = sorted(path.parent for path in HERE.rglob("kustomization.yaml") if "components" not in path.parts)
VERSIONS = ("1.27", kubernetes_validate.latest_version())
"""The oldest that knows `unhealthyPodEvictionPolicy` by default, and the newest that the validator knows."""
CUSTOM = {"ServiceMonitor", "PrometheusRule"}
CLUSTER_CA = "kube-root-ca.crt"


@pytest.fixture(params=KUSTOMIZATIONS, ids=lambda path: path.name)
def folder(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


@pytest.fixture
def found(folder: Path) -> list[Manifest]:
    return render(folder)


@pytest.fixture
def pod(found: list[Manifest]) -> Manifest:
    spec: Manifest = one(found, "Deployment")["spec"]["template"]["spec"]
    return spec


@pytest.fixture
def container(found: list[Manifest]) -> Manifest:
    (only,) = containers(found)
    return only


def by_name(manifests: list[Manifest]) -> dict[tuple[str, str], Manifest]:
    return {(m["kind"], m["metadata"]["name"]): m for m in manifests}


def test_there_are_a_base_and_two_overlays() -> None:
    assert [path.name for path in KUSTOMIZATIONS] == ["base", "minimal", "prometheus-operator"]


@pytest.fixture
def kubectl() -> str:
    kubectl = shutil.which("kubectl")
    version = kubectl and subprocess.run([kubectl, "version", "--client"], check=True, capture_output=True, text=True)
    if not version or "Kustomize Version: v5" not in version.stdout:  # also in CI: Debian 12 has none of this age
        pytest.skip("needs kubectl 1.27 or newer")
    return str(kubectl)


def test_kubectl_makes_the_same_of_it(folder: Path, found: list[Manifest], kubectl: str) -> None:
    made = subprocess.run([kubectl, "kustomize", folder], check=True, capture_output=True, text=True)
    assert made.stderr == "", "a warning of something deprecated"
    text = re.sub(r"(?<=monitor-env)-[bcdfghkmt2456789]{10}\b", HASH, made.stdout)
    assert by_name(list(yaml.safe_load_all(text))) == by_name(found)


def test_the_overlay_of_the_documentation_does_what_it_says(tmp_path: Path, kubectl: str) -> None:
    overlay, labels = (block.text for block in blocks(ROOT / "docs" / "kubernetes.md", "yaml"))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "kustomization.yaml").write_text(overlay.replace("- monitor/", "- ../monitor/") + labels)
    (tmp_path / "mine" / "checks.toml").write_text("# mine\n")
    shutil.copytree(HERE, tmp_path / "monitor" / "deploy" / "kubernetes")
    made = subprocess.run([kubectl, "kustomize", tmp_path / "mine"], check=True, capture_output=True, text=True)
    assert made.stderr == ""
    found = list(yaml.safe_load_all(made.stdout))
    assert one(found, "ConfigMap", "monitor-config")["data"] == {"checks.toml": "# mine\n"}
    assert [c["image"] for c in containers(found)] == ["registry.example.com/tools/endpoint-monitor:0.1.0"]
    labelled = {m["kind"] for m in found if m["metadata"].get("labels", {}).get("release") == "kube-prometheus-stack"}
    assert labelled == CUSTOM


@pytest.mark.parametrize("version", VERSIONS)
def test_manifests_are_valid(found: list[Manifest], version: str) -> None:
    for manifest in found:
        if manifest["kind"] not in CUSTOM:
            kubernetes_validate.validate(manifest, version, strict=True)


def test_what_is_written_about_is_there(found: list[Manifest]) -> None:
    kinds = {manifest["kind"] for manifest in found}
    assert kinds >= {
        "Namespace", "ServiceAccount", "Deployment", "Service", "ConfigMap", "NetworkPolicy", "PodDisruptionBudget",
    }  # fmt: skip


# the pod


def test_the_pod_keeps_the_restricted_pod_security_standard(pod: Manifest, container: Manifest) -> None:
    """Every rule of it, https://kubernetes.io/docs/concepts/security/pod-security-standards/."""
    assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers", "ephemeralContainers"} & pod.keys()
    assert {kind for volume in pod["volumes"] for kind in volume} <= {"name", "configMap", "secret", "emptyDir"}
    assert not [port for port in container["ports"] if "hostPort" in port]
    of_pod, own = pod["securityContext"], container["securityContext"]
    assert of_pod["runAsNonRoot"] is True
    assert of_pod["runAsUser"] > 0 < of_pod["runAsGroup"]
    assert of_pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert "sysctls" not in of_pod
    assert own == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip


def test_the_namespace_enforces_it(found: list[Manifest]) -> None:
    assert one(found, "Namespace")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_there_is_no_token_in_the_pod(found: list[Manifest], pod: Manifest) -> None:
    account = one(found, "ServiceAccount")
    assert account["automountServiceAccountToken"] is pod["automountServiceAccountToken"] is False
    assert pod["serviceAccountName"] == account["metadata"]["name"]


def test_secret_files_are_readable_by_the_group_of_the_pod_alone(pod: Manifest) -> None:
    (secret,) = (volume["secret"] for volume in pod["volumes"] if "secret" in volume)
    assert secret["defaultMode"] == 0o440
    assert pod["securityContext"]["fsGroup"] == pod["securityContext"]["runAsGroup"]


def test_directories_are_mounted_whole_so_that_a_change_arrives(container: Manifest) -> None:
    assert not any("subPath" in mount for mount in container["volumeMounts"])
    assert [mount["name"] for mount in container["volumeMounts"] if not mount.get("readOnly")] == ["history"]


def test_probes_ask_paths_that_exist_on_the_port_that_is_listened_on(container: Manifest) -> None:
    app = build_app(None, None, access_log=False)  # type: ignore[arg-type]
    paths = {route.resource.canonical for route in app.router.routes() if route.resource is not None}
    probes = {kind: container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")}
    assert {probe["path"] for probe in probes.values()} <= paths
    assert probes["liveness"]["path"] == "/-/healthy"
    assert {probe["port"] for probe in probes.values()} == {"http"}
    (port,) = container["ports"]
    assert port == {"name": "http", "containerPort": 8420}
    assert container["args"] == ["--listen", f"0.0.0.0:{port['containerPort']}"]


def test_memory_is_limited_and_cpu_is_not(container: Manifest) -> None:
    """A throttled monitor measures its own pauses."""
    assert container["resources"]["limits"].keys() == {"memory"}
    assert container["resources"]["requests"].keys() == {"cpu", "memory"}


def test_the_request_carries_a_thousand_https_checks_by_the_figures_of_the_bench(container: Manifest) -> None:
    bench = (ROOT / "docs" / "bench.md").read_text()
    row = re.search(r"HTTPS check, 50/s\*\*.*?; ([0-9.]+) : [0-9.]+ ms", bench, re.DOTALL)
    assert row is not None
    requests = container["resources"]["requests"]
    assert int(requests["cpu"].removesuffix("m")) >= float(row[1]) * 1000 / 30
    assert int(requests["memory"].removesuffix("Mi")) << 20 >= 80e6 + 1000 * 15e3


def test_the_pod_outlives_the_drain(found: list[Manifest], pod: Manifest, tmp_path: Path) -> None:
    text = one(found, "ConfigMap")["data"]["checks.toml"]
    drain = re.search(r'^drain_timeout = "(\d+)s"$', text, re.MULTILINE)
    assert drain is not None
    assert pod["terminationGracePeriodSeconds"] >= int(drain[1]) + 10


def test_there_is_one_replica_at_a_time_and_nothing_blocks_a_drain(found: list[Manifest]) -> None:
    spec = one(found, "Deployment")["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    assert one(found, "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1


def test_the_image_has_the_version_of_the_project(container: Manifest) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert container["image"] == f"endpoint-monitor:{project['version']}"


def test_the_history_is_kept_where_the_pod_may_write_and_a_claim_can_take_its_place(
    pod: Manifest, container: Manifest
) -> None:
    place = {e["name"]: e.get("value") for e in container["env"]}["STATE_DIRECTORY"]
    assert {m["name"]: m["mountPath"] for m in container["volumeMounts"]}["history"] == place
    folder = HERE / "components/persistent-history"
    component = yaml.safe_load((folder / "kustomization.yaml").read_text())
    claim = yaml.safe_load((folder / component["resources"][0]).read_text())
    (patch,) = (yaml.safe_load(one["patch"]) for one in component["patches"])
    (volume,) = patch["spec"]["template"]["spec"]["volumes"]
    assert volume["name"] in {v["name"] for v in pod["volumes"] if "emptyDir" in v}
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]


# what refers to what


def test_selectors_select_the_pod(found: list[Manifest]) -> None:
    deployment, service = one(found, "Deployment"), one(found, "Service")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    selectors = [
        deployment["spec"]["selector"]["matchLabels"],
        service["spec"]["selector"],
        one(found, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
        one(found, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
    ]
    assert all(selector and selector.items() <= labels.items() for selector in selectors)


def test_everything_that_the_pod_refers_to_is_there_or_optional(
    found: list[Manifest], pod: Manifest, container: Manifest
) -> None:
    known = {(m["kind"], m["metadata"]["name"]) for m in found}
    wanted = [("ConfigMap", v["configMap"], v["configMap"]["name"]) for v in pod["volumes"] if "configMap" in v]
    wanted += [("Secret", v["secret"], v["secret"]["secretName"]) for v in pod["volumes"] if "secret" in v]
    wanted += [("Secret", e["secretRef"], e["secretRef"]["name"]) for e in container["envFrom"]]
    missing = {name for kind, reference, name in wanted if (kind, name) not in known}
    assert all(reference.get("optional") for _, reference, name in wanted if name in missing)
    assert "monitor-config" not in missing
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod["volumes"]}


def test_what_is_reloaded_keeps_its_name_and_what_needs_a_restart_does_not() -> None:
    names = {m["metadata"]["name"] for m in render(HERE / "overlays" / "minimal") if "data" in m}
    assert names == {"monitor-config", "monitor-files", "monitor-env" + HASH}


def test_the_network_policy_lets_monitoring_in_and_everything_out(found: list[Manifest]) -> None:
    spec = one(found, "NetworkPolicy")["spec"]
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert spec["egress"] == [{}]
    ((rule,), ports) = (spec["ingress"][0]["from"], spec["ingress"][0]["ports"])
    assert rule == {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
    assert ports == [{"protocol": "TCP", "port": "http"}]


def test_service_and_service_monitor_name_the_port() -> None:
    found = render(HERE / "overlays" / "prometheus-operator")
    service, scraper = one(found, "Service"), one(found, "ServiceMonitor")["spec"]
    (port,) = service["spec"]["ports"]
    assert (port["name"], port["port"], port["targetPort"]) == ("http", 8420, "http")
    assert scraper["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    ((endpoint),) = scraper["endpoints"]
    assert (endpoint["port"], endpoint["path"]) == ("http", "/metrics")


def test_prometheus_takes_the_relabelling_of_the_service_monitor(tmp_path: Path, promtool: str) -> None:
    """In its own words: the operator only writes these keys in another case."""
    (endpoint,) = one(render(HERE / "overlays" / "prometheus-operator"), "ServiceMonitor")["spec"]["endpoints"]
    cased = [
        {re.sub("[A-Z]", lambda c: "_" + c[0].lower(), k): v for k, v in r.items()} for r in endpoint["relabelings"]
    ]
    config = {"scrape_configs": [{"job_name": "monitor", "relabel_configs": cased}]}
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config))
    command = [promtool, "check", "config", "--syntax-only", tmp_path / "prometheus.yml"]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert [rule.get("target_label") for rule in cased] == ["instance", None]


def test_annotations_of_the_minimal_overlay_name_the_port() -> None:
    service = one(render(HERE / "overlays" / "minimal"), "Service")
    assert service["metadata"]["annotations"]["prometheus.io/port"] == str(service["spec"]["ports"][0]["port"])


# the rules


def generator() -> Any:
    spec = importlib.util.spec_from_file_location("prometheusrule", HERE / "prometheusrule.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_prometheus_rule_is_in_step_with_the_rules() -> None:
    made = generator()
    assert made.WRITTEN.read_text() == made.manifest(), "run python deploy/kubernetes/prometheusrule.py"


def test_the_prometheus_rule_has_every_group_and_prometheus_takes_them(tmp_path: Path, promtool: str) -> None:
    written = yaml.safe_load((HERE / "overlays" / "prometheus-operator" / "prometheusrule.yaml").read_text())
    sources = sorted((ROOT / "deploy" / "prometheus").glob("*.rules.yml"))
    groups = [group for path in sources for group in yaml.safe_load(path.read_text())["groups"]]
    assert written["spec"] == {"groups": groups}
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(written["spec"]))
    checked = subprocess.run(
        [promtool, "check", "rules", tmp_path / "rules.yml"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


def test_rules_of_an_unknown_form_are_refused_and_not_lost(tmp_path: Path) -> None:
    made = generator()
    made.RULES = tmp_path
    (tmp_path / "a.rules.yml").write_text("# why\ngroups:\n  - name: a\n    rules: []\n")
    assert yaml.safe_load(made.manifest())["spec"] == {"groups": [{"name": "a", "rules": []}]}
    (tmp_path / "b.rules.yml").write_text("groups: [{name: b, rules: []}]\n")
    with pytest.raises(SystemExit, match=r"b\.rules\.yml: there has to be a line"):
        made.manifest()


# a pod, as far as there can be one without a cluster


class Pod:
    """The volumes of a pod below a directory, as a kubelet lays them out, and its environment."""

    def __init__(self, root: Path, found: list[Manifest]) -> None:
        spec = one(found, "Deployment")["spec"]["template"]["spec"]
        (self.container,) = spec["containers"]
        self.env = {variable["name"]: variable["value"] for variable in self.container["env"]}
        self.volumes: dict[str, Volume] = {}
        data = {m["metadata"]["name"]: _contents(m) for m in found if "data" in m}
        data[CLUSTER_CA] = {"ca.crt": certs.authority().cert_pem.bytes().decode()}
        for source in self.container["envFrom"]:
            self.env |= data.get(source["secretRef"]["name"], {})
        sources = {v["name"]: v.get("configMap", v.get("secret", {})) for v in spec["volumes"]}
        for mount in self.container["volumeMounts"]:
            source = sources[mount["name"]]
            files = data.get(source.get("name", source.get("secretName")), {})
            self.volumes[mount["name"]] = Volume(root / mount["mountPath"].lstrip("/"), **_keywords(files))
        self.config = root / self.env["MONITOR_CONFIG"].lstrip("/")
        self.env["MONITOR_CONFIG"] = str(self.config)
        self.env["STATE_DIRECTORY"] = str(root / self.env["STATE_DIRECTORY"].lstrip("/"))

    def swap_config(self, text: str) -> None:
        """What a kubelet does some time after `kubectl apply`."""
        self.volumes["config"].swap(checks__toml=text)


def _contents(manifest: Manifest) -> dict[str, str]:
    secret = manifest["kind"] == "Secret"
    return {k: base64.b64decode(v).decode() if secret else v for k, v in manifest["data"].items()}


def _keywords(files: dict[str, str]) -> dict[str, str]:
    return {name.replace(".", "__"): text for name, text in files.items()}


def test_its_checks_are_valid_where_the_pod_has_them(found: list[Manifest], tmp_path: Path) -> None:
    pod = Pod(tmp_path, found)
    command = (sys.executable, "-m", "monitor", "validate")
    ended = subprocess.run(
        command, env={"PYTHONPATH": str(ROOT), **pod.env}, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    configuration = load(pod.config, pod.env)
    assert configuration.monitor.reload_on_change
    assert {check.target.partition("/-/")[0] for check in configuration.checks} == {
        "http://127.0.0.1:8420", "https://kubernetes.default.svc/livez",
    }  # fmt: skip


async def test_the_pods_command_passes_its_probes_through_good_and_bad_config_maps(tmp_path: Path) -> None:
    pod = Pod(tmp_path, render(HERE / "overlays" / "minimal"))
    text = pod.config.read_text().replace('interval = "30s"', 'interval = "1d"')  # it asks nobody
    pod.swap_config(text)
    program, *command = pod.container["command"]
    assert (program, pod.container["args"][0]) == ("monitor", "--listen")
    run = (sys.executable, "-m", program, *command, "--listen", "127.0.0.1:0")
    daemon = await launch(run, {"PYTHONPATH": str(ROOT), **pod.env})
    try:
        daemon.address = (await daemon.logged("started"))["listen"]
        await _passes_probes(daemon, pod)
        pod.swap_config(text + "[[checks]]\n")
        await daemon.loaded(REFUSED)
        await _passes_probes(daemon, pod)
        pod.swap_config(text + '[[checks]]\nname = "another"\nurl = "http://127.0.0.1:9/"\ninterval = "1d"\n')
        await daemon.loaded(REFUSED, RELOADED)
        await _passes_probes(daemon, pod)
        pod.volumes["secrets"].swap(**{"example-token": "another-token"})
        await daemon.loaded(REFUSED, RELOADED, RELOADED)
        names = [check["name"] for check in json.loads((await daemon.get("/status.json"))[1])["checks"]]
        assert names[-1] == "another"
    finally:
        starvation, began = Starvation(daemon.process.pid), time.monotonic()
        code = await daemon.end()
    assert code == 0
    assert time.monotonic() - began < 10 + starvation.seconds


async def _passes_probes(daemon: Daemon, pod: Pod) -> None:
    for kind in ("startup", "liveness", "readiness"):
        path = pod.container[f"{kind}Probe"]["httpGet"]["path"]
        assert (await daemon.get(path))[0] == 200, kind
