"""Finds the line of every key in a TOML text that tomllib has accepted; tomllib itself keeps no lines."""

from __future__ import annotations

import bisect
import re
import tomllib

from monitor.keys.shape import Path

_SPACE = re.compile(r"(?:[ \t\n,]|#[^\n]*)*")  # a comma only separates, so it can be passed over like a space
_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_DOT = re.compile(r"[ \t]*\.[ \t]*")
_EQUALS = re.compile(r"[ \t]*=[ \t]*")
_SCALAR = re.compile(
    r'''
      """ (?: [^\\] | \\. )*? """ "{0,2}   # up to two more quotes belong to the text
    | \'\'\' .*? \'\'\' '{0,2}
    | " (?: [^"\\\n] | \\. )* "
    | ' [^'\n]* '
    | [^,\]}\n\#]+
    ''',
    re.VERBOSE | re.DOTALL,
)


def line_of(path: Path, lines: dict[Path, int]) -> int:
    """The line of the path, or of the nearest table around it."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


def lines_of(text: str) -> dict[Path, int]:
    """The line, from 1, of each path of a valid TOML text; a table's is that of its header."""
    return _Scanner(text).scan()


class _Scanner:
    """Trusts that the text is valid, so it only tells apart what decides where keys stand."""

    def __init__(self, text: str) -> None:
        self._text = text.replace("\r\n", "\n")
        self._at = 0
        self._ends = [match.start() for match in re.finditer("\n", self._text)]
        self._lines: dict[Path, int] = {}
        self._counts: dict[Path, int] = {}

    def scan(self) -> dict[Path, int]:
        table: Path = ()
        self._pass(_SPACE)
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._pass(_SPACE)
        return self._lines

    def _header(self) -> Path:
        line, array = self._line(), self._text.startswith("[[", self._at)
        self._at += 2 if array else 1
        self._pass(_SPACE)
        path: Path = ()
        *parents, last = self._key()
        for part in parents:
            path = (*path, part)
            self._lines.setdefault(path, line)
            if path in self._counts:
                path = (*path, self._counts[path] - 1)
        path = (*path, last)
        if array:
            self._lines.setdefault(path, line)
            self._counts[path] = self._counts.get(path, 0) + 1
            path = (*path, self._counts[path] - 1)
        self._lines[path] = line  # not setdefault: a header of its own says more than one of a table below
        self._pass(_SPACE)
        self._at += 2 if array else 1
        return path

    def _pair(self, table: Path) -> None:
        line = self._line()
        path = table
        for part in self._key():
            path = (*path, part)
            self._lines.setdefault(path, line)
        self._pass(_EQUALS)
        self._value(path)

    def _value(self, path: Path) -> None:
        opening = self._text[self._at]
        if opening == "[":
            self._array(path)
        elif opening == "{":
            self._inline_table(path)
        else:
            self._pass(_SCALAR)

    def _array(self, path: Path) -> None:
        self._at += 1
        place = 0
        self._pass(_SPACE)
        while self._text[self._at] != "]":
            self._lines[(*path, place)] = self._line()
            self._value((*path, place))
            place += 1
            self._pass(_SPACE)
        self._at += 1

    def _inline_table(self, path: Path) -> None:
        self._at += 1
        self._pass(_SPACE)
        while self._text[self._at] != "}":
            self._pair(path)
            self._pass(_SPACE)
        self._at += 1

    def _key(self) -> list[str]:
        parts = [self._key_part()]
        while self._pass(_DOT):
            parts.append(self._key_part())
        return parts

    def _key_part(self) -> str:
        part = self._pass(_KEY)
        # tomllib undoes the quotes and escapes of a key better than we could
        return next(iter(tomllib.loads(f"{part} = 0"))) if part[0] in "\"'" else part

    def _pass(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            return ""
        self._at = match.end()
        return match[0]

    def _line(self) -> int:
        return bisect.bisect_left(self._ends, self._at) + 1
