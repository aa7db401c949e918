"""What is written, as statements for either database; all may be repeated, should a commit's answer be lost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Table, bindparam, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import Delete, Insert

from monitor.history.tables import announcements, checks, incidents, journal, presence, results, tallies

Row = dict[str, Any]


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
    forget_journal: int | None = None
    """The journal's rows up to this one are needed no more."""

    def __bool__(self) -> bool:
        return any(getattr(self, table.name) for table in _TABLES)


_TABLES = (journal, incidents, tallies, results, checks, presence, announcements)


class Statements:
    """The statements of one dialect."""

    def __init__(self, dialect: str) -> None:
        insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
        self._upserts: list[tuple[Table, Insert]] = []
        for table in _TABLES:
            statement = insert(table)
            keys = [column.name for column in table.primary_key]
            others = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in keys}
            self._upserts.append((table, statement.on_conflict_do_update(index_elements=keys, set_=others)))

    async def write(self, connection: AsyncConnection, writes: Writes) -> None:
        """Write all of it, in the transaction that is open."""
        for table, upsert in self._upserts:
            rows: list[Row] = getattr(writes, table.name)
            if rows:
                await connection.execute(upsert, rows)
        if writes.forget_journal is not None:
            await connection.execute(_FORGET, {"until": writes.forget_journal})


_FORGET = delete(journal).where(journal.c.id <= bindparam("until"))
RENAME = update(checks).where(checks.c.id == bindparam("of")).values(name=bindparam("to"))

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
