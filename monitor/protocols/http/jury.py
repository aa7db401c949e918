"""The process that judges what could take for ever: started when first needed, killed at its limit, ended when idle."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import socket
import struct
import sys
import threading
import weakref
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

import monitor
from monitor.model.outcome import Finding, Reason
from monitor.model.request import Expect
from monitor.model.spec import CheckSpec

LENGTH = struct.Struct(">I")
"""Precedes each message, both ways."""
_PATIENCE = 10.0
"""Seconds until a verdict that does not come is not waited for any more, those of other checks before it included."""
_IDLE = 60.0
"""Seconds without work after which the process ends; it takes some 25 MiB, and a quarter of a second to start."""
_ATTEMPTS = 2
"""An idle process may have been killed from outside; the second attempt uses a new one."""
_CODE = "import sys; sys.path.insert(0, sys.argv[-1]); from monitor.protocols.http.juror import main; main()"
"""Imports the package of this process, even if the working directory holds another package `monitor`."""
_FOLDER = str(Path(monitor.__file__).parents[1])
_BY_THE_BODY = frozenset({signal.SIGPROF, signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT})
"""Signals that end the process for what it was given: the limit of its time is SIGPROF."""


class Verdict(NamedTuple):
    """A finding, None for a good body, and notes on how the body was read."""

    finding: Finding | None
    notes: tuple[str, ...] = ()


class Question(msgspec.Struct, array_like=True):
    """A body to be judged; `rules` is the pickle of a check's `Expect` and secrets, from our own parent."""

    rules: bytes
    body: bytes
    content_type: str | None


class Answer(msgspec.Struct, array_like=True):
    """A verdict as it is sent; `reason` is the name of a Reason, empty if nothing is wrong."""

    reason: str
    detail: str
    notes: tuple[str, ...]


def work_limit(size: int) -> float:
    """Returns the limit of CPU seconds for a body of `size` bytes."""
    return 1.0 + size / (4 * 1024 * 1024)


class Jury:
    """Takes one body after the other. Its process ends at the latest together with this one."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._process: _Process | None = None
        self._idle: asyncio.TimerHandle | None = None

    async def judge(self, spec: CheckSpec, expect: Expect, body: bytes, content_type: str | None) -> Verdict:
        """The verdict of the process. Never raises but CancelledError, which kills what works on it."""
        try:
            async with asyncio.timeout(_PATIENCE), self._turn:
                return await self._judge(spec, expect, body, content_type)
        except TimeoutError:
            said = f"the body ({len(body)} bytes) was not judged in {_PATIENCE:.0f} s: this machine is too busy"
            return Verdict(Finding(Reason.MONITOR_OVERLOADED, said))
        except OSError as error:
            said = f"the process that judges the body cannot be started: {error.strerror}"
            return Verdict(Finding(Reason.LOCAL_RESOURCES, said))

    async def _judge(self, spec: CheckSpec, expect: Expect, body: bytes, content_type: str | None) -> Verdict:
        question = msgspec.msgpack.encode(Question(_rules(spec, expect), body, content_type))
        by = 0
        for _ in range(_ATTEMPTS):
            process = self._taken()
            try:
                answer = await process.ask(question)
            except (ConnectionError, EOFError):
                by = await process.ended()
                process.end()
                if by in _BY_THE_BODY:
                    break
            except BaseException:  # cancelled, or out of patience
                process.end()
                raise
            else:
                self._give_back(process)
                return _verdict(answer)
        return _ended(by, len(body))

    def _taken(self) -> _Process:
        if self._idle is not None:
            self._idle.cancel()
        process, self._process = self._process, None
        return process if process is not None and process.alive else _Process()

    def _give_back(self, process: _Process) -> None:
        self._process = process
        self._idle = asyncio.get_running_loop().call_later(_IDLE, self._end)

    def _end(self) -> None:
        if self._process is not None:
            self._process.end()
            self._process = None


class _Process:
    """One process, from its start to its end. It ends by itself when its parent hangs up."""

    def __init__(self) -> None:
        self._socket, its = socket.socketpair()
        self._socket.setblocking(False)
        try:
            with its:
                actions = [
                    (os.POSIX_SPAWN_DUP2, its.fileno(), 0),
                    (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                ]
                line = [sys.executable, "-P", "-c", _CODE, _FOLDER]
                # in a group of its own: the keyboard's Ctrl-C is for its parent
                self._pid = os.posix_spawn(sys.executable, line, os.environ, file_actions=actions, setpgroup=0)
        except BaseException:
            self._socket.close()
            raise
        self._code: int | None = None
        self.end = weakref.finalize(self, _end, self._pid, self._socket)
        """Kills the process; called at garbage collection and at exit as well."""

    @property
    def alive(self) -> bool:
        """True while the process runs."""
        return self.end.alive and os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None

    async def ask(self, question: bytes) -> bytes:
        """Its answer. Raises EOFError or ConnectionError if it ends instead."""
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(self._socket, LENGTH.pack(len(question)) + question)
        length = LENGTH.unpack(await self._exactly(LENGTH.size))[0]
        return await self._exactly(length)

    async def ended(self) -> int:
        """The signal that ended it, 0 if it exited. It hung up already, so that takes no time worth a limit."""
        status = await asyncio.to_thread(os.waitid, os.P_PID, self._pid, os.WEXITED | os.WNOWAIT)
        return status.si_status if status is not None and status.si_code != os.CLD_EXITED else 0

    async def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            piece = await asyncio.get_running_loop().sock_recv(self._socket, count - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data


def _end(pid: int, ours: socket.socket) -> None:
    ours.close()
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    threading.Thread(target=_reap, args=(pid,), daemon=True).start()


def _reap(pid: int) -> None:
    with suppress(ChildProcessError):
        os.waitpid(pid, 0)


def _rules(spec: CheckSpec, expect: Expect) -> bytes:
    """Returns the pickled rules of a check, kept with the check."""
    made = spec.kept.get(__name__)
    if not isinstance(made, bytes):
        made = spec.kept[__name__] = pickle.dumps((expect, spec.secrets))
    return made


def _verdict(answer: bytes) -> Verdict:
    found = msgspec.msgpack.decode(answer, type=Answer)
    finding = Finding(Reason[found.reason], found.detail) if found.reason else None
    return Verdict(finding, found.notes)


def _ended(by: int, size: int) -> Verdict:
    if by in _BY_THE_BODY:
        said = f"the body ({size} bytes) takes more than {work_limit(size):.1f} s of work to judge by expect.json"
        return Verdict(Finding(Reason.INVALID_CONTENT, said))
    return Verdict(Finding(Reason.LOCAL_RESOURCES, f"the process that judged the body was ended by signal {by}"))
