"""Puts what `{ env = "NAME" }` and `{ file = "path" }` stand for in their place, as secrets."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from monitor.keys.bad_value import BadValueError
from monitor.keys.files import Files
from monitor.keys.finding import Finding
from monitor.keys.shape import VALUE, Path, Shape
from monitor.secrets.redaction import Redactor
from monitor.secrets.secret import Secret

_VARIABLE = re.compile("[A-Za-z_][A-Za-z0-9_]*")
SOURCES = ("env", "file")


class Resolver:
    """Resolves a tree of TOML values; what cannot be resolved is found, and an empty secret stands in for it."""

    def __init__(self, files: Files, environ: Mapping[str, str]) -> None:
        self.findings: list[Finding] = []
        self._files = files
        self._environ = environ
        self._values: set[str] = set()

    def resolve(self, tree: Any, shape: Shape, path: Path = ()) -> Any:
        """The tree with secrets in it; `shape` tells where a string may stand and where a table has keys of its own."""
        if isinstance(tree, list):
            inner = shape.each or VALUE
            return [self.resolve(item, inner, (*path, place)) for place, item in enumerate(tree)]
        if not isinstance(tree, dict):
            return tree
        if shape.value and _stands_for_a_string(tree):
            return self._secret(tree, path)
        return {key: self.resolve(item, shape.below(key), (*path, key)) for key, item in tree.items()}

    def _secret(self, table: dict[str, str], path: Path) -> Secret:
        ((source, name),) = table.items()
        try:
            value = self._env(name) if source == "env" else self._files.text(name)
        except BadValueError as wrong:
            self.findings.append(Finding.of(path, wrong))
            return Secret("")
        self._values.add(value)
        return Secret(value)

    def strike(self, finding: Finding) -> Finding:
        """The finding without these secrets: a key whose text is no secret as such may still be given as one."""
        said = functools.partial(self._redactor.ours, limit=None)
        hint = finding.suggestion
        return replace(finding, message=said(finding.message), suggestion=said(hint) if hint else hint)

    @functools.cached_property
    def _redactor(self) -> Redactor:
        return Redactor(self._values)

    def _env(self, name: str) -> str:
        if not _VARIABLE.fullmatch(name):  # and may be the secret itself, so it is not quoted
            raise BadValueError("this is not the name of an environment variable", "write its name, not its value")
        value = self._environ.get(name)
        if not value:
            raise BadValueError(f"the environment variable {name} is {'not set' if value is None else 'empty'}")
        if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
            raise BadValueError(f"the environment variable {name} is not UTF-8 text")  # Python holds its bytes so
        return value


def _stands_for_a_string(table: dict[str, Any]) -> bool:
    return len(table) == 1 and all(key in SOURCES and isinstance(value, str) for key, value in table.items())
