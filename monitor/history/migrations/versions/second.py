"""The second form: checks by id, incidents and announcements in columns, a location or member in every key.

What the first form held is kept: SQLite's file as a copy beside it, PostgreSQL's tables as `old_0001_…`.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import structlog
from alembic import op
from msgspec import Raw, msgpack
from sqlalchemy.engine import Connection

from monitor.model.errors import HistoryError

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_log = structlog.get_logger("monitor.history")

_OLD = ("checks", "journal", "tallies", "results", "incidents", "presence", "announcements")
_ADVISORY_LOCK = 0x6D6F6E69746F72
"""Held by a monitor of version 0.1 that writes to a PostgreSQL."""
_AT_ONCE = 200
_UNSAVED = 10.0
"""Seconds within which version 0.1 saved a new check."""
_UNREADABLE = (ValueError, TypeError, IndexError, RecursionError, AttributeError)
_raws = msgpack.Decoder(list[Raw]).decode


def upgrade() -> None:
    """Makes the new tables and fills them from the old ones."""
    connection = op.get_bind()
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:
        _copy(connection)
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    elif not connection.scalar(sa.text(f"SELECT pg_try_advisory_xact_lock({_ADVISORY_LOCK})")):
        raise HistoryError("a monitor of an older version writes to the database")
    _log.info("the history is brought to the form of this version")
    for index in ("incidents_by_start", "incidents_by_check", "incidents_by_end", "announcements_by_start"):
        op.drop_index(index)
    for table in _OLD:
        op.rename_table(table, f"old_0001_{table}")
    _tables()
    _more_tables()
    _fill(connection)
    if sqlite:
        for table in _OLD:
            op.drop_table(f"old_0001_{table}")


def _copy(connection: Connection) -> None:
    """Copies the file, unless a monitor of version 0.1 writes to it."""
    file = connection.exec_driver_sql("PRAGMA database_list").all()[0][2]
    if Path(f"{file}.lock").exists():
        with Path(f"{file}.lock").open("rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as taken:
                raise HistoryError(f"a monitor of an older version writes to {file}") from taken
            Path(f"{file}.lock").unlink()
    Path(f"{file}.copying").unlink(missing_ok=True)
    connection.exec_driver_sql("VACUUM INTO ?", (f"{file}.copying",))
    os.replace(f"{file}.copying", f"{file}.before-0002")  # noqa: PTH105  at once, on one disk


# the tables


def _location(**more: Any) -> sa.Column[str]:
    return sa.Column("location", sa.String(100), server_default="", **more)


def _member() -> sa.Column[str]:
    return sa.Column("member", sa.String(255), primary_key=True, server_default="")


def _key(name: str, kind: Any = sa.Integer) -> sa.Column[Any]:
    return sa.Column(name, kind, primary_key=True, autoincrement=False)


def _value(name: str, kind: Any = sa.Double) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def _tables() -> None:
    op.create_table("checks", _key("id"), _value("name", sa.String(100)), _value("created_at"), _maybe("removed_at"))
    op.create_index("checks_by_name", "checks", ["name"])
    event = (sa.Column("at", sa.Double, primary_key=True), sa.Column("event", sa.String(20), primary_key=True))
    op.create_table("check_events", _key("check_id"), *event, _value("name", sa.String(100)))
    op.create_table("states", _key("check_id"), _location(primary_key=True), _value("saved", sa.LargeBinary))
    op.create_table("journal", _member(), _key("id", sa.BigInteger), _value("at"), _value("entries", sa.LargeBinary))
    op.create_table(
        "tallies",
        *(_key("step"), _key("check_id"), _location(primary_key=True), _key("start", sa.BigInteger)),
        _value("tally", sa.LargeBinary),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "results",
        *(_key("check_id"), _location(primary_key=True)),
        *(sa.Column("failed", sa.Boolean, primary_key=True), sa.Column("last_at", sa.Double, primary_key=True)),
        *(_value("first_at"), _value("count", sa.SmallInteger), _value("data", sa.LargeBinary)),
        sqlite_with_rowid=False,
    )
    op.create_table("presence", _member(), sa.Column("started_at", sa.Double, primary_key=True), _value("alive_until"))


def _maybe(name: str, kind: Any = sa.Double) -> sa.Column[Any]:
    return sa.Column(name, kind)


def _more_tables() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", sa.String(32), primary_key=True),
        *(_value("check_id", sa.Integer), _location(nullable=False)),
        *(_value("started_at"), _maybe("ended_at"), _maybe("ended_by", sa.String(20))),
        *(_value("reason", sa.String(100)), _value("detail", sa.Text)),
        *(_maybe("acknowledged_at"), _maybe("acknowledged_by", sa.Text), _maybe("acknowledged_note", sa.Text)),
        *(_maybe("acknowledged_until"), _maybe("first_run", sa.LargeBinary)),
    )
    op.create_index("incidents_by_start", "incidents", ["started_at", "id"])
    op.create_index("incidents_by_check", "incidents", ["check_id", "started_at"])
    op.create_index("incidents_by_end", "incidents", ["ended_at"])
    op.create_table(
        "transitions",
        *(_key("check_id"), _location(primary_key=True), _key("id", sa.BigInteger), _value("at")),
        *(_value(name, sa.String(20)) for name in ("state_before", "state_after", "cause")),
        _maybe("incident_id", sa.String(32)),
    )
    op.create_index("transitions_by_time", "transitions", ["at"])
    op.create_table(
        "announcements",
        sa.Column("id", sa.String(32), primary_key=True),
        *(_value("starts"), _maybe("ends"), _value("author", sa.Text), _value("text", sa.Text)),
        sa.Column("for_groups", sa.Text, nullable=False, server_default="[]"),
    )
    op.create_index("announcements_by_start", "announcements", ["starts"])
    op.create_table(
        "leases",
        sa.Column("name", sa.String(32), primary_key=True),
        *(_value("holder", sa.Text), _value("epoch", sa.BigInteger), _value("until")),
    )


# what was in them


def _fill(connection: Connection) -> None:
    for statement in (
        "INSERT INTO presence (started_at, alive_until) SELECT started_at, alive_until FROM old_0001_presence",
        "INSERT INTO tallies (step, check_id, start, tally) SELECT step, check_id, start, tally FROM old_0001_tallies",
        """INSERT INTO results (check_id, failed, last_at, first_at, count, data)
        SELECT check_id, failed, last_at, first_at, count, data FROM old_0001_results""",
        "INSERT INTO states (check_id, saved) SELECT id, saved FROM old_0001_checks WHERE saved IS NOT NULL",
        """INSERT INTO checks (id, name, created_at)
        SELECT id, name, (SELECT coalesce(min(started_at), 0) FROM presence) FROM old_0001_checks""",
    ):
        connection.execute(sa.text(statement))
    checks = connection.execute(sa.text("SELECT name, id FROM checks")).all()
    ids: dict[str, int] = {row.name: row.id for row in checks}
    lost = 0
    for rows in _batches(connection, "incidents", "check_id started_at ended_at data"):
        lost += _insert(connection, "incidents", [_incident(row) for row in rows])
    for rows in _batches(connection, "announcements", "starts ends data"):
        lost += _insert(connection, "announcements", [_announcement(row) for row in rows])
    newest = connection.scalar(sa.text("SELECT max(at) FROM old_0001_journal")) or 0.0
    for rows in _batches(connection, "journal", "at entries"):
        lost += _insert(connection, "journal", [_journal(connection, row, ids, newest) for row in rows])
    if lost:
        _log.warning("stored values cannot be read and stay in the copy of the old form", values=lost)


def _batches(connection: Connection, table: str, columns: str) -> Iterator[Sequence[Any]]:
    """Yields the rows, some at a time: the evidence of years takes much memory."""
    old = sa.table(f"old_0001_{table}", sa.column("id"), *map(sa.column, columns.split()))
    ids = connection.scalars(sa.select(old.c.id).order_by(old.c.id)).all()
    for at in range(0, len(ids), _AT_ONCE):
        some = ids[at : at + _AT_ONCE]
        yield connection.execute(sa.select(old).where(old.c.id.between(some[0], some[-1])).order_by(old.c.id)).all()


def _insert(connection: Connection, table: str, found: Sequence[dict[str, Any] | None]) -> int:
    """Inserts the rows; returns how many could not be read."""
    rows = [row for row in found if row is not None]
    if rows:
        connection.execute(sa.insert(sa.table(table, *map(sa.column, rows[0]))), rows)
    return len(found) - len(rows)


def _incident(row: Any) -> dict[str, Any] | None:
    try:
        raws = _raws(row.data)
        reason, detail = (msgpack.decode(raw, type=str) for raw in raws[3:5])
        said = msgpack.decode(raws[7]) if len(raws) > 7 else None
        by, note, at, until = said[:4] if said else (None, None, None, None)
        first = bytes(raws[6]) if len(raws) > 6 else b"\xc0"
    except _UNREADABLE:
        return None
    return {
        **{name: getattr(row, name) for name in ("id", "check_id", "started_at", "ended_at")},
        "reason": reason,
        "detail": _text(detail),
        "acknowledged_at": at,
        "acknowledged_by": by and _text(by),
        "acknowledged_note": note and _text(note),
        "acknowledged_until": until,
        "first_run": None if first == b"\xc0" else first,
    }


def _announcement(row: Any) -> dict[str, Any] | None:
    try:
        _, text, by, *_ = found = msgpack.decode(row.data)
        groups = found[5] if len(found) > 5 else ()
        return {
            "id": row.id,
            "starts": row.starts,
            "ends": row.ends,
            "author": _text(by),
            "text": _text(text),
            "for_groups": json.dumps(groups),
        }
    except _UNREADABLE:
        return None


def _journal(connection: Connection, row: Any, ids: dict[str, int], newest: float) -> dict[str, Any] | None:
    try:
        new = row.at > newest - _UNSAVED
        entries = [_entry(connection, raw, ids, new=new) for raw in _raws(row.entries)]
    except _UNREADABLE:
        return None
    return {"id": row.id, "at": row.at, "entries": msgpack.encode([one for one in entries if one is not None])}


def _entry(connection: Connection, raw: Raw, ids: dict[str, int], *, new: bool) -> Raw | None:
    """The entry with the id of its check. An unknown name is that of a `new` check, or one from before a renaming."""
    try:
        raws = _raws(raw)
        name = msgpack.decode(raws[0], type=str)
    except _UNREADABLE:
        return None
    if name not in ids and new:
        ids[name] = max(ids.values(), default=0) + 1
        _insert(connection, "checks", [{"id": ids[name], "name": name, "created_at": 0.0}])
    if name not in ids:
        return None
    raws[0] = Raw(msgpack.encode(ids[name]))
    return Raw(msgpack.encode(raws))


def _text(text: str) -> str:
    """PostgreSQL refuses NUL."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
