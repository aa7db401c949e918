"""Opens and checks a database: a file of SQLite or a server of PostgreSQL."""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol
from weakref import WeakSet

import structlog
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection

from monitor.history.faults import ReplacedFile
from monitor.model.errors import HistoryError
from monitor.model.retention import libpq_parameters

_log = structlog.get_logger("monitor.history")

_BUSY_MILLISECONDS = 2000
"""Milliseconds that SQLite waits for a lock of another process, mostly a backup."""
_ANSWER = 30.0
"""Seconds for a transaction over a network; the connection is closed after that."""


class Place(Protocol):
    """A database, before and behind SQLAlchemy. Every method but `sever` is called in the writer's thread."""

    dialect: str
    shown: str
    """The location, without secrets."""
    patience: float | None
    """Seconds for one transaction; None where no transaction waits for a network."""

    @property
    def lease(self) -> str:
        """The name of the lease that lets one monitor write, once the database is open."""

    def engine(self) -> Engine:
        """Connections to it; raises HistoryError if there can be none."""

    def check(self) -> None:
        """Raises HistoryError if it is no longer the one that was opened."""

    def sever(self) -> None:
        """End every transaction that waits for an answer."""


def place(location: str) -> Place:
    """The database of an URL; the default one if it is empty."""
    return Server(location) if location.startswith("postgresql:") else File(location)


class File:
    """SQLite's."""

    dialect = "sqlite"
    patience: float | None = None

    def __init__(self, location: str) -> None:
        named = make_url(location).database if location else state_directory() / "monitor.db"
        self.shown = os.path.realpath(named or "")
        self._opened: tuple[int, int] | None = None

    def engine(self) -> Engine:
        """Connections to it, of which one writes."""
        folder = Path(self.shown).parent
        if not folder.is_dir():
            raise HistoryError(f"the folder {folder} does not exist")
        with suppress(FileExistsError):  # SQLite creates -wal and -shm with the same mode
            os.close(os.open(self.shown, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        self._opened = self._identity()
        url = make_url("sqlite+pysqlite://").set(database=self.shown)
        engine = create_engine(url, connect_args={"timeout": _BUSY_MILLISECONDS / 1000})
        event.listen(engine, "connect", _prepare)
        return engine

    def _identity(self) -> tuple[int, int] | None:
        with suppress(OSError):
            found = os.stat(self.shown)  # noqa: PTH116  this runs before every transaction
            return found.st_dev, found.st_ino
        return None

    def check(self) -> None:
        """Look whether a file of this name is still the same."""
        if self._identity() != self._opened:
            raise ReplacedFile(f"{self.shown} was deleted or replaced")

    @property
    def lease(self) -> str:
        """Names the file by its inode: links lead to the same lease, a copy to another."""
        return f"history of file {self._opened[1]}" if self._opened else ""

    def sever(self) -> None:
        """Does nothing: SQLite waits for locks only, at most two seconds."""

    def set_aside(self, problem: Exception) -> None:
        """Put a broken file and what belongs to it out of the way; raises HistoryError if it cannot be moved."""
        kept = f"{self.shown}.corrupt-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
        try:
            for ending in ("", "-wal", "-shm"):
                with suppress(FileNotFoundError):
                    os.rename(f"{self.shown}{ending}", f"{kept}{ending}")  # noqa: PTH104  at once, on one disk
        except OSError as refused:
            raise HistoryError(f"{self.shown} is broken and cannot be set aside: {refused.strerror}") from refused
        _log.error("history is broken and set aside, a new one is begun", file=self.shown, kept=kept, why=str(problem))


def state_directory() -> Path:
    """Returns systemd's StateDirectory (systemd.exec(5)), else the working directory."""
    return Path(os.environ.get("STATE_DIRECTORY", "").partition(":")[0])


def _prepare(connection: DBAPIConnection, _record: object) -> None:
    connection.text_factory = _text
    cursor = connection.cursor()
    for pragma in (
        "journal_mode = WAL",
        "synchronous = NORMAL",  # a killed process loses nothing; a lost machine its last seconds, and never the file
        "cache_size = -2000",
        "journal_size_limit = 67108864",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _text(data: bytes) -> str:
    """A text of a row; one that is none takes no other row with it."""
    return data.decode(errors="replace")


_SETTINGS = {
    "statement_timeout": "10s",
    "client_connection_check_interval": "2s",
}
_SET = "SELECT set_config(name, %s, false) FROM pg_settings WHERE name = %s"
"""Sets what this server knows: the oldest ones lack some."""
_PARAMETERS = {
    "connect_timeout": "5",
    "application_name": "monitor",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}
"""Defaults of libpq parameters; the URL overrides them."""


class Server:
    """PostgreSQL's; the URL is libpq's, with all of its parameters."""

    dialect = "postgresql"
    patience: float | None = _ANSWER
    lease = "history"

    def __init__(self, location: str) -> None:
        self._parameters: dict[str, Any] = {**_PARAMETERS, **libpq_parameters(location)}
        host = self._parameters.get("host") or self._parameters.get("hostaddr") or "localhost"
        self.shown = f"PostgreSQL at {host}/{self._parameters.get('dbname', '')}"
        self._connections: WeakSet[Any] = WeakSet()

    def engine(self) -> Engine:
        """Connections to it, of which one writes."""
        return create_engine(
            "postgresql+psycopg://", creator=self._connect, pool_pre_ping=True, use_native_hstore=False
        )

    def _connect(self) -> Any:
        import psycopg

        connection = psycopg.connect(**self._parameters, autocommit=True)
        self._connections.add(connection)
        asked = str(self._parameters.get("options", ""))
        for name, value in _SETTINGS.items():
            if name not in asked:
                connection.execute(_SET, (value, name))
        connection.autocommit = False
        return connection

    def check(self) -> None:
        """Does nothing: a connection always leads to the same database."""

    def sever(self) -> None:
        """Close the line under every connection."""
        for connection in tuple(self._connections):
            if not connection.closed:
                with suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as line:
                    line.shutdown(socket.SHUT_RDWR)  # the thread that waits for it meets the end of the stream
