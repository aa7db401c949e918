"""Keeps the history beside the checks: writes once a second, without ever making the checks wait for the database.

No check waits for it. While the database is away things wait in memory, up to a bound; what is given up is counted.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from contextlib import suppress

import structlog

from monitor.history.faults import CorruptFile, LockedFile, ReplacedFile
from monitor.history.merging import EarlySummary
from monitor.history.noticeboard import Noticeboard
from monitor.history.reader import Reader
from monitor.history.restoring import StoredState, restored
from monitor.history.unreadable import SkipLog
from monitor.history.writing import HistoryWriter
from monitor.live.events import EventBus, RecordedResult
from monitor.live.ledger import Ledger, Record
from monitor.model.clock import Clock
from monitor.model.errors import HistoryError
from monitor.model.incident import Incident
from monitor.model.retention import HistorySpec
from monitor.model.transition import Transition
from monitor.system.supervision import supervise

_log = structlog.get_logger("monitor.history")

_EVERY = 1.0
"""Seconds between two transactions: what a killed process loses."""
_PATIENCE_AT_START = 5.0
"""Seconds that a start waits for the database."""
_PATIENCE_AT_STOP = 10.0
_LOCKED = 0.2
"""Seconds between the last attempts while another process holds a lock."""
_PATIENCE_WITH_JOURNAL = 3.0
"""Seconds for the last write; the shorter one where a local journal has everything."""
_RETRY = 5.0
"""Seconds between two attempts to open a database that is away; a start tries with every turn."""


class Keeper:
    """The history of all checks in the ledger; publishes the transitions that follow from the stored past."""

    def __init__(self, spec: HistorySpec, ledger: Ledger, bus: EventBus, clock: Clock) -> None:
        self._clock = clock
        self._spec = spec
        self._ledger = ledger
        self._bus = bus
        self._writer = HistoryWriter(spec, ledger, clock)
        self._database = self._writer.database
        self._journal = self._writer.journal
        self._identities = self._writer.identities
        self.meter = self._writer.meter
        self._skipped = SkipLog(self.meter)
        self._tasks: list[asyncio.Task[None]] = []
        self._known = asyncio.Event()
        """Set once what is stored was adopted."""
        self._retry = 0.0
        self._adopted = False
        """True once what is stored was adopted."""
        self._early: dict[Record, EarlySummary] = {}
        """Summaries of results that come before the adoption of a check's past: at the start, or if it comes back."""
        self._opened_at = -1e9
        self.notices = Noticeboard(self._database, self._writer.statements, self._skipped)
        self.archive = Reader(self._database, ledger, self._identities, spec, self._skipped, clock=clock)
        bus.on_result("history", self.on_result)
        bus.on_transition("history", self.on_transition)

    # life

    async def start(self) -> None:
        """Take over what was known, or go on without if it cannot be read soon: it is adopted later."""
        self._tasks.append(asyncio.create_task(supervise("history", self._live, longest=_RETRY)))
        if self._writer.local is not None:
            self._tasks.append(asyncio.create_task(supervise("history", self._keep_locally, longest=_RETRY)))
        try:
            async with asyncio.timeout(_PATIENCE_AT_START):
                await self._known.wait()
        except TimeoutError:
            if not self._writer.failing:
                self._writer.failed(HistoryError("what is stored is not read yet"))
        self._retry = _RETRY

    async def stop(self) -> None:
        """Write everything that is known, and close."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        now = self._clock()
        for record in self._ledger:
            record.stand(now)
        if self._adopted or self._early:  # else nothing is known that is not stored
            kept = self._adopted and await self._writer.keep_locally()
            try:
                async with asyncio.timeout(_PATIENCE_WITH_JOURNAL if kept else _PATIENCE_AT_STOP):
                    while isinstance(await self._attempt(self._last()), LockedFile):  # noqa: ASYNC110  it has no event
                        await asyncio.sleep(_LOCKED)
            except TimeoutError:
                self._database.sever()
            self._say_what_is_left(kept)
        await self._database.close()

    def _say_what_is_left(self, kept: bool) -> None:
        local, waiting, why = self._writer.local, self.meter.queue, self._writer.why
        if waiting and kept and local is not None:
            _log.warning("history waits in a file for the next start", file=str(local.path), results=waiting, why=why)
        elif waiting or self._early:
            _log.error("history is not whole", results=waiting, why=why)

    async def _last(self) -> None:
        if not self._database.is_open:
            await self._open()
        await self._adopt_returned()
        await self._writer.write(self._early, all_of_them=True)

    def use(self, spec: HistorySpec) -> None:
        """Applies these settings, and takes over the checks of the ledger."""
        if spec.location != self._spec.location:
            _log.warning("a changed history.url takes effect at the next restart", database=self._database.shown)
        self._writer.pruning.use(spec)
        self.archive.use(spec)
        if self._adopted:
            removed, returned = self._identities.use()
            self._journal.part(removed)
            self._early |= {record: EarlySummary() for record in returned if record not in self._early}

    async def _live(self) -> None:
        await self._attempt(self._turn())
        if self._adopted:
            self._known.set()
        await asyncio.sleep(_EVERY)

    async def _keep_locally(self) -> None:
        if self._adopted:
            await self._writer.keep_locally()
        await asyncio.sleep(_EVERY)

    async def _turn(self) -> None:
        if not self._database.is_open:
            if self._adopted:
                await self._journal.encoded()
            if time.monotonic() - self._opened_at < self._retry:
                return
            await self._open()
        await self._writer.write(self._early)
        await self._adopt_returned()

    async def _adopt_returned(self) -> None:
        """Reads the past of checks that are configured again."""
        if self._early:
            await self._writer.write(self._early)
            await self._adopt(await restored(self._database, self._skipped, self._clock))

    async def _open(self) -> None:
        """Open the database, and go on from what is in it."""
        self._opened_at = time.monotonic()
        first, early = not self._adopted, bool(self._early)
        try:
            await self._writer.open()
            found = await restored(self._database, self._skipped, self._clock)
            await self.notices.load(self._clock().wall)
            self._journal.above(found.highest)
            other = self._identities.take_over(found.checks)
            if first:
                await self._adopt(found)
            elif other:  # another database: the journal is by the ids of the one before
                self._journal.save_all()
        except BaseException:
            await self._database.close()
            raise
        self._writer.pruning.trust(found.alive_until, self._clock())
        self._say_again(found)
        self._database.adopted()
        if (first and early) or other:
            await self._writer.write(self._early, all_of_them=True)

    async def _adopt(self, found: StoredState) -> None:
        """Puts the stored past into the checks that lack it."""
        early, first = self._early, not self._adopted
        records = list(self._ledger) if first else list(early)
        if first and self._writer.refused:  # another monitor has looked meanwhile, and its word holds
            for record in records:
                record.forget(self._clock())
                early.pop(record, None)
        async for transition in found.into(records, early, self._identities.returned):
            self._bus.transition(transition)
        if first:
            for incident, check_id in found.orphans(self._ledger):
                self._journal.incident(incident, check_id)
        for record in records:
            early.pop(record, None)
            self._identities.returned.pop(record.id or 0, None)
        self._journal.save_soon(record for record in records if record.attempts)
        self._adopted = True

    def _say_again(self, found: StoredState) -> None:
        """Write what this database does not know, because it came late or is a new one."""
        over = found.over
        for record in self._ledger:
            for incident in (record.standing.incident, *record.incidents):
                if incident is not None and incident.id not in over:
                    self._journal.incident(incident, record.id)

    # what happens

    def on_result(self, recorded: RecordedResult) -> None:
        """Notes a result that the record has just taken in."""
        record = self._ledger.get(recorded.check)
        if record is None:
            return
        if self._adopted and record not in self._early:
            self._journal.note(record, recorded)
        else:
            self._early.setdefault(record, EarlySummary()).see(recorded, record.spec.up_after)
            self._journal.early(record)

    def on_transition(self, transition: Transition) -> None:
        """Notes a change of state, and the incident that begins or ends with it."""
        record = self._ledger.get(transition.check)
        if record is not None and (not self._adopted or record in self._early):
            self._early.setdefault(record, EarlySummary()).moves += 1
            return
        if not self._adopted:
            return
        incident = transition.incident
        if incident is not None and incident is not transition.before.incident:
            self._journal.incident(incident, transition.check_id)
        if transition.check_id is not None:
            self._journal.transition(transition)
        if record is not None:
            self._journal.save_soon([record])

    def acknowledged(self, record: Record, incident: Incident) -> None:
        """Stores an incident whose acknowledgement was set or withdrawn."""
        if self._adopted:
            self._journal.incident(incident, record.id)
            self._journal.save_soon([record])

    # failures

    async def _attempt(self, work: Awaitable[None]) -> HistoryError | None:
        """Does the work, and prepares the next attempt if it fails; returns the failure."""
        try:
            await work
        except HistoryError as problem:
            self._writer.failed(problem)
            if isinstance(problem, CorruptFile):
                with suppress(HistoryError):
                    await self._database.set_aside(problem)
            elif isinstance(problem, ReplacedFile) or self._database.dialect == "postgresql":
                await self._database.close()  # a connection to PostgreSQL may be gone, or in an odd state
            if isinstance(problem, (CorruptFile, ReplacedFile)):
                self._opened_at = -1e9
            return problem
        return None

    @property
    def trouble(self) -> str | None:
        """Returns a sentence for on-call if the database has taken no writes for a while, else None."""
        return self._writer.trouble
