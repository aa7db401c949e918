"""A monitor that is put back to this version reads what a newer one has written, and destroys nothing of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import pytest
from msgspec import msgpack
from sqlalchemy import text
from sqlalchemy.engine import Connection

from monitor.history.archive import Announcement, IncidentQuery
from monitor.history.database import Database
from monitor.history.tables import metadata
from monitor.model.incident import Acknowledgement
from monitor.model.outcome import State
from tests.history.living import START, World, spec
from tests.history.test_faults import file_of

MORE = ["of a newer version", {"and": [1, 2]}]


async def changed(world: World, work: Callable[[Connection], Any]) -> Any:
    database = Database(world.location)
    await database.open()
    database.adopted()
    found = await database.write(work)
    await database.close()
    return found


def newer(connection: Connection) -> None:
    """Another form, with more columns, another table, and longer arrays in every value."""
    connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    connection.execute(text("CREATE TABLE places (id INTEGER PRIMARY KEY, name TEXT NOT NULL)"))
    for table in metadata.tables:
        connection.execute(text(f"ALTER TABLE {table} ADD COLUMN colour VARCHAR(50) NOT NULL DEFAULT 'here'"))
        connection.execute(text(f"UPDATE {table} SET colour = 'there'"))
    for table, column, keys in (
        ("states", "saved", ["check_id"]), ("tallies", "tally", ["step", "check_id", "start"]),
        ("incidents", "first_run", ["id"]), ("journal", "entries", ["id"]),
    ):  # fmt: skip
        for row in connection.execute(text(f"SELECT {column}, {', '.join(keys)} FROM {table}")).all():
            values = dict(zip(keys, row[1:], strict=True))
            where = " AND ".join(f"{key} = :{key}" for key in keys)
            found = connection.execute(
                text(f"UPDATE {table} SET {column} = :longer WHERE {where}"),
                {"longer": longer(table, bytes(row[0])), **values},
            )
            assert found.rowcount == 1


def longer(table: str, data: bytes) -> bytes:
    whole = msgpack.decode(data)
    if table == "journal":
        return msgpack.encode([[*entry, *MORE] for entry in whole])
    if table == "states":
        whole[0] = [*whole[0], *MORE]
        whole[1][1][1] = [*whole[1][1][1], *MORE]
    return msgpack.encode([*whole, *MORE])


async def test_what_a_newer_version_wrote_is_read_and_kept(world: World) -> None:
    async with world.life(spec("a")) as first:
        await first.last("a", 10)
        await first.last("a", 3, failing=True)
        incident = first.record("a").standing.incident
        assert incident is not None
        await first.keeper.notices.announce(Announcement("x", "slow", "ana", START))
    await changed(world, newer)
    async with world.life(spec("a")) as second:
        record, archive = second.record("a"), second.keeper.archive
        assert (record.standing.state, record.standing.incident) == (State.DOWN, incident)
        assert (await archive.totals(["a"], START, START + 3600))["a"].runs == 13
        assert len(await archive.results("a", 100)) == 13
        assert second.keeper.meter.unreadable == 0
        noted = record.acknowledge(Acknowledgement("ana", "on it", world.clock().wall))
        assert noted is not None
        second.keeper.acknowledged(second.record("a"), noted)
        second.live("a", 3)
        assert await second.keeper.notices.withdraw("x", world.clock().wall)
        await second.save()
        assert second.keeper.meter.writing
        (one,) = await archive.incidents(IncidentQuery())
        assert one.ended_at is not None

    def kept(connection: Connection) -> list[Any]:
        tables = ("alembic_version", "incidents", "announcements", "checks", "states")
        columns = ("version_num", "colour", "colour", "colour", "colour")
        found = [
            connection.scalar(text(f"SELECT {column} FROM {table}"))
            for table, column in zip(tables, columns, strict=True)
        ]
        first = connection.scalar(text("SELECT first_run FROM incidents"))
        return [*found, msgpack.decode(bytes(first))[-2:], connection.scalar(text("SELECT ended_at FROM incidents"))]

    *found, ended_at = await changed(world, kept)
    assert found == ["9999", "there", "there", "there", "there", MORE]
    assert ended_at is not None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("ALTER TABLE tallies RENAME COLUMN tally TO figures", "no column tally"),
        ("DROP TABLE presence", "no table presence"),
    ],
)
async def test_a_database_whose_form_cannot_be_used_is_left_alone(sqlite: World, change: str, said: str) -> None:
    async with sqlite.life(spec("a")) as first:
        first.live("a", 2)
    path = file_of(sqlite)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.execute(change)
    connection.close()
    before = path.read_bytes()
    async with sqlite.life(spec("a")) as second:
        second.live("a", 2)
        await second.write()
        second.live("a", 1)
        assert "newer version" in str(second.keeper.trouble)
        assert said in str(second.keeper.trouble)
    assert path.read_bytes() == before


async def test_a_column_that_must_be_filled_is_not_left_empty(sqlite: World) -> None:
    async with sqlite.life(spec("a")) as first:
        first.live("a", 2)
    with sqlite3.connect(file_of(sqlite)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.execute("DROP TABLE presence")
        connection.execute(
            "CREATE TABLE presence (member TEXT, started_at DOUBLE, alive_until DOUBLE, colour TEXT NOT NULL)"
        )
    connection.close()
    async with sqlite.life(spec("a")) as second:
        second.live("a", 2)
        assert "wants a colour" in str(second.keeper.trouble)
