"""Reads the last process's history at the start, and puts it into the records of this process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from sqlalchemy import Select, select

from monitor.history.database import Database
from monitor.history.identities import StoredCheck
from monitor.history.merging import EarlySummary
from monitor.history.rows import incident_of
from monitor.history.saved import MOST, Change, EarlierCheck, Ended, Entry, SavedCheck, decode_entries, decode_entry
from monitor.history.tables import checks, incidents, journal, presence, states, transitions
from monitor.history.unreadable import SkipLog
from monitor.live.ledger import INCIDENTS_KEPT, Record
from monitor.model.clock import Clock
from monitor.model.incident import Ending, Incident
from monitor.model.transition import Transition
from monitor.stats.presence import Presence
from monitor.system.turns import turns

_LATEST_INCIDENTS = 5000
"""Incidents read at the start for the records, which keep some each; queries read all others."""
_LATEST_CHANGES = 20_000
"""Changes of state read at the start; those before a check was saved are in what was saved."""
_MOST_CHECKS = 2**31
"""The ids of checks are below this: PostgreSQL's integers end there."""


@dataclass(frozen=True, slots=True)
class StoredState:
    """Everything that is needed to go on, by the ids of the checks. Times are Unix seconds."""

    checks: Sequence[StoredCheck]
    saved: Mapping[int, bytes]
    entries: Mapping[int, Sequence[Entry]]
    changes: Mapping[int, Sequence[Change]]
    presence: Presence
    alive_until: float
    """The last sign of life. Later ones than now are from before a clock was put back, if there are others."""
    ongoing: Mapping[int, Sequence[Incident]]
    """Newest first; a check goes on with the newest."""
    ended: Mapping[int, Sequence[Incident]]
    highest: int
    """No entry and no row of the journal has a higher number."""
    skipped: SkipLog
    clock: Clock

    async def into(
        self, records: Iterable[Record], early: Mapping[Record, EarlySummary], returned: Mapping[int, float]
    ) -> AsyncIterator[Transition]:
        """Puts the stored past into the records, in turns of the loop; yields the changes of state.

        `returned` are the times at which some of the checks were removed.
        """
        async for record in turns(records):
            moved, check_id = None, record.id or 0
            ongoing = next(iter(self.ongoing.get(check_id, ())), None)
            ended = Ended(self.alive_until, returned.get(check_id))
            with self.skipped.unless_readable(f"states {check_id}"):
                moved = self._older(record, check_id).into(record, ended, ongoing, early.get(record), self.clock())
            record.incidents = (*record.incidents, *self.ended.get(check_id, ()))[:INCIDENTS_KEPT]
            if moved is not None:
                yield moved

    def _older(self, record: Record, check_id: int) -> EarlierCheck:
        """The check in the process before."""
        place, data = f"states {check_id}", self.saved.get(check_id)
        kept = None if data is None else self.skipped.parts(SavedCheck, data, place)
        older = EarlierCheck(record.spec, kept, place, self.skipped, self.presence)
        later: list[Entry | Change] = [*self.entries.get(check_id, ()), *self.changes.get(check_id, ())]
        for one in sorted(later, key=lambda one: one.number):
            with self.skipped.unless_readable(f"journal, entry {one.number}"):
                older.change(one) if isinstance(one, Change) else older.replay(one)
        return older

    def orphans(self, records: Iterable[Record]) -> Iterator[tuple[Incident, int]]:
        """Yields incidents that no record continues, ended at the last time they were seen, with the ids of checks."""
        known = {one.id for record in records for one in (record.standing.incident, *record.incidents) if one}
        for check_id, of_check in self.ongoing.items():
            for one in of_check:
                if one.id not in known:
                    yield one.ended(self.alive_until, Ending.REMOVAL), check_id

    @property
    def over(self) -> frozenset[str]:
        """The incidents that are stored as ended."""
        return frozenset(one.id for of_check in self.ended.values() for one in of_check)


