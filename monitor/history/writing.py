"""Writes the history in transactions, and what a database over a network has not confirmed to a local file."""

from __future__ import annotations

import time
from collections.abc import Container
from datetime import UTC, datetime

import structlog
from sqlalchemy.engine import Connection

from monitor.history.database import Database
from monitor.history.faults import LeaseTaken
from monitor.history.identities import Identities
from monitor.history.journal import CHECKPOINT_SECONDS, Captured, Journal
from monitor.history.local_journal import LocalJournal
from monitor.history.places import state_directory
from monitor.history.pruning import Pruning
from monitor.history.statements import Statements, Writes
from monitor.live.ledger import Ledger, Record
from monitor.model.clock import Clock
from monitor.model.errors import HistoryError
from monitor.model.retention import HistorySpec
from monitor.stats.meters import HistoryMeter

_log = structlog.get_logger("monitor.history")

_SILENT = 3.0
"""Seconds without a success before the page says so: a lock that a backup holds for a moment is no trouble."""


class HistoryWriter:
    """The journal, the identities and the database, and whether the last transaction succeeded."""

    def __init__(self, spec: HistorySpec, ledger: Ledger, clock: Clock) -> None:
        self._clock = clock
        self.meter = HistoryMeter()
        self.database = Database(spec.location)
        self.statements = Statements(self.database.dialect)
        self.journal = Journal(ledger, self.meter, clock())
        self.pruning = Pruning(spec)
        self.identities = Identities(ledger, clock)
        remote = self.database.dialect == "postgresql"
        self.local = LocalJournal(state_directory(), self.database.shown) if remote else None
        self._left: tuple[list[str], list[Writes]] | None = None
        """The processes that used the local journal, and what they left there; None until it is read."""
        self._checkpointed = -1e9
        self._failing_since: float | None = None
        self.why = ""
        """Why the last transaction failed."""
        self.refused = False
        """True if another monitor has written to the database in the life of this process."""

    async def write(self, held: Container[Record] = (), *, all_of_them: bool = False) -> None:
        """Writes what is new, and the states of the checks whose turn it is, or of all; raises HistoryError.

        Checks that are `held` are left out: their stored past has not been read.
        """
        await self.journal.encoded()
        writes = self._pending()
        captured: list[Captured] = []
        due = self.journal.pressing or time.monotonic() - self._checkpointed >= CHECKPOINT_SECONDS
        if due or all_of_them:
            self.journal.save_soon(self.identities.begun())
            captured = await self.journal.checkpoint(writes, self._clock, held=held, all_of_them=all_of_them)
        elif not (writes.journal or writes.incidents or writes.transitions or writes.checks):
            return
        began = time.perf_counter()
        try:
            await self.database.write(lambda connection: self._transaction(connection, writes, due))
        except BaseException:
            self.journal.not_written(captured)
            raise
        self.journal.written(writes, captured)
        self.identities.written(writes)
        if self.local is not None:
            await self.local.clear(self.database.lease.holder)
        if due:
            self._checkpointed = time.monotonic()
        self._succeeded(time.perf_counter() - began)

    def _transaction(self, connection: Connection, writes: Writes, due: bool) -> None:
        self.statements.write(connection, writes)
        if due:
            self.pruning.step(connection, self.identities.configured, self.identities.highest, self._clock())

    def _pending(self) -> Writes:
        """Everything that is not written yet, but states of checks."""
        writes = self.journal.pending(self._clock())
        self.identities.pending(writes)
        return writes

    # beside the database

    async def keep_locally(self) -> bool:
        """Adds what is not written yet to the local journal; True if the next process will find it there."""
        if self.local is None:
            return False
        await self.journal.encoded()
        return await self.local.add(self._pending())

    async def open(self) -> None:
        """Opens the database, and writes what the process before has kept locally; raises HistoryError."""
        if self.local is not None and self._left is None:
            self._left = await self.local.begin(self.database.lease.holder)
        await self.database.open()
        if self.local is not None and self._left is not None and any(self._left):
            await self._take_up(self.local, *self._left)
            self._left = [], []

    async def _take_up(self, local: LocalJournal, holders: list[str], rows: list[Writes]) -> None:
        """Another monitor may have gone on from there; what is kept here is not the truth then."""
        lease = self.database.lease
        if rows and lease.before not in holders:
            await local.leave()
        elif rows:
            await self.database.write(lambda connection: self._write_all(connection, rows), early=True)
            _log.info("the history that was kept locally is written", file=str(local.path))
        await local.clear(lease.holder)

    def _write_all(self, connection: Connection, rows: list[Writes]) -> None:
        for one in rows:
            self.statements.write(connection, one)

    # success and failure

    def failed(self, problem: HistoryError) -> None:
        """Notes that the database cannot be used."""
        self.why = str(problem)
        self.refused |= isinstance(problem, LeaseTaken)
        self.meter.writing = False
        if self._failing_since is None:
            self._failing_since = self._clock().wall
            _log.error("history is not written", database=self.database.shown, why=self.why)

    @property
    def failing(self) -> bool:
        """True since the first failure after the last success."""
        return self._failing_since is not None

    def _succeeded(self, took: float) -> None:
        now = self._clock().wall
        self.meter.writes += 1
        self.meter.write_seconds += took
        self.meter.written_at = now
        self.meter.writing = True
        if self._failing_since is not None:
            seconds = round(now - self._failing_since)
            _log.info("history is written again", database=self.database.shown, seconds=seconds)
            self._failing_since = None

    @property
    def trouble(self) -> str | None:
        """Returns a sentence for on-call if the database has taken no writes for a while, else None."""
        since = self._failing_since
        if since is None or self._clock().wall - since < _SILENT:
            return None
        return f"history is not being written since {datetime.fromtimestamp(since, UTC):%H:%M} UTC: {self.why}"
