# ruff: noqa: E501
"""The reader of the configuration: damaged files and rearranged tables are loaded, or refused line by line."""

from __future__ import annotations

import copy
import json
import shutil
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
from hypothesis import given

from monitor.config import load
from monitor.model.errors import ConfigError
from monitor.secrets.visible import visible
from tests.config.conftest import ENVIRON
from tests.fuzz.damage import Damage, bounded, damages, slips

GOOD = Path(__file__).parents[1] / "config" / "good"
FILES = {path.name: path.read_bytes() for path in sorted(GOOD.glob("*.toml"))}

PIECES = [
    b"\n", b"[", b"]", b"[[", b"]]", b"{", b"}", b"=", b'"', b"'", b'"""', b"#", b".", b",", b" ", b"\\", b"\0", b"\xff", b"\xef\xbb\xbf",
    b"\r\n", b"\n[defaults]\n", b"\n[[checks]]\n", b"\n[monitor]\n", b"\n[[maintenance]]\n", b'name = "a"\n', b'url = "http://[::1/"\n',
    b'url = "https://u:p@h/?a=b"\n', b"expect = 1\n", b"tls = []\n", b"nan", b"inf", b"1e999", b"9" * 5000, b"0x", b"true", b"-1", b"\xe2\x80\xae",
    b"1979-05-27T07:32:00Z", b'{ env = "TOKEN" }', b'{ file = "token.txt" }', b'{ file = "/" }', b'"99999999w"', b'"0s"', b"[" * 300, b"a." * 300,
]  # fmt: skip
VALUES: list[Any] = [
    "", "x", "\0", "\u202e", "0s", "99999w", "http://a/", "$.a", "(", "*", "1MiB", "100%", 0, -1, 1 << 63, 1.5, True, [], [[]], {}, ["x", 1],
    {"env": "TOKEN"}, {"env": "NOTHING"}, {"file": "token.txt"}, {"equals": {"a": [1]}}, {"": {"": ""}},
]  # fmt: skip


def survives(content: bytes) -> None:
    """It loads, or every problem has a sentence and, unless it is of the file itself, a line of it."""
    with tempfile.TemporaryDirectory() as folder:
        for other in GOOD.glob("*.txt"):
            shutil.copy(other, folder)
        path = Path(folder, "checks.toml")
        path.write_bytes(content)
        try:
            load(path, ENVIRON)
        except ConfigError as error:
            refused = error.problems
        else:
            return
    assert refused
    lines = content.count(b"\n") + content.count(b"\r") + 1
    for problem in refused:
        assert problem.message
        assert 0 <= problem.line <= lines, problem
        assert problem.line or not problem.path, f"of a key, without its line: {problem}"
        assert "\n" not in str(problem), problem
        assert visible(str(problem)) == str(problem)
        assert "hunter2" not in str(problem), problem


@bounded(100)
@given(st.sampled_from(sorted(FILES)), damages(PIECES) | slips())
def test_damaged_files(name: str, damage: Damage) -> None:
    survives(damage.to(FILES[name]))


Place = tuple[Any, Any]
"""A table or a list, and the key or the index in it."""


def places(tree: Any) -> Iterator[Place]:
    """Every place of a document that holds a value."""
    inside = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in inside:
        yield tree, key
        yield from places(value)


DOCUMENTS = [tomllib.loads(content.decode("utf-8-sig")) for content in FILES.values()]
ANYTHING = st.sampled_from(VALUES) | st.text(max_size=12) | st.integers() | st.floats() | st.datetimes()


@bounded(100)
@given(st.sampled_from(DOCUMENTS), st.lists(st.tuples(st.floats(0, 0.999), st.floats(0, 0.999), ANYTHING), max_size=3))
def test_values_in_other_places(document: dict[str, Any], changes: list[tuple[float, float, Any]]) -> None:
    """Each change puts a value of this file, or any other, in the place of one, or gives it another key."""
    tree = copy.deepcopy(document)
    for where, whence, anything in changes:
        all_of_it = list(places(tree))
        if not all_of_it:
            continue
        (table, key), (other, name) = (all_of_it[int(share * len(all_of_it))] for share in (where, whence))
        moved = copy.deepcopy(other[name])
        table[key] = moved if where < whence else copy.deepcopy(anything)
        if isinstance(table, dict) and isinstance(name, str):
            table[name] = copy.deepcopy(moved)
    survives(written(tree))


def written(tree: dict[str, Any]) -> bytes:
    """The document as TOML, one key of the first level a line."""
    return "".join(f"{json.dumps(key)} = {toml(value)}\n" for key, value in tree.items()).encode("utf-8", "replace")


def toml(value: Any) -> str:
    """A value as TOML writes it, tables inline; times of day and numbers that are none among them."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(k)} = {toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, (bool, str)):
        return json.dumps(value)
    return str(value)
