"""Starts the program as a child of a process that has imported it: that saves a second of CPU for each daemon.

What a child does is what `python -m monitor` does from its first line on, with an environment, a folder and standard
streams of its own. Tests that need another interpreter, or a loader that looks at its environment, start one.
Probe workers may be children of the same process: where a test is about what they do, not about how they start.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import functools
import gc
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

_ROOT = Path(__file__).parents[1]
_FDS = 1 << 16
_LONGEST = 1 << 20
_OTHER = 3
"""The descriptor beside the standard streams: a daemon's way to the nursery, or a probe worker's to its daemon."""


class Child:
    """A program that was started; what asyncio.subprocess.Process has, as far as tests use it."""

    def __init__(self, pid: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ended = asyncio.create_task(self._end(reader, writer))

    async def wait(self) -> int:
        """The exit code, or the signal that ended it as a negative number."""
        return await asyncio.shield(self._ended)

    def kill(self) -> None:
        """End it now."""
        self.send_signal(signal.SIGKILL)

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def _end(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
        self.returncode = int(await reader.readline())
        writer.close()
        return self.returncode


def takes(env: Mapping[str, str]) -> bool:
    """Whether a child can have these variables: some are read only by an interpreter that starts."""
    return not any(name.startswith(("LD_", "PYTHON")) for name in env)


async def start(
    arguments: Sequence[str],
    env: Mapping[str, str],
    *,
    folder: Path | None = None,
    out: int = 1,
    error: int = 2,
    first: str = "",
    fork_workers: bool = False,
) -> Child:
    """Start `monitor` with these arguments in a folder, with descriptors to write to; it reads nothing.

    `first` is code that runs before it, as sitecustomize does in an interpreter of its own.
    """
    nursery = _nursery()
    order = _order(False, arguments, env, folder or Path.cwd(), first)
    return await _ordered(nursery, order, out, error, *((nursery.fileno(),) if fork_workers else ()))


def _order(worker: bool, arguments: Sequence[str], env: Mapping[str, str], folder: Path, first: str) -> dict[str, Any]:
    return {"worker": worker, "arguments": list(arguments), "env": dict(env), "folder": str(folder), "first": first}


async def _ordered(nursery: socket.socket, order: dict[str, Any], *streams: int) -> Child:
    ours, its = socket.socketpair()
    with its:
        socket.send_fds(nursery, [json.dumps(order).encode()], [its.fileno(), *streams])
    reader, writer = await asyncio.open_unix_connection(sock=ours)
    return Child(int(await reader.readline()), reader, writer)


@functools.cache
def _nursery() -> socket.socket:
    """The way to the one nursery of this process, which ends when this process does."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with its:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.nursery", str(its.fileno())], cwd=_ROOT, pass_fds=(its.fileno(),),
            stdin=subprocess.DEVNULL, env=os.environ | {"PYTHONPATH": str(_ROOT), "PYTHONUTF8": "1"},
        )  # fmt: skip

    def end() -> None:
        ours.close()
        with contextlib.suppress(subprocess.TimeoutExpired):  # a daemon that a test left behind may order workers
            process.wait(10)

    atexit.register(end)
    return ours


class _Job(NamedTuple):
    order: dict[str, Any]
    reply: int
    streams: list[int]


class _Children:
    """The nursery's side."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._selector = selectors.DefaultSelector()
        self._selector.register(control, selectors.EVENT_READ)

    def job(self) -> _Job | None:
        """Returns in each child, with what it is to do; in the nursery once nobody can order anything more."""
        while True:
            for key, _ in self._selector.select():
                if key.data is not None:
                    self._bury(key.fd, *key.data)
                    continue
                said, fds, *_ = socket.recv_fds(self._control, _LONGEST, 4)
                if not said:
                    return None
                job = _Job(json.loads(said), fds[0], fds[1:])
                if self._is_child(job):
                    return job

    def _is_child(self, job: _Job) -> bool:
        pid = os.fork()
        if pid == 0:
            self._selector.close()
            self._control.close()
            return True
        os.write(job.reply, f"{pid}\n".encode())
        for stream in job.streams:
            os.close(stream)
        self._selector.register(os.pidfd_open(pid), selectors.EVENT_READ, (pid, job.reply))
        return False

    def _bury(self, pidfd: int, pid: int, reply: int) -> None:
        _, status = os.waitpid(pid, 0)
        with contextlib.suppress(OSError):  # whoever started it has ended
            os.write(reply, f"{os.waitstatus_to_exitcode(status)}\n".encode())
        self._selector.unregister(pidfd)
        os.close(pidfd)
        os.close(reply)


def _become(job: _Job) -> None:
    for number, stream in enumerate(job.streams, 1):
        os.dup2(stream, number, inheritable=number < _OTHER)
    os.closerange(1 + len(job.streams), _FDS)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - as the interpreter opens it
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(job.order["env"])
    os.chdir(job.order["folder"])
    sys.argv = ["monitor", *job.order["arguments"]]
    exec(job.order["first"], {})
    if len(job.streams) == _OTHER and not job.order["worker"]:
        _fork_workers(socket.socket(fileno=_OTHER), job.order["first"])


def _fork_workers(nursery: socket.socket, first: str) -> None:
    """Let this daemon's probe workers be children of the nursery, which run `first` as well."""
    from monitor.scheduling.workers.worker import _CODE

    real = asyncio.create_subprocess_exec

    async def create(*command: str, pass_fds: Sequence[int] = (), **options: Any) -> Any:
        if _CODE not in command:
            return await real(*command, pass_fds=pass_fds, **options)
        order = _order(True, [str(_OTHER)], os.environ, Path.cwd(), first)
        return await _ordered(nursery, order, 1, 2, *pass_fds)

    asyncio.create_subprocess_exec = create


def _nurse() -> None:
    from sqlalchemy.dialects import sqlite  # noqa: F401

    from monitor import daemon  # noqa: F401 - what all daemons have in common
    from monitor.cli import main
    from monitor.history import keeper  # noqa: F401
    from monitor.protocols.http import check  # noqa: F401
    from monitor.scheduling.workers import child
    from monitor.terminal import several, single  # noqa: F401 - and `monitor check` and `monitor probe`

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.collect()
    gc.freeze()
    job = _Children(socket.socket(fileno=int(sys.argv[1]))).job()
    if job is not None:
        _become(job)
        child.main() if job.order["worker"] else main()


if __name__ == "__main__":
    _nurse()
