"""The install script refuses what it cannot do, in a sentence, before it touches anything. Containers do the rest."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.project.conftest import ROOT


def install(verb: str, **settings: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"} | settings
    script = str(ROOT / "deploy" / "install.sh")
    return subprocess.run(["sh", script, verb], env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"PREFIX": "usr/local"}, "a path has to start with a slash, and this does not: usr/local"),
        ({"PREFIX": "/opt/my monitor"}, "this has more: /opt/my monitor"),
        ({"PYTHON": "/nowhere/python3"}, "Python 3.11 or newer is needed"),
    ],
    ids=["relative", "space", "python"],
)
def test_wrong_setting_is_told_in_a_sentence(tmp_path: Path, settings: dict[str, str], said: str) -> None:
    ended = install("install", DESTDIR=str(tmp_path / "stage"), **settings)
    assert ended.returncode == 2
    assert said in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_somebody_elses_program_is_not_overwritten(tmp_path: Path) -> None:
    theirs = tmp_path / "usr" / "local" / "bin" / "monitor"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("theirs")
    for verb in ("install", "uninstall"):
        ended = install(verb, DESTDIR=str(tmp_path))
        assert ended.returncode == 2
        assert "is not ours" in ended.stderr
    assert theirs.read_text() == "theirs"


def test_changed_configuration_is_kept_and_an_untouched_one_removed(tmp_path: Path) -> None:
    config = tmp_path / "etc" / "monitor" / "checks.toml"
    example = tmp_path / "usr" / "local" / "share" / "endpoint-monitor" / "checks.toml"
    for path in (config, example):
        path.parent.mkdir(parents=True)
        path.write_text("[monitor]\n")
    config.write_text("[monitor]\n# mine\n")
    said = install("uninstall", DESTDIR=str(tmp_path)).stderr
    assert f"Kept, as you changed it: {config}" in said
    assert config.exists()
    assert not example.exists()
    example.parent.mkdir()
    example.write_text(config.read_text())
    install("uninstall", DESTDIR=str(tmp_path))
    assert not config.parent.exists()
