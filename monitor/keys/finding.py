"""Findings: errors with a path in the document, before the path becomes a line number and a text."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from monitor.keys.bad_value import BadValueError
from monitor.keys.shape import Path

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong at a path; an empty path is the document itself. `also` is another place that it is about."""

    path: Path
    message: str
    suggestion: str | None = None
    also: Path | None = None

    @classmethod
    def of(cls, path: Path, wrong: BadValueError) -> Finding:
        """Makes a finding of a reader's error, at the path of the value."""
        return cls(path, wrong.message, wrong.suggestion)

    def below(self, prefix: Path) -> Finding:
        """The same, seen from further up."""
        return replace(self, path=prefix + self.path)


def existing(tree: Any, path: Path) -> Path:
    """The part of the path that the tree has."""
    for depth, key in enumerate(path):
        if isinstance(tree, list):
            if not (isinstance(key, int) and key < len(tree)):
                return path[:depth]
        elif not isinstance(tree, dict) or key not in tree:
            return path[:depth]
        tree = tree[key]
    return path


def has(tree: Any, path: Path) -> bool:
    """True if the tree has the whole path."""
    return existing(tree, path) == path


def related(one: Path, other: Path) -> bool:
    """True if one path leads to, or through, the other."""
    return all(a == b for a, b in zip(one, other, strict=False))


def written(path: Path, names: Mapping[int, str]) -> str:
    """The path as text; a check with a valid name (`names`, by its place in the array) is called by it."""
    if path[:1] == ("checks",) and len(path) > 1 and path[1] in names:
        path = ("checks", names[int(path[1])], *path[2:])
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{_key(key)}" for key in path)
    return text.removeprefix(".")


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else json.dumps(key, ensure_ascii=False)
