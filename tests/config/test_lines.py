"""The scanner finds the line of every key that tomllib finds."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config.lines import line_of, lines_of
from monitor.keys.shape import Path

TRICKY = st.text("ab\"'\\#[]{}=,. \n\u00e9", max_size=8)
KEYS = st.text("abc_-1", min_size=1, max_size=3) | TRICKY
SCALARS = (
    st.integers(-9, 9).map(str)
    | st.sampled_from(["true", "1.5e3", "inf", "1979-05-27 07:32:00", "2026-01-31T00:00:00Z", "0x1F"])
    | TRICKY.map(json.dumps)
    | st.text('ab#[]{}=,." \\', max_size=8).map(lambda text: f"'{text}'")
    | st.text("ab#[]{}=,.' \n\"", max_size=8).map(lambda text: f'"""{_escaped(text)}"""')
    | st.text('ab#[]{}=,." \n\\', max_size=8).map(lambda text: f"'''\n{text}'''")
)
GAPS = st.sampled_from(["", " ", "\n", "\n\n", " # a \"comment\" ] } '''\n", "\t"])
VALUES = st.recursive(
    SCALARS.map(lambda text: ("scalar", text)),
    lambda inner: (
        st.tuples(st.just("array"), st.lists(st.tuples(GAPS, inner), max_size=3))
        | st.tuples(st.just("table"), st.dictionaries(KEYS, inner, max_size=3))
    ),
    max_leaves=6,
)


def _escaped(text: str) -> str:
    return text.replace('"""', '""\\"') + ("" if not text.endswith('"') else " ")


class Emitter:
    """Writes TOML and notes the line of each path, which is what the scanner has to find again."""

    def __init__(self) -> None:
        self.text = ""
        self.lines: dict[Path, int] = {}

    @property
    def line(self) -> int:
        return self.text.count("\n") + 1

    def value(self, path: Path, value: Any) -> None:
        kind, content = value
        if kind == "scalar":
            self.text += content
        elif kind == "array":
            self.text += "["
            for place, (gap, item) in enumerate(content):
                self.text += gap
                self.lines[(*path, place)] = self.line
                self.value((*path, place), item)
                self.text += ","
            self.text += "]"
        else:
            self.text += "{"
            for place, (key, item) in enumerate(content.items()):
                self.text += ", " if place else " "
                self.pair((*path, key), item)
            self.text += "}"

    def pair(self, path: Path, value: Any) -> None:
        self.lines[path] = self.line
        self.text += f"{json.dumps(path[-1])} = "
        self.value(path, value)

    def table(self, path: Path, header: str, content: dict[str, Any]) -> None:
        self.lines[path] = self.line
        self.text += f"{header}  # the [header]\n"
        for key, value in content.items():
            self.pair((*path, key), value)
            self.text += "\n"


def paths(tree: Any, path: Path = ()) -> set[Path]:
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return {found for key, item in items for found in ((*path, key), *paths(item, (*path, key)))}


TABLES = st.dictionaries(KEYS, VALUES, max_size=4)


@given(TABLES, st.lists(TABLES, max_size=3), st.dictionaries(KEYS, TABLES, max_size=3))
def test_each_key_has_the_line_on_which_it_was_written(
    top: dict[str, Any], checks: list[dict[str, Any]], tables: dict[str, Any]
) -> None:
    emitter = Emitter()
    for key, value in top.items():
        emitter.pair((f"top{key}",), value)
        emitter.text += "\n"
    if checks:
        emitter.lines[("checks",)] = emitter.line
    for place, content in enumerate(checks):
        emitter.table(("checks", place), "[[checks]]", content)
    for key, content in tables.items():
        emitter.lines.setdefault(("tables",), emitter.line)
        emitter.table(("tables", key), f"[ tables . {json.dumps(key)} ]", content)
    assert lines_of(emitter.text) == emitter.lines
    assert paths(tomllib.loads(emitter.text)) == set(emitter.lines)


@given(TABLES)
def test_line_ends_of_windows_count_once(content: dict[str, Any]) -> None:
    emitter = Emitter()
    emitter.table(("t",), "[t]", content)
    assert lines_of(emitter.text.replace("\n", "\r\n")) == emitter.lines


DOCUMENT = '''\
a.b.c = 1
a.b.d = 2
[x.y]            # before [x] itself
k = """
[not.a.header]
"""
[x]
"quoted.key".'more' = { in = { deep = [ { er = 1 },
  { er = 2 } ] } }
[[list]]
[list.sub]
k = 1
[[list.inner]]
[[list.inner]]
k = """""two quotes, then the end"""""
[[list]]
[list.sub]
k = \'\'\'''quotes\'\'\'\'\'
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("a",), 1),
        (("a", "b", "d"), 2),
        (("x",), 7),
        (("x", "y"), 3),
        (("x", "y", "k"), 4),
        (("x", "quoted.key", "more", "in", "deep", 0, "er"), 8),
        (("x", "quoted.key", "more", "in", "deep", 1, "er"), 9),
        (("list", 0), 10),
        (("list", 0, "sub", "k"), 12),
        (("list", 0, "inner", 1), 14),
        (("list", 0, "inner", 1, "k"), 15),
        (("list", 1), 16),
        (("list", 1, "sub", "k"), 18),
        (("list", 1, "nothing", "here"), 16),
        (("nothing",), 1),
    ],
)
def test_a_path_has_the_line_of_itself_or_of_the_table_around_it(path: Path, line: int) -> None:
    assert line_of(path, lines_of(DOCUMENT)) == line


def test_the_scanner_and_tomllib_find_the_same_keys() -> None:
    assert set(lines_of(DOCUMENT)) == paths(tomllib.loads(DOCUMENT))
