"""Failures of the monitor itself, as exceptions; what a target does wrong is a `Result`, never an exception.

MonitorError
├── ConfigError     the configuration cannot be used; carries every problem found
├── ForeignFileError  a file of another monitor, to be imported, cannot be read
├── StartError      the service cannot start (address in use, …)
├── HistoryError    the database of the past cannot be read or written now
├── NoRunNow        a check cannot be run outside of its schedule now
└── ProbeError      /probe was asked for what it does not run
    ├── BadTarget        it makes no sense
    ├── ForbiddenTarget  nobody allowed it
    └── NoProbeNow       the monitor cannot run it now
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from monitor.secrets.visible import visible


class MonitorError(Exception):
    """Anything that a user can mend; its text is a sentence fit to print."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong in a configuration: where, what, and how to mend it.

    `line` counts from 1, and is 0 where there is no line: a file that cannot be read, or options instead of a file.
    """

    file: str
    line: int
    path: str
    message: str
    suggestion: str | None = None

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}: " if self.line else f"{self.file}: "
        what = f"{self.path}: {self.message}" if self.path else self.message
        return visible(f"{where}{what} ({self.suggestion})" if self.suggestion else where + what)


class ConfigError(MonitorError):
    """A configuration with problems, all of them, in the order of the file.

    `sources` are the files that were read for it, as in `monitor.model.spec.Configuration`.
    """

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems
        self.sources: Mapping[str, str | None] = {}


class StartError(MonitorError):
    """The service could not start, for a reason that a user can mend."""


class HistoryError(MonitorError):
    """The database of the past cannot be read or written now; its text says why."""


class ForeignFileError(MonitorError):
    """A file that was to be imported is unreadable, or of no format that we know."""


class NoRunNow(MonitorError):
    """A check cannot be run outside of its schedule now; its text says why."""


class ProbeError(MonitorError):
    """`/probe` refuses to run a request; it has connected to nothing."""


class BadTarget(ProbeError):
    """The request makes no sense: no target, no URL, an unknown module."""


class ForbiddenTarget(ProbeError):
    """The target is not a configured check, and the allow-list does not name it."""


class NoProbeNow(ProbeError):
    """The monitor starts, ends, or has too many requests at once."""
