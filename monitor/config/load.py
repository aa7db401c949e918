"""Loads a whole file, or one check made from options, and gathers everything wrong with it before giving up."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from monitor.config import source
from monitor.config.check import InheritedDefaults, read_check, read_defaults
from monitor.config.convert import monitor_spec
from monitor.config.history import history_findings
from monitor.config.limits import Pace
from monitor.config.lines import line_of, lines_of
from monitor.config.listening import listener_findings
from monitor.config.maintenance import read_maintenance, unselective
from monitor.config.models import CheckTable, Document, MonitorTable
from monitor.config.modules import DEFAULT_MODULE, built_in, inherited_by_modules, read_module
from monitor.config.published import unshown
from monitor.config.secrets import Resolver
from monitor.config.validate import validated
from monitor.keys import values
from monitor.keys.bad_value import BadValueError
from monitor.keys.files import Files
from monitor.keys.finding import Finding, related, written
from monitor.keys.shape import Path, shape_of
from monitor.keys.types import Table
from monitor.model.errors import ConfigError, Problem
from monitor.model.maintenance import MaintenanceSpec
from monitor.model.settings import Configuration, MonitorSpec
from monitor.model.spec import CheckSpec

Tree = dict[str, Any]


def load(
    path: str | os.PathLike[str], environ: Mapping[str, str] = os.environ, *, strict: bool = False
) -> Configuration:
    """The configuration in a TOML file, with its secrets from `environ` and from files.

    Raises `ConfigError` with every problem of the file, in the order of its lines. `strict`: an expired client
    certificate is one, too; it must not keep a daemon from starting, whose other checks work.
    """
    place = FilePath(path)
    files = Files(place.parent, environ, strict=strict)
    try:
        return _load(place, files, environ)
    except ConfigError as error:
        error.sources = files.sources
        raise


def _load(place: FilePath, files: Files, environ: Mapping[str, str]) -> Configuration:
    text = source.read(place, files)
    reading = _Reading(source.parse(text, place), files, environ)
    if reading.findings:
        raise ConfigError(_problems(str(place), text, reading))
    asked = tuple(reading.checks), tuple(reading.modules), tuple(reading.maintenance)
    return Configuration(str(place), reading.monitor, *asked, sources=files.sources)


def parse_check(raw: Tree, source: str) -> CheckSpec:
    """One check from a table of the keys that a check has in the file, where only `url` is needed.

    It runs once, so no interval bounds its limits unless one is given. `source` is what problems name in place of a
    file; raises `ConfigError`.
    """
    files = Files(FilePath(), os.environ)
    resolver = Resolver(files, os.environ)
    own = resolver.resolve({"name": "probe", **raw}, shape_of(CheckTable))
    unresolved = [finding.path for finding in resolver.findings]
    check, found = read_check(own, InheritedDefaults(pace=Pace(interval=values.LONGEST_DURATION)), unresolved, files)
    findings = list(map(resolver.strike, [*resolver.findings, *_apart_from(unresolved, found)]))
    if findings or check is None:
        findings.sort(key=lambda finding: [*raw, *finding.path[:1]].index(finding.path[0]) if finding.path else 0)
        raise ConfigError([Problem(source, 0, written(f.path, {}), f.message, f.suggestion) for f in findings])
    return check if "interval" in raw else dataclasses.replace(check, interval=max(Pace().interval, check.limits.total))


def _tables(name: str) -> BeforeValidator:
    def several(value: object) -> object:
        if isinstance(value, dict):
            raise BadValueError("must be an array of tables, not one table", f"write [[{name}]], in two brackets")
        return value

    return BeforeValidator(several)


class _Sections(Table):
    """The tables of the document, unread."""

    monitor: Tree = Field(default_factory=dict)
    defaults: Tree = Field(default_factory=dict)
    probe_modules: Tree = Field(default_factory=dict)
    checks: Annotated[list[Tree], _tables("checks")] = Field(default_factory=list)
    maintenance: Annotated[list[Tree], _tables("maintenance")] = Field(default_factory=list)


class _Reading:
    """A document as far as it can be made sense of, and all that is wrong with it."""

    def __init__(self, raw: Tree, files: Files, environ: Mapping[str, str]) -> None:
        resolver = Resolver(files, environ)
        document = resolver.resolve(raw, shape_of(Document))
        self.findings: list[Finding] = []
        self._files = files
        self._unresolved = [finding.path for finding in resolver.findings]
        sections, found = validated(_Sections, document, files)
        sections = sections or _Sections()
        self.monitor = self._monitor(sections.monitor)
        self.checks = list(self._checks(sections))
        self._public(sections)
        self.modules = list(self._modules(sections))
        self.maintenance = list(self._maintenance(sections))
        self.names = _names(sections.checks)
        self.findings += [*found, *_duplicates(self.names), *_former(sections.checks, self.names)]
        findings = [*resolver.findings, *_apart_from(self._unresolved, self.findings)]
        self.findings = list(map(resolver.strike, findings))

    def _monitor(self, tree: Tree) -> MonitorSpec:
        table, found = validated(MonitorTable, tree, self._files)
        self._add(("monitor",), found)
        if table and table.workers > table.max_concurrency:
            key = "workers" if "workers" in tree else "max_concurrency"
            message = f"{table.workers} workers cannot share max_concurrency = {table.max_concurrency}"
            self._add(("monitor",), [Finding((key,), message, "each needs one run at least")])
        if table:
            self._add(("monitor",), history_findings(table.history))
        doubtful = [*self._below(("monitor",)), *(finding.path for finding in found)]
        self._add(("monitor",), listener_findings(tree, table.tls if table else None, doubtful, self._files))
        return monitor_spec(table) if table else MonitorSpec()

    def _public(self, sections: _Sections) -> None:
        """Adds findings about the public page; these need the list of all checks."""
        if len(self.checks) == len(sections.checks):  # else some groups are unknown
            self._add(("monitor",), list(unshown(sections.monitor, self.monitor.public, self.checks)))

    def _checks(self, sections: _Sections) -> Iterator[CheckSpec]:
        inherited, found = read_defaults(sections.defaults, self._below(("defaults",)), self._files)
        self._add(("defaults",), found)
        for index, tree in enumerate(sections.checks):
            place: Path = ("checks", index)
            check, found = read_check(tree, inherited, self._below(("defaults",)) + self._below(place), self._files)
            self._add(place, found)
            if check is not None:
                yield check

    def _modules(self, sections: _Sections) -> Iterator[CheckSpec]:
        inherited = inherited_by_modules(sections.defaults, self._files)
        for name, tree in sections.probe_modules.items():
            place: Path = ("probe_modules", name)
            unresolved = self._below(("defaults",)) + self._below(place)
            module, found = read_module(name, tree, inherited, unresolved, self._files)
            self._add(place, found)
            if module is not None:
                yield module
        if DEFAULT_MODULE not in sections.probe_modules:
            yield built_in()

    def _maintenance(self, sections: _Sections) -> Iterator[MaintenanceSpec]:
        for index, tree in enumerate(sections.maintenance):
            one, found = read_maintenance(tree, self._files)
            if one is not None and len(self.checks) == len(sections.checks):  # else some checks are unknown
                found = list(unselective(one, self.checks))
            self._add(("maintenance", index), found)
            if one is not None:
                yield one

    def _below(self, prefix: Path) -> list[Path]:
        return [path[len(prefix) :] for path in self._unresolved if path[: len(prefix)] == prefix]

    def _add(self, prefix: Path, found: list[Finding]) -> None:
        self.findings += [finding.below(prefix) for finding in found]


def _apart_from(unresolved: list[Path], findings: list[Finding]) -> Iterator[Finding]:
    """The findings that are not about a stand-in for a secret that is not there."""
    for finding in findings:
        if not any(related(path, finding.path) and len(path) <= len(finding.path) for path in unresolved):
            yield finding


def _names(checks: list[Tree]) -> dict[int, str]:
    """The valid names among the checks, by the place of the check."""
    return {index: tree["name"] for index, tree in enumerate(checks) if values.is_name(tree.get("name"))}


def _duplicates(names: dict[int, str]) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for index, name in names.items():
        if first.setdefault(name, index) != index:
            other = ("checks", first[name], "name")
            yield Finding(("checks", index, "name"), "the name is taken by the check in line {line}", also=other)


def _former(checks: list[Tree], names: dict[int, str]) -> Iterator[Finding]:
    """Yields former names that another check has or claims too: their past would belong to two checks."""
    taken: dict[str, Path] = {name: ("checks", index, "name") for index, name in reversed(names.items())}
    for index, tree in enumerate(checks):
        former = tree.get("was")
        for place, name in enumerate(former if isinstance(former, list) else ()):
            path: Path = ("checks", index, "was", place)
            if values.is_name(name) and (other := taken.setdefault(name, path)) != path:
                yield Finding(path, "the name is taken by the check in line {line}", also=other)


def _problems(file: str, text: str, reading: _Reading) -> list[Problem]:
    lines = lines_of(text)
    problems = []
    for finding in reading.findings:
        message = finding.message.format(line=line_of(finding.also, lines)) if finding.also else finding.message
        path = written(finding.path, reading.names)
        problems.append(Problem(file, line_of(finding.path, lines), path, message, finding.suggestion))
    return sorted(problems, key=lambda problem: problem.line)
