"""The commands of `monitor import`, one for each product; what does the work is imported when they run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])

_FILE = click.Path(path_type=Path)


def _writes(command: _Command) -> _Command:
    """The options on where the new file goes."""
    command = click.option("--force", is_flag=True, help="Overwrite the file named with -o.")(command)
    return click.option("-o", "--output", metavar="FILE", type=_FILE, help="Write here instead of to standard output.")(
        command
    )


@click.group("import", no_args_is_help=True)
def commands() -> None:
    """Make a checks.toml of another monitor's configuration.

    What cannot be carried over stands in the new file as a comment, and on standard error.
    """


@commands.command()
@click.argument("file", type=_FILE)
@click.option(
    "--targets",
    metavar="FILE",
    type=_FILE,
    multiple=True,
    required=True,
    help="The Prometheus configuration whose scrape jobs name the targets; may be repeated.",
)
@_writes
def blackbox(file: Path, targets: tuple[Path, ...], output: Path | None, force: bool) -> int:
    """Import blackbox_exporter's modules for Prometheus's targets."""
    from monitor.migrate import blackbox as reader
    from monitor.migrate.command import deliver

    return deliver(reader.read(file, list(targets)), output, force=force)


@commands.command()
@click.argument("file", type=_FILE)
@_writes
def gatus(file: Path, output: Path | None, force: bool) -> int:
    """Import the endpoints of Gatus, from a file or a directory."""
    from monitor.migrate import gatus as reader
    from monitor.migrate.command import deliver

    return deliver(reader.read(file), output, force=force)


@commands.command("uptime-kuma")
@click.argument("file", type=_FILE)
@_writes
def uptime_kuma(file: Path, output: Path | None, force: bool) -> int:
    """Import Uptime Kuma's monitors: kuma.db, or a JSON backup."""
    from monitor.migrate import kuma as reader
    from monitor.migrate.command import deliver

    return deliver(reader.read(file), output, force=force)
