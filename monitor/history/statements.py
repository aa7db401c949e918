"""Builds the writing statements for either database; they can be repeated, should a commit's answer be lost."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from msgspec import Raw, msgpack
from sqlalchemy import String, Table, bindparam, cast, delete, func, literal, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.sql.dml import Delete, Insert

from monitor.history.tables import announcements, checks, incidents, journal, presence, results, tallies
from monitor.model.incident import Incident
from monitor.stats.result_log import UNREADABLE
from monitor.stats.rollups import decode_tally, encode_tally
from monitor.stats.tally import total

Row = dict[str, Any]

NAMELESS = "#"
"""Stands before the number of a check whose name another one has now; no name of a check holds it."""


@dataclass(slots=True)
class Writes:
    """The rows of one transaction, by table."""

    journal: list[Row] = field(default_factory=list)
    incidents: list[Row] = field(default_factory=list)
    tallies: list[Row] = field(default_factory=list)
    results: list[Row] = field(default_factory=list)
    checks: list[Row] = field(default_factory=list)
    presence: list[Row] = field(default_factory=list)
    announcements: list[Row] = field(default_factory=list)
    again: set[tuple[int, int, int]] = field(default_factory=set)
    """Keys of tallies that are added to those that are stored, as a clock was put back."""
    claims: list[Row] = field(default_factory=list)
    """Names, each with the number of the check that has it now: another one that is stored under it gives it up."""
    forget_journal: int | None = None
    """The journal's rows up to this one are needed no more."""

    def __bool__(self) -> bool:
        return any(getattr(self, table.name) for table in _TABLES)


_TABLES = (journal, incidents, tallies, results, checks, presence, announcements)


class Statements:
    """The statements of one dialect."""

    def __init__(self, dialect: str) -> None:
        insert = import_module(f"sqlalchemy.dialects.{dialect}").insert  # the other one costs memory
        self._upserts: list[tuple[Table, Insert]] = []
        for table in _TABLES:
            statement = insert(table)
            keys = [column.name for column in table.primary_key]
            others = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in keys}
            self._upserts.append((table, statement.on_conflict_do_update(index_elements=keys, set_=others)))

    def write(self, connection: Connection, writes: Writes) -> None:
        """Writes everything within the open transaction."""
        if writes.claims:
            connection.execute(_GIVE_UP, writes.claims)
        for table, upsert in self._upserts:
            rows: list[Row] = getattr(writes, table.name)
            if table is tallies and writes.again:
                rows = [_summed(connection, row, writes.again) for row in rows]
            if rows:
                connection.execute(upsert, _kept(connection, table, rows) if table in _CHANGING else rows)
        if writes.forget_journal is not None:
            connection.execute(_FORGET, {"until": writes.forget_journal})


_CHANGING: dict[Table, tuple[int, ...]] = {incidents: (Incident.__struct_fields__.index("first"),), announcements: ()}
"""Tables whose values are changed after a newer version may have written them; which elements of them never are."""
_AT_ONCE = 500
_raws = msgpack.Decoder(list[Raw]).decode


def _summed(connection: Connection, row: Row, again: set[tuple[int, int, int]]) -> Row:
    """The row of a tally, with what is stored of the same stretch."""
    key = row["step"], row["check_id"], row["start"]
    if key not in again:
        return row
    of = tallies.c
    stored = connection.scalar(select(of.tally).where(of.step == key[0], of.check_id == key[1], of.start == key[2]))
    try:
        return {**row, "tally": encode_tally(total([decode_tally(part) for part in (stored, row["tally"]) if part]))}
    except UNREADABLE:
        return row


def _kept(connection: Connection, table: Table, rows: list[Row]) -> list[Row]:
    """The rows, each with what a newer version has stored besides."""
    found: dict[str, bytes] = {}
    for at in range(0, len(rows), _AT_ONCE):
        names = [row["id"] for row in rows[at : at + _AT_ONCE]]
        asked = select(table.c.id, table.c.data).where(table.c.id.in_(names))
        found.update((name, data) for name, data in connection.execute(asked))
    return [{**row, "data": _both(row["data"], found.get(row["id"]), _CHANGING[table])} for row in rows]


def _both(ours: bytes, stored: bytes | None, same: tuple[int, ...]) -> bytes:
    """Our array with what only the stored one knows: elements that follow, and those that never change."""
    try:
        known, before = _raws(ours), [] if stored is None else _raws(stored)
    except UNREADABLE:
        return ours
    for place in same:
        known[place : place + 1] = before[place : place + 1] or known[place : place + 1]
    return msgpack.encode([*known, *before[len(known) :]])


_GIVE_UP = (
    update(checks)
    .where(checks.c.name == bindparam("claimed"), checks.c.id != bindparam("number"))
    .values(name=literal(NAMELESS) + cast(checks.c.id, String))
)
_FORGET = delete(journal).where(journal.c.id <= bindparam("until"))

OLD_TALLIES = delete(tallies).where(
    tallies.c.step == bindparam("step"),
    tallies.c.check_id >= bindparam("low"),
    tallies.c.check_id < bindparam("high"),
    tallies.c.start < bindparam("before"),
)
"""Stretches of some checks that began before a time."""
OLD_INCIDENTS = delete(incidents).where(incidents.c.ended_at < bindparam("before"))
OLD_PRESENCE = delete(presence).where(presence.c.alive_until < bindparam("before"))
OLD_ANNOUNCEMENTS = delete(announcements).where(announcements.c.ends < bindparam("before"))


def _surplus() -> Delete:
    """Results of some checks that enough newer ones of the same kind are kept of."""
    newer = (
        func.sum(results.c.count)
        .over(partition_by=results.c.check_id, order_by=results.c.last_at.desc())
        .label("newer")
    )
    kept = (
        select(results.c.check_id, results.c.last_at, (newer - results.c.count).label("newer"))
        .where(
            results.c.failed == bindparam("failed"),
            results.c.check_id >= bindparam("low"),
            results.c.check_id < bindparam("high"),
        )
        .subquery()
    )
    surplus = select(kept.c.last_at).where(kept.c.check_id == results.c.check_id, kept.c.newer >= bindparam("keep"))
    return delete(results).where(
        results.c.failed == bindparam("failed"),
        results.c.check_id >= bindparam("low"),
        results.c.check_id < bindparam("high"),
        results.c.last_at.in_(surplus),
    )


SURPLUS_RESULTS = _surplus()
