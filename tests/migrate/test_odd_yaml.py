# ruff: noqa: E501
"""YAML and JSON that are odd, broken or hostile."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.migrate import blackbox, gatus
from monitor.model.errors import ForeignFileError
from monitor.secrets.secret import reveal
from tests.migrate.harness import made, of_gatus, yaml_file


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
