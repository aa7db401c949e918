"""The tables of the history, the same for SQLite and PostgreSQL; what they hold is explained in docs/history.md.

Times are Unix seconds. What people ask for is in columns; results, tallies and states are one MessagePack value each.
`location` is where a check runs, `member` the monitor that wrote a row; both are empty with one monitor.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
)
from sqlalchemy.engine import Dialect

REVISION = "0002"
"""The newest migration."""

metadata = MetaData()


class Packed(LargeBinary):
    """MessagePack, returned as stored, also if it is something else: the decoder skips it then."""

    def result_processor(self, _dialect: Dialect, _coltype: object) -> None:
        """None: converting a value of another type would fail the whole query."""


version = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))
"""Alembic's own: which migration was run last."""


def _location() -> Column[str]:
    return Column("location", String(100), primary_key=True, server_default="")


def _member() -> Column[str]:
    return Column("member", String(255), primary_key=True, server_default="")


checks = Table(
    "checks",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("name", String(100), nullable=False),
    Column("created_at", Double, nullable=False),
    Column("removed_at", Double),
    Index("checks_by_name", "name"),
)
"""Every check that ever was, by the name that it has now, or had when it was removed."""

check_events = Table(
    "check_events",
    metadata,
    Column("check_id", Integer, primary_key=True, autoincrement=False),
    Column("at", Double, primary_key=True),
    Column("event", String(20), primary_key=True),
    Column("name", String(100), nullable=False),
)
"""Events of checks: `created`, `renamed`, `removed`, `returned`; `name` is the name from then on."""

states = Table(
    "states",
    metadata,
    Column("check_id", Integer, primary_key=True, autoincrement=False),
    _location(),
    Column("saved", Packed, nullable=False),
)
"""The state of each check some minutes ago (`monitor.history.saved`)."""

journal = Table(
    "journal",
    metadata,
    _member(),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Double, nullable=False),
    Column("entries", Packed, nullable=False),
)
"""The results of some second, for as long as some check is not saved after it."""

tallies = Table(
    "tallies",
    metadata,
    Column("step", Integer, primary_key=True, autoincrement=False),
    Column("check_id", Integer, primary_key=True, autoincrement=False),
    _location(),
    Column("start", BigInteger, primary_key=True, autoincrement=False),
    Column("tally", Packed, nullable=False),
    sqlite_with_rowid=False,
)
"""Tallies of checks for `step` seconds from `start`; only stretches that are over."""

results = Table(
    "results",
    metadata,
    Column("check_id", Integer, primary_key=True, autoincrement=False),
    _location(),
    Column("failed", Boolean, primary_key=True),
    Column("last_at", Double, primary_key=True),
    Column("first_at", Double, nullable=False),
    Column("count", SmallInteger, nullable=False),
    Column("data", Packed, nullable=False),
    sqlite_with_rowid=False,
)
"""Some results of a check in a row, either failures or not, which began from `first_at` to `last_at`."""

incidents = Table(
    "incidents",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("check_id", Integer, nullable=False),
    Column("location", String(100), nullable=False, server_default=""),
    Column("started_at", Double, nullable=False),
    Column("ended_at", Double),
    Column("ended_by", String(20)),
    Column("reason", String(100), nullable=False),
    Column("detail", Text, nullable=False),
    Column("acknowledged_at", Double),
    Column("acknowledged_by", Text),
    Column("acknowledged_note", Text),
    Column("acknowledged_until", Double),
    Column("first_run", Packed),
    Index("incidents_by_start", "started_at", "id"),
    Index("incidents_by_check", "check_id", "started_at"),
    Index("incidents_by_end", "ended_at"),
)
"""`ended_by`: `recovery`, `removal`, `pause` or `maintenance`. `first_run` is the failed run that began it."""

transitions = Table(
    "transitions",
    metadata,
    Column("check_id", Integer, primary_key=True, autoincrement=False),
    _location(),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Double, nullable=False),
    Column("state_before", String(20), nullable=False),
    Column("state_after", String(20), nullable=False),
    Column("cause", String(20), nullable=False),
    Column("incident_id", String(32)),
    Index("transitions_by_time", "at"),
)
"""Every change of state."""

presence = Table(
    "presence",
    metadata,
    _member(),
    Column("started_at", Double, primary_key=True),
    Column("alive_until", Double, nullable=False),
)
"""Presence of the monitor: a row per stretch, which ends when the process ended or stalled."""

announcements = Table(
    "announcements",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("starts", Double, nullable=False),
    Column("ends", Double),
    Column("author", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("for_groups", Text, nullable=False, server_default="[]"),
    Index("announcements_by_start", "starts"),
)
"""`for_groups` is a JSON array, empty if the announcement is about all groups."""

leases = Table(
    "leases",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("holder", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("until", Double, nullable=False),
)
"""The writer of the database (`monitor.history.lease`); `until` is a time of the database's own clock."""
