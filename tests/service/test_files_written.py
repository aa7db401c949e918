"""Which files the daemon writes: its history, and no other; none if it keeps none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers.http import HttpServer
from tests.service.conftest import Start

MINE = {"checks.toml"}
"""What the test itself put there."""


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*")}


@pytest.mark.parametrize("kept", [True, False])
async def test_the_history_is_the_only_file_that_is_written(
    start: Start, target: HttpServer, tmp_path: Path, state_directory: Path, kept: bool
) -> None:
    daemon = await start({"name": "a", "url": target.url()}, monitor={"history": {"enabled": kept}})
    await daemon.until_all_ran()
    await daemon.page()
    assert names(state_directory) <= {"monitor.db", "monitor.db-wal", "monitor.db-shm"}
    assert await daemon.stop() == 0
    assert names(state_directory) == ({"monitor.db"} if kept else set())
    assert names(tmp_path) == MINE
