"""Builds the writing statements for either database; they can be repeated, should a commit's answer be lost."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from sqlalchemy import Table, bindparam, delete, func, select
from sqlalchemy.engine import Connection
from sqlalchemy.sql.dml import Delete

from monitor.history.tables import (
    announcements,
    check_events,
    checks,
    incidents,
    journal,
    presence,
    results,
    states,
    tallies,
    transitions,
)
from monitor.stats.result_log import UNREADABLE
from monitor.stats.rollups import decode_tally, encode_tally
from monitor.stats.tally import total

Row = dict[str, Any]


@dataclass(slots=True)
class Writes:
    """The rows of one transaction, by table."""

    checks: list[Row] = field(default_factory=list)
    check_events: list[Row] = field(default_factory=list)
    journal: list[Row] = field(default_factory=list)
    incidents: list[Row] = field(default_factory=list)
    transitions: list[Row] = field(default_factory=list)
    tallies: list[Row] = field(default_factory=list)
    results: list[Row] = field(default_factory=list)
    states: list[Row] = field(default_factory=list)
    presence: list[Row] = field(default_factory=list)
    announcements: list[Row] = field(default_factory=list)
    again: set[tuple[int, int, int]] = field(default_factory=set)
    """Keys of tallies that are added to those that are stored, as a clock was put back."""
    forget_journal: int | None = None
    """The journal's rows up to this one are needed no more."""

    def __bool__(self) -> bool:
        return any(getattr(self, table.name) for table in _TABLES)


_TABLES = (
    checks, check_events, journal, incidents, transitions, tallies, results, states, presence, announcements,
)  # fmt: skip


class Statements:
    """The statements of one dialect. Columns of a newer version keep their values."""

    def __init__(self, dialect: str) -> None:
        insert = import_module(f"sqlalchemy.dialects.{dialect}").insert  # the other one costs memory
        self._upserts = [(table, _upsert(insert(table), table)) for table in _TABLES]

    def write(self, connection: Connection, writes: Writes) -> None:
        """Writes everything within the open transaction."""
        for table, upsert in self._upserts:
            rows: list[Row] = getattr(writes, table.name)
            if table is tallies and writes.again:
                rows = [_summed(connection, row, writes.again) for row in rows]
            if rows:
                connection.execute(upsert, rows)
        if writes.forget_journal is not None:
            connection.execute(_FORGET, {"until": writes.forget_journal})


def _upsert(insert: Any, table: Table) -> Any:
    keys = [column.name for column in table.primary_key]
    kept = {"location", "created_at"}  # what a row has for good
    set_ = {c.name: insert.excluded[c.name] for c in table.columns if c.name not in keys and c.name not in kept}
    if table is incidents:  # memory keeps the evidence of the newest incidents only
        set_["first_run"] = func.coalesce(incidents.c.first_run, insert.excluded.first_run)
    if set_:
        return insert.on_conflict_do_update(index_elements=keys, set_=set_)
    return insert.on_conflict_do_nothing(index_elements=keys)


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


_FORGET = delete(journal).where(journal.c.id <= bindparam("until"))

OLD_TALLIES = delete(tallies).where(
    tallies.c.step == bindparam("step"),
    tallies.c.check_id >= bindparam("low"),
    tallies.c.check_id < bindparam("high"),
    tallies.c.start < bindparam("before"),
)
"""Stretches of some checks that began before a time."""
OLD_INCIDENTS = delete(incidents).where(incidents.c.ended_at < bindparam("before"))
OLD_TRANSITIONS = delete(transitions).where(transitions.c.at < bindparam("before"))
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
