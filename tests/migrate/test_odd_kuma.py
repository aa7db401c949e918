# ruff: noqa: E501
"""Odd monitors and databases: what is clear is carried over, the rest is said, no secret gets out."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from monitor.migrate import kuma as uptime_kuma
from monitor.model.errors import ForeignFileError
from monitor.model.request import BasicAuth
from tests.migrate import kuma
from tests.migrate.harness import made, of_monitor, said


def test_a_user_name_left_over_is_not_used(tmp_path: Path) -> None:
    old = {"basic_auth_user": "u", "basic_auth_pass": "plain-1"}
    assert of_monitor(tmp_path, **old, authMethod=None)[0].request.auth is None
    assert isinstance(of_monitor(tmp_path, **old)[0].request.auth, BasicAuth)


def test_jsonata_that_only_looks_like_a_path_is_said(tmp_path: Path) -> None:
    check, found = of_monitor(tmp_path, type="json-query", jsonPath="$total", expectedValue="5")
    assert check.request.expect.json == ()
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


def test_a_log_that_is_no_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "kuma.db"
    kuma.database(path, 2).close()
    (tmp_path / "kuma.db-wal").mkdir()
    with pytest.raises(ForeignFileError, match=r"kuma.db-wal: cannot be copied to be read: is a directory"):
        uptime_kuma.read(path)


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_what_is_half_written_does_not_count(mode: str, tmp_path: Path) -> None:
    path = tmp_path / "kuma.db"
    kuma.database(path, 2).close()
    database = sqlite3.connect(path, isolation_level=None)
    database.execute(f"PRAGMA journal_mode = {mode}")
    database.execute("PRAGMA cache_size = 1")  # half of it is in the files already
    database.execute("BEGIN EXCLUSIVE")
    database.execute("UPDATE monitor SET name = 'half written'")
    try:
        assert "Shop-Kaufe-Co" in made(uptime_kuma.read(path), tmp_path).checks
    finally:
        database.close()


@pytest.mark.parametrize("running", [True, False])
def test_nothing_appears_beside_the_database(running: bool, tmp_path: Path) -> None:
    folder = tmp_path / "read-only"
    folder.mkdir()
    database = kuma.database(folder / "kuma.db", 2)
    if not running:
        database.close()
    before = {path.name: (path.stat().st_mtime_ns, path.stat().st_size) for path in folder.iterdir()}
    folder.chmod(0o500)
    try:
        assert "Shop-Kaufe-Co" in made(uptime_kuma.read(folder / "kuma.db"), tmp_path).checks
        assert before == {path.name: (path.stat().st_mtime_ns, path.stat().st_size) for path in folder.iterdir()}
    finally:
        folder.chmod(0o700)
        database.close()


def test_the_log_is_found_beside_the_database_that_a_link_leads_to(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "link.db").symlink_to(tmp_path / "data" / "kuma.db")
    with contextlib.closing(kuma.database(tmp_path / "data" / "kuma.db", 2)):
        assert "Shop-Kaufe-Co" in made(uptime_kuma.read(tmp_path / "link.db"), tmp_path).checks


def test_the_last_write_counts_before_and_after_a_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "kuma.db"
    with contextlib.closing(kuma.database(path, 2)) as database:
        for number in range(20):
            database.execute("UPDATE monitor SET description = ?", [str(number) * 2000])
            if number % 5 == 4:
                database.execute("PRAGMA wal_checkpoint(RESTART)")
            names = made(uptime_kuma.read(path), tmp_path).checks
            assert {check.description for check in names.values()} == {str(number) * 2000}


def test_a_list_of_monitors_as_the_api_returns_it(tmp_path: Path) -> None:
    path = tmp_path / "monitors.json"
    monitors = [
        {"id": 1, "type": "http", "name": "Магазин", "url": "https://shop.example.com", "accepted_statuscodes": ["2xx", "204"],
         "headers": {"X-A": "b"}, "maxretries": 2, "retryInterval": 20, "interval": 60, "tags": [], "active": 1},
        7,
        {"id": 2, "type": "ping", "name": "gone", "hostname": "x"},
    ]  # fmt: skip
    for document in (
        monitors,
        {"monitorList": {str(n): row for n, row in enumerate(monitors)}},
        {"monitors": monitors},
    ):
        path.write_text(json.dumps(document, indent=1))
        found = made(uptime_kuma.read(path), tmp_path)
        check = found.checks["shop.example.com"]
        assert (check.title, check.retry_interval, dict(check.request.headers)) == ("Магазин", 20, {"X-A": "b"})
        assert said(found, "type ping cannot be checked here")
        assert all(
            path.read_text().splitlines()[int(note.place.rpartition(":")[2]) - 1].strip()
            for note in found.imported.notes
        )


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
