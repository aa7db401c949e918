"""Relabelling: what becomes of a target's labels here and in Prometheus."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from monitor.migrate.draft import ImportResult
from monitor.migrate.prometheus import targets
from monitor.migrate.relabel import Rule, relabelled
from tests.migrate.harness import yaml_file
from tests.service.prometheus import program

JOB = r"""
scrape_configs:
- job_name: j
  metrics_path: /probe
  params: {module: [m]}
  scrape_interval: 5s
  static_configs:
  - targets: ["one.example.com:80", "two.example.com:81", "c:82"]
    labels: {__scrape_interval__: 15s, team: "p.q-r", __tmp: z}
  relabel_configs:
  - {source_labels: [__address__], regex: "(.*?)[.:].*", replacement: "http_$1", target_label: __param_module}
  - {source_labels: [__address__], regex: ".*:(?P<u>.*)", replacement: "${u}$$x$2$1a", target_label: __param_target}
  - {source_labels: [team, __param_module], separator: "~", regex: "(.*)~(.*)", target_label: "t_$2", replacement: "$1"}
  - {source_labels: [__address__], modulus: 7, target_label: shard, action: hashmod}
  - {regex: "__(tm)p", replacement: "x_$1", action: labelmap}
  - {source_labels: [team], action: uppercase, target_label: up}
  - {source_labels: [missing], regex: "", target_label: absent, replacement: "yes"}
  - {source_labels: [__metrics_path__], target_label: way}
  - {source_labels: [missing], target_label: team2}
  - {regex: "t.am", action: labeldrop}
  - {source_labels: [shard], regex: "[0-5]", action: keep}
"""


def test_targets_are_those_of_promtool(tmp_path: Path) -> None:
    path = yaml_file(tmp_path / "prometheus.yml", JOB)
    promtool = program("promtool", "prometheus")
    ended = subprocess.run(
        [promtool, "check", "service-discovery", "--timeout=1s", path, "j"], capture_output=True, text=True, check=True
    )
    theirs = [each["labels"] for each in json.loads(ended.stdout[ended.stdout.index("[") :]) if each.get("labels")]
    ours = [
        {"module": t.module, "target": t.address, "job": t.job, "interval": t.interval, "timeout": t.timeout} | t.labels
        for t in targets(path, ImportResult("", [], []))
    ]
    seconds = {"15s": 15, "5s": 5}
    assert len(ours) in {1, 2}
    assert ours == [
        {
            "module": labels["__param_module"],
            "target": labels["__param_target"],
            "interval": seconds[labels["__scrape_interval__"]],
            "timeout": seconds[labels["__scrape_timeout__"]],
        }
        | {name: value for name, value in labels.items() if not name.startswith("__") and name != "instance"}
        for labels in theirs
    ]


def test_relabelling_is_that_of_prometheus() -> None:
    labels = {"a": "one", "b": "two", "__meta_x": "kept"}
    assert relabelled(labels, [Rule(["a", "b"], regex="(o.*);(t.*)", target="c", replacement="$2-${1}")]) == labels | {
        "c": "two-one"
    }
    assert relabelled(labels, [Rule(["a"], regex="on", target="c")]) == labels  # anchored
    assert relabelled(labels, [Rule(["a"], regex="one", action="drop")]) is None
    assert relabelled(labels, [Rule(["a"], regex="two", action="keep")]) is None
    assert relabelled(labels, [Rule(regex="__meta_(.*)", action="labelmap")]) == labels | {"x": "kept"}
    assert relabelled(labels, [Rule(regex="[ab]", action="labeldrop")]) == {"__meta_x": "kept"}
    assert relabelled(labels, [Rule(regex="a", action="labelkeep")]) == {"a": "one"}
    assert relabelled(labels, [Rule(["a"], target="a", action="uppercase")]) == labels | {"a": "ONE"}
    assert relabelled(labels, [Rule(["a"], target="b", action="keepequal")]) is None
    assert relabelled(labels, [Rule(["a"], target="b", replacement="")]) == {"a": "one", "__meta_x": "kept"}
    assert relabelled({"a": "x"}, [Rule(["a"], target="m", modulus=8, action="hashmod")])["m"] in set("01234567")  # type: ignore[index]
