"""`monitor check`: selects the checks, and shows them while and after they run."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence

import click

from monitor.model.errors import MonitorError
from monitor.model.result import Result
from monitor.model.settings import Configuration
from monitor.model.spec import CheckSpec
from monitor.terminal.console import show, width
from monitor.terminal.documents import check_line, print_json
from monitor.terminal.progress import ProgressDisplay
from monitor.terminal.running import run_checks
from monitor.terminal.table import results


def chosen(configuration: Configuration, names: Sequence[str]) -> list[CheckSpec]:
    """The named checks, disabled ones too, each once and in the order of the file; without names, all enabled ones."""
    unknown = [name for name in dict.fromkeys(names) if name not in {c.name for c in configuration.checks}]
    if unknown:
        raise MonitorError("\n".join(_unknown(name, configuration) for name in unknown))
    wanted = [c for c in configuration.checks if (c.name in names if names else c.enabled)]
    if not wanted:
        raise MonitorError(f"no check in {configuration.path} is enabled, so there is nothing to run")
    return wanted


def as_json(configuration: Configuration, specs: Sequence[CheckSpec]) -> list[Result]:
    """Run the checks and print each result as one line when it ends."""
    found: list[Result] = []

    def ended(spec: CheckSpec, result: Result) -> None:
        found.append(result)
        print_json(check_line(spec, result))

    _run(configuration, specs, ended)
    return found


def as_table(configuration: Configuration, specs: Sequence[CheckSpec]) -> list[Result]:
    """Run the checks behind a progress display, then print them all; on Ctrl-C, those that ended."""
    found: list[tuple[CheckSpec, Result]] = []
    waiting = ProgressDisplay(specs)

    def ended(spec: CheckSpec, result: Result) -> None:
        found.append((spec, result))
        waiting.ended(spec)

    try:
        with waiting:
            _run(configuration, specs, ended)
    except KeyboardInterrupt:
        click.echo(f"stopped while {_counted(waiting.left)} still running", err=True)
        raise
    finally:
        if found:
            order = {spec.name: place for place, spec in enumerate(specs)}
            found.sort(key=lambda each: order[each[0].name])
            show(results(found, width()))
    return [result for _, result in found]


def _counted(left: Sequence[str]) -> str:
    return f"{left[0]} was" if len(left) == 1 else f"{len(left)} checks were"


def _run(configuration: Configuration, specs: Sequence[CheckSpec], ended: Callable[[CheckSpec, Result], None]) -> None:
    monitor = configuration.monitor
    run_checks(specs, monitor.deny_addresses, monitor.max_concurrency, ended)


def _unknown(name: str, configuration: Configuration) -> str:
    close = difflib.get_close_matches(name, [c.name for c in configuration.checks], n=3, cutoff=0.5)
    said = f"no check is named {name!r} in {configuration.path}"
    return f"{said} (did you mean {' or '.join(close)}?)" if close else said
