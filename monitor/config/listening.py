"""Finds errors that depend on several tables of the listener."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from monitor.config.conflicts import certificate
from monitor.config.listener import ListenTlsTable
from monitor.keys.files import Files
from monitor.keys.finding import Finding
from monitor.keys.shape import Path

Tree = dict[str, Any]


def listener_findings(tree: Tree, tls: ListenTlsTable | None, doubtful: list[Path], files: Files) -> list[Finding]:
    """Contradictions in [monitor.access] and [monitor.tls]; `tree` is [monitor] as written."""
    return [*_certificate(tree, tls, doubtful, files), *_names(tree.get("access"))]


def _certificate(tree: Tree, tls: ListenTlsTable | None, doubtful: list[Path], files: Files) -> Iterator[Finding]:
    written = tree.get("tls")
    if isinstance(written, dict) and not {"cert_file", "key_file"} & written.keys():
        yield Finding(("tls",), "there is no certificate", "give `cert_file` and `key_file`")
    for conflict in certificate(tls, files) if tls else ():
        if blamed := conflict.blamed(tree, doubtful):
            yield blamed


def _names(access: object) -> Iterator[Finding]:
    """A name means one login, be it a user's or a program's."""
    first: dict[str, Path] = {}
    for place, name in _named(access if isinstance(access, dict) else {}):
        if first.setdefault(name, place) != place:
            yield Finding(place, "the name is taken by the login in line {line}", also=("monitor", *first[name]))


def _named(access: Tree) -> Iterator[tuple[Path, str]]:
    for kind in ("users", "tokens"):
        listed = access.get(kind)
        for index, login in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(login, dict) and isinstance(login.get("name"), str):
                yield ("access", kind, index, "name"), login["name"]
