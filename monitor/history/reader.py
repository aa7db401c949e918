"""Answers queries about the past: from the database, and from memory for what is not written yet."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import accumulate
from typing import Any

from sqlalchemy import Select, and_, or_, select, tuple_

from monitor.history.archive import Announcement, IncidentQuery, Outage
from monitor.history.database import Database
from monitor.history.identities import Identities
from monitor.history.restoring import is_time
from monitor.history.rows import announcement_of, incident_of
from monitor.history.tables import announcements, incidents, presence, results, tallies
from monitor.history.unreadable import SkipLog
from monitor.live.ledger import Ledger
from monitor.model.clock import Clock
from monitor.model.incident import Incident
from monitor.model.result import Result
from monitor.model.retention import HistorySpec
from monitor.stats.result_log import UNREADABLE, History, history_of
from monitor.stats.rollups import DAY, HOUR, MINUTE, STEPS, Stretch, decode_tally
from monitor.stats.tally import Tally, total
from monitor.system.turns import turns

_AT_ONCE = 500
"""Checks in one question: PostgreSQL and SQLite bound the parameters of a statement."""
_SHORTEST_OUTAGE = 5.0
"""Seconds; a shorter pause of the presence is that between two of its rows being written."""

Keys = dict[tuple[int, int], Tally]
"""Tallies by their step and start."""


class Reader:
    """The archive; the keeper maintains the identities of the checks."""

    def __init__(
        self,
        database: Database,
        ledger: Ledger,
        identities: Identities,
        spec: HistorySpec,
        skipped: SkipLog,
        *,
        clock: Clock,
    ) -> None:
        self._clock = clock
        self._database = database
        self._ledger = ledger
        self._identities = identities
        self._spec = spec
        self._skipped = skipped

    def use(self, spec: HistorySpec) -> None:
        """Sets the spans for which history is kept."""
        self._spec = spec

    async def stretches(self, check: str, start: float, end: float, step: int) -> list[Stretch]:
        """Returns the tallies of [start, end), oldest first, each of `step` seconds, or of more if so kept."""
        kept = self._finest(start, step)
        step = max(step // kept * kept, kept)
        found = await self._rows([check], [(kept, math.floor(start / step) * step, end)])
        sums: dict[int, Tally] = {}
        for (_, at), tally in sorted(found[check].items()):
            if at >= start or at + kept > start:
                sums.setdefault(at // step * step, Tally()).add(tally)
        return [Stretch(step, at, tally) for at, tally in sums.items()]

    async def totals(self, checks: Sequence[str], start: float, end: float) -> Mapping[str, Tally]:
        """Returns the total of [start, end) for each check, as exactly as it is kept."""
        found = await self._rows(checks, list(self._pieces(start, end)))
        sums: dict[str, Tally] = {}
        async for name in turns(checks):
            sums[name] = Tally()
            for tally in found[name].values():
                sums[name].add(tally)
        return sums

    def _finest(self, start: float, step: int) -> int:
        """Returns the length of stretches to read: the longest that divides `step`, or the next one still kept."""
        age = self._clock().wall - start
        limits = {MINUTE: self._spec.minutes, HOUR: self._spec.hours, DAY: self._spec.days}
        fitting = max(length for length in STEPS if step % length == 0 or length == MINUTE)
        return next(
            (length for length in STEPS if length >= fitting and age <= limits[length] + max(length, step)), DAY
        )

    def _pieces(self, start: float, end: float) -> Iterable[tuple[int, float, float]]:
        """Days for whole days, hours for whole hours of the rest, and minutes for what is left, as far as kept."""
        now = self._clock().wall
        start, end = start // self._grain(start, now) * self._grain(start, now), self._ceiling(end, now)
        today = now // DAY * DAY
        first, last = math.ceil(start / DAY) * DAY, min(math.floor(end / DAY) * DAY, today)
        if first >= last:
            yield from self._hours(start, end, now)
            return
        yield DAY, first, last
        yield from self._hours(start, first, now)
        yield from self._hours(last, end, now)

    def _grain(self, at: float, now: float) -> int:
        """Returns the seconds of the stretches kept for that age; a stretch that is cut counts whole."""
        age = now - at
        return MINUTE if age <= self._spec.minutes else HOUR if age <= self._spec.hours else DAY

    def _ceiling(self, at: float, now: float) -> float:
        grain = self._grain(at, now)
        return at if grain == MINUTE else math.ceil(at / grain) * grain

    def _hours(self, start: float, end: float, now: float) -> Iterable[tuple[int, float, float]]:
        first, last = math.ceil(start / HOUR) * HOUR, min(math.floor(end / HOUR) * HOUR, now // HOUR * HOUR)
        if first >= last:
            yield MINUTE, start, end
            return
        yield HOUR, first, last
        yield MINUTE, start, first
        yield MINUTE, last, end

    async def _rows(self, checks: Sequence[str], pieces: list[tuple[int, float, float]]) -> dict[str, Keys]:
        """The tallies of these checks, by step and start, which begin within one of the pieces."""
        found: dict[str, Keys] = {name: {} for name in checks}
        names = {check_id: name for name in checks if (check_id := self._identities.of(name)) is not None}
        for at in range(0, len(checks), _AT_ONCE):
            some = list(names)[at : at + _AT_ONCE]
            for piece in pieces:
                await self._read(some, piece, names, found)
        self._remember(checks, pieces, found)
        return found

    async def _read(
        self, ids: list[int], piece: tuple[int, float, float], names: Mapping[int, str], found: dict[str, Keys]
    ) -> None:
        step, start, end = piece
        if not ids or start >= end:
            return
        of = tallies.c
        asked = select(of.check_id, of.start, of.tally).where(
            of.step == step, of.check_id.in_(ids), of.start > start - step, of.start < end
        )
        async for number, at, data in turns(await self._database.rows(asked)):
            try:
                found[names[number]][step, at] = decode_tally(data)
            except UNREADABLE as error:
                self._skipped(f"tallies ({step}, {number}, {at})", error)

    def _remember(self, checks: Sequence[str], pieces: list[tuple[int, float, float]], found: dict[str, Keys]) -> None:
        """Replaces stored tallies by those in memory, which are newer."""
        now = self._clock()
        for name in checks:
            record = self._ledger.get(name)
            if record is None:
                continue
            record.stand(now)
            for one in record.past.stretches(record.standing.state, now):
                if any(one.step == step and start - step < one.start < end for step, start, end in pieces):
                    stored = found[name].get((one.step, one.start))
                    again = stored is not None and one.start < record.past.again_until
                    found[name][one.step, one.start] = total([stored, one.tally]) if again and stored else one.tally

    async def results(
        self, check: str, limit: int, before: float | None = None, *, failed: bool | None = None
    ) -> list[Result]:
        """The last results that began before that, newest first."""
        newest = self._fresh(check)
        written = await self._written_results(check, limit, before, failed)
        found = {result.started_at: result for result in (*written, *newest)}
        fitting = (
            result
            for result in found.values()
            if failed in (None, result.failed) and (before is None or result.started_at < before)
        )
        return sorted(fitting, key=lambda result: -result.started_at)[:limit]

    def _fresh(self, check: str) -> tuple[Result, ...]:
        record = self._ledger.get(check)
        return () if record is None else record.recent.results()

    async def _written_results(self, check: str, limit: int, before: float | None, failed: bool | None) -> list[Result]:
        of, number = results.c, self._identities.of(check)
        asked: Select[Any] = select(of.data, of.last_at).where(of.check_id == number).order_by(of.last_at.desc())
        if before is not None:
            asked = asked.where(of.first_at < before)
        found: list[Result] = []
        for kind in (False, True) if failed is None else (failed,):
            count = 0
            async for data, at in turns(await self._database.rows(asked.where(of.failed == kind).limit(limit))):
                some = self._unpacked(data, f"results ({number}, {kind}, {at})")
                found += some
                count += sum(before is None or one.started_at < before for one in some)
                if count >= limit:
                    break
        return found

    def _unpacked(self, data: bytes, place: str) -> tuple[Result, ...]:
        found = self._skipped.read(lambda raw: history_of(raw, partial(self._skipped, place)), data, place)
        return (found or History(1)).results()

    async def incidents(self, asked: IncidentQuery) -> list[Incident]:
        """Incidents, newest first."""
        of = incidents.c
        query = select(incidents).order_by(of.started_at.desc(), of.id.desc()).limit(asked.limit)
        if asked.checks is not None:
            ids = (self._identities.of(name) for name in asked.checks)
            query = query.where(of.check_id.in_([one for one in ids if one is not None]))
        if asked.end is not None:
            query = query.where(of.started_at < asked.end)
        if asked.start is not None:
            query = query.where(or_(of.ended_at.is_(None), of.ended_at > asked.start))
        if asked.ongoing is not None:
            query = query.where(of.ended_at.is_(None) if asked.ongoing else of.ended_at.is_not(None))
        if asked.before is not None:
            query = query.where(tuple_(of.started_at, of.id) < tuple_(*asked.before))
        read = [self._incident(row) for row in await self._database.rows(query)]
        written = {one.id: one for one in read if one is not None}
        found = (written | self._lasting(asked)).values()
        return sorted(found, key=lambda one: (one.started_at, one.id), reverse=True)[: asked.limit]

    def _lasting(self, asked: IncidentQuery) -> dict[str, Incident]:
        """Returns matching incidents from memory, whose rows in the database may be missing or outdated."""
        of_memory = (
            one
            for record in self._ledger
            for one in (record.standing.incident, *record.incidents[:1])
            if one is not None
        )
        return {one.id: one for one in of_memory if _asked_for(one, asked)}

    async def incident(self, name: str) -> Incident | None:
        """One incident by its id."""
        for record in self._ledger:
            if record.standing.incident is not None and record.standing.incident.id == name:
                return record.standing.incident
        rows = await self._database.rows(select(incidents).where(incidents.c.id == name))
        return self._incident(rows[0]) if rows else None

    def _incident(self, row: Any) -> Incident | None:
        return incident_of(row, self._identities.name(row.check_id) or f"#{row.check_id}", self._skipped)

    async def outages(self, start: float, end: float) -> list[Outage]:
        """Returns the times in which the monitor was not running."""
        of = presence.c
        asked = select(of.started_at, of.alive_until).order_by(of.started_at)
        now = self._clock().wall
        stored = await self._database.rows(asked)
        rows = [(began, until) for began, until in stored if self._sane(began, until) and began <= now]
        missed = {round(one.started_at): one for one in _between(rows)}
        missed |= {round(began): Outage(began, over) for began, over in self._ledger.presence.gaps if began < over}
        in_order = sorted(missed.values(), key=lambda one: one.started_at)
        return [one for one in in_order if one.started_at < end and one.ended_at > start]

    def _sane(self, began: float, until: float) -> bool:
        if is_time(began) and is_time(until):
            return True
        self._skipped(f"presence {began!r}", "not two times")
        return False

    async def announcements(self, start: float, end: float) -> list[Announcement]:
        """Returns the announcements of that time, newest first."""
        of = announcements.c
        asked = select(announcements).where(and_(of.starts < end, or_(of.ends.is_(None), of.ends > start)))
        rows = await self._database.rows(asked.order_by(of.starts.desc()))
        found = (announcement_of(row, self._skipped) for row in rows)
        return [one for one in found if one is not None]


def _asked_for(one: Incident, asked: IncidentQuery) -> bool:
    return (
        (asked.checks is None or one.check in asked.checks)
        and (asked.end is None or one.started_at < asked.end)
        and (asked.start is None or one.ended_at is None or one.ended_at > asked.start)
        and (asked.ongoing is None or asked.ongoing is (one.ended_at is None))
        and (asked.before is None or (one.started_at, one.id) < asked.before)
    )


def _between(rows: list[tuple[float, float]]) -> Iterable[Outage]:
    """The gaps between stretches, which are in the order of their beginning."""
    reached = accumulate((until for _, until in rows), max)
    for until, (began, _) in zip(reached, rows[1:], strict=False):
        if began - until >= _SHORTEST_OUTAGE:
            yield Outage(until, began)
