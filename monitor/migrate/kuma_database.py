"""Uptime Kuma's SQLite database, of versions 1 and 2."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

from monitor.migrate.kuma_rows import Kuma, Row, named, number
from monitor.model.errors import ForeignFileError

_WAL_HEADER = 32
"""Bytes."""
_ATTEMPTS = 5
"""Copies until one is of a single moment; the log starts anew every few minutes."""


def database(path: Path) -> Kuma:
    """Everything in the database; raises `ForeignFileError`."""
    with ExitStack() as stack:
        try:
            return _tables(_opened(path, stack), path)
        except sqlite3.Error as error:
            raise ForeignFileError(f"{path}: the database cannot be read: {error}") from None


def _opened(path: Path, stack: ExitStack) -> sqlite3.Connection:
    """The database, with every write that ended. Its folder stays as it is, and may be read-only.

    A -wal or -journal file needs a -shm file or a rollback, which SQLite makes beside a copy.
    """
    source = path.resolve()
    logs = [log for ending in ("-wal", "-journal") if (log := source.with_name(source.name + ending)).exists()]
    logs = [log for log in logs if log.is_dir() or log.stat().st_size]
    where, mode = (_copied(source, logs, stack), "rw") if logs else (source, "ro&immutable=1")
    opened = sqlite3.connect(f"{where.as_uri()}?mode={mode}", uri=True, isolation_level=None)
    stack.enter_context(closing(opened))
    opened.row_factory = sqlite3.Row
    opened.text_factory = lambda content: content.decode(errors="replace")
    return opened


def _copied(source: Path, logs: list[Path], stack: ExitStack) -> Path:
    """A copy of the database and of what belongs to it, as they were at one moment; Kuma may go on writing."""
    try:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="monitor-import-")))
        for _ in range(_ATTEMPTS):
            before = [_stamp(log) for log in logs]
            for file in (source, *logs):
                shutil.copyfile(file, directory / file.name)
            if before == [_stamp(log) for log in logs]:
                return directory / source.name
    except OSError as error:
        why = error.strerror or "the path is not valid"
        where = error.filename or source
        raise ForeignFileError(f"{where}: cannot be copied to be read: {why[0].lower()}{why[1:]}") from None
    raise ForeignFileError(f"{source}: changes all the time; stop Kuma, or try again")


def _stamp(log: Path) -> bytes | tuple[int, int]:
    """Returns a mark that changes once the log no longer fits the copied database.

    A -wal file begins with salts that are new after each checkpoint from which it starts anew; until then it only
    grows, and everything that a checkpoint moves into the database is in it, too.
    """
    if log.name.endswith("-wal"):
        with log.open("rb") as file:
            return file.read(_WAL_HEADER)
    at = log.stat()
    return at.st_mtime_ns, at.st_size


def _tables(database: sqlite3.Connection, path: Path) -> Kuma:
    names = {row["name"] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "monitor" not in names:
        raise ForeignFileError(f"{path}: has no table `monitor`, so this is no database of Uptime Kuma")

    def rows(table: str) -> Iterator[Row]:
        if table in names:
            for row in database.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - names of our own
                yield named(dict(row)) | {"place": f"{path}: {table} {dict(row).get('id', '?')}"}

    kuma = Kuma(sorted(rows("monitor"), key=lambda row: number(row.get("id"))))
    kuma.proxies = {number(row.get("id")): row for row in rows("proxy")}
    labels = {row.get("id"): row for row in rows("tag")}
    for row in rows("monitor_tag"):
        known = labels.get(row.get("tag_id"), {})
        kuma.tags.setdefault(number(row.get("monitor_id")), []).append(row | {"name": known.get("name")})
    for row in rows("monitor_notification"):
        owner = number(row.get("monitor_id"))
        kuma.notified[owner] = kuma.notified.get(owner, 0) + 1
    kuma.maintained = {number(row.get("monitor_id")) for row in rows("monitor_maintenance")}
    kuma.settings = {str(row.get("key")): str(row.get("value")) for row in rows("setting")}
    for table in ("notification", "maintenance", "status_page", "docker_host", "remote_browser", "api_key"):
        kuma.others += [(row["place"], table, str(row.get("name") or row.get("title") or "")) for row in rows(table)]
    return kuma
