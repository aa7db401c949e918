"""The first form of the tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "checks",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("name", sa.String(100), nullable=False, unique=True),
        sa.Column("saved", sa.LargeBinary),
    )
    op.create_table(
        "journal",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("entries", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "tallies",
        sa.Column("step", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("check_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("start", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("tally", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "results",
        sa.Column("check_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("failed", sa.Boolean, primary_key=True),
        sa.Column("last_at", sa.Double, primary_key=True),
        sa.Column("first_at", sa.Double, nullable=False),
        sa.Column("count", sa.SmallInteger, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    _events()


def _events() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("check_id", sa.Integer, nullable=False),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.Column("ended_at", sa.Double),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
    op.create_index("incidents_by_start", "incidents", ["started_at", "id"])
    op.create_index("incidents_by_check", "incidents", ["check_id", "started_at"])
    op.create_index("incidents_by_end", "incidents", ["ended_at"])
    op.create_table(
        "presence",
        sa.Column("started_at", sa.Double, primary_key=True),
        sa.Column("alive_until", sa.Double, nullable=False),
    )
    op.create_table(
        "announcements",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("starts", sa.Double, nullable=False),
        sa.Column("ends", sa.Double),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
    op.create_index("announcements_by_start", "announcements", ["starts"])
