"""The backup that docs/history.md tells of: whole at any time, and nothing waits for it."""

from __future__ import annotations

import asyncio
import re
import shlex
import sqlite3
from contextlib import closing
from pathlib import Path

from monitor.model.outcome import State
from tests.history.living import World, spec

ROOT = Path(__file__).parents[2]


def documented() -> str:
    """The statement that docs/history.md gives, for a file `copy.db`."""
    (command,) = re.findall(r"`(sqlite3 [^`]*)`", (ROOT / "docs" / "history.md").read_text())
    program, _, statement = shlex.split(command)
    assert program == "sqlite3"
    assert "'copy.db'" in statement
    return statement


def back_up(file: Path, copy: Path) -> None:
    """What the command does, in this process: SQLite's own shell need not be there."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute(documented().replace("'copy.db'", f"'{copy}'"))


async def test_a_backup_is_whole_while_the_history_is_written(sqlite: World, tmp_path: Path) -> None:
    file, copies = Path(sqlite.location.removeprefix("sqlite:///")), [tmp_path / f"copy{n}.db" for n in range(4)]
    async with sqlite.life(spec("a")) as life:
        await life.last("a", 2000)
        for copy in copies:
            backing_up = asyncio.create_task(asyncio.to_thread(back_up, file, copy))
            written = 0
            while not backing_up.done() or not written:
                life.live("a", 5, failing=True)
                await life.write()
                assert life.keeper.trouble is None
                written += 1
            await backing_up
    for copy in copies:
        with closing(sqlite3.connect(copy)) as other:
            assert other.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        async with World(f"sqlite:///{copy}", sqlite.clock).life(spec("a")) as restored:
            assert restored.record("a").last is not None
    assert restored.record("a").standing.state is State.DOWN
