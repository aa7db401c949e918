"""What a database over a network has not confirmed is on the local disk, and is written by the next process."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.history import keeper
from monitor.history.archive import IncidentQuery
from monitor.history.database import Database
from monitor.history.local_journal import LocalJournal
from monitor.history.statements import Writes
from monitor.model.outcome import State
from tests.history.living import START, HeldClock, Life, World, spec

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def remote(postgresql: Any, clock: HeldClock, request: pytest.FixtureRequest) -> World:
    name = f"l{abs(hash(request.node.nodeid)) % 10**12}"
    postgresql.psql(f'CREATE DATABASE "{name}";')
    return World(postgresql.get_uri().replace("/postgres?", f"/{name}?"), clock)


async def away(life: Life) -> None:
    """The database goes away, and does not come back."""
    await life.keeper._database.close()
    life.keeper._opened_at = 1e12  # no turn opens it


def journal_of(world: World) -> str:
    return LocalJournal(Path(), Database(world.location).shown).path.name


def journals(folder: Path) -> list[str]:
    return sorted(path.suffix for path in folder.glob("monitor-*"))


async def told(life: Life) -> tuple[int, int, list[bool]]:
    """Runs, failures, and which incidents last."""
    tally = (await life.keeper.archive.totals(["a"], START, START + 3600))["a"]
    found = await life.keeper.archive.incidents(IncidentQuery())
    return tally.runs, tally.failures, [one.ended_at is None for one in found]


async def test_a_kill_while_the_database_is_away_loses_nothing(remote: World) -> None:
    async with remote.life(spec("a"), killed=True) as first:
        first.live("a", 3)
        await first.write()
        await away(first)
        for _ in range(3):
            first.live("a", 1, failing=True)
            assert await first.keeper._writer.keep_locally()
        incident = first.record("a").standing.incident
    async with remote.life(spec("a")) as second:
        standing = second.record("a").standing
        assert (standing.state, standing.consecutive_failures) == (State.DOWN, 3)
        assert standing.incident == incident
        assert await told(second) == (6, 3, [True])
        second.live("a", 1)
        await second.write()
        assert await told(second) == (7, 3, [False])
    async with remote.life(spec("a")) as third:
        assert await told(third) == (7, 3, [False])


async def test_a_stop_while_the_database_hangs_is_short_and_loses_nothing(
    remote: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "_PATIENCE_WITH_JOURNAL", 0.5)
    async with remote.life(spec("a"), spec("new")) as first:
        first.live("a", 3)
        await first.write()
        with psycopg.connect(remote.location) as other:
            other.execute("LOCK TABLE journal, incidents IN ACCESS EXCLUSIVE MODE")
            first.live("a", 3, failing=True)
            began = time.monotonic()
            await first.keeper.stop()
            assert time.monotonic() - began < 5
    async with remote.life(spec("a")) as second:
        assert await told(second) == (6, 3, [True])


async def test_the_file_holds_nothing_that_the_database_has(remote: World, tmp_path: Path) -> None:
    async with remote.life(spec("a"), killed=True) as life:
        life.live("a", 3)
        await life.keeper._writer.keep_locally()
        path = tmp_path / journal_of(remote)
        full = path.stat().st_size
        await life.write()
        assert path.stat().st_size < min(full, 200)
        await life.keeper._writer.keep_locally()
        assert path.stat().st_size < 200
        assert oct(path.stat().st_mode & 0o777) == "0o600"


async def test_what_another_monitor_has_gone_on_from_is_left_alone(
    remote: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On another machine, while this one was off: the old rows would open an incident again that is over."""
    async with remote.life(spec("a"), killed=True) as first:
        first.live("a", 3)
        await first.write()
        await away(first)
        first.live("a", 3, failing=True)
        await first.keeper._writer.keep_locally()
    (tmp_path / "elsewhere").mkdir()
    with monkeypatch.context() as there:
        there.setenv("STATE_DIRECTORY", str(tmp_path / "elsewhere"))
        async with remote.life(spec("a")) as second:
            second.live("a", 2)
            before = await told(second)
    async with remote.life(spec("a")) as third:
        assert await told(third) == before
    assert journals(tmp_path) == [".journal", ".left"]


async def test_a_disk_that_refuses_is_said_once_and_the_history_goes_on(
    remote: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "is" / "not" / "there"))
    async with remote.life(spec("a")) as life:
        for _ in range(3):
            life.live("a", 1)
            assert not await life.keeper._writer.keep_locally()
            await life.write()
        assert life.keeper.meter.writing
    assert capsys.readouterr().out.count("no journal can be kept locally") == 1


async def test_sqlite_needs_none(sqlite: World, tmp_path: Path) -> None:
    async with sqlite.life(spec("a")) as life:
        life.live("a", 1)
        assert not await life.keeper._writer.keep_locally()
    assert journals(tmp_path) == []


ROWS = [Writes(journal=[{"id": number, "at": 1.5, "entries": b"x" * number}]) for number in range(4)]


@given(st.data())
def test_any_damage_costs_what_is_damaged(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    async def write() -> None:
        journal = LocalJournal(folder, "db")
        await journal.begin("first")
        for one in ROWS:
            await journal.add(one)

    async def read() -> tuple[list[str], list[Writes]]:
        return await LocalJournal(folder, "db").begin("second")

    folder = tmp_path_factory.mktemp("journal")
    asyncio.run(write())
    (path,) = folder.glob("*.journal")
    whole = path.read_bytes()
    cut = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:cut] + data.draw(st.binary(max_size=8)))
    holders, rows = asyncio.run(read())
    assert [one.journal for one in rows] == [one.journal for one in ROWS[: len(rows)]]
    assert cut < len(whole) or len(rows) == len(ROWS)
    assert holders in ([], ["first"])
    assert asyncio.run(read())[0] == [*holders, "second"]
