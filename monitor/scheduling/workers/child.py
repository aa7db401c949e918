"""A probe worker's own side: it schedules and probes, sends what it finds, and ends with the daemon."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog

from monitor.model.clock import system_clock
from monitor.model.result import Result
from monitor.model.spec import CheckSpec
from monitor.protocols.resources import Resources
from monitor.scheduling.engine import Engine
from monitor.scheduling.workers.wire import Batch, EndedRun, Orders, batch_frame, read_order
from monitor.secrets.redaction import Redactor
from monitor.system import log
from monitor.system import supervision as supervised
from monitor.system.process import new_event_loop, settle_memory
from monitor.system.supervision import Turn

_log = structlog.get_logger("monitor.worker")

_GATHERED = 0.05
"""Seconds for which results are gathered into one batch."""
_MOST_GATHERED = 200
_UNREAD_LIMIT = 64 << 20
"""Bytes that the daemon has not read: above this, the daemon hangs, and more results would only fill the memory."""
_MORE_LIKELY = "500"
"""oom_score_adj: if memory is short, the kernel kills a worker first, as the daemon can restart it."""
_PAGE = resource.getpagesize()


class Outbox:
    """Gathers what was found, and sends it to the daemon in batches."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.generation = 0
        self._writer = writer
        self._ended: list[EndedRun] = []
        self._timer: asyncio.TimerHandle | None = None

    def add(self, _name: str, result: Result, runs: int, until: float | None) -> None:
        """Take in a result; it leaves within a twentieth of a second."""
        self._ended.append(EndedRun(result, runs, until))
        if len(self._ended) >= _MOST_GATHERED:
            self.send()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_GATHERED, self._send_in_time)

    def _send_in_time(self) -> None:
        with Turn("result"):
            self.send()

    def send(self, **more: Any) -> None:
        """Sends the gathered results, with the other fields of the batch."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        ended, self._ended = self._ended, []
        if self._writer.is_closing():
            return
        if ended or more:
            self._writer.write(batch_frame(Batch(self.generation, ended, **more)))
        if self._writer.transport.get_write_buffer_size() > _UNREAD_LIMIT:
            _log.critical("ended, as the daemon takes no results any more")
            os._exit(1)


class Worker:
    """Everything of the worker's process."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._outbox = Outbox(writer)
        self._engine: Engine | None = None
        self._specs: dict[str, CheckSpec] = {}

    async def obey(self, orders: Orders) -> None:
        """Do what these orders say, once they are whole."""
        self._specs.update((spec.name, spec) for spec in orders.changed)
        for name in orders.gone:
            self._specs.pop(name, None)
        if orders.more:
            return
        if orders.again and self._engine is not None and orders.generation == self._outbox.generation:
            self._engine.run_again(orders.again)  # nothing else has changed, and taking all checks over costs time
            return
        log.configure(orders.monitor.log)
        resources = await self._prepared(orders)
        self._outbox.send()  # what was found under the orders before
        self._outbox.generation = orders.generation
        first = self._engine is None
        engine = self._engine = self._engine or self._started(orders)
        engine.use(self._specs.values(), resources, orders.monitor.max_concurrency)
        engine.run_again(orders.again)
        if orders.changed or orders.gone:
            settle_memory()
        if first:
            self._outbox.send(**self._figures(engine), began=time.monotonic())

    async def drain(self, limit: float) -> None:
        """Lets running checks finish, and sends the last results."""
        if self._engine is not None:
            self._outbox.send(drained=await self._engine.drain(limit))

    def _started(self, orders: Orders) -> Engine:
        engine = Engine(self._outbox.add, orders.monitor.max_concurrency, self._beat, system_clock)
        engine.start(orders.epoch)
        return engine

    def _beat(self) -> None:
        if self._engine is not None:
            self._outbox.send(**self._figures(self._engine))

    def _figures(self, engine: Engine) -> dict[str, Any]:
        used = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "meter": engine.meter,
            "cpu_seconds": used.ru_utime + used.ru_stime,
            "resident_bytes": _resident(),
        }

    async def _prepared(self, orders: Orders) -> Resources:
        specs = tuple(self._specs.values())
        redactor = await asyncio.to_thread(lambda: Redactor({s for spec in specs for s in spec.secrets}).prepare())
        log.hide(lambda: (redactor,))
        resources = Resources(orders.monitor.deny_addresses)
        with suppress(OSError):  # the daemon read these files a moment ago; if they are gone now, each run will say so
            await asyncio.to_thread(resources.prepare, specs)
        return resources


def _resident() -> int:
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE
    except OSError:  # not on every platform
        return 0


async def _serve(sock: socket.socket) -> None:
    reader, writer = await asyncio.open_unix_connection(sock=sock)
    asyncio.get_running_loop().set_exception_handler(_on_exception)
    worker = Worker(writer)
    try:
        while isinstance(order := await read_order(reader), Orders):
            await worker.obey(order)
        watching = asyncio.create_task(_end_with_the_daemon(reader))
        await worker.drain(order.limit)
        watching.cancel()
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    except (EOFError, ConnectionError):
        os._exit(0)  # the daemon has ended


async def _end_with_the_daemon(reader: asyncio.StreamReader) -> None:
    """A daemon that ends during a drain, by a second signal or a crash, takes no results any more."""
    with suppress(ConnectionError):
        while await reader.read(65536):
            pass
    os._exit(0)


def _on_exception(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Without memory nothing can be relied on: end, and be started again."""
    if isinstance(context.get("exception"), MemoryError):
        os._exit(1)
    loop.default_exception_handler(context)


def main() -> None:
    """Probe for the daemon at the other end of the socket whose number is the last argument."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # sent to the whole group; the daemon says what to do
        signal.signal(name, signal.SIG_IGN)
    supervised.end_at(MemoryError)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_MORE_LIKELY, encoding="ascii")
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(_serve(socket.socket(fileno=int(sys.argv[-1]))))
