"""The documentation: its snippets are valid, and it knows every reason, path, command, option and metric it should."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import click
import pytest

from monitor.cli import commands
from monitor.config import load
from monitor.model.outcome import FAILURES, Outcome, Reason, State
from monitor.web.app import build_app
from tests.project.conftest import ROOT, pages
from tests.project.markdown import Block, blocks

README, DOCS = ROOT / "README.md", ROOT / "docs"
OUTCOMES, OPERATING, DESIGN = (DOCS / f"{name}.md" for name in ("outcomes", "operating", "design"))
OURS = [README, OUTCOMES, OPERATING, DESIGN]
PROBE = DOCS / "probe.md"
MAINTENANCE = DOCS / "maintenance.md"
_LOGGING = (
    "service.py", "live/transition_log.py", "scheduling/runner.py", "system/file_watch.py", "web/access.py",
    "web/entrance.py", "web/tls.py",
)  # fmt: skip
ENVIRONMENT = {"SHOP_TOKEN": "t0ken"}


def snippets(language: str, found: list[Path]) -> list[Block]:
    return [block for page in found for block in blocks(page, language)]


@pytest.mark.parametrize("block", snippets("toml", [*OURS, PROBE, MAINTENANCE]), ids=lambda block: block.place)
def test_configurations_are_valid(block: Block, tmp_path: Path) -> None:
    path = tmp_path / "checks.toml"
    path.write_text(block.text)
    load(path, ENVIRONMENT)


def test_python_can_be_parsed() -> None:
    for block in snippets("python", pages()):
        ast.parse(block.text, block.place)


@pytest.mark.parametrize("block", snippets("yaml", [*OURS, PROBE]), ids=lambda block: block.place)
def test_prometheus_takes_its_files(block: Block, tmp_path: Path, promtool: str) -> None:
    path = tmp_path / "file.yml"
    path.write_text(block.text)
    kind = "rules" if block.text.startswith("groups:") else "config"
    ended = subprocess.run([promtool, "check", kind, path], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("block", snippets("promql", OURS), ids=lambda block: block.place)
def test_prometheus_takes_the_expressions(block: Block, tmp_path: Path, promtool: str) -> None:
    lines = [line.partition(" #")[0].strip() for line in block.text.splitlines()]
    rules = "".join(f"      - alert: A{n}\n        expr: {line!r}\n" for n, line in enumerate(lines) if line)
    path = tmp_path / "rules.yml"
    path.write_text(f"groups:\n  - name: snippets\n    rules:\n{rules}")
    subprocess.run([promtool, "check", "rules", path], check=True, capture_output=True)


def test_every_outcome_reason_and_state_is_explained_once() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \|", OUTCOMES.read_text(), re.MULTILINE)
    words = [o.value for o in Outcome] + [r.value for r in Reason] + [s.value for s in State]
    assert sorted(rows) == sorted(words)


def test_reasons_stand_below_their_outcome() -> None:
    sections = re.split(r"^## ", OUTCOMES.read_text(), flags=re.MULTILINE)
    by_title = {section.partition("\n")[0]: section for section in sections}
    for reason in Reason:
        assert f"\n| `{reason.value}` |" in by_title[reason.outcome.value]


def test_readme_counts_and_names_the_reasons_right() -> None:
    text = README.read_text()
    assert f"{sum(reason.outcome in FAILURES for reason in Reason)} kinds of failure" in text
    for outcome in Outcome:
        row = re.search(rf"^\| `{outcome.value}` \|.*$", text, re.MULTILINE)
        assert row is not None
        *_, reasons = row[0].strip(" |").split("|")
        assert all(Reason(word).outcome is outcome for word in re.findall("`([a-z_]+)`", reasons))


def test_every_path_is_in_operating() -> None:
    app = build_app(None, None, access_log=False)  # type: ignore[arg-type]
    paths = {route.resource.canonical for route in app.router.routes() if route.resource is not None}
    text = OPERATING.read_text()
    inner = {"/static/{file}", "/favicon.ico", "/icon/{icon}"}
    api = (OPERATING.parent / "api.md").read_text()
    pages = {path: api if path.startswith("/api/v1/") and "openapi" not in path else text for path in paths - inner}
    assert [path for path, page in sorted(pages.items()) if f" {path}`" not in page] == []


def test_every_command_and_option_is_in_operating() -> None:
    text = OPERATING.read_text()
    for name, command in commands.commands.items():
        assert f"`monitor {name}" in text
        options = [option for param in command.params if isinstance(param, click.Option) for option in param.opts]
        assert [option for option in options if not re.search(rf"(?<![\w-]){option}(?![\w-])", text)] == []


def test_every_option_in_operating_exists() -> None:
    section = OPERATING.read_text().partition("## Command line")[2].partition("## Logs")[0]
    known = {
        option
        for command in (commands, *commands.commands.values())
        for param in command.params
        if isinstance(param, click.Option)
        for option in param.opts
    }
    written = {word for cell in re.findall("`(-[^`]+)`", section) for word in re.findall(r"(?<!\S)--?[\w-]+", cell)}
    assert written <= known | {"-h", "--help"}


def test_metrics_that_are_written_about_are_documented() -> None:
    documented = (DOCS / "metrics.md").read_text()
    for page in OURS:
        for name in re.findall(r"\b(?:probe|monitor)_[a-z_]+\b", page.read_text()):
            base = re.sub(r"_(bucket|count|sum)$", "", name)
            if name not in set(Reason) and name != "monitor_":
                assert base in documented, f"{page.name}: {name}"


def test_log_events_that_operating_names_are_logged() -> None:
    section = OPERATING.read_text().partition("## Logs")[2].partition("## Sizing")[0]
    source = "".join((ROOT / "monitor" / name).read_text() for name in _LOGGING)
    events = re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)
    assert events
    assert [event for event in events if f'"{event}"' not in source] == []


def test_exit_codes_are_those_of_the_program() -> None:
    from monitor import cli

    table = OPERATING.read_text().partition("| exit code |")[2].partition("\n\n")[0]
    documented = {
        int(code) for cell in re.findall(r"^\| ([0-9, ]+) \|", table, re.MULTILINE) for code in cell.split(",")
    }
    codes = {0, cli.FAILED, cli.USAGE, cli.INCONCLUSIVE, cli.BUG, cli.INTERRUPTED, cli.CLOSED_PIPE}
    assert documented == codes


def test_every_room_is_on_the_map() -> None:
    table = DESIGN.read_text().partition("## The rooms")[2].partition("## Glossary")[0]
    names = {
        f"{path.name}/" if path.is_dir() else path.name
        for path in (ROOT / "monitor").iterdir()
        if (path.suffix == ".py" or path.is_dir()) and not path.name.startswith("__")
    }
    assert [name for name in sorted(names) if f"`{name}`" not in table] == []
    assert len(DESIGN.read_text().splitlines()) < 250
