"""`monitor probe`: one check, run and shown in full."""

from __future__ import annotations

from monitor.model.result import Result
from monitor.model.settings import Network
from monitor.model.spec import CheckSpec
from monitor.protocols.registry import protocol_of
from monitor.terminal.console import show, width
from monitor.terminal.documents import print_json, probe_document
from monitor.terminal.progress import spinner
from monitor.terminal.report import report
from monitor.terminal.running import run_checks


def as_json(spec: CheckSpec, denied: tuple[Network, ...]) -> Result:
    """Run the check and print one JSON document."""
    result = _run(spec, denied)
    print_json(probe_document(spec, result), indent=2)
    return result


def as_report(spec: CheckSpec, denied: tuple[Network, ...]) -> Result:
    """Run the check behind a sign of life and print all that was found."""
    with spinner(protocol_of(spec).asks(spec)):
        result = _run(spec, denied)
    show(report(spec, result, width()))
    return result


def _run(spec: CheckSpec, denied: tuple[Network, ...]) -> Result:
    found: list[Result] = []
    run_checks([spec], denied, 1, lambda _, result: found.append(result))
    return found[0]
