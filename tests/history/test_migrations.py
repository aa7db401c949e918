"""The tables that a new database gets are those that the migrations would have made."""

from __future__ import annotations

from typing import Any

from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection

from monitor.history.database import Database
from monitor.history.tables import REVISION
from tests.history.living import World


def shape(connection: Connection) -> dict[str, Any]:
    """Every table, column, key and index."""
    found = inspect(connection)
    return {
        table: (
            [(c["name"], str(c["type"]), c["nullable"]) for c in found.get_columns(table)],
            found.get_pk_constraint(table)["constrained_columns"],
            sorted((i["name"], tuple(i["column_names"])) for i in found.get_indexes(table)),
            sorted(tuple(u["column_names"]) for u in found.get_unique_constraints(table)),
        )
        for table in found.get_table_names()
    }


async def test_migrations_make_what_a_new_database_has(world: World) -> None:
    new = Database(world.location)
    await new.open()
    new.adopted()
    begun, upgraded = await new.write(both)
    await new.close()
    assert upgraded == begun
    assert "tallies" in begun


def both(connection: Connection) -> tuple[dict[str, Any], dict[str, Any]]:
    begun = shape(connection)
    for table in begun:
        connection.execute(text(f"DROP TABLE {table}"))
    _migrated(connection)
    return begun, shape(connection)


def _migrated(connection: Connection) -> None:
    """From nothing, by every step."""
    from alembic import command
    from alembic.config import Config

    from monitor.history import forms

    config = Config()
    config.set_main_option("script_location", str(forms.MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    assert connection.scalar(text("SELECT version_num FROM alembic_version")) == REVISION
