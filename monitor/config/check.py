"""Reads one table of settings, [defaults] or a check: inherit, validate, find contradictions, convert."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from monitor.config.conflicts import conflicts
from monitor.config.convert import check_spec
from monitor.config.limits import Pace, fit
from monitor.config.merge import merged
from monitor.config.models import CheckTable, DefaultsTable
from monitor.config.validate import validated
from monitor.keys.files import Files
from monitor.keys.finding import Finding, has
from monitor.keys.shape import Path
from monitor.model.spec import CheckSpec
from monitor.protocols.registry import PROTOCOLS, protocol_of_url
from monitor.secrets.secret import reveal

Tree = dict[str, Any]
T = TypeVar("T", bound=DefaultsTable)


@dataclass(frozen=True, slots=True)
class InheritedDefaults:
    """Base of a table: [defaults] as written, and the pace that they set."""

    tree: Tree = field(default_factory=dict)
    pace: Pace = field(default_factory=Pace)


@dataclass(frozen=True, slots=True)
class _Reading(Generic[T]):
    """`sound` tells that nothing is wrong with the table, nor with what it inherits."""

    table: T | None
    tree: Tree
    pace: Pace
    findings: list[Finding]
    sound: bool


def read_defaults(
    own: Tree, unresolved: list[Path], files: Files, pace: Pace | None = None
) -> tuple[InheritedDefaults, list[Finding]]:
    """Returns what checks inherit, and the findings; `unresolved` holds the paths of secrets that are missing."""
    reading = _read(DefaultsTable, own, InheritedDefaults(pace=pace or Pace()), unresolved, files)
    return InheritedDefaults(own, reading.pace), reading.findings


def read_check(
    own: Tree, inherited: InheritedDefaults, unresolved: list[Path], files: Files
) -> tuple[CheckSpec | None, list[Finding]]:
    """A check, None if anything is wrong; the findings are of the check alone, for [defaults] has its own."""
    reading = _read(CheckTable, own, inherited, unresolved, files)
    if reading.table is None or not reading.sound:
        return None, reading.findings
    return check_spec(reading.table, reading.tree, reading.pace), []


def _read(model: type[T], own: Tree, inherited: InheritedDefaults, unresolved: list[Path], files: Files) -> _Reading[T]:
    tree = merged(inherited.tree, own)
    table, found = validated(model, tree, files)
    findings = [finding for finding in found if has(own, finding.path)]
    if table is None:
        return _Reading(None, tree, inherited.pace, findings, sound=False)
    findings += _foreign(table, own)
    pace, clashes = fit(table, own, inherited.pace)
    doubtful = [*unresolved, *(finding.path for finding in found if finding.path)]
    for conflict in (*clashes, *conflicts(table, tree, files)):
        blamed = conflict.blamed(own, doubtful)
        findings += [blamed] if blamed else []
    return _Reading(table, tree, pace, findings, sound=not found and not findings)


def _foreign(table: DefaultsTable, own: Tree) -> Iterator[Finding]:
    """Keys of another protocol than that of the URL; what is inherited of them is for other checks."""
    if table.url is None:
        return
    mine = protocol_of_url(reveal(table.url))
    for other in PROTOCOLS:
        for path in other.keys if other is not mine else ():
            if has(own, path):
                message = f"is a key of {other.name.upper()} checks, and this is one of {mine.name.upper()}"
                yield Finding(path, message, "leave it out here")
