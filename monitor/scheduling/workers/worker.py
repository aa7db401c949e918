"""The daemon's side of one probe worker: starts its process, hears it, and starts it again if it dies or hangs."""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from collections.abc import Coroutine, Iterable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Protocol

import structlog

import monitor
from monitor.scheduling.runner import DrainCount
from monitor.scheduling.workers.wire import Batch, Drain, Orders, order_frame, read_batch
from monitor.stats.meters import WorkerMeter
from monitor.system.supervision import Turn, supervise

_log = structlog.get_logger("monitor.scheduling.workers")

_SILENT_BEATS = 10
"""Beats of the daemon's own in which a worker says nothing, until it is taken for hung. Not seconds: after a pause of
the whole machine the daemon's beats begin again together with the worker's."""
_STARTING_BEATS = 40
"""The same for one that has not begun yet: a busy machine takes its time to load a program."""
_PROVEN = 60.0
"""Seconds; a worker that lived for longer restarts without a pause."""
_LONGEST_PAUSE = 30.0
_CODE = "import sys; sys.path.insert(0, sys.argv[-2]); from monitor.scheduling.workers.child import main; main()"
"""Imports the package of the daemon, even if the working directory holds another package `monitor`."""
_FOLDER = str(Path(monitor.__file__).parents[1])


class Listener(Protocol):
    """The owner of a worker."""

    def all_orders(self, number: int) -> list[Orders]:
        """Everything that this worker is to do."""

    def heard(self, number: int, batch: Batch) -> None:
        """A batch came."""


class Worker:
    """One worker; its process is replaced when it ends."""

    def __init__(self, number: int, listener: Listener) -> None:
        self.number = number
        self.figures = WorkerMeter()
        self._drained = DrainCount(0, 0)
        self._listener = listener
        self._ready = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._outgoing: asyncio.Queue[Orders | Drain] = asyncio.Queue()
        self._silent = 0
        self._pause = 0.0
        self._closing = False
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the first process, and wait until its checks are scheduled."""
        self._task = asyncio.create_task(supervise("worker", self._life, lambda: not self._closing))
        await self._ready.wait()

    def order(self, orders: Iterable[Orders | Drain]) -> None:
        """Sends orders to the process; a restarting worker receives all its orders once it is up."""
        for each in orders:
            self._outgoing.put_nowait(each)

    def beat(self) -> None:
        """Kills a process that has been silent for too long; call it once a second."""
        self._silent += 1
        patience = _SILENT_BEATS if self.figures.up else _STARTING_BEATS
        if self._silent > patience and self._process is not None and self._process.returncode is None:
            _log.error("a probe worker hangs and is killed", worker=self.number, silent_seconds=self._silent - 1)
            self._silent = 0
            self._process.kill()

    async def drain(self, limit: float) -> DrainCount:
        """Lets running checks finish within `limit` seconds, then ends the process."""
        self._closing = True
        self.order([Drain(limit)])
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=limit + 2.0)
        await self.stop()
        return self._drained

    async def stop(self) -> None:
        """End it now."""
        self._closing = True
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _life(self) -> None:
        """One process, from its start to its end, and the pause before the next one."""
        began = time.monotonic()
        try:
            await self._live()
        except OSError as error:
            _log.error("a probe worker cannot be started", worker=self.number, error=str(error))
        finally:
            self.figures.up = False
            self.figures.restarts += not self._closing
        if not self._closing:
            lived = time.monotonic() - began
            self._pause = 0.0 if lived > _PROVEN else min(_LONGEST_PAUSE, 2 * self._pause + 0.1)
            await asyncio.sleep(self._pause)

    async def _live(self) -> None:
        async with AsyncExitStack() as opened:
            ours = await self._born(opened)
            try:
                self._silent = 0
                self._outgoing = asyncio.Queue()
                self.order(self._listener.all_orders(self.number))
                reader, writer = await asyncio.open_unix_connection(sock=ours)
            except BaseException:
                ours.close()
                raise
            opened.callback(writer.close)
            await _first_to_end(self._listen(reader), self._talk(writer))

    async def _born(self, opened: AsyncExitStack) -> socket.socket:
        """Start a process, which `opened` ends; returns our end of the socket pair."""
        ours, its = socket.socketpair()
        try:
            with its:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable, "-P", "-c", _CODE, _FOLDER, str(its.fileno()),
                    pass_fds=(its.fileno(),), stdin=asyncio.subprocess.DEVNULL,
                )  # fmt: skip
        except BaseException:
            ours.close()
            raise
        opened.push_async_callback(self._ended, self._process)
        return ours

    async def _talk(self, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(order_frame(await self._outgoing.get()))
            await asyncio.sleep(0)  # what is due in the meantime is not held up by thousands of checks

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        with suppress(EOFError):
            while True:
                batch = await read_batch(reader)
                self._silent = 0
                with Turn("worker"):
                    self._note(batch)
                    self._listener.heard(self.number, batch)

    def _note(self, batch: Batch) -> None:
        figures = self.figures
        figures.up = True  # the first batch comes once its checks are scheduled
        self._ready.set()
        if batch.meter is not None:
            figures.meter, figures.cpu_seconds = batch.meter, batch.cpu_seconds
            figures.resident_bytes = batch.resident_bytes
        if batch.drained is not None:
            self._drained = batch.drained

    async def _ended(self, process: asyncio.subprocess.Process) -> None:
        with suppress(ProcessLookupError):
            process.kill()  # it hung up, so it has nothing more to say
        code = await process.wait()
        if not self._closing:
            how = f"by signal {-code}" if code < 0 else f"with code {code}"
            _log.error("a probe worker died and is started again", worker=self.number, ended=how)


async def _first_to_end(*works: Coroutine[None, None, None]) -> None:
    """Run these until one of them ends, then cancel the others; raises what ended it."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in ended:
        task.result()
