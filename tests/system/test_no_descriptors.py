"""Files that cannot be opened for want of file descriptors have not changed, as far as anybody knows."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.system import file_watch as watch
from monitor.system.file_watch import Watch
from tests.service.daemon import until


@contextlib.contextmanager
def no_descriptors() -> Iterator[None]:
    """Let nothing be opened any more; what is open already goes on."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    first_free = os.open(os.devnull, os.O_RDONLY)
    os.close(first_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (first_free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_want_of_descriptors_is_no_change_and_is_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "PERIOD", 0.01)
    path = tmp_path / "file"
    path.write_text("old")
    sources = {str(path): hashlib.sha256(b"old").hexdigest()}
    reloads: list[str] = []

    async def reload() -> None:
        reloads.append(path.read_text())
        sources[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()

    watched = Watch(lambda: sources, reload)
    await asyncio.to_thread(len, "")  # its thread is there before there are no descriptors
    with no_descriptors():
        for _ in range(6):
            await watched._look()
        assert reloads == []
        assert watched._compared is None
    watched.start()
    await until(lambda: watched._compared is not None)
    assert reloads == []
    path.write_text("new")
    await until(lambda: reloads == ["new"])
    watched.stop()
