"""The form of the tables: made new, brought up from an older form, or used as they are if a newer monitor made them."""

from __future__ import annotations

import logging
from pathlib import Path

import structlog
from sqlalchemy import Table, insert, inspect, select
from sqlalchemy.engine import Connection

from monitor.history.tables import REVISION, metadata, version
from monitor.model.errors import HistoryError

_log = structlog.get_logger("monitor.history")

MIGRATIONS = Path(__file__).with_name("migrations")


def brought_up(connection: Connection) -> None:
    """Brings the tables to the form of this version. Raises HistoryError if that is impossible."""
    found = _revision(connection)
    if found is None:
        _begin(connection)
    elif found != REVISION:
        _upgrade(connection, found)


def _begin(connection: Connection) -> None:
    """An empty database gets the tables as they are now; a test holds them against those that the migrations make."""
    metadata.create_all(connection)
    version.create(connection)
    connection.execute(insert(version), {"version_num": REVISION})


def _revision(connection: Connection) -> str | None:
    """Returns the revision of the tables; None if there are no tables."""
    if not inspect(connection).has_table(version.name):
        return None
    return connection.scalar(select(version.c.version_num))


def _upgrade(connection: Connection, found: str) -> None:
    # Alembic takes eleven mebibytes, and is needed when an older database meets a newer monitor.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    logging.getLogger("alembic").setLevel(logging.WARNING)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found in known:
        command.upgrade(config, "head")
        return
    for table in metadata.tables.values():
        if (lacking := _lacking(connection, table)) is not None:
            raise HistoryError(f"the history was written by a newer version of the monitor; {lacking}")
    _log.info("the history was written by a newer version of the monitor, and is used as far as it is known here")


def _lacking(connection: Connection, table: Table) -> str | None:
    """Returns why a table of a newer version cannot be used; None if it can: it may have more columns, but no fewer."""
    inspector = inspect(connection)
    if not inspector.has_table(table.name):
        return f"it has no table {table.name}"
    found = inspector.get_columns(table.name)
    for column in table.columns:
        if not any(column.name == one["name"] for one in found):
            return f"its table {table.name} has no column {column.name}"
    for one in found:
        if one["name"] not in table.columns and not one["nullable"] and one["default"] is None:
            return f"its table {table.name} wants a {one['name']}, which is not known here"
    return None
