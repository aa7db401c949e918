"""What the process before knew, read at the start and put into the records of this one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass

import structlog
from msgspec import DecodeError, structs
from sqlalchemy import func, select

from monitor.clock import system_clock
from monitor.history.database import Database
from monitor.history.faults import Corrupt
from monitor.history.saved import Entry, Older, SavedCheck, decode_check, decode_entries, decode_incident, former
from monitor.history.tables import checks, incidents, journal, presence
from monitor.ledger import INCIDENTS_KEPT, Ledger, Record, Transition
from monitor.state import Incident
from monitor.turns import turns

_log = structlog.get_logger("monitor.history")

_LATEST_INCIDENTS = 5000
"""So many are read for the records, which keep some each; all others are only read when somebody asks."""


@dataclass(frozen=True, slots=True)
class Restored:
    """Everything that is needed to go on. Times are Unix seconds."""

    ids: Mapping[str, int]
    saved: Mapping[str, bytes]
    entries: Mapping[str, Sequence[Entry]]
    alive_until: float
    ongoing: Mapping[str, Incident]
    ended: Mapping[str, Sequence[Incident]]
    highest: int
    """No entry and no row of the journal has a higher number."""

    async def into(self, ledger: Ledger) -> AsyncIterator[tuple[Record, Transition | None]]:
        """Let every record go on from what was known of it, in turns of the loop; says what moved."""
        known = self.saved.keys() | self.entries.keys()
        async for record in turns(ledger):
            names = (record.spec.name, *record.spec.was)
            name = former(record.spec, known)
            record.incidents = (*record.incidents, *(i for n in names for i in self.ended.get(n, ())))[:INCIDENTS_KEPT]
            if name is None:
                continue
            older = Older(record.spec, _decoded(self.saved.get(name)))
            for entry in sorted((e for n in names for e in self.entries.get(n, ())), key=lambda e: e.number):
                older.replay(entry)
            ongoing = next((self.ongoing[n] for n in names if n in self.ongoing), None)
            yield record, older.into(record, self.alive_until, ongoing, system_clock())

    def orphans(self, ledger: Ledger) -> Iterator[Incident]:
        """Incidents that nobody goes on with, ended where they were seen last."""
        lasting = {record.standing.incident.id for record in ledger if record.standing.incident is not None}
        for incident in self.ongoing.values():
            if incident.id not in lasting:
                yield structs.replace(incident, ended_at=max(incident.started_at, self.alive_until))


def _decoded(data: bytes | None) -> SavedCheck | None:
    """What was saved; None if that makes no sense, for the rest of the past can still be read."""
    try:
        return None if data is None else decode_check(data)
    except DecodeError as error:
        _log.error("what was saved of a check makes no sense", why=str(error))
        return None


async def restored(database: Database) -> Restored:
    """Read it all; raises HistoryError, and Corrupt for what can be read but makes no sense."""
    try:
        return await _restored(database)
    except DecodeError as error:
        raise Corrupt(f"what is in it makes no sense: {error}") from error


async def _restored(database: Database) -> Restored:
    async with database.reading() as connection:
        known = list(await connection.execute(select(checks.c.name, checks.c.id, checks.c.saved)))
        rows = list(await connection.execute(select(journal).order_by(journal.c.id)))
        alive = await connection.scalar(select(func.max(presence.c.alive_until)))
        of = (incidents.c.data, incidents.c.check_id)
        open_ones = list(await connection.execute(select(*of).where(incidents.c.ended_at.is_(None))))
        newest = select(*of).where(incidents.c.ended_at.is_not(None)).order_by(incidents.c.started_at.desc())
        latest = list(await connection.execute(newest.limit(_LATEST_INCIDENTS)))
    names = {number: name for name, number, _ in known}
    entries: dict[str, list[Entry]] = {}
    for row in rows:
        for entry in decode_entries(row.entries):
            entries.setdefault(entry.check, []).append(entry)
    saved = {name: data for name, _, data in known if data is not None}
    ended: dict[str, list[Incident]] = {}
    for data, number in latest:
        ended.setdefault(names.get(number, ""), []).append(structs.replace(decode_incident(data), first=None))
    numbers = (entry.number for of_check in entries.values() for entry in of_check)
    return Restored(
        ids={name: number for name, number, _ in known},
        saved=saved,
        entries=entries,
        alive_until=max([alive or 0.0, *(row.at for row in rows)]),
        ongoing={names.get(number, ""): decode_incident(data) for data, number in open_ones},
        ended=ended,
        highest=max([*numbers, *(row.id for row in rows)], default=0),
    )
