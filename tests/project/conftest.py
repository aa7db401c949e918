"""What the tests of the project's own files have in common."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

_MADE = {"__pycache__", "build", "dist"}


def files() -> Iterator[Path]:
    """Every file of the project, without what tools leave behind (hidden folders, but for .ci)."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [
            name
            for name in folders
            if name not in _MADE and not name.endswith(".egg-info") and (not name.startswith(".") or name == ".ci")
        ]
        yield from (Path(folder, name) for name in names)


def pages() -> list[Path]:
    """Every page of Markdown."""
    return sorted(path for path in files() if path.suffix == ".md")


@pytest.fixture
def promtool() -> str:
    """Prometheus's own checker of its files."""
    found = shutil.which("promtool")
    if found is None and os.environ.get("CI") != "true":
        pytest.skip("needs promtool, of the Debian package prometheus")
    assert found is not None, "CI has to have promtool on the PATH"
    return found
