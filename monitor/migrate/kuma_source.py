"""Uptime Kuma's monitors as rows, from its SQLite database (versions 1 and 2) or from a JSON backup of version 1."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monitor.errors import ForeignFileError
from monitor.migrate.source import read

Row = dict[str, Any]

_MAGIC = b"SQLite format 3\0"
_PATIENCE = 5.0
"""Seconds to wait for Kuma to end a write."""

_HINTS = {
    "unable to open": " (copy it, with its -wal file, to a directory of your own)",
    "locked": " (stop Kuma, or try again)",
}
"""How to mend what SQLite complains of; beside a database with a -wal file it has to write one of its own."""

_SAME = {
    "basicauthuser": "basic_auth_user", "basicauthpass": "basic_auth_pass", "oauthclientid": "oauth_client_id",
    "proxyid": "proxy_id", "acceptedstatuscodesjson": "accepted_statuscodes",
}  # fmt: skip


@dataclass(slots=True)
class Kuma:
    """Every row that matters; keys are in snake case, whichever file they are from. `place` says where a row stood."""

    monitors: list[Row] = field(default_factory=list)
    proxies: dict[int, Row] = field(default_factory=dict)
    tags: dict[int, list[Row]] = field(default_factory=dict)
    others: list[tuple[str, str, str]] = field(default_factory=list)
    """Notifications, maintenances and the like: place, table, name."""
    notified: dict[int, int] = field(default_factory=dict)
    maintained: set[int] = field(default_factory=set)
    settings: dict[str, str] = field(default_factory=dict)


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
    return _database(path) if start == _MAGIC else _backup(path)


def _database(path: Path) -> Kuma:
    try:
        with closing(_opened(path)) as database:
            database.execute("BEGIN")  # one state of all tables, while Kuma goes on writing
            return _tables(database, path)
    except sqlite3.Error as error:
        hint = next((hint for said, hint in _HINTS.items() if said in str(error)), "")
        raise ForeignFileError(f"{path}: the database cannot be read: {error}{hint}") from None


def _opened(path: Path) -> sqlite3.Connection:
    """Read-only. With an empty -wal and -journal a database is whole, and can be read where nothing may be written."""
    uri = path.absolute().as_uri()
    modes = ["mode=ro"]
    beside = (path.with_name(f"{path.name}{ending}") for ending in ("-wal", "-journal"))
    if not any(each.exists() and each.stat().st_size for each in beside):
        modes.append("mode=ro&immutable=1")
    for last, mode in enumerate(modes, 1 - len(modes)):
        database = sqlite3.connect(f"{uri}?{mode}", uri=True, timeout=_PATIENCE, isolation_level=None)
        database.row_factory = sqlite3.Row
        database.text_factory = lambda content: content.decode(errors="replace")
        try:
            database.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.Error:
            database.close()
            if last == 0:
                raise
        else:
            return database
    raise AssertionError("a mode was tried")


def _tables(database: sqlite3.Connection, path: Path) -> Kuma:
    names = {row["name"] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "monitor" not in names:
        raise ForeignFileError(f"{path}: has no table `monitor`, so this is no database of Uptime Kuma")

    def rows(table: str) -> Iterator[Row]:
        if table in names:
            for row in database.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - names of our own
                yield _named(dict(row)) | {"place": f"{path}: {table} {dict(row).get('id', '?')}"}

    kuma = Kuma(sorted(rows("monitor"), key=lambda row: number(row.get("id"))))
    kuma.proxies = {number(row.get("id")): row for row in rows("proxy")}
    labels = {row.get("id"): row for row in rows("tag")}
    for row in rows("monitor_tag"):
        known = labels.get(row.get("tag_id"), {})
        kuma.tags.setdefault(number(row.get("monitor_id")), []).append(row | {"name": known.get("name")})
    for row in rows("monitor_notification"):
        owner = number(row.get("monitor_id"))
        kuma.notified[owner] = kuma.notified.get(owner, 0) + 1
    kuma.maintained = {number(row.get("monitor_id")) for row in rows("monitor_maintenance")}
    kuma.settings = {str(row.get("key")): str(row.get("value")) for row in rows("setting")}
    for table in ("notification", "maintenance", "status_page", "docker_host", "remote_browser", "api_key"):
        kuma.others += [(row["place"], table, str(row.get("name") or row.get("title") or "")) for row in rows(table)]
    return kuma


def _backup(path: Path) -> Kuma:
    text = read(path)
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        where = f"{path}:{error.lineno}:{error.colno}"
        why = f"{error.msg[0].lower()}{error.msg[1:]}"
        raise ForeignFileError(f"{where}: is neither an SQLite database nor JSON: {why}") from None
    except (RecursionError, ValueError):
        raise ForeignFileError(f"{path}: is neither an SQLite database nor JSON that can be read") from None
    if not isinstance(document, dict) or not isinstance(document.get("monitorList"), list):
        raise ForeignFileError(f"{path}:1: has no `monitorList`, so this is no backup of Uptime Kuma")
    lines = _lines(text, "monitorList")
    kuma = Kuma()
    for row, line in zip(document["monitorList"], lines, strict=False):
        if not isinstance(row, dict):
            kuma.others.append((f"{path}:{line}", "monitorList", "an entry that is no object"))
            continue
        kuma.monitors.append(_named(row) | {"place": f"{path}:{line}"})
        owner = number(row.get("id"))
        kuma.tags[owner] = [tag for tag in _list(row.get("tags")) if isinstance(tag, dict)]
        kuma.notified[owner] = len(_list(row.get("notificationIDList")))
    for name in ("proxyList", "notificationList"):
        for row, line in zip(_rows(document, name), _lines(text, name), strict=False):
            place = f"{path}:{line}"
            if name == "proxyList":
                kuma.proxies[number(row.get("id"))] = _named(row) | {"place": place}
            else:
                kuma.others.append((place, "notification", str(row.get("name") or "")))
    return kuma


def _rows(document: Row, name: str) -> list[Row]:
    return [row if isinstance(row, dict) else {} for row in _list(document.get(name))]


def _list(value: Any) -> list[Any]:
    """A list, or the keys of an object; nothing of anything else."""
    return list(value) if isinstance(value, (list, dict)) else []


def _lines(text: str, wanted: str) -> list[int]:
    """The lines at which the elements of a list of the document begin."""
    decoder, space = json.JSONDecoder(), re.compile(r"[ \t\n\r,:]*")

    def after(position: int) -> int:
        match = space.match(text, position)
        return match.end() if match else position

    position, lines = after(0) + 1, []
    while (position := after(position)) < len(text) and text[position] == '"':
        key, position = decoder.raw_decode(text, position)
        position = after(position)
        if key != wanted or text[position] != "[":
            _, position = decoder.raw_decode(text, position)
            continue
        position = after(position + 1)
        line, counted = 1, 0
        while text[position] != "]":
            line, counted = line + text.count("\n", counted, position), position
            lines.append(line)
            position = after(decoder.raw_decode(text, position)[1])
        return lines
    return lines


def _named(row: Row) -> Row:
    """Version 1 and 2, table and backup, spell their keys differently: `maxRedirects`, `maxredirects`."""
    named = {}
    for key, value in row.items():
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", str(key)).lower()
        named[_SAME.get(name.replace("_", ""), name)] = value
    return named


def number(value: object) -> int:
    """A whole number of whatever stands there; 0 if it is none."""
    try:
        return int(value)  # type: ignore[call-overload, no-any-return]
    except (TypeError, ValueError, OverflowError):
        return 0


def text(row: Row, key: str) -> str:
    """What stands there, as text."""
    value = row.get(key)
    return "" if value is None else str(value)


def truth(row: Row, key: str, *, default: bool = False) -> bool:
    """1 and true are true."""
    value = row.get(key)
    return default if value is None else str(value).lower() not in ("0", "false", "")


def amount(row: Row, key: str) -> float:
    """A number that is none too large; 0 if it is none."""
    try:
        value = float(row.get(key) or 0)
    except (TypeError, ValueError):
        return 0.0
    return value if 0 <= value < 1e8 else 0.0
