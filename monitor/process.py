"""What the daemon asks of its own process: descriptors, an event loop, memory that is not walked again and again."""

from __future__ import annotations

import ctypes
import gc
import itertools
import resource
from contextlib import suppress

try:
    from uvloop import new_event_loop
except ImportError:  # not on every platform
    from asyncio import new_event_loop  # type: ignore[assignment]

__all__ = ["descriptors_for", "descriptors_for_clients", "new_event_loop", "settle_memory"]

_THOROUGH = 10
"""Of so many reloads, one looks also at what was frozen."""
_settled = itertools.count()
_OTHER_DESCRIPTORS = 768
"""File descriptors for all but the runs: connections to the page, libraries, files; a quarter if there are few."""
_FEWEST_DESCRIPTORS = 32
"""So many of them whatever the limit is, or nobody could be told what is wrong."""
_OWN_DESCRIPTORS = 24
"""What the process has open while nobody asks and nothing runs: loops, logs, the history and its lock, listeners."""
_MOST_CLIENTS = 512

_M_MMAP_THRESHOLD, _LARGE = -3, 1 << 17
"""malloc.h, and glibc's own limit in bytes from which a block is mapped by itself and goes back when it is freed."""

_YOUNG_OBJECTS = 10_000
"""New objects until the collector looks for cycles among them. Python's default of 700 is three runs of a check."""


def descriptors_for(runs: int) -> int:
    """Allow this process a socket for so many runs, as far as it may; says how many runs can have one.

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
    """How many connections clients may have: what they take, no check lacks, and neither does the process itself."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return _MOST_CLIENTS
    beside = _beside_runs(soft)
    return max(4, min(_MOST_CLIENTS, beside - max(_OWN_DESCRIPTORS, beside // 4)))


def _beside_runs(limit: int) -> int:
    return max(_FEWEST_DESCRIPTORS, min(_OTHER_DESCRIPTORS, limit // 4))


def settle_memory() -> None:
    """What a configuration made lives long: the collector need not walk it again, which would hold up the loop.

    Runs under way are frozen with it, and what becomes of them in a cycle would stay for good: some 3 MiB at a reload
    under load. So everything is looked at once in a while, which takes 0.1 s, and 0.2 s with 10,000 checks.
    """
    if next(_settled) % _THOROUGH == 0:
        gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, 20, 20)
    # Said once, the limit stays. Else glibc raises it at the first large block that is freed, and keeps for good what a
    # scrape of thousands of checks needs for a moment: 60 MB of 230.
    with suppress(AttributeError, OSError):  # not glibc
        glibc = ctypes.CDLL(None)
        glibc.mallopt(_M_MMAP_THRESHOLD, _LARGE)
        glibc.malloc_trim(0)  # what loading modules and the configuration left free
