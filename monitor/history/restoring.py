"""Reads the last process's history at the start, and puts it into the records of this process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from msgspec import structs
from sqlalchemy import select

from monitor.history.database import Database
from monitor.history.merging import EarlySummary
from monitor.history.saved import MOST, EarlierCheck, Entry, SavedCheck, decode_entries, decode_entry
from monitor.history.statements import NAMELESS
from monitor.history.tables import checks, incidents, journal, presence
from monitor.history.unreadable import SkipLog
from monitor.live.ledger import INCIDENTS_KEPT, Ledger, Record
from monitor.model.clock import Clock
from monitor.model.incident import Incident
from monitor.model.spec import CheckSpec
from monitor.model.transition import Transition
from monitor.stats.presence import Presence
from monitor.system.turns import turns

_LATEST_INCIDENTS = 5000
"""Incidents read at the start for the records, which keep some each; queries read all others."""
_MOST_CHECKS = 2**31
"""The numbers of checks are below this: PostgreSQL's integers end there."""


@dataclass(frozen=True, slots=True)
class StoredState:
    """Everything that is needed to go on. Times are Unix seconds."""

    ids: Mapping[str, int]
    saved: Mapping[str, bytes]
    entries: Mapping[str, Sequence[Entry]]
    presence: Presence
    alive_until: float
    ongoing: Sequence[tuple[str, Incident]]
    """Pairs of a check's name and its incident, newest first."""
    ended: Mapping[str, Sequence[Incident]]
    highest: int
    """No entry and no row of the journal has a higher number."""
    skipped: SkipLog
    clock: Clock

    def former(self, spec: CheckSpec) -> str | None:
        """Returns the name under which the check's past is stored; None if there is none.

        If there are several, it is the one that was alive last: a check may be renamed to what another one was called.
        """
        names = (spec.name, *spec.was)
        known = [one for one in names if one in self.ids] or [one for one in names if one in self.entries]
        return known[0] if len(known) == 1 else max(known, key=self._alive, default=None)

    def _alive(self, name: str) -> float:
        """The time of its last result, in Unix seconds."""
        kept = self._kept(name)
        return max((kept.last_run_at or 0.0) if kept else 0.0, *(one.at for one in self.entries.get(name, ())), 0.0)

    def _kept(self, name: str) -> SavedCheck | None:
        data = self.saved.get(name)
        return None if data is None else self.skipped.parts(SavedCheck, data, f"checks {name!r}")

    async def into(self, records: Iterable[Record], early: Mapping[Record, EarlySummary]) -> AsyncIterator[Transition]:
        """Puts the stored past into the records, in turns of the loop; yields the changes of state."""
        async for record in turns(records):
            moved, name = None, self.former(record.spec)
            names = self._names(record.spec, name)
            if name is not None:
                with self.skipped.unless_readable(f"checks {name!r}"):
                    moved = self._older(record.spec, name, names).into(
                        record, self.alive_until, self._ongoing(names), early.get(record), self.clock()
                    )
            ended = (one for name in names for one in self.ended.get(name, ()))
            record.incidents = (*record.incidents, *ended)[:INCIDENTS_KEPT]
            if moved is not None:
                yield moved

    def _older(self, spec: CheckSpec, name: str, names: Sequence[str]) -> EarlierCheck:
        """The check in the process before."""
        place = f"checks {name!r}"
        older = EarlierCheck(spec, self._kept(name), place, self.skipped, self.presence)
        for entry in sorted((e for n in names for e in self.entries.get(n, ())), key=lambda e: e.number):
            with self.skipped.unless_readable(f"journal, entry {entry.number}"):
                older.replay(entry)
        return older

    def _names(self, spec: CheckSpec, name: str | None) -> tuple[str, ...]:
        """The names of the check whose stored values are its own: what is stored with another check is not."""
        return tuple(one for one in (spec.name, *spec.was) if one == name or one not in self.ids)

    def _ongoing(self, names: Sequence[str]) -> Incident | None:
        return next((one for name in names for check, one in self.ongoing if check == name), None)

    def orphans(self, ledger: Ledger) -> Iterator[Incident]:
        """Yields incidents that no record continues, ended at the last time they were seen."""
        known = {one.id for record in ledger for one in (record.standing.incident, *record.incidents) if one}
        for _, incident in self.ongoing:
            if incident.id not in known:
                yield structs.replace(incident, ended_at=max(incident.started_at, self.alive_until))

    @property
    def over(self) -> frozenset[str]:
        """The incidents that are stored as ended."""
        return frozenset(one.id for of_check in self.ended.values() for one in of_check)


