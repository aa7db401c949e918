"""Looks whether the files of the configuration are still what was loaded, and reloads once they are not.

It polls. A path is resolved anew at every look, so a file that is written in place, renamed over or reached through a
symlink that was swapped are all the same to it, on every kind of file system; inotify sees none of what happens on
NFS, little on overlays, and has to be told of every directory on the way to a file.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import structlog

from monitor.model.settings import Sources
from monitor.system.supervision import supervise

_log = structlog.get_logger("monitor.system.file_watch")

PERIOD = 1.0
"""Seconds between two looks; a change is taken once two looks in a row have seen the same."""
_LONGEST_WAIT = 10
"""Looks after which files that never hold still are taken as they are."""

Marks = dict[str, tuple[int, ...] | None]


class Watch:
    """Calls `reload` when the content of a file of `sources()` changed; rests while that is None.

    What is compared is the content that was loaded, or refused, last. So a change that somebody has reloaded by hand
    is not loaded twice, one that came while the daemon was starting is not missed, and a mere touch is no change.
    """

    def __init__(self, sources: Callable[[], Sources | None], reload: Callable[[], Awaitable[object]]) -> None:
        self._sources = sources
        self._reload = reload
        self._task: asyncio.Task[None] | None = None
        self._compared: Marks | None = None
        """The files as they were when their contents were last compared."""
        self._moving: Marks | None = None
        """The files as they were at the last look, if that was different."""
        self._waited = 0

    def start(self) -> None:
        """Begin to look, on the running loop."""
        self._task = asyncio.get_running_loop().create_task(supervise("configuration", self._turn))

    def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()

    async def _turn(self) -> None:
        await asyncio.sleep(PERIOD)
        await self._look()

    async def _look(self) -> None:
        sources = self._sources()
        if sources is None:
            self._compared = self._moving = None
            return
        marks = await asyncio.to_thread(_marks, sources)
        if marks == self._compared:
            self._moving, self._waited = None, 0
        elif self._has_settled(marks):
            try:
                changed = await asyncio.to_thread(_changed, sources)
            except OSError:
                return  # looked at again once there are file descriptors to spare
            self._compared = marks
            if changed and sources is self._sources():
                _log.info("a file of the configuration changed")
                await self._reload()

    def _has_settled(self, marks: Marks) -> bool:
        """True if the files no longer change: half of a file is not a configuration."""
        still = marks == self._moving or self._waited >= _LONGEST_WAIT
        self._moving, self._waited = (None, 0) if still else (marks, self._waited + 1)
        return still


def _marks(paths: Iterable[str]) -> Marks:
    """Returns marks that differ whenever a file has changed; takes a few microseconds per file."""
    return {path: _mark(path) for path in paths}


def _mark(path: str) -> tuple[int, ...] | None:
    found = _stat(path)
    return None if found is None else (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _changed(sources: Sources) -> bool:
    return any(_differs(path, digest) for path, digest in sources.items())


def _differs(path: str, digest: str | None) -> bool:
    found = _stat(path)
    if found is not None and not stat.S_ISREG(found.st_mode):
        return False  # a pipe would be read empty, or for ever
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            return hashlib.file_digest(file, "sha256").hexdigest() != digest
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
            raise  # that says nothing about the file
    return digest is not None


def _stat(path: str) -> Any:
    """The file behind all symlinks, None if there is none."""
    with contextlib.suppress(OSError, ValueError):  # ValueError: a NUL in the path
        return os.stat(path)  # noqa: PTH116  # not worth a Path a second for each
    return None
