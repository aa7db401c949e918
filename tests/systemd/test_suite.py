"""The tests of TLS with the Python and the OpenSSL of each Debian, which differ from those outside."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.systemd.container import Container
from tests.systemd.trees import ROOT, requirements

HERE = "/srv/suite"
TESTS = [f"tests/protocols/test_{name}.py" for name in ("tls", "certificates", "chains")]


@pytest.fixture
def suite(container: Container) -> None:
    """The sources and an environment inside."""
    place = Path(container.root, HERE.lstrip("/"))
    for name in ("monitor", "tests"):
        shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", place)
    container.run("python3", "-m", "venv", f"{HERE}/.venv")
    install = ("-m", "pip", "install", "-q", "--no-index", "-f", "/srv/wheels")
    container.run(f"{HERE}/.venv/bin/python", *install, *requirements())


@pytest.mark.usefixtures("suite")
def test_tls_is_the_same_with_this_openssl(container: Container) -> None:
    pytest_inside = (".venv/bin/python", "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS)
    ended = container.ended("env", "-C", HERE, *pytest_inside)
    said = container.run(f"{HERE}/.venv/bin/python", "-c", "import ssl; print(ssl.OPENSSL_VERSION)")
    assert ended.returncode == 0, f"{said}{ended.stdout}{ended.stderr}"
    assert " passed" in ended.stdout
    shutil.rmtree(Path(container.root, HERE.lstrip("/")))
