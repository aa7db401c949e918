"""The consoles, the shapes and colours of verdicts, and text made safe to show."""

from __future__ import annotations

import os
import re
import sys
from typing import TextIO

import click
from rich.console import Console, RenderableType
from rich.text import Text

from monitor.model.outcome import Outcome, State
from monitor.model.result import Result
from monitor.model.spec import CheckSpec
from monitor.rules.state import degradation

UNBOUNDED = 4096
"""Columns of an output that is no terminal: what is piped into grep is never wrapped or cut."""

_TRAILING = re.compile(r" +$", re.MULTILINE)

SHAPES = {
    State.UP: "●",
    State.DEGRADED: "◆",
    State.DOWN: "▼",
    State.UNKNOWN: "○",
    State.PAUSED: "◇",
    State.MAINTENANCE: "◇",
}
STYLES = {
    State.UP: "green",
    State.DEGRADED: "yellow",
    State.DOWN: "bold red",
    State.UNKNOWN: "magenta",
    State.PAUSED: "dim",
    State.MAINTENANCE: "dim",
}


def width() -> int:
    """Columns that standard output has."""
    return _console(sys.stdout).width


def show(found: RenderableType) -> None:
    """Print on standard output, without the blanks at the ends of lines that a grid is made of."""
    console = _console(sys.stdout)
    with console.capture() as captured:
        console.print(found)
    # rich has decided on colours already; a closed pipe then raises an exception here, not rich's exit with code 1.
    click.echo(_TRAILING.sub("", captured.get()), nl=False, color=True)


def messages() -> Console:
    """Standard error, for progress and anything said besides."""
    return _console(sys.stderr)


def state_of(spec: CheckSpec, result: Result) -> State:
    """The state that this one result would mean, thresholds left aside."""
    if not result.conclusive:
        return State.UNKNOWN
    if result.failed:
        return State.DOWN
    return State.DEGRADED if slow(spec, result) else State.UP


def slow(spec: CheckSpec, result: Result) -> str | None:
    """Returns why a success is degraded, judged at the time of the run; None if it is not."""
    if result.outcome is not Outcome.SUCCESS:
        return None
    return degradation(spec, result, result.started_at)


def why(spec: CheckSpec, result: Result) -> str:
    """Returns the reason of the state, in a sentence: why a success is degraded, else the result's detail."""
    return slow(spec, result) or result.detail


def verdict(state: State, word: str) -> Text:
    """A word with the shape and the colour of a state."""
    return Text(f"{SHAPES[state]} {word}", STYLES[state])


def _console(stream: TextIO) -> Console:
    bounded = stream.isatty() or "COLUMNS" in os.environ
    return Console(
        file=stream,
        width=None if bounded else UNBOUNDED,
        highlight=False,
        markup=False,
        emoji=False,
    )
