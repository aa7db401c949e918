"""A row, word or shape that cannot be read is skipped, counted and said with its place; nothing else goes with it."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Raw, msgpack

from monitor.history.archive import Announcement, IncidentQuery
from monitor.history.saved import SavedCheck
from monitor.history.unreadable import SkipLog
from monitor.model.incident import Acknowledgement
from monitor.model.outcome import Outcome, Reason, State
from monitor.model.result import Result
from monitor.stats.meters import HistoryMeter
from monitor.stats.result_log import UNREADABLE, history_of
from monitor.stats.rollups import decode_tally
from tests.history.living import START, Life, World, spec
from tests.history.test_faults import file_of

pytestmark = pytest.mark.timeout(60)
SAID = "a stored value cannot be read and is skipped"
GARBAGE = [
    b"",
    b"\xc1",
    b"no msgpack",
    b"\xdc\xff\xff",
    b"\x91" * 3000,
    None,
    7,
    "text",
    2.5,
    b"\x81\xa1x\x01",
    b"\x90",
]


async def lived(world: World) -> None:
    """Two checks with everything that is stored: tallies, results, journal, incidents, announcements."""
    async with world.life(spec("a"), spec("b"), killed=True) as life:
        for name in ("a", "b"):
            life.live(name, 8)
            life.live(name, 2, failing=True)
            life.live(name, 2)
            life.live(name, 3, failing=True)
        incident = life.record("a").acknowledge(Acknowledgement("ana", "on it", START))
        assert incident is not None
        life.keeper.acknowledged(life.record("a"), incident)
        await life.save()
        life.live("a", 1, failing=True)
        life.live("b", 1, failing=True)
        for name in ("x", "y"):
            await life.keeper.notices.announce(Announcement(name, f"{name} is slow", "ana", START))
        await life.write()


def change(world: World, *statements: tuple[str, tuple[Any, ...]]) -> None:
    connection = sqlite3.connect(file_of(world))
    with connection:
        for statement, values in statements:
            connection.execute(statement, values)
    connection.close()


def stored(world: World, query: str) -> Any:
    connection = sqlite3.connect(file_of(world))
    found = connection.execute(query).fetchone()[0]
    connection.close()
    return found


async def everything(life: Life) -> dict[str, Any]:
    """What pages, API and report show of `b`, and that all of it can be shown of `a` too."""
    archive, shown = life.keeper.archive, {}
    for name in ("a", "b"):
        shown[name] = (
            life.record(name).standing.state,
            len(await archive.results(name, 100)),
            (await archive.totals([name], START, START + 3600))[name].runs,
            [one.ended_at is None for one in await archive.incidents(IncidentQuery([name]))],
        )
    await archive.outages(START, START + 3600)
    said = await archive.announcements(START, START + 3600)
    return {**shown, "announcements": sorted(one.id for one in said)}


def put_back(path: Path, whole: bytes) -> None:
    path.write_bytes(whole)
    for ending in ("-wal", "-shm"):
        Path(f"{path}{ending}").unlink(missing_ok=True)


NUMBER = "(SELECT id FROM checks WHERE name = 'a')"
PLACES = {
    "checks": "UPDATE checks SET name = ? WHERE name = 'a'",
    "checks, created": "UPDATE checks SET created_at = ? WHERE name = 'a'",
    "checks, removed": "UPDATE checks SET removed_at = ? WHERE name = 'a'",
    "checks, events": f"UPDATE check_events SET name = ? WHERE check_id = {NUMBER}",
    "states": f"UPDATE states SET saved = ? WHERE check_id = {NUMBER}",
    "journal": "UPDATE journal SET entries = ? WHERE id = (SELECT max(id) FROM journal)",
    "tallies": f"UPDATE tallies SET tally = ? WHERE check_id = {NUMBER}",
    "results": f"UPDATE results SET data = ? WHERE check_id = {NUMBER}",
    "incidents": f"UPDATE incidents SET started_at = ? WHERE check_id = {NUMBER}",
    **{
        f"incidents, {column}": f"UPDATE incidents SET {column} = ? WHERE check_id = {NUMBER} AND ended_at IS NULL"
        for column in ("first_run", "reason", "detail", "acknowledged_by", "acknowledged_until", "ended_by")
    },
    "announcements": "UPDATE announcements SET text = ? WHERE id = 'x'",
    "announcements, for_groups": "UPDATE announcements SET for_groups = ? WHERE id = 'x'",
}


UNREAD = ("checks, events", "incidents, ended_by")
"""Columns for people; and one that may hold any word."""


@pytest.mark.parametrize("place", PLACES)
async def test_a_row_that_makes_no_sense_takes_no_other_with_it(
    sqlite: World, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await lived(sqlite)
    original = file_of(sqlite).read_bytes()
    async with sqlite.life(spec("a"), spec("b"), killed=True) as whole:
        expected = await everything(whole)
    for garbage in GARBAGE:
        put_back(file_of(sqlite), original)
        try:
            change(sqlite, (PLACES[place], (garbage,)))
        except sqlite3.IntegrityError:
            continue  # the database itself refuses it
        capsys.readouterr()
        async with sqlite.life(spec("a"), spec("b")) as life:
            found = await everything(life)
            if place != "journal":
                assert found["b"] == expected["b"], garbage
            if "," in place and place.startswith("incidents"):
                assert found["a"] == expected["a"], garbage
            assert "y" in found["announcements"]
            assert "x" in found["announcements"] or place == "announcements"
            if isinstance(garbage, bytes) and garbage not in (b"", b"\x90") and place not in UNREAD:
                assert life.keeper.meter.unreadable >= 1, garbage
                table, _, column = place.partition(", ")
                said = rf"{SAID} .*place=[\"']?{table}.*{column.partition('_')[0] if table == 'incidents' else ''}"
                assert re.search(said, capsys.readouterr().out), garbage
            life.live("a", 2)
            life.live("b", 2)
            await life.save()
            assert life.keeper.meter.writing, garbage
        assert not list(file_of(sqlite).parent.glob("*corrupt*")), garbage


async def test_a_time_that_no_calendar_shows_costs_no_more_than_itself(sqlite: World) -> None:
    """An acknowledgement for 999999 weeks was stored once, and every page that showed it failed."""
    await lived(sqlite)
    name = stored(sqlite, "SELECT id FROM incidents WHERE acknowledged_by IS NOT NULL")
    change(sqlite, ("UPDATE incidents SET acknowledged_until = 6e11 WHERE id = ?", (name,)))
    async with sqlite.life(spec("a"), spec("b")) as life:
        found = await life.keeper.archive.incident(name)
        assert found is not None
        assert found.ended_at is None
        assert found.acknowledged is not None
        assert (found.acknowledged.note, found.acknowledged.until) == ("on it", None)
        assert life.keeper.meter.unreadable >= 1


@pytest.mark.parametrize(
    "row", [(None, 1.0), ("x", "y"), (1.0, "y"), (-5e300, 5e300), (b"\xff", b"\xfe"), (1e300, 1.0)]
)
async def test_a_presence_that_makes_no_sense_is_no_time(sqlite: World, row: tuple[Any, Any]) -> None:
    await lived(sqlite)
    try:
        change(sqlite, ("INSERT INTO presence (started_at, alive_until) VALUES (?, ?)", row))
    except sqlite3.IntegrityError:
        return
    async with sqlite.life(spec("a"), spec("b")) as life:
        assert (await everything(life))["b"][0] is State.DOWN
        for outage in await life.keeper.archive.outages(0, 1e11):
            assert 0 <= outage.started_at <= outage.ended_at <= 253402300799


async def test_a_name_or_number_that_makes_no_sense_is_skipped(sqlite: World) -> None:
    await lived(sqlite)
    change(
        sqlite,
        ("INSERT INTO checks (id, name, created_at) VALUES (9000000000, 'huge', 1)", ()),
        ("INSERT INTO checks (id, name, created_at) VALUES (77, ?, 1)", (b"\xff\xfe",)),
        ("INSERT INTO checks (id, name, created_at) VALUES (78, CAST(? AS TEXT), 1)", (b"\xff\xfe",)),
    )
    async with sqlite.life(spec("a"), spec("b"), spec("new")) as life:
        assert (await everything(life))["b"][0] is State.DOWN
        assert life.keeper.meter.unreadable == 2
        life.live("new", 2)
        await life.save()
        assert life.keeper.meter.writing


async def test_words_of_a_newer_version_are_shown_as_they_are(sqlite: World) -> None:
    """They count as failures of the class that they were stored with, or as failures at least."""
    await lived(sqlite)
    for table, column in (("results", "data"), ("incidents", "first_run"), ("states", "saved"), ("journal", "entries")):
        for (key, data) in rows(sqlite, f"SELECT rowid, {column} FROM {table}" if table != "results" else
                                "SELECT check_id || '/' || failed || '/' || last_at, data FROM results"):  # fmt: skip
            other = data.replace(b"\xb1unexpected_status", b"\xb1unexpected_flavor")
            where = "rowid = ?" if table != "results" else "check_id || '/' || failed || '/' || last_at = ?"
            change(sqlite, (f"UPDATE {table} SET {column} = ? WHERE {where}", (other, key)))
    change(sqlite, ("UPDATE incidents SET reason = 'unexpected_flavor'", ()))
    async with sqlite.life(spec("a"), spec("b")) as life:
        standing = life.record("a").standing
        assert (standing.state, standing.consecutive_failures) == (State.DOWN, 4)
        assert standing.incident is not None
        assert standing.incident.reason == "unexpected_flavor"
        failures = await life.keeper.archive.results("a", 100, failed=True)
        assert len(failures) == 6
        assert {(one.reason.value, one.outcome, one.failed) for one in failures} == {
            ("unexpected_flavor", Outcome.HTTP_ERROR, True)
        }
        assert life.keeper.meter.unreadable == 0
        life.live("a", 1)
        assert life.record("a").incidents[0].reason == "unexpected_flavor"


def rows(world: World, query: str) -> list[tuple[Any, bytes]]:
    connection = sqlite3.connect(file_of(world))
    found = connection.execute(query).fetchall()
    connection.close()
    return found


async def test_a_state_of_a_newer_version_ends_no_incident(sqlite: World) -> None:
    await lived(sqlite)
    data = stored(sqlite, f"SELECT saved FROM states WHERE check_id = {NUMBER}")
    data = data.replace(b"\xa4down", b"\xa4wavy")
    where = f"WHERE check_id = {NUMBER}"
    change(sqlite, (f"UPDATE states SET saved = ? {where}", (data,)), ("DELETE FROM journal", ()))
    async with sqlite.life(spec("a")) as life:
        standing = life.record("a").standing
        assert standing.state is State.DOWN
        assert standing.incident is not None
        assert standing.incident.acknowledged is not None


def test_a_word_is_a_word() -> None:
    for text in ("", "A", "x" * 65, "two words", "ü", '"', "1st"):
        with pytest.raises(ValueError, match="not a valid Reason"):
            Reason(text)
    word = Reason("brand_new")
    assert (word, word.value, word.name, str(word)) == ("brand_new",) * 4
    assert word.of("timeout").outcome is Outcome.TIMEOUT
    assert word.of("of_a_newer_version").outcome is Outcome.UNEXPECTED_ANSWER
    assert Reason.OK.of("timeout") is Reason.OK
    assert set(Reason) == set(Reason.__members__.values())


def _saved(data: bytes, skipped: SkipLog) -> Any:
    return skipped.parts(SavedCheck, data, "states")


def _first(data: bytes, skipped: SkipLog) -> Any:
    return skipped.parts(Result, data, "incidents")


def _results(data: bytes, skipped: SkipLog) -> Any:
    return skipped.read(lambda raw: history_of(raw, lambda why: skipped("own", why)).results(), data, "results")


def _tally(data: bytes, skipped: SkipLog) -> Any:
    return skipped.read(decode_tally, data, "tallies")


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    import asyncio

    from tests.history.living import HeldClock, hold

    world = World(f"sqlite:///{tmp_path_factory.mktemp('samples') / 'history.db'}", HeldClock())
    with pytest.MonkeyPatch.context() as patch:
        hold(patch)
        asyncio.run(lived(world))
    return {
        "saved": stored(world, f"SELECT saved FROM states WHERE check_id = {NUMBER}"),
        "first": stored(world, "SELECT first_run FROM incidents WHERE ended_at IS NULL"),
        "results": stored(world, "SELECT data FROM results WHERE failed"),
        "tally": stored(world, "SELECT tally FROM tallies"),
    }


READERS: dict[str, Callable[[bytes, SkipLog], Any]] = {
    "saved": _saved, "first": _first, "results": _results, "tally": _tally,
}  # fmt: skip


@pytest.mark.parametrize("kind", READERS)
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_bytes_of_any_kind_are_read_or_skipped(samples: dict[str, bytes], kind: str, data: st.DataObject) -> None:
    whole = bytearray(samples[kind])
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
    meter = HistoryMeter()
    found = READERS[kind](bytes(whole), SkipLog(meter))
    assert found is not None or meter.unreadable == 1
    for number in numbers(found):
        assert abs(number) <= 253402300799


def numbers(value: Any) -> list[float]:
    """Every float that is shown of it."""
    if isinstance(value, float):
        return [value]
    if isinstance(value, msgspec.Struct):
        return [n for name in value.__struct_fields__ if name != "data" for n in numbers(getattr(value, name))]
    return [n for one in value for n in numbers(one)] if isinstance(value, (list, tuple)) else []


def test_one_result_that_makes_no_sense_costs_no_other(samples: dict[str, bytes]) -> None:
    whole = msgpack.decode(samples["results"])
    owns = msgpack.decode(whole["stretches"][0]["owns"])
    owns[1] = "nonsense"
    whole["stretches"][0]["owns"] = msgpack.encode(owns)
    why: list[Exception] = []
    assert len(history_of(msgpack.encode(whole), why.append).results()) == len(owns) - 1
    assert len(why) == 1
    assert isinstance(why[0], UNREADABLE)
    assert isinstance(msgpack.decode(msgpack.encode(owns), type=list[Raw]), list)
