"""Databases of older versions are carried over, whole or not at all, and a copy of them stays."""

from __future__ import annotations

import base64
import fcntl
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import MetaData, insert, inspect, text
from sqlalchemy.engine import Connection

from monitor.history import forms
from monitor.history.archive import IncidentQuery
from monitor.history.places import place
from monitor.history.tables import REVISION
from monitor.model.outcome import State
from monitor.model.spec import CheckSpec
from tests.history.living import START, Life, World, spec

GOLDEN = Path(__file__).with_name("golden")
FORMS = sorted(path.stem for path in GOLDEN.glob("*.json"))
SPECS = (spec("a"), spec("b"), spec("new", was=("c",)))


def write(location: str, *work: Any) -> list[Any]:
    """Does the work in transactions of their own, as no monitor would."""
    engine = place(location).engine()
    found = []
    with engine.connect() as connection:
        for one in work:
            with connection.begin():
                found.append(one(connection))
    engine.dispose()
    return found


def upgraded(revision: str) -> Any:
    config = Config()
    config.set_main_option("script_location", str(forms.MIGRATIONS))

    def work(connection: Connection) -> None:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    return work


def golden(revision: str) -> Any:
    """Fills the tables with what a version of this revision had written."""
    stored = json.loads((GOLDEN / f"{revision}.json").read_text())

    def work(connection: Connection) -> None:
        metadata = MetaData()
        metadata.reflect(connection)
        for table, rows in stored.items():
            connection.execute(insert(metadata.tables[table]), [unpacked(row) for row in rows])

    return work


def unpacked(row: dict[str, Any]) -> dict[str, Any]:
    return {name: base64.b64decode(v["b"]) if isinstance(v, dict) else v for name, v in row.items()}


def old(world: World, form: str = "0001") -> World:
    """A database of an older version, with the past of `golden/__main__.py`."""
    write(world.location, *(upgraded(one) for one in FORMS if one <= form), golden(form))
    world.clock.forward(700)
    return world


def shape(connection: Connection) -> dict[str, Any]:
    """Every table, column, key and index, but those of the old form."""
    found = inspect(connection)
    return {
        table: (
            [(c["name"], str(c["type"]), c["nullable"], str(c["default"])) for c in found.get_columns(table)],
            found.get_pk_constraint(table)["constrained_columns"],
            sorted((i["name"], tuple(i["column_names"])) for i in found.get_indexes(table)),
            sorted(tuple(u["column_names"]) for u in found.get_unique_constraints(table)),
        )
        for table in found.get_table_names()
        if not table.startswith("old_")
    }


def drop(connection: Connection) -> None:
    for table in inspect(connection).get_table_names():
        connection.execute(text(f"DROP TABLE {table}"))


def revision(connection: Connection) -> str | None:
    return connection.scalar(text("SELECT version_num FROM alembic_version"))


async def test_migrations_make_what_a_new_database_has(world: World) -> None:
    begun, _, _, migrated = write(
        world.location, lambda c: (forms.brought_up(c), shape(c))[1], drop, upgraded("0001"), shape
    )
    assert migrated != begun
    _, migrated, found = write(world.location, upgraded("head"), shape, revision)
    assert migrated == begun
    assert found == REVISION


REMOVED = {
    "0001": {"old": (10, 2, 150), "gone": (0, 0, 0)},  # it forgot the last minute of a check that was removed
    "0002": {"old": (11, 3, 150), "gone": (3, 0, 20)},
}


async def told(life: Life) -> dict[str, Any]:
    """What pages, API and report show; for this database, version 0.1 showed the same."""
    archive = life.keeper.archive
    everything = [one for name in ("a", "b", "new", "old", "gone") for one in await archive.results(name, 100)]
    totals = await archive.totals(["a", "b", "new", "old", "gone"], START - 60, START + 3600)
    found = await archive.incidents(IncidentQuery())
    return {
        "runs": {name: (tally.runs, tally.failures, round(tally.known)) for name, tally in totals.items()},
        "results": len(everything),
        "incidents": [(one.check, one.started_at - START, one.ended_at and one.ended_at - START) for one in found],
        "acknowledged": [(one.check, one.acknowledged.by, one.acknowledged.note) for one in found if one.acknowledged],
        "evidence": [(await evidence(life, one.id)) for one in found],
        "announcements": [
            (one.id, one.text, one.by, one.groups)
            for one in sorted(await archive.announcements(START - 1, START + 3600), key=lambda one: one.id)
        ],
        "outages": [(one.started_at - START, one.ended_at - START) for one in await archive.outages(0, START + 650)],
    }


