"""PostgreSQL by any URL that libpq takes; what goes wrong there is said, and touches no file."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from monitor.history.database import Database
from monitor.history.faults import translated
from monitor.model.errors import HistoryError
from monitor.model.outcome import State
from monitor.model.retention import HistorySpec, libpq_problem
from tests.history.living import HeldClock, World, spec

pytestmark = pytest.mark.timeout(60)
MORE = "connect_timeout=3&application_name=mine&target_session_attrs=read-write&options=-c%20work_mem%3D8MB"


async def test_the_parameters_of_libpq_hold(postgresql: Any, clock: HeldClock) -> None:
    uri = postgresql.get_uri()
    postgresql.psql("CREATE DATABASE parameters;")
    location = uri.replace("/postgres?", "/parameters?") + "&" + MORE
    assert libpq_problem(location) is None
    async with World(location, clock).life(spec("a")) as life:
        life.live("a", 3)
        await life.write()
        assert life.keeper.meter.writing, life.keeper.trouble
        found = await life.keeper._database.write(
            lambda c: [c.scalar(text(f"SHOW {name}")) for name in ("application_name", "work_mem", "statement_timeout")]
        )
        assert found == ["mine", "8MB", "10s"]


@pytest.mark.parametrize(
    ("tail", "said"),
    [
        ("?sslmode=maybe", 'invalid sslmode value: "maybe"'),
        ("?sslmod=require", 'invalid URI query parameter: "sslmod"'),
        ("?target_session_attrs=best", "invalid target_session_attrs value"),
        ("?connect_timeout=soon", "connect_timeout"),
        ("?sslrootcert=/does/not/exist.pem", "sslrootcert: there is no such file"),
        ("?port=1,2,3&host=a,b", "could not match 3 port numbers to 2 hosts"),
    ],
)
def test_what_libpq_does_not_take_is_a_problem_of_the_configuration(tail: str, said: str) -> None:
    problem = libpq_problem(f"postgresql://monitor:very-secret@db.example.com/monitor{tail}")
    assert said in str(problem)
    assert "very-secret" not in str(problem)


@pytest.mark.parametrize(
    "location",
    [
        "postgresql://db.example.com/monitor?sslmode=require",
        "postgresql://u:p@a.example.com:5432,b.example.com:5433/monitor?target_session_attrs=primary",
        "postgresql://%2Fvar%2Frun%2Fpostgresql/monitor",
        "postgresql:///monitor?host=/var/run/postgresql&sslrootcert=system&sslmode=verify-full",
        "postgresql://[2001:db8::1]:5432/monitor?options=-c%20statement_timeout%3D3s",
    ],
)
def test_what_libpq_takes_is_none(location: str) -> None:
    assert libpq_problem(location) is None
    assert "PostgreSQL at" in Database(location).shown


def test_a_password_is_a_secret_wherever_it_stands() -> None:
    found = HistorySpec(location="postgresql://u:p%40ss@h/db?password=other&sslpassword=third&sslmode=require").secrets
    assert found == {"p%40ss", "p@ss", "other", "third"}


async def test_a_file_beside_a_postgresql_of_the_same_name_is_left_alone(
    postgresql: Any, clock: HeldClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("monitor.db", "beside"):
        (tmp_path / name).write_text("mine")
    postgresql.psql("CREATE DATABASE beside;")
    world = World(postgresql.get_uri().replace("/postgres?", "/beside?"), clock)
    async with world.life(spec("a")) as first:
        first.live("a", 3)
        await first.save()
    postgresql.psql("""\\c beside
        UPDATE states SET saved = 'x'; UPDATE journal SET entries = 'x'; UPDATE tallies SET tally = 'x';""")
    async with world.life(spec("a")) as second:
        second.live("a", 3, failing=True)
        await second.save()
        assert second.keeper.meter.writing
        assert second.record("a").standing.state is State.DOWN
    assert [name for name in names(tmp_path) if not name.endswith(".journal")] == ["beside", "monitor.db"]
    assert read(tmp_path / "monitor.db") == "mine"


def read(path: Path) -> str:
    return path.read_text()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_a_server_that_says_nothing_is_given_up(clock: HeldClock) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        database = Database(f"postgresql://u:very-secret@127.0.0.1:{port}/x?connect_timeout=2")
        with pytest.raises(HistoryError) as said:
            await database.open()
    assert "in time" in str(said.value)


async def test_what_cannot_be_reached_is_said_without_names() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(HistoryError, match="Connection refused") as said:
        await Database(f"postgresql://somebody:very-secret@127.0.0.1:{port}/x").open()
    assert "somebody" not in str(said.value)


SERVER = 'connection failed: connection to server at "db.internal" (192.0.2.7), port 5432 failed: '


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("Connection refused\n\tIs the server running on that host?", "Connection refused"),
        ('FATAL:  password authentication failed for user "ana"', "password authentication failed"),
        ('FATAL:  database "x" does not exist', "database does not exist"),
        ("server does not support SSL, but SSL was required", "server does not support SSL, but SSL was required"),
        (
            'FATAL:  no pg_hba.conf entry for host "192.0.2.9", user "ana", database "x", no encryption',
            "no pg_hba.conf entry, no encryption",
        ),
    ],
)
def test_what_libpq_says_is_a_whole_sentence_without_names(said: str, sentence: str) -> None:
    with pytest.raises(HistoryError) as error, translated():
        raise OperationalError("SELECT 1", None, psycopg.OperationalError(SERVER + said))
    assert str(error.value) == f"the database cannot be used: {sentence}"


async def test_a_transaction_that_waits_for_long_is_given_up(
    postgresql: Any, clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server holds a lock; the thread is free again, and the next connection works."""
    database = Database(postgresql.get_uri())
    await database.open()
    database.adopted()
    monkeypatch.setattr(database._place, "patience", 0.3)
    with pytest.raises(HistoryError, match="in time"):
        await database.write(lambda connection: connection.execute(text("SELECT pg_sleep(20)")))
    await database.close()
    async with asyncio.timeout(8):  # the server looks whether we are still there, and gives the lock away
        while not database.is_open:
            with contextlib.suppress(HistoryError):
                await database.open()
    await database.close()
