"""Uptime Kuma's monitors, from its SQLite database or from JSON."""

from __future__ import annotations

from pathlib import Path

from monitor.migrate.kuma_backup import backup
from monitor.migrate.kuma_database import database
from monitor.migrate.kuma_rows import Kuma
from monitor.model.errors import ForeignFileError

_MAGIC = b"SQLite format 3\0"


def load(path: Path) -> Kuma:
    """Everything in the file; raises `ForeignFileError`."""
    try:
        with path.open("rb") as file:
            start = file.read(len(_MAGIC))
    except OSError as error:
        why = error.strerror or "the path is not valid"
        raise ForeignFileError(f"{path}: cannot be read: {why[0].lower()}{why[1:]}") from None
    except ValueError:
        raise ForeignFileError(f"{path}: cannot be read: the path is not valid") from None
    return database(path) if start == _MAGIC else backup(path)
