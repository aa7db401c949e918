"""A target that knows what it did: it answers after a delay, never, or byte by byte, and writes down every request.

A process of its own, on one CPU (`python -P answerer.py`). The first line that it prints is its port; when its standard
input ends it prints its records as JSON and ends. Paths are `/HOW/NAME`: HOW is a delay in milliseconds, `silent` or
`drip`. The delay of a record is the one that happened, from the last byte of the request to the first of the answer, so
what this process is late by between the two is not taken for an error of the monitor. What it is late by before, while
the request waits to be read, would be; so it measures how late it wakes up, which bounds that.

Plain asyncio and not uvloop: here a write reaches the kernel at once, there at the end of the loop's turn.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from subprocess import PIPE, Popen
from typing import NamedTuple, cast

_HOST = "127.0.0.1"
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 12\r\nConnection: close\r\n\r\nHello, all!\n"
_ENDLESS = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\n"
_DRIP_SECONDS = 0.25
_TICK = 0.02

_requests: list[tuple[str, float, float]] = []
_late: list[float] = []


class Asked(NamedTuple):
    """One request: when it was here, in Unix seconds, and the seconds until its answer was sent."""

    arrived: float
    delay: float


@dataclass
class Answerer:
    """The running target; its records are there once it was ended."""

    port: int
    by_name: dict[str, list[Asked]]
    late: list[float]
    """Seconds by which it woke up late, fifty times a second."""

    def url(self, how: str | int, name: str) -> str:
        """A URL that is answered like this."""
        return f"http://{_HOST}:{self.port}/{how}/{name}"


@contextmanager
def answerer() -> Iterator[Answerer]:
    """A target that runs for as long as the context lasts."""
    with Popen([sys.executable, "-P", __file__], stdin=PIPE, stdout=PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            target = Answerer(int(process.stdout.readline()), {}, [])
            os.sched_setaffinity(process.pid, {max(os.sched_getaffinity(0))})
            with suppress(PermissionError):  # a target has a machine of its own, and does not wait for ours
                os.setpriority(os.PRIO_PROCESS, process.pid, os.getpriority(os.PRIO_PROCESS, 0) - 10)
            yield target
            told = json.loads(process.communicate(timeout=30)[0])
        except BaseException:
            process.kill()
            raise
        target.late += told["late"]
        for name, arrived, delay in told["requests"]:
            target.by_name.setdefault(name, []).append(Asked(arrived, delay))


class _Conversation(asyncio.Protocol):
    """One connection, with one request."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._request = b""

    def data_received(self, data: bytes) -> None:
        wall, arrived = time.time(), time.monotonic()
        self._request += data
        if not self._request.endswith(b"\r\n\r\n"):
            return
        _, how, name = self._request.split(b" ", 2)[1].decode().split("/")
        if how in ("silent", "drip"):
            _requests.append((name, wall, 0.0))
            if how == "drip":
                self._transport.write(_ENDLESS)
                self._drip()
        elif how == "0":
            self._answer(name, wall, arrived)
        else:
            asyncio.get_running_loop().call_later(int(how) / 1000, self._answer, name, wall, arrived)

    def _answer(self, name: str, wall: float, arrived: float) -> None:
        _requests.append((name, wall, time.monotonic() - arrived))
        self._transport.write(_ANSWER)
        self._transport.close()

    def _drip(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(b".")
            asyncio.get_running_loop().call_later(_DRIP_SECONDS, self._drip)


def _tick(due: float) -> None:
    loop = asyncio.get_running_loop()
    _late.append(max(0.0, loop.time() - due))
    due = loop.time() + _TICK
    loop.call_at(due, _tick, due)


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    await loop.connect_read_pipe(partial(_UntilClosed, ended), sys.stdin)
    server = await loop.create_server(_Conversation, _HOST, 0, backlog=4096)
    gc.disable()  # it makes no cycles, and lives for a minute
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    _tick(loop.time())
    await ended.wait()
    server.close()
    json.dump({"late": _late, "requests": _requests}, sys.stdout)


class _UntilClosed(asyncio.Protocol):
    """Notices the end of standard input, which comes also when the bench is killed."""

    def __init__(self, ended: asyncio.Event) -> None:
        self._ended = ended

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended.set()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the bench, which then closes standard input
    asyncio.run(_serve())
