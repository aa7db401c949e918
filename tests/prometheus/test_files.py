"""The files of deploy/ are valid, and alerts, runbooks and tests know of each other."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from monitor.live.ledger import Ledger
from monitor.metrics import CheckCollector, Registry, Vitals
from monitor.model.clock import Moment
from tests.project.markdown import anchors
from tests.prometheus.world import FOLDER, ROOT, RULES

RUNBOOKS = ROOT / "docs" / "runbooks.md"
INSTALL = ROOT / "docs" / "install.md"
ALERTMANAGER = ROOT / "deploy" / "alertmanager" / "alertmanager.yml"
SECTIONS = re.split(r"^### ", RUNBOOKS.read_text().partition("## The monitor's own figures")[0], flags=re.MULTILINE)[1:]


def rules() -> str:
    return "".join(path.read_text() for path in RULES)


def alerts() -> list[str]:
    return re.findall(r"- alert: (\w+)", rules())


@pytest.mark.parametrize("name", ["prometheus.yml", "blackbox-dashboards.yml"])
def test_prometheus_takes_the_configuration(name: str, promtool: str) -> None:
    subprocess.run([promtool, "check", "config", FOLDER / name], check=True, capture_output=True)


def test_what_the_page_on_installing_copies_is_whole(promtool: str, amtool: str, tmp_path: Path) -> None:
    (copy,) = re.findall(r"^# (cp deploy/prometheus/.*) /etc/prometheus/$", INSTALL.read_text(), re.MULTILINE)
    subprocess.run(["sh", "-c", f"{copy} {tmp_path}"], cwd=ROOT, check=True)
    checked = subprocess.run(
        [promtool, "check", "config", tmp_path / "prometheus.yml"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    assert f"{len(RULES)} rule files found" in checked.stdout
    subprocess.run([amtool, "check-config", tmp_path / "alertmanager.yml"], check=True, capture_output=True)


def test_every_file_of_rules_is_loaded_by_the_example() -> None:
    assert set(re.findall(r"- (\S+\.rules\.yml)", (FOLDER / "prometheus.yml").read_text())) == {p.name for p in RULES}


def test_every_alert_says_what_and_links_its_own_runbook() -> None:
    for rule in re.split(r"- alert: ", rules())[1:]:
        name = rule.split("\n", 1)[0]
        assert re.search(r"severity: (page|ticket)\n", rule), name
        assert "summary:" in rule, name
        assert "description:" in rule, name
        assert f"/runbooks.md#{name.lower()}\n" in rule
        assert name.lower() in anchors(RUNBOOKS)


def test_every_runbook_is_of_an_alert_and_has_three_things_to_look_at() -> None:
    assert sorted(section.split("\n", 1)[0] for section in SECTIONS) == sorted(alerts())
    for section in SECTIONS:
        assert re.findall(r"^(\d)\. ", section, re.MULTILINE) == ["1", "2", "3"], section
        assert "\nSilence: " in section, section


def test_every_alert_is_tried_both_ways() -> None:
    """By a scenario in which it fires and says its text; the same scenarios look at times when nothing may fire."""
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*_rules.py"))
    for name in alerts():
        assert re.search(rf'says\(\s*"{name}"', tests), name
        assert re.search(rf'alert\("{name}"', tests), name


async def test_every_figure_of_the_monitor_is_explained_with_what_to_do() -> None:
    registry = Registry(CheckCollector(Ledger(), lambda: Moment(0.0, 0.0)))
    Vitals(registry, "1.0.0")
    scraped = (await registry.scrape("", "")).body.decode()
    table = RUNBOOKS.read_text().partition("## The monitor's own figures")[2]
    for name in re.findall(r"^# TYPE (monitor_\w+)", scraped, re.MULTILINE):
        assert f"`{name}`" in table


def test_alertmanager_takes_the_example(amtool: str) -> None:
    subprocess.run([amtool, "check-config", ALERTMANAGER], check=True, capture_output=True)


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (("severity=page", "group=shop"), "shop-on-call"),
        (("severity=page", "group=search"), "on-call"),
        (("severity=page",), "on-call"),
        (("severity=ticket", "group=shop"), "tickets"),
    ],
)
def test_alerts_reach_whom_they_concern(labels: tuple[str, ...], receiver: str, amtool: str) -> None:
    command = [amtool, "config", "routes", "test", f"--config.file={ALERTMANAGER}", *labels]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip() == receiver


def test_alertmanager_speaks_of_alerts_that_exist() -> None:
    named = re.findall(r'alertname =~? "([\w|]+)"', ALERTMANAGER.read_text())
    assert {name for each in named for name in each.split("|")} <= set(alerts())
