"""Races the addresses of a host for the first connection, as Happy Eyeballs has it (RFC 8305, sections 4 and 5)."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable, Coroutine, Sequence
from itertools import chain, zip_longest
from typing import TypeVar

DELAY = 0.25
"""Seconds from one attempt to the next (RFC 8305, section 8)."""
AT_ONCE = 8
"""Attempts under way at once: a name with hundreds of dead addresses must not take the file descriptors of others."""
_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS}

Connection = TypeVar("Connection")
Attempt = Callable[[str], Coroutine[None, None, Connection]]


def by_turns(addresses: Sequence[str]) -> list[str]:
    """The addresses, already in the order of RFC 6724, with the two families taking turns."""
    first_is_ipv6 = ":" in addresses[0]
    first = [a for a in addresses if (":" in a) is first_is_ipv6]
    other = [a for a in addresses if (":" in a) is not first_is_ipv6]
    return [a for a in chain.from_iterable(zip_longest(first, other)) if a is not None]


async def race(
    addresses: Sequence[str], connect: Attempt[Connection], close: Callable[[Connection], None], left: float
) -> Connection:
    """The first connection that is made; all others are closed, and no attempt is under way any more.

    The next attempt starts 250 ms after the last one, or at once when one fails; if the `left` seconds are too few
    for that, earlier. Raises the most telling OSError if all fail; any other exception ends the race.
    """
    delay = min(DELAY, left / min(len(addresses), AT_ONCE))
    waiting = list(reversed(addresses))
    running: list[asyncio.Task[Connection]] = []
    errors: list[OSError] = []
    done: set[asyncio.Task[Connection]] = set()
    try:
        while waiting or running:
            if waiting and len(running) < AT_ONCE:
                running.append(asyncio.create_task(connect(waiting.pop())))
            pause = delay if waiting and len(running) < AT_ONCE else None
            done, _ = await asyncio.wait(running, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
            if (made := _taken(running, done, errors)) is not None:
                return made.result()
        raise min(errors, key=_tells_little)
    finally:
        await _end(running, close)
        errors.clear()  # the one that is raised has this frame in its traceback: no cycle is left to the collector
        done.clear()


def _taken(
    running: list[asyncio.Task[Connection]], done: set[asyncio.Task[Connection]], errors: list[OSError]
) -> asyncio.Task[Connection] | None:
    """The first attempt that was not refused; takes those before it from `running`, and their errors to `errors`."""
    for task in [task for task in running if task in done]:
        running.remove(task)
        if not isinstance(error := task.exception(), OSError):
            return task
        errors.append(error)
    return None


def _tells_little(error: OSError) -> tuple[bool, bool, bool]:
    """Sorts errors: first a lack of this machine, which hides the address's state, then an address that answered."""
    return error.errno not in _EXHAUSTED, not isinstance(error, ConnectionError), isinstance(error, TimeoutError)


async def _end(running: Sequence[asyncio.Task[Connection]], close: Callable[[Connection], None]) -> None:
    """Give up all attempts; one that has just succeeded is closed too."""

    def ended(task: asyncio.Task[Connection]) -> None:
        if not task.cancelled() and task.exception() is None:
            close(task.result())

    for task in running:
        task.add_done_callback(ended)
        task.cancel()
    if running:
        await asyncio.wait(running)
