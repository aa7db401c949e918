"""Runs the import after the reader: vets the drafts, writes the file, reports the notes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from monitor.migrate.draft import ImportResult, Kind
from monitor.migrate.vet import vetted
from monitor.migrate.writer import report, variables_of, written
from monitor.model.errors import ForeignFileError


def deliver(imported: ImportResult, output: Path | None, *, force: bool) -> int:
    """Write the new file to `output` or standard output, and the list of what is missing to standard error."""
    text = written(vetted(imported))
    if output is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode())
        sys.stdout.flush()
    else:
        _save(output, text, force=force)
    lost = imported.every(Kind.LOST)
    for line in report(lost):
        click.echo(line, err=True)
    variables = {variable.name for draft in imported.drafts for variable in variables_of(draft.keys)}
    counts = [_counted(len(imported.drafts), "check"), f"{_counted(len(lost), 'thing')} not carried over"]
    paused = sum(draft.keys.get("enabled") is False for draft in imported.drafts)
    if paused:
        counts.append(f"{paused} with enabled = false")
    if variables:
        counts.append(f"{_counted(len(variables), 'environment variable')} to set")
    click.echo(f"monitor: {', '.join(counts)}", err=True)
    return 0


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _save(output: Path, text: str, *, force: bool) -> None:
    """A new file, for its owner only: URLs in it may tell more than one knows."""
    flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if force else os.O_EXCL)
    try:
        with open(os.open(output, flags, 0o640), "w", encoding="utf-8", newline="\n") as file:  # noqa: PTH123 - made with its mode
            file.write(text)
    except FileExistsError:
        raise ForeignFileError(f"{output}: there is such a file already; --force overwrites it") from None
    except (OSError, ValueError) as error:
        why = (isinstance(error, OSError) and error.strerror) or "the path is not valid"
        raise ForeignFileError(f"{output}: cannot be written: {why[0].lower()}{why[1:]}") from None
