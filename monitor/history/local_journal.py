"""Keeps on the local disk what a database over a network has not confirmed yet, for the next process."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import TypeVar

import structlog
from msgspec import DecodeError, ValidationError, msgpack

from monitor.history.statements import Row, Writes

_log = structlog.get_logger("monitor.history")

T = TypeVar("T")

_LONGEST = 256 * 1024 * 1024
"""Bytes of the file; what comes later is in memory alone."""
_LENGTH = 4
"""Bytes before each record that say how long it is."""
_PARTS = tuple(field.name for field in fields(Writes) if field.name not in ("again", "forget_journal"))


class LocalJournal:
    """A file of records: the processes that used it, and rows of transactions.

    A killed process loses nothing that was added. A machine that fails may lose the last seconds, never the file.
    """

    def __init__(self, folder: Path, database: str) -> None:
        name = hashlib.blake2b(database.encode(), digest_size=4).hexdigest()
        self.path = folder / f"monitor-{name}.journal"
        self._added: dict[int, Row] = {}
        """The rows in the file, which are still in memory too, by their identity."""
        self._empty = False
        self._thread = ThreadPoolExecutor(1, "history-local")
        self._failing = False

    async def begin(self, holder: str) -> tuple[list[str], list[Writes]]:
        """Notes that this process uses the file; returns those that did before, and what they left."""
        return await self._run(self._begin, holder) or ([], [])

    async def add(self, writes: Writes) -> bool:
        """Adds the rows that are not in the file yet; True if the next process will find them all."""
        new = Writes()
        for part in _PARTS:
            setattr(new, part, [row for row in getattr(writes, part) if id(row) not in self._added])
        if any(getattr(new, part) for part in _PARTS if part != "presence"):
            if await self._run(self._append, new) is not True:
                return False
            self._added |= {id(row): row for part in _PARTS for row in getattr(new, part)}
        return True

    async def clear(self, holder: str) -> None:
        """Empties the file, as the database has it all; only the process that uses it stays in it."""
        if self._added or not self._empty:
            self._empty = await self._run(self._clear, holder) is not None
            self._added.clear()

    async def leave(self) -> None:
        """Puts the file out of the way, for another monitor has written to the database since."""
        await self._run(self._leave)

    async def _run(self, work: Callable[..., T], *arguments: object) -> T | None:
        """Does the work in the file's own thread. None if the disk fails, which is said once."""
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)
        except OSError as error:
            if not self._failing:
                _log.warning("no journal can be kept locally", file=str(self.path), why=error.strerror)
            self._failing = True
            return None
        self._failing = False
        return found

    # in the thread

    def _begin(self, holder: str) -> tuple[list[str], list[Writes]]:
        data = b""
        with suppress(FileNotFoundError):
            data = self.path.read_bytes()
        holders, rows, whole = [], [], 0
        for record in _records(data):
            whole += _LENGTH + len(record)
            with suppress(DecodeError, ValidationError):
                found = msgpack.decode(record, type=str | Writes)
                holders.append(found) if isinstance(found, str) else rows.append(found)
        if whole < len(data):
            os.truncate(self.path, whole)  # a record that was cut off by the end of its process
        self._append(holder)
        return holders, rows

    def _append(self, record: object) -> bool:
        data = msgpack.encode(record)
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            size = os.fstat(file).st_size
            if size < _LONGEST and os.write(file, len(data).to_bytes(_LENGTH) + data) < _LENGTH + len(data):
                os.ftruncate(file, size)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return size < _LONGEST
        finally:
            os.close(file)

    def _clear(self, holder: str) -> bool:
        with suppress(FileNotFoundError):
            os.truncate(self.path, 0)
        return self._append(holder)

    def _leave(self) -> None:
        left = self.path.with_suffix(".left")
        self.path.replace(left)
        _log.error("another monitor has written to the database since; what was kept locally is left", file=str(left))


def _records(data: bytes) -> Iterable[bytes]:
    at = 0
    while at + _LENGTH <= len(data):
        end = at + _LENGTH + int.from_bytes(data[at : at + _LENGTH])
        if end > len(data):
            return
        yield data[at + _LENGTH : end]
        at = end
