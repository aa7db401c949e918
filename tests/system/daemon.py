"""A real daemon, its log as it comes, and files changed the ways that editors and a kubelet change them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import aiohttp

from tests import nursery
from tests.log_pipe import Line, LogPipe

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
"""Seconds until a test gives up; far more than anything takes."""
BRISK = 0.2
"""Seconds between two looks of a daemon in a test that need not wait for the real ones."""
RELOADED, REFUSED = "configuration reloaded", "configuration not reloaded, the old one goes on"


class Daemon:
    """`monitor run`, started."""

    def __init__(self, process: asyncio.subprocess.Process | nursery.Child, pipe: LogPipe) -> None:
        self.process = process
        self.address = ""
        self._pipe = pipe

    @property
    def log(self) -> list[Line]:
        """Its log, with all that it wrote before its last answer."""
        assert self._pipe.noise == []
        return self._pipe.lines

    def lines(self, *events: str) -> list[Line]:
        """What it has logged so far under these names."""
        return [line for line in self.log if line["event"] in events]

    @property
    def loads(self) -> list[str]:
        """How each reload so far ended, oldest first."""
        return [line["event"] for line in self.lines(RELOADED, REFUSED)]

    async def logged(self, event: str, count: int = 1) -> Line:
        """The `count`-th line of this name, once it is there."""
        await self._pipe.until(lambda: len(self.lines(event)) >= count, PATIENCE)
        assert len(self.lines(event)) >= count, self.log
        return self.lines(event)[count - 1]

    async def loaded(self, *events: str) -> None:
        """Return once the reloads so far have ended like this, and no other way."""
        await self._pipe.until(lambda: len(self.loads) >= len(events), PATIENCE)
        assert self.loads == list(events), self.log

    async def get(self, path: str, method: str = "GET") -> tuple[int, str]:
        """Status and text of an answer."""
        timeout = aiohttp.ClientTimeout(total=PATIENCE)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.request(method, f"http://{self.address}{path}") as answer,
        ):
            return answer.status, await answer.text()

    async def title(self) -> str:
        """The name of the only check: what the configuration in force was told apart by."""
        _, text = await self.get("/status.json")
        (check,) = json.loads(text)["checks"]
        return str(check["name"])

    async def error(self) -> str | None:
        """What the page says of the last reload."""
        _, text = await self.get("/status.json")
        found: str | None = json.loads(text)["monitor"]["config"]["error"]
        return found

    async def quiet(self, seconds: float) -> None:
        """Assert that nothing is reloaded for so long."""
        before = self.loads
        await self._pipe.until(lambda: self.loads != before, seconds)
        assert self.loads == before, self.log

    async def end(self) -> int:
        """Its exit code, after SIGTERM, and once all it wrote is read."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE):
            code = await self.process.wait()
        await self._pipe.until(lambda: False, PATIENCE)
        return code


_PROGRAM = "from monitor.system import file_watch; file_watch.PERIOD = {}"


async def launch(command: Sequence[str], env: Mapping[str, str]) -> Daemon:
    """Start a daemon and do not wait for it."""
    pipe = LogPipe()
    process = await asyncio.create_subprocess_exec(*command, env=env, stderr=pipe.writing)
    pipe.handed_over()
    return Daemon(process, pipe)


@contextlib.asynccontextmanager
async def running(config: Path, *, period: float = BRISK, **env: str) -> AsyncIterator[Daemon]:
    """A daemon that has started, ended when this is left, without a traceback in its log."""
    pipe = LogPipe()
    arguments = ("run", "-c", str(config), "--listen", "127.0.0.1:0")
    process = await nursery.start(
        arguments, os.environ | {"PYTHONPATH": str(ROOT)} | env, error=pipe.writing, first=_PROGRAM.format(period)
    )
    pipe.handed_over()
    daemon = Daemon(process, pipe)
    try:
        daemon.address = (await daemon.logged("started"))["listen"]
        yield daemon
    finally:
        code = await daemon.end()
    assert code == 0, daemon.log
    assert [line for line in daemon.log if "exception" in line] == []


class Volume:
    """A directory as a kubelet writes it for a ConfigMap or a Secret, after its AtomicWriter.

    `FILE` is a symlink to `..data/FILE`, `..data` one to a directory named for the time; a new version is written
    beside it, and a symlink `..data_tmp` is renamed over `..data`.
    """

    def __init__(self, place: Path, **files: str) -> None:
        self.place = place
        self._versions = 0
        place.mkdir(parents=True)
        self.swap(**files)

    def swap(self, **files: str) -> None:
        """The next version: files by name, with `__` for the dot."""
        contents = {name.replace("__", "."): text for name, text in files.items()}
        self._versions += 1
        new = self.place / f"..{time.strftime('%Y_%m_%d_%H_%M_%S')}.{self._versions:010d}"
        new.mkdir(mode=0o755)
        for name, text in contents.items():
            (new / name).write_text(text)
        data, tmp = self.place / "..data", self.place / "..data_tmp"
        old = data.resolve() if data.exists() else None
        tmp.symlink_to(new.name)
        tmp.rename(data)
        for name in contents:
            if not (self.place / name).is_symlink():
                (self.place / name).symlink_to(Path("..data", name))
        for link in self.place.iterdir():
            if link.is_symlink() and not link.exists():
                link.unlink()
        if old is not None:
            for file in old.iterdir():
                file.unlink()
            old.rmdir()


def checks(name: str, more: str = "", *, watched: bool = True) -> str:
    """A configuration with one check of this name, which never comes due while a test runs."""
    return (
        f"[monitor]\nreload_on_change = {str(watched).lower()}\n"
        f'[[checks]]\nname = "{name}"\nurl = "http://127.0.0.1:9/"\ninterval = "1d"\n{more}'
    )
