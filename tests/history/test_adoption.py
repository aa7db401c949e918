"""Nothing is written before what is stored was adopted, and what is adopted late joins what was found meanwhile."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.history import keeper
from monitor.history.archive import Announcement, IncidentQuery
from monitor.history.merging import EarlySummary, merge
from monitor.history.writing import HistoryWriter
from monitor.live.events import RecordedResult
from monitor.model.errors import HistoryError
from monitor.model.incident import Acknowledgement
from monitor.model.outcome import State
from monitor.model.transition import Cause, Standing
from monitor.rules.state import after, aged, beginning
from tests.history.living import START, HeldClock, Life, World, bad, good, spec
from tests.history.test_faults import file_of

pytestmark = pytest.mark.timeout(60)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "_RETRY", 0.0)
    monkeypatch.setattr(keeper, "_PATIENCE_AT_START", 2.0)


async def down(world: World, **more: object) -> str:
    """A process before, in which `a` went down and somebody acknowledged it; the incident's id."""
    async with world.life(spec("a", **more), killed=True) as life:
        life.live("a", 3)
        life.live("a", 3, failing=True)
        incident = life.record("a").acknowledge(Acknowledgement("ana", "on it", world.clock().wall))
        assert incident is not None
        life.keeper.acknowledged(life.record("a"), incident)
        await life.write()
    return incident.id


class Locked:
    """Another process that holds the file."""

    def __init__(self, world: World) -> None:
        self._connection = sqlite3.connect(file_of(world), isolation_level=None)
        self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._connection.execute("BEGIN EXCLUSIVE")
        self._connection.execute("CREATE TABLE other (id)")

    def open(self) -> None:
        self._connection.execute("ROLLBACK")
        self._connection.close()


async def incidents(life: Life) -> list[tuple[str, float | None, str | None]]:
    found = await life.keeper.archive.incidents(IncidentQuery())
    return [(one.id, one.ended_at, one.acknowledged and one.acknowledged.note) for one in found]


async def test_an_incident_that_goes_on_is_the_same_one_if_the_database_comes_late(sqlite: World) -> None:
    name = await down(sqlite)
    lock = Locked(sqlite)
    async with sqlite.life(spec("a"), killed=True) as second:
        second.live("a", 5, failing=True)
        assert second.record("a").standing.incident.id != name, "nothing is known of it yet"  # type: ignore[union-attr]
        await second.write()
        lock.open()
        second.live("a", 1, failing=True)
        await second.write()
        standing = second.record("a").standing
        assert (standing.state, standing.consecutive_failures) == (State.DOWN, 9)
        assert standing.since < START + 60
        assert await incidents(second) == [(name, None, "on it")]
    async with sqlite.life(spec("a")) as third:
        assert await incidents(third) == [(name, None, "on it")]
        assert third.record("a").standing.consecutive_failures == 9
        assert (await third.keeper.archive.totals(["a"], START, START + 3600))["a"].runs == 12


async def test_a_state_that_the_stored_past_changes_is_published_as_restored(sqlite: World) -> None:
    name = await down(sqlite, up_after=3)
    lock = Locked(sqlite)
    async with sqlite.life(spec("a", up_after=3), killed=True) as second:
        second.live("a", 1)
        assert second.record("a").standing.state is State.UP, "nothing is known of the incident yet"
        lock.open()
        await second.write()
        (*_, transition) = second.moved
        assert (transition.before.state, transition.after.state) == (State.UP, State.DOWN)
        assert (transition.cause, transition.at) == (Cause.RESTORED, sqlite.clock().wall)
        assert (transition.incident and transition.incident.id) == name


