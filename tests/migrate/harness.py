"""How the tests of the importers make a new file and load it, as `monitor validate` would."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from monitor.config import load
from monitor.migrate import blackbox, gatus, kuma
from monitor.migrate.draft import ImportResult, Kind
from monitor.migrate.vet import vetted
from monitor.migrate.writer import report, variables_of, written
from monitor.model.maintenance import MaintenanceSpec
from monitor.model.spec import CheckSpec

FILES = Path(__file__).parent / "files"


@dataclass(frozen=True)
class Made:
    """A new file: its text, its checks by name, and what was not carried over."""

    text: str
    checks: dict[str, CheckSpec]
    lost: list[str]
    imported: ImportResult
    maintenance: tuple[MaintenanceSpec, ...] = ()

    def block(self, name: str) -> str:
        """The part of the text that is about one check, with its comments."""
        return next(part for part in self.text.split("\n\n") if f'\nname = "{name}"\n' in part)


def made(imported: ImportResult, directory: Path, **environment: str) -> Made:
    """The new file, loaded with every variable set that it asks for, and with none other."""
    text = written(vetted(imported))
    path = directory / "checks.toml"
    path.write_bytes(text.encode())
    variables = {v.name: v.stand_in for draft in imported.drafts for v in variables_of(draft.keys)}
    assert set(re.findall(r'\{ env = "(\w+)" \}', text)) == set(variables)
    loaded = load(path, variables | environment)
    checks = {spec.name: spec for spec in loaded.checks}
    assert len(checks) == len(imported.drafts)
    lost = [f"{note.place}: {note.text}" for note in imported.every(Kind.LOST)]
    for note, line in zip(imported.every(Kind.LOST), report(imported.every(Kind.LOST)), strict=True):
        assert line in text or line.removeprefix(report([replace(note, text="")])[0]).strip() in text
    return Made(text, checks, lost, imported, loaded.maintenance)


def yaml_file(path: Path, text: str) -> Path:
    """The text as a file."""
    path.write_text(text)
    return path


def of_gatus(tmp_path: Path, text: str, **environment: str) -> Made:
    """The checks of a file of Gatus."""
    return made(gatus.read(yaml_file(tmp_path / "gatus.yml", text)), tmp_path, **environment)


def of_endpoint(tmp_path: Path, keys: str) -> tuple[CheckSpec, Made]:
    """The check of one endpoint with these keys."""
    found = of_gatus(tmp_path, f"endpoints:\n- {{name: it, url: 'https://a.example.com', {keys}}}\n")
    return found.checks["it"], found


def of_module(
    tmp_path: Path, http: str, target: str = "https://a.example.com", job: str = "", group: str = "", name: str = "m"
) -> tuple[CheckSpec, Made]:
    """The check of one target and an http module with these keys."""
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
    """The check of one monitor of Uptime Kuma."""
    path = tmp_path / "backup.json"
    monitor = {"id": 1, "type": "http", "name": "it", "url": "https://a.example.com"} | row
    path.write_text(json.dumps({"monitorList": [monitor]}))
    found = made(kuma.read(path), tmp_path)
    return found.checks["it"], found


def said(found: Made, part: str) -> bool:
    """Whether the list of what was lost has this in it."""
    return any(part in line for line in found.lost)
