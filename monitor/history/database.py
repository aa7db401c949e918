"""The database itself: opening it in the form that we know, holding it alone, and setting a broken file aside."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import structlog
from sqlalchemy import URL, event, insert, inspect, select, text
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from monitor.errors import HistoryError
from monitor.history.faults import Corrupt, translated
from monitor.history.tables import REVISION, metadata, version

_log = structlog.get_logger("monitor.history")

MIGRATIONS = Path(__file__).with_name("migrations")
_PATIENCE = 5.0
"""Seconds for a connection, and for one statement on a network."""
_BUSY_MILLISECONDS = 2000
"""How long SQLite waits for the lock of somebody else, a backup mostly."""
_ADVISORY_LOCK = 0x6D6F6E69746F72
"""«monitor», as the number that PostgreSQL locks."""


class Database:
    """One database, for any number of tasks; one at a time writes."""

    def __init__(self, location: str) -> None:
        self._url = make_url(location or _default())
        self.shown = _shown(self._url)
        """Where it is, without anything secret."""
        self._engine: AsyncEngine | None = None
        self._writer: AsyncConnection | None = None
        self._lock: int | None = None
        self._turn = asyncio.Lock()

    @property
    def is_open(self) -> bool:
        """Whether it can be asked."""
        return self._engine is not None

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._url.get_backend_name()

    async def open(self) -> None:
        """Have it, in the newest form; raises HistoryError. A file that is no database is set aside for a new one."""
        try:
            await self._open()
        except Corrupt as problem:
            await self.set_aside(problem)
            await self._open()

    async def _open(self) -> None:
        try:
            with translated():
                self._hold()
                self._engine = _engine(self._url)
                async with asyncio.timeout(2 * _PATIENCE):
                    await self._connect()
        except BaseException:
            await self.close()
            raise

    async def _connect(self) -> None:
        assert self._engine is not None
        self._writer = await self._engine.connect()
        if self.dialect == "postgresql":
            held = await self._writer.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _ADVISORY_LOCK})
            if not held:
                raise HistoryError(f"another monitor writes to {self.shown}")
        await _migrate(self._writer)
        await self._writer.commit()

    def _hold(self) -> None:
        """One process writes to a file; what is beside the database stays there, or two could hold two of them."""
        if self.dialect != "sqlite" or self._lock is not None:
            return
        folder = Path(self._url.database or "").parent
        if not folder.is_dir():
            raise HistoryError(f"the folder {folder} does not exist")
        beside = f"{self._url.database}.lock"
        lock = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as taken:
            os.close(lock)
            raise HistoryError(f"another monitor writes to {self.shown}") from taken
        self._lock = lock

    async def close(self) -> None:
        """Let it go."""
        engine, self._engine = self._engine, None
        writer, self._writer = self._writer, None
        with suppress(SQLAlchemyError, OSError, TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                if writer is not None:
                    await writer.close()
                if engine is not None:
                    await engine.dispose()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    async def set_aside(self, problem: Exception) -> None:
        """Put a broken file and what belongs to it out of the way; raises HistoryError if it cannot be moved."""
        await self.close()
        path = Path(self._url.database or "")
        kept = f"{path}.corrupt-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
        try:
            for ending in ("", "-wal", "-shm"):
                with suppress(FileNotFoundError):
                    os.rename(f"{path}{ending}", f"{kept}{ending}")  # noqa: PTH104  at once, on one disk
        except OSError as refused:
            raise HistoryError(f"{self.shown} is broken and cannot be set aside: {refused.strerror}") from refused
        _log.error("history is broken and set aside, a new one is begun", file=str(path), kept=kept, why=str(problem))

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """One transaction, after any other; raises HistoryError, or Corrupt, if it did not succeed."""
        async with self._turn:
            if self._writer is None:
                raise HistoryError(f"{self.shown} is not open")
            writer = self._writer
            with translated():
                async with writer.begin():
                    yield writer

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection that only reads; raises HistoryError."""
        if self._engine is None:
            raise HistoryError(f"{self.shown} is not open")
        with translated():
            async with self._engine.connect() as connection:
                yield connection


def _default() -> str:
    """In the folder that systemd made for us (systemd.exec(5), StateDirectory), else here."""
    folder = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    return f"sqlite:///{Path(folder, 'monitor.db')}"


def _shown(url: URL) -> str:
    """The place of a database without user and password."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    host = url.host or url.query.get("host", "localhost")
    return f"PostgreSQL at {host}/{url.database or ''}"


def _engine(url: URL) -> AsyncEngine:
    if url.get_backend_name() == "postgresql":
        limits = {"timeout": _PATIENCE, "command_timeout": 2 * _PATIENCE}
        return create_async_engine(url.set(drivername="postgresql+asyncpg"), connect_args=limits, pool_pre_ping=True)
    engine = create_async_engine(
        url.set(drivername="sqlite+aiosqlite"), connect_args={"timeout": _BUSY_MILLISECONDS / 1000}
    )
    event.listen(engine.sync_engine, "connect", _prepare)
    return engine


def _prepare(connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in (
        "journal_mode = WAL",
        "synchronous = NORMAL",  # a killed process loses nothing; a lost machine its last seconds, and never the file
        "cache_size = -2000",
        "journal_size_limit = 67108864",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


async def _migrate(connection: AsyncConnection) -> None:
    found = await connection.run_sync(_revision)
    if found is None:
        await connection.run_sync(_begin)
    elif found != REVISION:
        await connection.run_sync(_upgrade, found)


def _begin(connection: Connection) -> None:
    """An empty database gets the tables as they are now; a test holds them against those that the migrations make."""
    metadata.create_all(connection)
    version.create(connection)
    connection.execute(insert(version), {"version_num": REVISION})


def _revision(connection: Connection) -> str | None:
    """Which form the tables have; None if there are none."""
    if not inspect(connection).has_table(version.name):
        return None
    found: str | None = connection.scalar(select(version.c.version_num))
    return found


def _upgrade(connection: Connection, found: str) -> None:
    # Alembic takes eleven mebibytes, and is needed when an older database meets a newer monitor.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    logging.getLogger("alembic").setLevel(logging.WARNING)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found not in known:
        raise HistoryError("the history was written by a newer version of the monitor; it is left as it is")
    command.upgrade(config, "head")
