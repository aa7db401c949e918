"""Holds each draft against the rules of checks.toml: what they refuse is taken out, and said."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Any

from monitor.config.check import InheritedDefaults, read_check
from monitor.config.maintenance import read_maintenance
from monitor.config.models import CheckTable
from monitor.config.secrets import Resolver
from monitor.keys.files import Files
from monitor.keys.finding import Finding, written
from monitor.keys.shape import Path, shape_of
from monitor.migrate.draft import Draft, FileContent, ImportResult, Tree, Variable, Window
from monitor.migrate.writer import variables_of

_NEEDED = ("name", "url")
_ROUNDS = 50
_ASKED = ("method", "headers", "body", "json", "auth", "proxy", "resolver", "source_address", "ip_version")
_TLS = ("ca_file", "cert_file", "key_file", "server_name")


def vetted(imported: ImportResult) -> ImportResult:
    """The same, with drafts that `monitor validate` takes once their variables are set."""
    kept = []
    for draft in imported.drafts:
        trouble = _settle(draft)
        if trouble is None:
            kept.append(draft)
        else:
            imported.lost(draft.place, f"{draft.name}: no check can be made of it: {trouble}")
    imported.drafts = kept
    imported.maintenance = [window for window in imported.maintenance if _holds(imported, window)]
    return imported


def _holds(imported: ImportResult, window: Window) -> bool:
    """Keeps a window that is valid and whose check was written."""
    if window.draft is not None and all(window.draft is not draft for draft in imported.drafts):
        return False
    findings = read_maintenance(dict(window.keys), Files(FilePath.cwd(), {}))[1]
    for finding in findings:
        path = written(finding.path, {})
        imported.lost(window.place, f"maintenance: {f'{path}: ' if path else ''}{_said(finding)}")
    return not findings


def _settle(draft: Draft) -> str | None:
    """Take out what is refused, until nothing is; the sentence that refuses the whole check, if one does."""
    for _ in range(_ROUNDS):
        findings = _findings(draft.keys)
        if not findings:
            return None
        for finding in findings:
            if finding.path[:1] in [(key,) for key in _NEEDED] or not finding.path:
                return f"{written(finding.path, {})}: {_said(finding)}"
            _mend(draft, finding)
    return "its keys contradict one another"


def _findings(keys: Tree) -> list[Finding]:
    files = Files(FilePath.cwd(), {})
    resolver = Resolver(files, {variable.name: variable.stand_in for variable in variables_of(keys)})
    own = resolver.resolve(_plain(keys), shape_of(CheckTable))
    if resolver.findings:
        return resolver.findings
    return read_check(own, InheritedDefaults(), [], files)[1]


def _plain(value: Any) -> Any:
    """The tree as TOML would give it."""
    if isinstance(value, Variable):
        return {"env": value.name}
    if isinstance(value, FileContent):
        return {"file": value.path}
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def _mend(draft: Draft, finding: Finding) -> None:
    """A file that is not here becomes a variable; anything else is taken out, with the tables that it leaves empty."""
    parents: list[tuple[Any, Any]] = []
    here: Any = draft.keys
    for key in finding.path:
        if not isinstance(here, dict) or key not in here:
            break
        parents.append((here, key))
        here = here[key]
    if not parents:
        return
    table, key = parents[-1]
    if isinstance(here, FileContent):
        table[key] = here.variable
        draft.secret(draft.place, f"{here.variable.name}: what {here.path} has in it; here {_said(finding)}")
        return
    del table[key]
    for table, key in reversed(parents[:-1]):
        if not table[key]:
            del table[key]
    say = draft.pause if _decides(finding.path) else draft.lost
    say(draft.places.get(finding.path, draft.place), f"{written(finding.path, {})}: {_said(finding)}")


def _decides(path: Path) -> bool:
    """True if the check would send another request, or take another way, without this key."""
    return path[0] in _ASKED or path[:2] in [("tls", key) for key in _TLS]


def _said(finding: Finding) -> str:
    return f"{finding.message} ({finding.suggestion})" if finding.suggestion else finding.message
