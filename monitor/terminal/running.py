"""Runs checks once and now, a limited number at a time, and says when each has ended."""

from __future__ import annotations

import asyncio
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress

from monitor.model.outcome import Reason
from monitor.model.result import Result
from monitor.model.settings import Network
from monitor.model.spec import CheckSpec
from monitor.protocols.resources import Resources
from monitor.protocols.running import check
from monitor.system.process import new_event_loop

AT_A_TIME = 100
"""More at once would starve each other, and be measured as slow; the daemon spreads them over time instead."""

Ended = Callable[[CheckSpec, Result], None]


def run_checks(specs: Sequence[CheckSpec], denied: tuple[Network, ...], limit: int, ended: Ended) -> None:
    """Run every check once, calling `ended` for each as it ends; Ctrl-C stops them all and is raised."""
    resources = Resources(deny_addresses=denied)
    _warm(specs, resources)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(_run_all(specs, resources, min(limit, AT_A_TIME), ended))


def _warm(specs: Sequence[CheckSpec], resources: Resources) -> None:
    """Load what runs need first: in the loop this would hold up the checks that run already, and be measured."""
    for spec in specs:
        with suppress(OSError):  # the run itself will say so
            resources.prepare([spec])


async def _run_all(specs: Sequence[CheckSpec], resources: Resources, limit: int, ended: Ended) -> None:
    slots = asyncio.Semaphore(limit)
    async with asyncio.TaskGroup() as group:
        for spec in specs:
            group.create_task(_run(spec, resources, slots, ended))


async def _run(spec: CheckSpec, resources: Resources, slots: asyncio.Semaphore, ended: Ended) -> None:
    async with slots:
        result = await _result(spec, resources)
    ended(spec, result)


async def _result(spec: CheckSpec, resources: Resources) -> Result:
    started = time.time()
    try:
        return await check(spec, resources)
    except Exception:  # noqa: BLE001 - a bug in one check: shown whole, while the others go on
        sys.stderr.write(spec.redactor.foreign(traceback.format_exc()))
    return Result(spec.name, started, Reason.INTERNAL_ERROR, "a bug in the monitor; its traceback is on standard error")