async def restored(database: Database, skipped: SkipLog, clock: Clock) -> StoredState:
    """Read it all; raises HistoryError."""
    of = checks.c
    found = await _rows(database, select(of.id, of.name, of.created_at, of.removed_at))
    known = [one for row in found if (one := _check(row, skipped)) is not None]
    names = {one.id: one.name for one in known}
    saved = await _rows(database, select(states.c.check_id, states.c.saved))
    rows = await _rows(database, select(journal.c.id, journal.c.at, journal.c.entries).order_by(journal.c.id))
    lived = await _rows(database, select(presence.c.started_at, presence.c.alive_until))
    newest_first = select(incidents).order_by(incidents.c.started_at.desc())
    lasting = await _rows(database, newest_first.where(incidents.c.ended_at.is_(None)))
    over = await _rows(database, newest_first.where(incidents.c.ended_at.is_not(None)).limit(_LATEST_INCIDENTS))
    entries = await _entries(rows, skipped)
    of_changes = (transitions.c.check_id, transitions.c.id, transitions.c.at, transitions.c.state_after)
    latest = select(*of_changes).order_by(transitions.c.at.desc()).limit(_LATEST_CHANGES)
    changes: dict[int, list[Change]] = {}
    for check_id, *change in await _rows(database, latest):
        if isinstance(change[0], int) and is_time(change[1]):
            changes.setdefault(check_id, []).append(Change(*change))
    numbers = (entry.number for of_check in entries.values() for entry in of_check)
    now = clock()
    seen = sorted((began, until) for began, until in lived if is_time(began) and is_time(until) and began <= now.wall)
    signs = [*(until for _, until in seen), *(row.at for row in rows if is_time(row.at))]
    return StoredState(
        checks=known,
        saved=dict(map(tuple, saved)),
        entries=entries,
        changes=changes,
        presence=Presence.of(seen, now),
        alive_until=max(
            (at for at in signs if at <= now.wall), default=0.0
        ),  # others are from before a clock was put back
        ongoing=await _incidents(lasting, names, skipped, evidence=True),
        ended=await _incidents(over, names, skipped, evidence=False),
        highest=max([*numbers, *(row.id for row in rows if isinstance(row.id, int) and row.id < MOST)], default=0),
        skipped=skipped,
        clock=clock,
    )


async def _rows(database: Database, asked: Select[Any]) -> Sequence[Any]:
    return await database.rows(asked, early=True)


def _check(row: Any, skipped: SkipLog) -> StoredCheck | None:
    """The check of a row; what cannot be read of it has a value that makes no difference."""
    number, name, created_at, removed_at = row
    if not isinstance(number, int) or not 0 <= number < _MOST_CHECKS:
        skipped(f"checks, row {number!r}", "its id makes no sense")
        return None
    if not (isinstance(name, str) and is_time(created_at) and (removed_at is None or is_time(removed_at))):
        skipped(f"checks, row {number}", "its name or times make no sense")
    return StoredCheck(
        number,
        name if isinstance(name, str) else f"#{number}",
        created_at if is_time(created_at) else 0.0,
        removed_at if is_time(removed_at) else None,
    )


async def _entries(rows: Sequence[Any], skipped: SkipLog) -> dict[int, list[Entry]]:
    entries: dict[int, list[Entry]] = {}
    async for row in turns(rows):
        place = f"journal {row.id}"
        for number, raw in enumerate(skipped.read(decode_entries, row.entries, place) or ()):
            entry = skipped.read(decode_entry, raw, f"{place}, entry {number}")
            if entry is not None:
                entries.setdefault(entry.check_id, []).append(entry)
    return entries


async def _incidents(
    rows: Sequence[Any], names: Mapping[int, str], skipped: SkipLog, *, evidence: bool
) -> dict[int, list[Incident]]:
    """The incidents by the ids of their checks, in the order of the rows."""
    found: dict[int, list[Incident]] = {}
    async for row in turns(rows):
        one = incident_of(row, names.get(row.check_id, ""), skipped, evidence=evidence)
        if one is not None:
            found.setdefault(row.check_id, []).append(one)
    return found


def is_time(value: object) -> bool:
    """True if a stored value is a time (Unix seconds) that a calendar can show."""
    return isinstance(value, (int, float)) and isfinite(value) and 0 <= value <= 253402300799
