"""What is handed out: a wheel that is whole, and an image whose packages are pinned by version and by hash."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.project.conftest import ROOT
from tests.project.test_files import pins

HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def hashed(name: str) -> dict[str, str]:
    """The packages of a file of requirements, each with its version; every one has to have hashes, and nothing else."""
    text = "\n".join(line for line in (ROOT / "deploy" / name).read_text().splitlines() if not line.startswith("#"))
    found = {}
    for entry in text.replace("\\\n", " ").splitlines():
        requirement, *hashes = re.split(r"\s+(?=--hash)", entry.strip())
        assert hashes, entry
        assert all(HASH.fullmatch(one) for one in hashes), entry
        parsed = Requirement(requirement)
        (specifier,) = parsed.specifier
        assert specifier.operator == "==", entry
        found[canonicalize_name(parsed.name)] = specifier.version
    return found


def needed() -> set[str]:
    """Every package that the monitor needs, and that these need, as they are installed here."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    waiting, found = list(map(Requirement, project["dependencies"])), set[str]()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        extras = requirement.extras or {""}
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        found.add(name)
        for line in importlib.metadata.requires(name) or ():
            inner = Requirement(line)
            wanted = inner.marker is None or any(inner.marker.evaluate({"extra": extra}) for extra in {"", *extras})
            if wanted and canonicalize_name(inner.name) not in found:
                waiting.append(Requirement(str(inner).partition(";")[0]))
    return found


def test_the_image_has_what_the_tests_ran_with() -> None:
    """`make pins` brings them into step."""
    image = hashed("requirements.txt")
    assert {name: pins().get(name) for name in image} == image
    assert set(image) == needed()


def test_what_builds_the_image_is_pinned_as_well() -> None:
    assert hashed("requirements-build.txt") == {"setuptools": pins()["setuptools"]}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory, outer_environment: dict[str, str]) -> Path:
    """The wheel, built from a copy: setuptools leaves things behind. pip fetches setuptools for it."""
    source, folder = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "monitor", source / "monitor", ignore=shutil.ignore_patterns("__pycache__"))
    pins_file = str(ROOT / ".ci" / "constraints.txt")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(source)]
    environ = outer_environment | {"PIP_BUILD_CONSTRAINT": pins_file, "PIP_CONSTRAINT": pins_file}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (made,) = folder.glob("*.whl")
    return made


def test_the_wheel_is_not_named_like_another_program_on_pypi(wheel: Path) -> None:
    assert wheel.name.startswith("endpoint_health_monitor-")


def test_the_wheel_has_every_file_of_the_program(wheel: Path) -> None:
    ours = {str(path.relative_to(ROOT)) for path in (ROOT / "monitor").rglob("*") if path.is_file()}
    ours = {name for name in ours if "__pycache__" not in name}
    assert {"monitor/py.typed", "monitor/web/templates/overview.html", "monitor/web/static/style.css"} <= ours
    with zipfile.ZipFile(wheel) as packed:
        names = {name for name in packed.namelist() if ".dist-info/" not in name}
    assert names == ours


def test_the_program_runs_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    """Its files alone, in a folder of its own; what it needs is what is installed here."""
    target = tmp_path / "target"
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(target)
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(target)}
    where = [sys.executable, "-P", "-c", "import monitor; print(monitor.__file__)"]
    found = subprocess.run(where, cwd=tmp_path, env=environ, capture_output=True, text=True, check=True).stdout
    assert Path(found.strip()).is_relative_to(target)
    checks = [sys.executable, "-P", "-m", "monitor", "validate", "-c", str(ROOT / "checks.toml")]
    done = subprocess.run(checks, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
