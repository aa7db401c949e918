"""The Makefile: what the README promises is there, and a machine that lacks something is told what."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.project.conftest import ROOT

MAKE = shutil.which("make")
FIND_PYTHON = ".venv/bin/python"
TOOLS = ("bash", "sh", "echo", "cat", "sed", "printf")


@pytest.fixture(autouse=True)
def needs_make() -> None:
    if MAKE is None and os.environ.get("CI") != "true":
        pytest.skip("needs make")


def make(*arguments: str, folder: Path = ROOT, path: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run make by its Makefile here, in a folder, with nothing of our own environment but a PATH."""
    assert MAKE is not None, "CI has to have make"
    env = {"PATH": path or os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8"}
    command = [MAKE, "-f", str(ROOT / "Makefile"), *arguments]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_every_target_that_is_written_about_exists() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    written = {name for page in pages for name in re.findall(r"`?\bmake ([a-z-]+)(?=`|  |$| CONFIG)", page.read_text())}
    assert {"run", "test", "bench"} <= written <= targets()


def test_help_names_every_target() -> None:
    said = make("help").stdout
    assert set(re.findall(r"^  make ([a-z-]+) {2,}", said, re.MULTILINE)) == targets()


def test_nothing_is_installed_twice(tmp_path: Path) -> None:
    """With stamps newer than what they depend on, `make test` goes straight to its work."""
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".ci" / "constraints.txt").touch()
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    for name in ("bin/python", ".run", ".dev"):
        (tmp_path / ".venv" / name).touch()
    planned = make("--dry-run", "test", folder=tmp_path).stdout
    assert "pytest" in planned
    assert "pip install" not in planned


def test_changed_pins_are_installed(tmp_path: Path) -> None:
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    for name in ("bin/python", ".run", ".dev"):
        (tmp_path / ".venv" / name).touch()
        os.utime(tmp_path / ".venv" / name, (1, 1))
    (tmp_path / ".ci" / "constraints.txt").touch()
    (tmp_path / "pyproject.toml").touch()
    assert "pip install" in make("--dry-run", "test", folder=tmp_path).stdout


def test_old_python_is_told_in_a_sentence(tmp_path: Path) -> None:
    path = _machine(tmp_path, 'case "$1" in --version) echo Python 3.9.2;; *) exit 1;; esac')
    ended = make(FIND_PYTHON, folder=tmp_path, path=path)
    assert ended.returncode != 0
    assert "Python 3.11 or newer is needed, and python3 is Python 3.9.2" in ended.stderr


def test_missing_python_is_told_in_a_sentence(tmp_path: Path) -> None:
    ended = make(FIND_PYTHON, folder=tmp_path, path=_machine(tmp_path, None))
    assert ended.returncode != 0
    assert "Python 3.11 or newer is needed, and python3 is none" in ended.stderr


def test_missing_venv_names_the_package(tmp_path: Path) -> None:
    script = 'case "$2" in *ensurepip*) exit 1;; *print*) echo python3.11;; *) exit 0;; esac'
    ended = make(FIND_PYTHON, folder=tmp_path, path=_machine(tmp_path, script))
    assert ended.returncode != 0
    assert "apt install python3.11-venv" in ended.stderr


def _machine(folder: Path, python3: str | None) -> str:
    """A PATH with hardly anything on it, but for a python3 that behaves like this script."""
    programs = folder / "programs"
    programs.mkdir()
    for tool in TOOLS:
        if found := shutil.which(tool):
            (programs / tool).symlink_to(found)
    if python3 is not None:
        program = programs / "python3"
        program.write_text(f"#!{shutil.which('sh')}\n{python3}\n")
        program.chmod(0o755)
    return str(programs)
