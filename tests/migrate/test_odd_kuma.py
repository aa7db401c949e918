# ruff: noqa: E501
"""Odd monitors and databases: what is clear is carried over, the rest is said, no secret gets out."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from monitor.errors import ForeignFileError
from monitor.migrate import kuma as uptime_kuma
from monitor.spec import BasicAuth
from tests.migrate import kuma
from tests.migrate.harness import made, of_monitor, said


def test_a_user_name_left_over_is_not_used(tmp_path: Path) -> None:
    old = {"basic_auth_user": "u", "basic_auth_pass": "plain-1"}
    assert of_monitor(tmp_path, **old, authMethod=None)[0].auth is None
    assert isinstance(of_monitor(tmp_path, **old)[0].auth, BasicAuth)


def test_jsonata_that_only_looks_like_a_path_is_said(tmp_path: Path) -> None:
    check, found = of_monitor(tmp_path, type="json-query", jsonPath="$total", expectedValue="5")
    assert check.expect.json == ()
    assert said(found, "json_path $total: is more of JSONata than a path")


def test_a_database_of_another_version(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "kuma.db") as database:
        database.execute("CREATE TABLE monitor (name, url, type, place, some_day)")
        database.execute("CREATE TABLE proxy (host)")
        database.execute("CREATE TABLE tag (name)")
        database.execute("CREATE TABLE monitor_tag (value)")
        database.execute("INSERT INTO monitor VALUES ('it', 'https://a.example.com', 'http', 'x', x'ff00')")
        database.execute("INSERT INTO monitor VALUES (x'ff', 7, 'http', 'x', 1e999)")
        database.execute("INSERT INTO proxy VALUES (1)")
        database.execute("INSERT INTO tag VALUES (1)")
        database.execute("INSERT INTO monitor_tag VALUES (1)")
    database.close()
    found = made(uptime_kuma.read(tmp_path / "kuma.db"), tmp_path)
    assert list(found.checks) == ["it"]
    assert said(found, "some_day: is not known here")


def test_a_truncated_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "kuma.db"
    kuma.database(path, 2).close()
    path.write_bytes(path.read_bytes()[:-4096])
    with pytest.raises(
        ForeignFileError, match=r"kuma.db: the database cannot be read: database disk image is malformed"
    ):
        uptime_kuma.read(path)


def test_a_database_beside_which_nothing_can_be_opened_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "kuma.db"
    kuma.database(path, 2).close()
    (tmp_path / "kuma.db-wal").mkdir()
    with pytest.raises(ForeignFileError, match=r"unable to open database file \(copy it, with its -wal file"):
        uptime_kuma.read(path)


def test_a_locked_database_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.migrate.kuma_source._PATIENCE", 0.05)
    path = tmp_path / "kuma.db"
    kuma.database(path, 2).close()
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode = DELETE")
    database.execute("BEGIN EXCLUSIVE")
    database.execute("UPDATE monitor SET name = 'half written'")
    try:
        with pytest.raises(ForeignFileError, match=r"kuma.db: the database cannot be read: database is locked"):
            uptime_kuma.read(path)
    finally:
        database.close()


@pytest.mark.parametrize(
    "row",
    [
        {"interval": "often", "maxretries": -5, "timeout": "1e999"}, {"maxredirects": 10**30, "maxretries": 10**30},
        {"headers": "[1]"}, {"headers": '{"a": {"b": 1}}'}, {"accepted_statuscodes": "x"}, {"accepted_statuscodes": [[], "9-1"]},
        {"accepted_statuscodes": ["²00"]}, {"proxyId": 7}, {"parent": 1}, {"tags": [{"name": "\ud800", "value": "\n"}]},
        {"description": "\ud800\x00"}, {"url": "https://u:plain-1@a.example.com/?key=plain-2"}, {"authMethod": "oauth2-cc"},
        {"url": "https://a.example.com/\n[monitor]\nlisten = 'x'"}, {"method": "A\nB"}, {"body": "x" * 100_000},
        {"name": '"]\n[[checks]]\nname = "evil"'}, {"some_secret": "plain-1"},
    ],
)  # fmt: skip
def test_wrong_values_in_a_monitor_never_break_the_file(row: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "backup.json"
    monitor = {"id": 1, "type": "http", "name": "it", "url": "https://a.example.com"} | row
    path.write_text(json.dumps({"monitorList": [monitor, monitor]}))
    found = made(uptime_kuma.read(path), tmp_path)
    assert "plain-" not in found.text
    assert "evil" not in found.checks
    assert os.linesep + "listen" not in found.text
