"""The seam of every loop that supervises: a turn that fails is logged and counted, and the next turn comes."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType

import structlog

_log = structlog.get_logger("monitor.system.supervision")

LOOPS = (
    "accept", "aging", "beat", "configuration", "history", "live_feed", "log", "lookup", "notify", "reload", "result",
    "retry", "schedule", "watchdog", "worker",
)  # fmt: skip
"""The label `loop` of monitor_supervision_failures_total."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 30.0
"""Seconds between a failed turn and the next one: doubled by each failure in a row, up to the longest."""
_TRACEBACKS, _PER = 10, 60.0
"""Tracebacks that one loop may log in `_PER` seconds: ten failures a second must not fill the disk."""

failures: dict[str, int] = dict.fromkeys(LOOPS, 0)
"""Turns of this process that failed, by loop."""


class _Process:
    """State that the whole process shares."""

    def __init__(self) -> None:
        self.fatal: tuple[type[Exception], ...] = ()
        self.logged: dict[str, list[float]] = {name: [] for name in LOOPS}


_process = _Process()


def end_at(*kinds: type[Exception]) -> None:
    """Exit with code 1 at failures of these kinds, for a process that its parent starts again."""
    _process.fatal = kinds


def failed(loop: str, error: Exception) -> None:
    """Count and log a failed turn. Never raises: without memory or a place to log to, the loop goes on as well."""
    if isinstance(error, _process.fatal):
        os._exit(1)
    failures[loop] += 1
    with suppress(Exception):
        if _may_log(loop):
            _log.error("internal error, the loop goes on", loop=loop, failures=failures[loop], exc_info=error)


def _may_log(loop: str) -> bool:
    now = time.monotonic()
    lately = _process.logged[loop] = [at for at in _process.logged[loop] if at > now - _PER]
    if len(lately) >= _TRACEBACKS:
        return False
    lately.append(now)
    return True


class Turn:
    """A context of one turn of a loop, which an exception ends, but not the loop."""

    __slots__ = ("_loop",)

    def __init__(self, loop: str) -> None:
        self._loop = loop

    def __enter__(self) -> None:
        """Begin the turn."""

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None, /) -> bool:
        """End it; only what is no error, such as a cancellation, is passed on."""
        if not isinstance(error, Exception):
            return False
        failed(self._loop, error)
        return True


def _always() -> bool:
    return True


async def supervise(
    loop: str,
    turn: Callable[[], Awaitable[object]],
    goes_on: Callable[[], bool] = _always,
    longest: float = _LONGEST_PAUSE,
) -> None:
    """Take turns while `goes_on()` is true; after a failed one comes a pause, of `longest` seconds at most."""
    row = 0
    while goes_on():
        try:
            await turn()
            row = 0
        except Exception as error:  # noqa: BLE001 - that is what this is for
            failed(loop, error)
            await asyncio.sleep(min(longest, _FIRST_PAUSE * 2 ** min(row, 20)))
            row += 1
