"""The database: one thread writes, two read, and no statement is run on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from enum import Enum, auto
from typing import Any, TypeVar

from sqlalchemy import Select
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from monitor.history.faults import CorruptFile, LeaseTaken, translated
from monitor.history.forms import brought_up
from monitor.history.lease import Lease
from monitor.history.places import File, place
from monitor.model.errors import HistoryError

T = TypeVar("T")

_PATIENCE = 5.0
"""Seconds for the connections to close."""


class Step(Enum):
    """The steps of opening a database. The monitor writes only to one whose stored past it has adopted."""

    CLOSED = auto()
    OPEN = auto()
    ADOPTED = auto()


class Database:
    """One database, for any number of tasks; transactions that write come one after the other."""

    def __init__(self, location: str) -> None:
        self._place = place(location)
        self.shown = self._place.shown
        """The location, without secrets."""
        self.dialect = self._place.dialect
        self.lease = Lease(self.dialect)
        self.step = Step.CLOSED
        self._engine: Engine | None = None
        self._connection: Connection | None = None
        self._writer = ThreadPoolExecutor(1, "history-writer")
        self._readers = ThreadPoolExecutor(2, "history-reader")

    @property
    def is_open(self) -> bool:
        """True while stored values can be read."""
        return self.step is not Step.CLOSED

    # life

    async def open(self) -> None:
        """Open it, in a form that we know; raises HistoryError. A file that is no database is set aside for a new one.

        It can be written to, and the archive can be read, once it is `adopted`.
        """
        try:
            try:
                await self._run(self._writer, self._open)
            except CorruptFile as problem:
                await self.set_aside(problem)
                await self._run(self._writer, self._open)
        except BaseException:
            await self.close()
            raise
        self.step = Step.OPEN

    def _open(self) -> None:
        self._close()
        self._engine = self._place.engine()
        self._connection = self._engine.connect()
        with self._connection.begin():
            brought_up(self._connection)
        with self._connection.begin():
            self._hold(self.lease.take(self._connection, self._place.lease))

    def _hold(self, held: bool) -> None:
        if not held:
            raise LeaseTaken(f"another monitor writes to {self.shown}")

    def adopted(self) -> None:
        """Allow writes: the stored past is in memory now."""
        self.step = Step.ADOPTED

    async def close(self) -> None:
        """Close it, and let another monitor have it."""
        self.step = Step.CLOSED
        closed = asyncio.ensure_future(self._run(self._writer, self._let_go))
        _, waits = await asyncio.wait({closed}, timeout=_PATIENCE)
        if waits:
            self._place.sever()  # what goes on in the thread ends now
            await asyncio.wait(waits, timeout=_PATIENCE)

    def _let_go(self) -> None:
        if self._connection is not None:
            with suppress(SQLAlchemyError):
                self.lease.give_back(self._connection)
        self._close()

    def _close(self) -> None:
        engine, self._engine = self._engine, None
        connection, self._connection = self._connection, None
        with suppress(SQLAlchemyError):
            if connection is not None:
                connection.close()
        with suppress(SQLAlchemyError):
            if engine is not None:
                engine.dispose()

    def sever(self) -> None:
        """Ends every transaction that waits for a network."""
        self._place.sever()

    async def set_aside(self, problem: Exception) -> None:
        """Rename a broken file; raises HistoryError if that fails, or if the database is not a file."""
        await self.close()
        if not isinstance(self._place, File):
            raise HistoryError(str(problem)) from problem
        await self._run(self._writer, self._place.set_aside, problem)

    # transactions

    async def write(self, work: Callable[[Connection], T], *, early: bool = False) -> T:
        """Do the work in one transaction, after any other; raises HistoryError, or Corrupt, if it did not succeed.

        Only an `early` one needs no adoption.
        """
        if self.step is not Step.ADOPTED and not early:
            raise HistoryError(self._not_yet())
        return await self._in_time(self._writer, self._write, work)

    def _write(self, work: Callable[[Connection], T]) -> T:
        if self._connection is None:
            raise HistoryError(self._not_yet())
        self._place.check()
        with self._connection.begin():
            self._hold(self.lease.renew(self._connection))
            return work(self._connection)

    async def rows(self, asked: Select[Any], *, early: bool = False) -> Sequence[Any]:
        """Returns the rows of a query; raises HistoryError. An `early` one needs no adoption and has no limit."""
        if early:
            return await self._run(self._readers, self._rows, asked)
        if self.step is not Step.ADOPTED:
            raise HistoryError(self._not_yet())
        return await self._in_time(self._readers, self._rows, asked)

    def _rows(self, asked: Select[Any]) -> Sequence[Any]:
        if self._engine is None:
            raise HistoryError(self._not_yet())
        with self._engine.connect() as connection:
            return connection.execute(asked).all()

    def _not_yet(self) -> str:
        return f"{self.shown} is not {'read yet' if self.is_open else 'open'}"

    async def _in_time(self, threads: ThreadPoolExecutor, work: Callable[..., T], asked: object) -> T:
        """Do it, and wait no longer than a network is worth waiting for."""
        try:
            async with asyncio.timeout(self._place.patience):
                return await self._run(threads, work, asked)
        except TimeoutError:
            self._place.sever()
            raise HistoryError("the database does not answer in time") from None

    async def _run(self, threads: ThreadPoolExecutor, work: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(threads, _translated, work, *arguments)


def _translated(work: Callable[..., T], *arguments: object) -> T:
    with translated():
        return work(*arguments)
