"""Whatever happens to a monitor, its targets and its database: what it tells of the past is what happened."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.proof.asking import Audit
from tests.proof.databases import Database, PostgreSql, Sqlite
from tests.proof.script import Script
from tests.proof.stage import Stage
from tests.proof.targets import Targets

SECONDS = float(os.environ.get("PROOF_SECONDS", "12"))
SEED = int(os.environ.get("PROOF_SEED", random.SystemRandom().randrange(10**6)))
WITHOUT = frozenset(os.environ.get("PROOF_WITHOUT", "").split(","))
"""Events that are left out, to look for others."""
BRIEF = [("sqlite", 0), ("postgresql", 2)]
COMBINATIONS = BRIEF if SECONDS < 60 else [*BRIEF, ("sqlite", 2), ("postgresql", 0)]

pytestmark = pytest.mark.timeout(SECONDS * 2 + 120)


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        yield Sqlite(tmp_path / "history.db")
        return
    server = PostgreSql()
    yield server
    server.close()


@pytest.mark.parametrize(("database", "workers"), COMBINATIONS, indirect=["database"])
async def test_what_is_told_is_what_happened(database: Database, workers: int, tmp_path: Path) -> None:
    with Targets() as targets:
        stage = Stage(random.Random(SEED), tmp_path, database, workers, targets)
        audit = Audit(stage)
        try:
            await Script(SEED, stage, audit, WITHOUT).play(SECONDS / len(COMBINATIONS) if SECONDS >= 60 else SECONDS)
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
