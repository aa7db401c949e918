"""The command `monitor import`: where it writes, what it says, and how it refuses."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from monitor.migrate import blackbox, gatus
from monitor.migrate import kuma as uptime_kuma
from monitor.migrate.cli import commands
from monitor.model.errors import ForeignFileError
from tests.migrate.harness import FILES, yaml_file
from tests.terminal.program import monitor

PROMETHEUS = FILES / "prometheus.yml"
GOOD = "endpoints:\n  - {name: a, url: 'https://www.example.com/', conditions: ['[STATUS] == 200']}\n"


async def test_what_is_written_is_valid(tmp_path: Path) -> None:
    path = yaml_file(tmp_path / "gatus.yml", GOOD)
    ended = await monitor("import", "gatus", path, "-o", tmp_path / "checks.toml")
    assert (ended.code, ended.out) == (0, "")
    assert ended.err == "monitor: 1 check, 0 things not carried over\n"
    assert (await monitor("validate", "-c", tmp_path / "checks.toml")).out == "1 check, no problems\n"


async def test_half_valid_files_import_what_is_clear(tmp_path: Path) -> None:
    path = yaml_file(
        tmp_path / "gatus.yml", f"{GOOD}  - nonsense\n  - {{name: b}}\n  - {{name: c, url: 'http://ex ample'}}\n"
    )
    ended = await monitor("import", "gatus", path)
    assert ended.code == 0
    assert f"{path}:3: endpoints[1]: must be a mapping\n{path}:4: b: has no url\n" in ended.err
    assert ended.err.endswith("monitor: 1 check, 3 things not carried over\n")
    assert ended.out.count("[[checks]]") == 1


async def test_a_file_is_overwritten_only_by_force(tmp_path: Path) -> None:
    path, output = yaml_file(tmp_path / "gatus.yml", GOOD), yaml_file(tmp_path / "checks.toml", "precious")
    ended = await monitor("import", "gatus", path, "-o", output)
    assert (ended.code, output.read_text()) == (2, "precious")
    assert ended.err == f"monitor: {output}: there is such a file already; --force overwrites it\n"
    assert (await monitor("import", "gatus", path, "-o", output, "--force")).code == 0
    assert "[[checks]]" in output.read_text()


def test_targets_are_needed() -> None:
    ended = CliRunner().invoke(commands, ["blackbox", str(FILES / "blackbox.yml")])
    assert ended.exit_code == 2
    assert "Missing option '--targets'" in ended.output


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a: [1\nb: 2", ":2:2: is not valid YAML: "),
        (b"a: b: c", ":1:5: is not valid YAML: mapping values are not allowed here"),
        (b"", ": is empty"),
        (b"a: \xff", ":1:4: is not UTF-8 text"),
        (b"a: 1\nb: \x01", ":2: has a character in it that YAML does not allow"),
        (b"- 1", ":1: must be a mapping"),
        (b"text", ":1: must be a mapping"),
        (b"other: 1", ":1: has no `"),
        (b"modules: 1\nendpoints: 1", " must be a "),
        (b"[" * 1200, "is nested too deeply"),
        (b"a: 1\n---\nb: 2", ":1: has no `"),
        (b"a: 1\n---\nb: [", ":3:5: is not valid YAML: "),
        (b"---\n---\n# nothing\n", ": is empty"),
    ],
)
def test_unreadable_yaml_is_refused_with_its_place(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "it.yml"
    path.write_bytes(content)
    for read in (gatus.read, lambda it: blackbox.read(it, [PROMETHEUS])):
        with pytest.raises(ForeignFileError) as refused:
            read(path)
        assert str(refused.value).startswith(str(path))
        assert said in str(refused.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"monitorList": [1,\n x]}', ":2:2: is neither an SQLite database nor JSON: expecting value"),
        (b'{"other": []}', ":1: has no `monitorList`, so this is no backup of Uptime Kuma"),
        (b"[]", ":1: has no `monitorList`"),
        (b"", ":1:1: is neither an SQLite database nor JSON"),
        (b"SQLite format 3\0" + b"x" * 500, ": the database cannot be read: "),
        (b"\xff\xfe", ":1:1: is not UTF-8 text"),
    ],
)
def test_unreadable_kuma_files_are_refused(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "kuma.db"
    path.write_bytes(content)
    with pytest.raises(ForeignFileError) as refused:
        uptime_kuma.read(path)
    assert f"{path}{said}" in str(refused.value)


def test_another_database_is_refused(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "other.db")
    database.execute("CREATE TABLE t (a)")
    database.close()
    with pytest.raises(ForeignFileError, match="has no table `monitor`"):
        uptime_kuma.read(tmp_path / "other.db")


@pytest.mark.parametrize("read", [gatus.read, uptime_kuma.read])
def test_a_missing_file_is_refused(read: object, tmp_path: Path) -> None:
    with pytest.raises(ForeignFileError, match="cannot be read: "):
        read(tmp_path / "none")  # type: ignore[operator]


def test_odd_rows_of_a_backup_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    path.write_text('{"monitorList": [\n7,\n{"id": "x", "type": ["http"], "name": {}, "url": 5},\n{}]}')
    imported = uptime_kuma.read(path)
    assert imported.drafts == []
    assert [note.place for note in imported.notes] == [f"{path}:3", f"{path}:4", f"{path}:2"]


def test_the_daemon_does_not_load_the_importers() -> None:
    code = "import sys, monitor.cli, monitor.daemon; sys.exit('yaml' in sys.modules or 'sqlite3' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=FILES.parents[2])
