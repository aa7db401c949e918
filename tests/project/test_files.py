"""The project's files: links lead somewhere, pins cover what is needed, nothing names this machine or a registry."""

from __future__ import annotations

import configparser
import re
import stat
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.project.conftest import ROOT, files, pages
from tests.project.markdown import anchors, links

REGISTRIES = (
    *(f"{name}.org" for name in ("pypi", "pythonhosted", "npmjs", "crates", "rubygems")),
    *(f"{name}.io" for name in ("docker", "quay", "ghcr")),
    "index-" + "url",
    "find-" + "links",
)
"""Hosts of package registries, and options that name one; put together, so that this file does not hold them."""

TEXTS = [path for path in files() if path.suffix not in (".png", ".gz", ".pem")]


def test_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) < 150


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_no_file_names_a_package_registry() -> None:
    named = [(path, host) for path in TEXTS for host in REGISTRIES if host.encode() in path.read_bytes().lower()]
    assert named == []


def test_no_file_names_a_place_on_this_machine() -> None:
    places = [str(place).encode() for place in (ROOT, Path.home()) if len(place.parts) > 2]
    assert [path for path in TEXTS if any(place in path.read_bytes() for place in places)] == []


def pins() -> dict[str, str]:
    lines = (ROOT / ".ci" / "constraints.txt").read_text().splitlines()
    found = [re.fullmatch(r"([A-Za-z0-9._-]+)==([0-9][A-Za-z0-9.!+]*)", line) for line in lines if line[:1] != "#"]
    assert None not in found, "each line is name==version"
    return {canonicalize_name(match[1]): match[2] for match in found if match is not None}


def test_pins_cover_every_requirement() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = project["project"]["dependencies"] + project["project"]["optional-dependencies"]["dev"]
    for requirement in map(Requirement, wanted + project["build-system"]["requires"]):
        pin = pins().get(canonicalize_name(requirement.name))
        assert pin is not None, f"{requirement.name} is not pinned"
        assert requirement.specifier.contains(pin), f"{requirement} is pinned to {pin}"


def test_aiohttp_ends_below_the_minor_version_after_the_pinned_one() -> None:
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    (aiohttp,) = (one for one in map(Requirement, dependencies) if one.name == "aiohttp")
    pinned = Version(pins()["aiohttp"])
    assert aiohttp.specifier.contains(f"{pinned.major}.{pinned.minor}.999")
    assert not aiohttp.specifier.contains(f"{pinned.major}.{pinned.minor + 1}.0")


def test_ci_script_is_a_program_that_bash_understands() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & stat.S_IXUSR
    subprocess.run(["bash", "-n", script], check=True)


def test_unit_starts_the_daemon_and_is_told_of_its_life() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)  # a key may be there twice
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(ROOT / "deploy" / "systemd" / "monitor.service")
    service = unit["Service"]
    assert service["Type"] == "notify-reload"
    assert service["ExecStart"].split()[1:] == ["run", "-c", "/etc/monitor/checks.toml"]
    assert service["RestartPreventExitStatus"] == "2"
    assert int(service["TimeoutStopSec"]) > 30
