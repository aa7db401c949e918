"""Reads the modules of /probe: checks without a name, a URL, a schedule and a place on the page of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from monitor.config.check import InheritedDefaults, read_check, read_defaults
from monitor.config.limits import Pace
from monitor.config.models import CheckTable, ModuleTable
from monitor.keys import values
from monitor.keys.bad_value import BadValueError
from monitor.keys.files import Files
from monitor.keys.finding import Finding
from monitor.keys.shape import Path
from monitor.model.request import Expect, HttpRequest
from monitor.model.spec import CheckSpec

Tree = dict[str, Any]

DEFAULT_MODULE = "http_2xx"
"""The module of requests that name none, as in blackbox_exporter."""
_NOWHERE = "http://target.invalid/"
"""Stands in for the target while a module is read (RFC 2606: such a name never exists)."""
_OF_CHECKS = frozenset(CheckTable.model_fields) - frozenset(ModuleTable.model_fields)
_UNPACED = Pace(interval=values.LONGEST_DURATION)


def built_in() -> CheckSpec:
    """Returns the default module, like that of blackbox_exporter: a GET that expects 2xx.

    It takes nothing from [defaults]: credentials there are for the operator's own endpoints.
    """
    request = HttpRequest(allow_downgrade=True, expect=Expect(status=((200, 299),)))
    return CheckSpec(DEFAULT_MODULE, _NOWHERE, _NOWHERE, request=request)


def inherited_by_modules(defaults: Tree, files: Files) -> InheritedDefaults:
    """Returns the keys of [defaults] that modules inherit; errors in them are reported elsewhere."""
    shared = {key: value for key, value in defaults.items() if key not in _OF_CHECKS}
    inherited, _ = read_defaults(shared, [], files, _UNPACED)
    return inherited


def read_module(
    name: str, own: object, inherited: InheritedDefaults, unresolved: list[Path], files: Files
) -> tuple[CheckSpec | None, list[Finding]]:
    """A module, None if anything is wrong with it, and what that is."""
    if not isinstance(own, dict):
        return None, [Finding((), "must be a table, as [probe_modules.NAME]")]
    strange = [*_name(name), *_strange(own)]
    asked = {key: value for key, value in own.items() if key not in _OF_CHECKS}
    spec, found = read_check({"name": "module", "url": _NOWHERE, **asked}, inherited, unresolved, files)
    if spec is None or strange:
        return None, [*strange, *found]
    return replace(spec, name=name), []


def _name(name: str) -> Iterator[Finding]:
    try:
        values.name(name)
    except BadValueError as wrong:
        yield Finding.of((), wrong)


def _strange(own: Mapping[str, object]) -> Iterator[Finding]:
    """Keys of a check that mean nothing in a module."""
    for key in own:
        if key in _OF_CHECKS:
            yield Finding((key,), "belongs to a check; a module says only how to ask", "leave it out here")
