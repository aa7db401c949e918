"""The tables of the history, the same for SQLite and PostgreSQL; what they hold is explained in docs/history.md.

Times are Unix seconds. What is only ever read whole is one MessagePack value; what is searched for is a column.
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
)
from sqlalchemy.engine import Dialect

REVISION = "0001"
"""The newest migration."""

metadata = MetaData()


class Packed(LargeBinary):
    """MessagePack, returned as stored, also if it is something else: the decoder skips it then."""

    def result_processor(self, _dialect: Dialect, _coltype: object) -> None:
        """None: converting a value of another type would fail the whole query."""


version = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))
"""Alembic's own: which migration was run last."""

checks = Table(
    "checks",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("name", String(100), nullable=False, unique=True),
    Column("saved", Packed),
)
"""Every check that ever was; `saved` is how it stood some minutes ago (`monitor.history.saved`)."""

journal = Table(
    "journal",
    metadata,
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
    Column("start", BigInteger, primary_key=True, autoincrement=False),
    Column("tally", Packed, nullable=False),
    sqlite_with_rowid=False,
)
"""Tallies of checks for `step` seconds from `start`; only stretches that are over."""

results = Table(
    "results",
    metadata,
    Column("check_id", Integer, primary_key=True, autoincrement=False),
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
    Column("started_at", Double, nullable=False),
    Column("ended_at", Double),
    Column("data", Packed, nullable=False),
    Index("incidents_by_start", "started_at", "id"),
    Index("incidents_by_check", "check_id", "started_at"),
    Index("incidents_by_end", "ended_at"),
)

presence = Table(
    "presence",
    metadata,
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
    Column("data", Packed, nullable=False),
    Index("announcements_by_start", "starts"),
)
