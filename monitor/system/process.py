"""Prepares the daemon's process: file descriptors, event loop, and memory that garbage collection skips."""

from __future__ import annotations

import ctypes
import gc
import resource
from contextlib import suppress

try:
    from uvloop import new_event_loop
except ImportError:  # not on every platform
    from asyncio import new_event_loop  # type: ignore[assignment]

__all__ = ["descriptors_for", "descriptors_for_clients", "new_event_loop", "settle_memory"]

_OTHER_DESCRIPTORS = 768
"""File descriptors for all but the runs: connections to the page, libraries, files; a quarter if there are few."""
_FEWEST_DESCRIPTORS = 32
"""Descriptors kept for other uses at any limit, so that the process can still report what is wrong."""
_OWN_DESCRIPTORS = 24
"""Descriptors that an idle process holds: loops, logs, the history and its lock, listeners."""
_MOST_CLIENTS = 512

_M_MMAP_THRESHOLD, _LARGE = -3, 1 << 17
"""malloc.h, and glibc's own limit in bytes from which a block is mapped by itself and goes back when it is freed."""

_YOUNG_OBJECTS = 10_000
"""New objects until the collector looks for cycles among them. Python's default of 700 is three runs of a check."""


def descriptors_for(runs: int) -> int:
    """Raises the limit of descriptors for `runs` runs as far as allowed; returns how many runs can have one.

    The usual soft limit of 1024 is for programs that use select(2), which we do not.
    """
    wanted = runs + _OTHER_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
        soft = allowed
    if soft == resource.RLIM_INFINITY:
        return runs
    return max(1, soft - _beside_runs(soft))


def descriptors_for_clients() -> int:
    """Returns how many connections clients may have without taking descriptors from checks or the process."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return _MOST_CLIENTS
    beside = _beside_runs(soft)
    return max(4, min(_MOST_CLIENTS, beside - max(_OWN_DESCRIPTORS, beside // 4)))


def _beside_runs(limit: int) -> int:
    return max(_FEWEST_DESCRIPTORS, min(_OTHER_DESCRIPTORS, limit // 4))


def settle_memory() -> None:
    """Exempts the objects of a configuration from garbage collection: they live long, and collecting stops the loop."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, 20, 20)
    # Said once, the limit stays. Else glibc raises it at the first large block that is freed, and keeps for good what a
    # scrape of thousands of checks needs for a moment: 60 MB of 230.
    with suppress(AttributeError, OSError):  # not glibc
        glibc = ctypes.CDLL(None)
        glibc.mallopt(_M_MMAP_THRESHOLD, _LARGE)
        glibc.malloc_trim(0)  # what loading modules and the configuration left free
