"""The real programs, or a reason why a test is skipped."""

from __future__ import annotations

import os
import shutil

import pytest


def program(name: str, package: str) -> str:
    """Where a program is; without it the test is skipped, but for CI, where it has to be."""
    found = shutil.which(name)
    if found is None and os.environ.get("CI") != "true":
        pytest.skip(f"needs {name}, of the Debian package {package}")
    assert found is not None, f"CI has to have {name} on the PATH"
    return found


@pytest.fixture
def promtool() -> str:
    """Prometheus's own checker of its files."""
    return program("promtool", "prometheus")


@pytest.fixture
def amtool() -> str:
    """Alertmanager's."""
    return program("amtool", "prometheus-alertmanager")


@pytest.fixture
def prometheus() -> str:
    """Prometheus itself."""
    return program("prometheus", "prometheus")


@pytest.fixture
def alertmanager() -> str:
    """Alertmanager itself; Debian gives it a longer name than its makers do."""
    return shutil.which("alertmanager") or program("prometheus-alertmanager", "prometheus-alertmanager")
