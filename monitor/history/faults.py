"""Turns the errors of database drivers into `HistoryError`, each with a sentence; no other module does."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from monitor.model.errors import HistoryError

_WORDS = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_BUSY: "another process holds a lock on it",
    sqlite3.SQLITE_LOCKED: "another process holds a lock on it",
    sqlite3.SQLITE_READONLY: "it may only be read",
    sqlite3.SQLITE_IOERR: "the disk does not take or give what it should",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened",
    sqlite3.SQLITE_PERM: "permission denied",
    sqlite3.SQLITE_AUTH: "permission denied",
    sqlite3.SQLITE_NOMEM: "there is no memory left",
}
_PRIMARY = 0xFF
"""The low byte of SQLite's error codes says what it is, the others particulars."""


class CorruptFile(HistoryError):
    """The file is no database, or a torn one."""


class LockedFile(HistoryError):
    """Another process holds a lock on the file, which it may give up at any moment."""


class LeaseTaken(HistoryError):
    """Another monitor writes to the database."""


class ReplacedFile(HistoryError):
    """The file is no longer the one that was opened."""


_KINDS: dict[int, type[HistoryError]] = {
    sqlite3.SQLITE_CORRUPT: CorruptFile,
    sqlite3.SQLITE_NOTADB: CorruptFile,
    sqlite3.SQLITE_BUSY: LockedFile,
    sqlite3.SQLITE_LOCKED: LockedFile,
}


@contextmanager
def translated() -> Iterator[None]:
    """Raises a driver's error within as HistoryError, with a sentence that holds no addresses or secrets."""
    try:
        yield
    except DBAPIError as error:
        raise _of_driver(error.orig) from error
    except SQLAlchemyError as error:
        raise HistoryError(f"the database answers with something else: {type(error).__name__}") from error
    except sqlite3.Error as error:
        raise _of_driver(error) from error
    except TimeoutError as error:
        raise HistoryError("the database does not answer in time") from error
    except OSError as error:
        raise HistoryError(error.strerror or str(error)) from error


def _of_driver(error: BaseException | None) -> HistoryError:
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None:
        primary = code & _PRIMARY
        return _KINDS.get(primary, HistoryError)(_WORDS.get(primary, str(error)))
    return HistoryError(_of_postgresql(error))


def _of_postgresql(error: BaseException | None) -> str:
    """The server's word for it, or libpq's for the connection; other texts may hold what was to be written."""
    if isinstance(error, TimeoutError) or type(error).__name__ == "ConnectionTimeout":
        return "the database does not answer in time"
    if getattr(error, "sqlstate", None) is None:
        *_, last = ("", *_FAILED.findall(str(error)[:_LONGEST]))
        return f"the database cannot be used: {_QUOTED.sub('', last) or _worded(error)}"
    return f"the database says: {_worded(error)}"


_LONGEST = 4096
"""Characters of libpq's words that are read."""
_FAILED = re.compile(r".*(?:failed|error|FATAL): +([^\n]*)")
_QUOTED = re.compile(r"""(?:,| for)?(?: (?:at|user|host|role|database))? ["'][^"']*["']""")


def _worded(error: BaseException | None) -> str:
    words = "".join(" " + letter.lower() if letter.isupper() else letter for letter in type(error).__name__).strip()
    return words.removesuffix(" error")