async def evidence(life: Life, incident: str) -> str | None:
    found = await life.keeper.archive.incident(incident)
    return found.first.evidence.body if found and found.first and found.first.evidence else None


@pytest.mark.parametrize("form", FORMS)
async def test_a_database_of_an_older_version_is_carried_over(world: World, form: str) -> None:
    async with old(world, form).life(*SPECS) as life:
        assert life.keeper.meter.unreadable == 0
        states = {name: life.record(name).standing.state for name in ("a", "b", "new")}
        assert states == {"a": State.DOWN, "b": State.UP, "new": State.DOWN}
        assert await told(life) == {
            "runs": {"a": (14, 4, 510), "b": (15, 3, 410), "new": (11, 3, 310), **REMOVED[form]},
            "results": 54,
            "incidents": [("new", 630, None), ("a", 570, None), ("old", 390, 400), ("b", 340, 360)],
            "acknowledged": [("a", "ana", "on it")],
            "evidence": ["no"] * 4,
            "announcements": [("n1", "Orders are slow", "ana", ("shop", "api")), ("n2", "Over", "bob", ())],
            "outages": [(430, 530), (640, 700)],
        }
        life.live("a", 1)
        await life.save()
        assert life.keeper.meter.writing
    async with world.life(*SPECS) as again:
        assert again.record("a").standing.state is State.UP
        assert (await told(again))["results"] == 55


async def test_a_copy_of_the_old_form_is_kept(world: World) -> None:
    async with old(world).life(*SPECS):
        pass
    if world.location.startswith("postgresql:"):
        (found,) = write(world.location, lambda c: c.scalar(text("SELECT count(*) FROM old_0001_incidents")))
        assert found == 4
        return
    copy = f"{world.location.removeprefix('sqlite:///')}.before-0002"
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT count(*), count(data) FROM incidents").fetchone() == (4, 4)
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)
    with closing(sqlite3.connect(world.location.removeprefix("sqlite:///"))) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name LIKE 'old_%'").fetchone() == (0,)


async def test_a_migration_that_fails_changes_nothing(world: World) -> None:
    old(world)
    write(world.location, lambda c: c.execute(text("CREATE TABLE leases (id INTEGER)")))
    async with world.life(*SPECS) as failing:
        failing.live("a", 2)
        await failing.write()
        assert not failing.keeper.meter.writing
        assert failing.keeper._writer.why
    _, found = write(world.location, lambda c: c.execute(text("DROP TABLE leases")), revision)
    assert found == "0001"
    async with world.life(*SPECS) as life:
        assert (await told(life))["acknowledged"] == [("a", "ana", "on it")]


async def test_what_cannot_be_read_of_the_old_form_costs_no_more(world: World) -> None:
    old(world)
    write(
        world.location,
        lambda c: c.execute(text("UPDATE incidents SET data = :x WHERE check_id = 2"), {"x": b"\xc1"}),
        lambda c: c.execute(text("UPDATE announcements SET data = :x WHERE id = 'n2'"), {"x": b"no"}),
    )
    async with world.life(*SPECS) as life:
        found = await told(life)
        assert [check for check, *_ in found["incidents"]] == ["new", "a", "old"]
        assert [name for name, *_ in found["announcements"]] == ["n1"]


@contextmanager
def held(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


async def test_nothing_is_changed_under_a_running_monitor_of_version_0_1(sqlite: World) -> None:
    old(sqlite)
    with held(Path(f"{sqlite.location.removeprefix('sqlite:///')}.lock")):
        async with sqlite.life(*SPECS) as refused:
            assert "older version writes" in refused.keeper._writer.why
    assert write(sqlite.location, revision) == ["0001"]
    async with sqlite.life(*SPECS) as life:
        assert life.record("a").standing.state is State.DOWN


@pytest.mark.parametrize("spec_names", [("a", "b", "c"), ("c",)])
async def test_a_renamed_check_of_version_0_1_is_found_by_its_last_name(
    world: World, spec_names: tuple[str, ...]
) -> None:
    """`new` is its last name; a check that is called `c` again begins anew."""
    specs: list[CheckSpec] = [spec(name) for name in spec_names]
    async with old(world).life(*specs) as life:
        assert life.record("c").last is None
