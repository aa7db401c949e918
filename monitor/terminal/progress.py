"""Signs of life on a terminal while checks run; on standard error, and gone when the results are printed."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from monitor.model.spec import CheckSpec
from monitor.secrets.visible import visible
from monitor.terminal.console import messages

_NAMED = 3
"""Checks still running that the progress line names."""


class ProgressDisplay:
    """The progress display: how many have ended, and which are still awaited; a context manager."""

    def __init__(self, specs: Iterable[CheckSpec]) -> None:
        self.left = [visible(spec.display_name) for spec in specs]
        self._progress = Progress(
            MofNCompleteColumn(),
            BarColumn(bar_width=20),
            TimeElapsedColumn(),
            TextColumn("{task.description}", style="dim"),
            console=(console := messages()),
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task(self._awaited(), total=len(self.left))

    def __enter__(self) -> ProgressDisplay:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def ended(self, spec: CheckSpec) -> None:
        """Take one check off the list."""
        self.left.remove(visible(spec.display_name))
        self._progress.update(self._task, advance=1, description=self._awaited())

    def _awaited(self) -> str:
        more = len(self.left) - _NAMED
        return ", ".join(self.left[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def spinner(text: str) -> AbstractContextManager[Any]:
    """A sign of life on a terminal while one probe runs."""
    console = messages()
    return console.status(visible(text)) if console.is_terminal else nullcontext()