async def restored(database: Database, skipped: SkipLog, clock: Clock) -> StoredState:
    """Read it all; raises HistoryError."""
    stored = await _rows(database, select(checks.c.name, checks.c.id, checks.c.saved))
    known = [row for row in stored if _named(row, skipped)]
    rows = await _rows(database, select(journal.c.id, journal.c.at, journal.c.entries).order_by(journal.c.id))
    lived = await _rows(database, select(presence.c.started_at, presence.c.alive_until))
    of = (incidents.c.id, incidents.c.data, incidents.c.check_id)
    newest_first = select(*of).order_by(incidents.c.started_at.desc())
    lasting = await _rows(database, newest_first.where(incidents.c.ended_at.is_(None)))
    over = await _rows(database, newest_first.where(incidents.c.ended_at.is_not(None)).limit(_LATEST_INCIDENTS))
    names = {number: name for name, number, _ in known if not name.startswith(NAMELESS)}
    entries = await _entries(rows, skipped)
    ended: dict[str, list[Incident]] = {}
    for name, one in [found async for found in _incidents(over, names, skipped)]:
        ended.setdefault(name, []).append(structs.replace(one, first=None))
    numbers = (entry.number for of_check in entries.values() for entry in of_check)
    now = clock()
    seen = sorted((began, until) for began, until in lived if is_time(began) and is_time(until) and began <= now.wall)
    signs = (*(until for _, until in seen), *(row.at for row in rows if is_time(row.at)))
    return StoredState(
        ids={name: number for name, number, _ in known},
        saved={name: data for name, _, data in known if data is not None},
        entries=entries,
        presence=Presence.of(seen, now),
        alive_until=max((min(at, now.wall) for at in signs), default=0.0),
        ongoing=[found async for found in _incidents(lasting, names, skipped)],
        ended=ended,
        highest=max([*numbers, *(row.id for row in rows if isinstance(row.id, int) and row.id < MOST)], default=0),
        skipped=skipped,
        clock=clock,
    )


async def _rows(database: Database, asked: Any) -> Sequence[Any]:
    return await database.rows(asked, early=True)


def _named(row: Any, skipped: SkipLog) -> bool:
    name, number, _ = row
    if isinstance(name, str) and isinstance(number, int) and 0 <= number < _MOST_CHECKS:
        return True
    skipped(f"checks, row {number!r}", "its name or number makes no sense")
    return False


async def _entries(rows: Sequence[Any], skipped: SkipLog) -> dict[str, list[Entry]]:
    entries: dict[str, list[Entry]] = {}
    async for row in turns(rows):
        place = f"journal {row.id}"
        for number, raw in enumerate(skipped.read(decode_entries, row.entries, place) or ()):
            entry = skipped.read(decode_entry, raw, f"{place}, entry {number}")
            if entry is not None:
                entries.setdefault(entry.check, []).append(entry)
    return entries


async def _incidents(
    rows: Sequence[Any], names: Mapping[int, str], skipped: SkipLog
) -> AsyncIterator[tuple[str, Incident]]:
    async for name, data, number in turns(rows):
        found = skipped.parts(Incident, data, f"incidents {name!r}")
        if found is not None:
            check = names.get(number, "")
            yield check, structs.replace(found, check=check) if check else found


def is_time(value: object) -> bool:
    """True if a stored value is a time (Unix seconds) that a calendar can show."""
    return isinstance(value, (int, float)) and isfinite(value) and 0 <= value <= 253402300799