async def test_an_incident_that_was_over_meanwhile_ended_at_the_first_success(sqlite: World) -> None:
    name = await down(sqlite)
    lock = Locked(sqlite)
    async with sqlite.life(spec("a")) as second:
        second.live("a", 1, failing=True)
        second.live("a", 1)
        over = sqlite.clock().wall
        second.live("a", 3, failing=True)
        again = second.record("a").standing.incident
        assert again is not None
        lock.open()
        await second.write()
        assert await incidents(second) == [(again.id, None, None), (name, over, "on it")]
        assert [one.id for one in second.record("a").incidents] == [name]
    async with sqlite.life(spec("a")) as third:
        assert await incidents(third) == [(again.id, None, None), (name, over, "on it")]


async def test_nothing_is_written_while_what_is_stored_is_being_read(
    sqlite: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """10,000 checks under a CPU quota: the limit of the start passes in the middle of the reading."""
    name = await down(sqlite)
    before = file_of(sqlite).read_bytes()
    go, read = asyncio.Event(), keeper.restored

    async def slow(*arguments: object) -> object:
        await go.wait()
        return await read(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(keeper, "restored", slow)
    monkeypatch.setattr(keeper, "_PATIENCE_AT_START", 1.0)
    async with sqlite.life(spec("a"), killed=True) as second:
        second.live("a", 2, failing=True)
        assert "not read yet" in str(second.keeper.trouble)
        with pytest.raises(HistoryError, match="not read yet"):
            await second.keeper.notices.announce(Announcement("x", "slow", "ana", START))
        with pytest.raises(HistoryError, match="not read yet"):
            await second.keeper.archive.incidents(IncidentQuery())
        assert file_of(sqlite).read_bytes() == before
        go.set()
        async with asyncio.timeout(10):
            while not second.keeper.meter.writing:  # noqa: ASYNC110  a flag of the code, which has no event
                await asyncio.sleep(0)
        assert await incidents(second) == [(name, None, "on it")]
        assert second.record("a").standing.consecutive_failures == 5


async def test_a_start_waits_for_a_database_that_is_away_for_a_moment(
    sqlite: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backup holds the lock, or PostgreSQL restarts: no check begins an incident anew for that."""
    name = await down(sqlite)
    lock, tried, turn = Locked(sqlite), asyncio.Event(), HistoryWriter.failed

    def failed(self: HistoryWriter, problem: HistoryError) -> None:
        turn(self, problem)
        tried.set()

    monkeypatch.setattr(HistoryWriter, "failed", failed)
    monkeypatch.setattr(keeper, "_EVERY", 0.05)
    monkeypatch.setattr(keeper, "_PATIENCE_AT_START", 30.0)
    monkeypatch.setattr(keeper, "_RETRY", 3600.0)

    async def unlock() -> None:
        await tried.wait()
        lock.open()

    opened = asyncio.create_task(unlock())
    async with sqlite.life(spec("a"), killed=True) as second:
        await opened
        standing = second.record("a").standing
        assert (standing.state, standing.incident and standing.incident.id) == (State.DOWN, name)


async def test_a_start_that_is_stopped_before_it_read_anything_changes_nothing(sqlite: World) -> None:
    name = await down(sqlite)
    lock = Locked(sqlite)
    async with sqlite.life(spec("a")) as second:
        second.live("a", 2, failing=True)
    lock.open()
    async with sqlite.life(spec("a")) as third:
        assert await incidents(third) == [(name, None, "on it")]


async def test_a_database_that_is_exchanged_gets_its_own_numbers(sqlite: World, tmp_path: Path) -> None:
    """Deleted or replaced under the process: noticed with the next write, begun anew, and the check goes on there."""
    async with sqlite.life(spec("b")) as other:
        other.live("b", 3)
    file_of(sqlite).rename(tmp_path / "kept")
    async with sqlite.life(spec("a"), spec("b")) as life:
        life.live("a", 3, failing=True)
        await life.save()
        (tmp_path / "kept").rename(file_of(sqlite))
        life.live("b", 2)
        await life.write()
        life.live("b", 1)
        assert "deleted or replaced" in str(life.keeper.trouble)
        await life.write()
        await life.save()
        assert life.keeper.trouble is None
        assert life.keeper.meter.queue == 0
        (one,) = await life.keeper.archive.incidents(IncidentQuery(["a"]))
        assert one.ended_at is None
    async with sqlite.life(spec("a"), spec("b")) as second:
        assert second.record("a").standing.state is State.DOWN
        assert second.record("b").standing.state is State.UP


async def test_the_files_are_for_nobody_else(sqlite: World) -> None:
    async with sqlite.life(spec("a")) as life:
        life.live("a", 1)
        await life.write()
        modes = {path.name: oct(path.stat().st_mode & 0o777) for path in file_of(sqlite).parent.glob("history.db*")}
        assert set(modes) >= {"history.db", "history.db-wal"}
        assert set(modes.values()) == {"0o600"}


RUNS = st.lists(st.booleans(), max_size=12)


@given(RUNS, RUNS, st.integers(1, 3), st.integers(1, 3), st.booleans())
def test_what_is_joined_late_is_what_one_process_would_have_seen(
    before: list[bool], since: list[bool], down_after: int, up_after: int, lost_sight: bool
) -> None:
    """Results of a process, then those of the next one: its state is as if it had known from its start."""
    check, clock = spec("a", down_after=down_after, up_after=up_after), HeldClock()
    stored = seen(beginning(check, clock()), before, clock, check)[0]
    stored = aged(stored, check, clock.forward(1000 if lost_sight else 5))
    own, early = seen(beginning(check, clock()), since, replace_clock(clock), check)
    known = seen(stored, since, clock, check)[0]
    if own.conclusive is None:
        return  # what is stored is taken over whole
    joined = merge(stored, own, early, up_after)
    if stored.incident is not None:
        assert joined.standing.state is known.state
        if (over := early.recovery(stored.consecutive_successes, up_after)) is None:
            assert joined.standing.incident == stored.incident == known.incident
            assert joined.standing.since == known.since
        else:
            assert joined.ended is not None
            assert stored.incident is not None
            assert (joined.ended.id, joined.ended.ended_at) == (stored.incident.id, over)
    elif State.DOWN not in (known.state, joined.standing.state):  # an alarm may come a run later
        assert joined.standing.state is known.state


def replace_clock(clock: HeldClock) -> HeldClock:
    other = HeldClock()
    other.moment = clock.moment
    return other


def seen(standing: Standing, runs: list[bool], clock: HeldClock, check: object) -> tuple[Standing, EarlySummary]:
    early = EarlySummary()
    for fine in runs:
        now = clock.forward(10)
        result = good("a", now.wall) if fine else bad("a", now.wall)
        moved = after(standing, result, check, now)  # type: ignore[arg-type]
        early.moves += moved.state is not standing.state
        standing = moved
        early.see(RecordedResult("a", result, 1, now, standing), check.up_after)  # type: ignore[attr-defined]
    return standing, early


async def test_a_pause_lasts_since_the_start_although_the_past_comes_late(
    sqlite: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await down(sqlite)
    sqlite.clock.forward(5)
    began, lock = sqlite.clock().wall, Locked(sqlite)
    monkeypatch.setattr(keeper, "_PATIENCE_AT_START", 0.1)
    monkeypatch.setattr(keeper, "_RETRY", 0.0)
    async with sqlite.life(spec("a", enabled=False)) as second:
        second.wait(3600)
        lock.open()
        await second.write()
        await second.write()
        (one,) = await second.keeper.archive.incidents(IncidentQuery())
        assert (one.ended_at, one.ended_by) == (began, "pause")
        assert second.record("a").standing.since == began


async def test_a_stop_waits_for_a_lock_that_is_given_up(sqlite: World) -> None:
    async with sqlite.life(spec("a")) as first:
        first.live("a", 3)
        other = sqlite3.connect(file_of(sqlite), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        asyncio.get_running_loop().call_later(0.5, other.close)  # longer than SQLite itself waits here
    async with sqlite.life(spec("a")) as second:
        assert (await second.keeper.archive.totals(["a"], START, START + 3600))["a"].runs == 3
