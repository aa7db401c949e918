"""The process around the service: its event loop, and what the signals mean."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog

from monitor.config import load
from monitor.model.route import HostPort
from monitor.service import Service
from monitor.system import log
from monitor.system.process import new_event_loop
from monitor.system.supervision import Turn

_log = structlog.get_logger("monitor.daemon")


def run(config_path: Path, listen: HostPort | None = None, started: Callable[[str], None] | None = None) -> int:
    """The daemon, until SIGTERM or SIGINT; raises ConfigError or StartError. Returns the exit code.

    `started` is told the address, once everything is up.
    """
    config = load(config_path)
    log.configure(config.monitor.log)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(_live(Service(config, listen), started))


async def _live(service: Service, started: Callable[[str], None] | None) -> int:
    loop = asyncio.get_running_loop()
    ending = asyncio.Event()
    reloads: set[asyncio.Task[Any]] = set()

    def end() -> None:
        if ending.is_set():
            _log.warning("ended at once by a second signal")
            os._exit(1)
        ending.set()

    async def reloaded() -> None:
        with Turn("reload"):
            await service.reload()

    def reload() -> None:
        task = asyncio.create_task(reloaded())
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    loop.add_signal_handler(signal.SIGTERM, end)
    loop.add_signal_handler(signal.SIGINT, end)
    loop.add_signal_handler(signal.SIGHUP, reload)
    if not await _is_up(service, ending):
        _log.info("stopped before everything was up")
        return 0
    try:
        if started is not None:
            started(service.address)
        await ending.wait()
    finally:
        await service.stop()
    return 0


async def _is_up(service: Service, ending: asyncio.Event) -> bool:
    """Starts the service; False if a signal ended the start, and everything is closed again."""
    starting, asked = asyncio.create_task(service.start()), asyncio.create_task(ending.wait())
    await asyncio.wait((starting, asked), return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    if not starting.done():
        starting.cancel()
    await asyncio.wait((starting,))
    if starting.cancelled():
        return False
    starting.result()
    return True
