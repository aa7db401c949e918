"""What the containers are made of: a Debian tree for each kind of systemd, and wheels, so that none needs a network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache" / "systemd"
PINS = ROOT / ".ci" / "constraints.txt"

SUITES = ("bookworm", "trixie")
"""Debian 12 with systemd 252, which has no notify-reload, and Debian 13 with 257, which has it."""

_PACKAGES = "systemd,systemd-sysv,dbus,make,openssl,python3,python3-venv"
_TESTED_WITH = ("hypothesis", "pytest", "pytest-asyncio", "pytest-timeout", "trustme")
"""Of the development's requirements, those of the tests that run inside."""


def missing() -> str | None:
    """Why the containers cannot be booted here, None if they can."""
    if os.geteuid() != 0:
        return "it needs root: it makes Debian trees and boots them"
    for program, package in (("debootstrap", "debootstrap"), ("systemd-nspawn", "systemd-container")):
        if shutil.which(program) is None:
            return f"it needs {program}: on Debian, apt install {package}; it does not run elsewhere"
    return None if _mirror() else "it needs Debian: apt is configured with no archive of it, to take the trees from"


def prepare() -> None:
    """Make what is not there yet, all trees at once; raises SystemExit with a sentence."""
    CACHE.mkdir(parents=True, exist_ok=True)
    makers = {suite: _bootstrap(suite) for suite in SUITES if not tree(suite).exists()}
    for suite, maker in makers.items():
        if maker.wait() != 0:
            raise SystemExit(f"make test-systemd: no tree of {suite}; see {_log(suite)}")
        _unfinished(suite).rename(tree(suite))
    for suite in SUITES:
        _download(suite)


def tree(suite: str) -> Path:
    """The root of a whole Debian; copied for every container."""
    return CACHE / suite


def wheels(suite: str) -> Path:
    """Everything that `make install` needs, for the tree's Python."""
    return CACHE / f"{suite}-wheels"


def requirements() -> list[str]:
    """What the monitor and its tests inside need."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    tools = [one for one in project["optional-dependencies"]["dev"] if one.partition(">")[0] in _TESTED_WITH]
    return [*project["dependencies"], *tools]


def _bootstrap(suite: str) -> subprocess.Popen[bytes]:
    shutil.rmtree(_unfinished(suite), ignore_errors=True)
    command = ["debootstrap", "--variant=minbase", f"--include={_PACKAGES}", suite, str(_unfinished(suite)), _mirror()]
    with _log(suite).open("wb") as log:
        return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)


def _unfinished(suite: str) -> Path:
    return CACHE / f"{suite}.unfinished"


def _log(suite: str) -> Path:
    return CACHE / f"{suite}.log"


def _mirror() -> str:
    """The archive that this machine's own apt is configured with."""
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Origin: Debian"]
    try:
        found = subprocess.run([*command, "Label: Debian"], capture_output=True, text=True, check=False).stdout.split()
    except FileNotFoundError:
        return ""
    return found[0] if found else ""


def _download(suite: str) -> None:
    done = wheels(suite) / ".done"
    made_of = (PINS, ROOT / "pyproject.toml", Path(__file__))
    if done.exists() and done.stat().st_mtime > max(path.stat().st_mtime for path in made_of):
        return
    shutil.rmtree(wheels(suite), ignore_errors=True)
    wanted = [*requirements(), *tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]]
    version = next((tree(suite) / "usr" / "bin").glob("python3.*[0-9]")).name.removeprefix("python")
    command = [sys.executable, "-m", "pip", "download", "-q", "--only-binary=:all:", "--python-version", version]
    subprocess.run([*command, "-c", str(PINS), "-d", str(wheels(suite)), *wanted], check=True)
    done.touch()
