"""Runs the real program as a subprocess, with pipes or on a terminal of its own."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import pty
import re
import signal
import struct
import sys
import termios
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import nursery

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
"""Seconds until a test gives up; far more than anything takes."""

_OURS = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "MONITOR_CONFIG", "PYTHONWARNINGS")
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True)
class Ended:
    """How a run of the program ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """What it printed, by line."""
        return self.out.splitlines()


def environment(**extra: str) -> dict[str, str]:
    """The test's own environment without what steers the program."""
    kept = {name: value for name, value in os.environ.items() if name not in _OURS}
    return kept | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "TERM": "xterm-256color"} | extra


async def start(
    *arguments: str | Path, env: dict[str, str] | None = None, **options: Any
) -> asyncio.subprocess.Process:
    """Start `monitor` with these arguments; stdout and stderr are pipes unless said otherwise."""
    pipes = {"stdin": asyncio.subprocess.DEVNULL, "stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.PIPE}
    command = (sys.executable, "-m", "monitor", *map(str, arguments))
    return await asyncio.create_subprocess_exec(*command, env=environment(**(env or {})), **(pipes | options))


async def monitor(
    *arguments: str | Path, env: dict[str, str] | None = None, cwd: Path | None = None, first: str = ""
) -> Ended:
    """Run `monitor` to its end; `first` is code that runs before it."""
    if not nursery.takes(env or {}):
        return await end_of(await start(*arguments, env=env, cwd=cwd))
    async with asyncio.timeout(PATIENCE):
        (out, its_out), (error, its_error) = await _pipe(), await _pipe()
        try:
            given, variables = list(map(str, arguments)), environment(**(env or {}))
            child = await nursery.start(given, variables, folder=cwd, out=its_out, error=its_error, first=first)
        finally:
            os.close(its_out)
            os.close(its_error)
        said, complained, code = await asyncio.gather(out, error, child.wait())
    return Ended(code, said.decode(), complained.decode())


class _Whole(asyncio.Protocol):
    """All that comes through a pipe, once it has ended."""

    def __init__(self) -> None:
        self.read = asyncio.get_running_loop().create_future()
        self._data = b""

    def data_received(self, data: bytes) -> None:
        self._data += data

    def connection_lost(self, _: Exception | None) -> None:
        self.read.set_result(self._data)


async def _pipe() -> tuple[asyncio.Future[bytes], int]:
    """A pipe: what will have been written to it, and the descriptor to write to."""
    reading, writing = os.pipe()
    _, protocol = await asyncio.get_running_loop().connect_read_pipe(_Whole, os.fdopen(reading, "rb"))
    return protocol.read, writing


async def end_of(process: asyncio.subprocess.Process) -> Ended:
    """Await the end of a program whose output is piped."""
    async with asyncio.timeout(PATIENCE):
        out, err = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


class Terminal:
    """A pseudo-terminal with the program on it."""

    def __init__(self, master: int, process: nursery.Child) -> None:
        self.raw = ""
        self._master = master
        self._process = process
        self._news = asyncio.Event()
        asyncio.get_running_loop().add_reader(master, self._receive)

    @property
    def text(self) -> str:
        """All that was ever shown, without colours and cursor movements."""
        return _ESCAPES.sub("", self.raw).replace("\r\n", "\n")

    async def until(self, condition: Callable[[str], bool]) -> None:
        """Wait for the text to be as wanted."""
        async with asyncio.timeout(PATIENCE):
            while not condition(self.text):
                self._news.clear()
                await self._news.wait()

    def interrupt(self) -> None:
        """Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    async def end(self) -> int:
        """The exit code, once all output is there."""
        async with asyncio.timeout(PATIENCE):
            code = await self._process.wait()
        self._receive()
        return code

    def _receive(self) -> None:
        with contextlib.suppress(OSError):  # EIO: the program has closed its end; EAGAIN: nothing more
            while data := os.read(self._master, 65536):
                self.raw += data.decode()
        self._news.set()


@contextlib.asynccontextmanager
async def terminal(
    *arguments: str | Path, columns: int = 100, env: dict[str, str] | None = None
) -> AsyncIterator[Terminal]:
    """`monitor` on a terminal of so many columns."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    os.set_blocking(master, False)
    process = await nursery.start(list(map(str, arguments)), environment(**(env or {})), out=slave, error=slave)
    try:
        # Our copy of the slave stays open: once every copy is closed, the master reads EIO at once and for ever.
        yield Terminal(master, process)
    finally:
        asyncio.get_running_loop().remove_reader(master)
        process.send_signal(signal.SIGKILL)
        await process.wait()
        os.close(slave)
        os.close(master)
