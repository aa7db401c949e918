"""Kills, stops, locks and reloads a monitor at random: its reports on the past stay true."""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.proof.audit import Audit
from tests.proof.clock import Clock
from tests.proof.databases import Database, PostgreSql, Sqlite
from tests.proof.script import Script
from tests.proof.stage import Stage
from tests.proof.targets import Targets
from tests.service.test_wall_clock import library  # noqa: F401 - a fixture

SECONDS = float(os.environ.get("PROOF_SECONDS", "8"))
SEED = int(os.environ.get("PROOF_SEED", random.SystemRandom().randrange(10**6)))
WITHOUT = frozenset(os.environ.get("PROOF_WITHOUT", "").split(","))
"""Events to leave out."""
BRIEF = [("sqlite", 0), ("postgresql", 2)]
LONG = SECONDS >= 60
COMBINATIONS = [*BRIEF, ("sqlite", 2), ("postgresql", 0)] if LONG else BRIEF

pytestmark = pytest.mark.timeout(SECONDS * 3 + 300)


@contextlib.contextmanager
def disk(folder: Path) -> Iterator[bool]:
    """Mounts a small file system; yields False, with an ordinary folder, if that is not allowed."""
    place = folder / "disk"
    place.mkdir()
    arguments = ("mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", place)
    own = os.geteuid() == 0 and subprocess.run(arguments, check=False).returncode == 0
    try:
        yield own
    finally:
        if own:
            subprocess.run(("umount", place), check=True)


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        with disk(tmp_path) as own:
            yield Sqlite(tmp_path / "disk" / "history.db", disk=own)
        return
    server = PostgreSql()
    yield server
    server.close()


@pytest.mark.parametrize(("database", "workers"), COMBINATIONS, indirect=["database"])
async def test_reports_are_true(
    database: Database, workers: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    clock = Clock(tmp_path, request.getfixturevalue("library") if LONG else None)
    with Targets() as targets:
        stage = Stage(random.Random(SEED), database, workers, targets, clock, tmp_path / "checks.toml")
        audit = Audit(stage)
        try:
            await Script(SEED, stage, audit, WITHOUT).play(SECONDS / len(COMBINATIONS) if LONG else SECONDS)
        except BaseException:
            print(f"PROOF_SEED={SEED}", *stage.script, sep="\n")  # noqa: T201
            raise
        finally:
            await stage.give_back()
            if stage.daemon is not None:
                stage.daemon.tolerated = {line["event"] for line in stage.daemon.log}
                await stage.daemon.close()
        found = audit.problems + stage.log_problems
        assert not found, "\n".join([f"PROOF_SEED={SEED}", *found, "what was done:", *stage.script])
