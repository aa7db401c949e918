"""One monitor writes to a database, whatever leads to it; one that has died is followed at once."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from monitor.history import keeper, lease
from monitor.history.archive import IncidentQuery
from monitor.history.database import Database
from monitor.model.errors import HistoryError
from monitor.model.outcome import State
from tests.history.living import START, HeldClock, World, spec

REFUSED = "another monitor writes"

HOLDER = """
import asyncio, sys
from monitor.history.database import Database
async def hold():
    await Database(sys.argv[1]).open()
    print("held", flush=True)
    await asyncio.sleep(60)
asyncio.run(hold())
"""


async def opened(location: str) -> Database:
    database = Database(location)
    await database.open()
    database.adopted()
    return database


async def beat(database: Database) -> None:
    """A transaction of the writer."""
    await database.write(lambda connection: None)


async def age(database: Database, seconds: float) -> None:
    """Lets this time pass for the lease."""
    statement = text("UPDATE leases SET until = until - :seconds")
    await database.write(lambda connection: connection.execute(statement, {"seconds": seconds}))


async def test_a_second_monitor_is_refused_and_a_close_lets_it_in(world: World) -> None:
    first, second = await opened(world.location), Database(world.location)
    with pytest.raises(HistoryError, match=REFUSED):
        await second.open()
    await first.close()
    await second.open()
    await second.close()


async def test_a_monitor_that_was_stopped_for_long_is_followed_and_writes_no_more(world: World) -> None:
    first = await opened(world.location)
    await age(first, 16)
    second = await opened(world.location)
    with pytest.raises(HistoryError, match=REFUSED):
        await beat(first)
    await beat(second)
    await first.close()
    await beat(second)
    await second.close()


async def test_each_transaction_renews_the_lease(world: World) -> None:
    first, second = await opened(world.location), Database(world.location)
    for _ in range(2):
        await age(first, 10)
        await beat(first)
    with pytest.raises(HistoryError, match=REFUSED):
        await second.open()
    await first.close()


async def test_a_lease_from_a_clock_that_was_ahead_locks_nobody_out(world: World) -> None:
    first = await opened(world.location)
    await age(first, -86400)
    second = await opened(world.location)
    await beat(second)
    for one in (first, second):
        await one.close()


async def test_a_killed_process_is_followed_at_once(world: World) -> None:
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLDER, world.location, stdout=asyncio.subprocess.PIPE, env={**os.environ}
    )
    assert holder.stdout is not None
    assert await holder.stdout.readline() == b"held\n"
    with pytest.raises(HistoryError, match=REFUSED):
        await opened(world.location)
    os.kill(holder.pid, signal.SIGKILL)
    await holder.wait()
    database = await opened(world.location)
    await database.close()


@pytest.mark.parametrize("link", ["symlink", "hard link", "folder"])
async def test_a_file_is_one_whatever_name_leads_to_it(tmp_path: Path, clock: HeldClock, link: str) -> None:
    folder = tmp_path / "real"
    folder.mkdir()
    first = await opened(f"sqlite:///{folder / 'monitor.db'}")
    other = tmp_path / "other.db"
    if link == "symlink":
        other.symlink_to(folder / "monitor.db")
    elif link == "hard link":
        other.hardlink_to(folder / "monitor.db")
    else:
        (tmp_path / "link").symlink_to(folder)
        other = tmp_path / "link" / "monitor.db"
    with pytest.raises(HistoryError):
        await opened(f"sqlite:///{other}")
    await first.close()


async def test_a_copy_is_another_database(sqlite: World, tmp_path: Path) -> None:
    first = await opened(sqlite.location)
    copy = tmp_path / "copy.db"
    await asyncio.to_thread(lambda: copy.write_bytes(Path(sqlite.location.removeprefix("sqlite:///")).read_bytes()))
    await first.write(lambda connection: None)
    second = await opened(f"sqlite:///{copy}")
    for one in (first, second):
        await one.close()


@pytest.mark.parametrize("holder", ["", "one", "1 2 3 4", "\u00fc pid:[1] x y", f"{lease._machine()} 0 x y"])
def test_any_word_may_be_stored_as_the_holder(holder: str) -> None:
    assert lease._has_ended(holder) in (True, False)


async def test_what_two_monitors_saw_at_once_counts_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one is refused, looks on its own, and takes over when the first one stops."""
    monkeypatch.setattr(keeper, "_RETRY", 0.0)
    monkeypatch.setattr(keeper, "_PATIENCE_AT_START", 1.0)
    async with world.life(spec("a")) as first:
        first.live("a", 3)
        await first.write()
        async with world.life(spec("a")) as second:
            assert REFUSED in second.keeper._writer.why
            for _ in range(4):
                first.live("a", 1, failing=True)
                second.take(first.record("a").recent.results()[0])
            await first.write()
            await first.keeper.stop()
            await second.write()
            await second.write()
            assert second.keeper.meter.writing
            second.live("a", 1, failing=True)
            await second.write()
            assert second.record("a").standing.state is State.DOWN
            assert len(await second.keeper.archive.incidents(IncidentQuery())) == 1
            tally = (await second.keeper.archive.totals(["a"], START, START + 3600))["a"]
            assert (tally.runs, tally.failures) == (8, 5)
            assert tally.known == pytest.approx(70, abs=1)
