"""Runs checks in a process of their own, where memory and file descriptors can be counted; prints JSON.

    python -m tests.checks.alone memory '{"warm": URL, "url": URL, "needs_body": true}'
    python -m tests.checks.alone starve '{"warm": URL, "url": URL, "resolver": "127.0.0.1:53", "keep": 1}'

A third argument `asyncio` takes the standard event loop in place of uvloop's.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import uvloop

from tests.checks.harness import expecting_body, opened_net, run_check

SPARE = 64
"""So many file descriptors may be open; whoever measures takes what is left of them."""


def _memory(field: str) -> int:
    """A figure of this process in bytes: VmRSS now, or VmHWM, the most since the last reset."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"no {field} in /proc/self/status")


def _forget_the_most() -> None:
    Path("/proc/self/clear_refs").write_text("5")  # resets VmHWM, see proc(5)


async def memory(task: dict[str, Any]) -> dict[str, Any]:
    """By how much the process grew, at most, during one check."""
    over = {"expect": expecting_body()} if task["needs_body"] else {}
    async with opened_net() as net:
        await run_check(task["warm"], net=net, **over)
        _forget_the_most()
        before = _memory("VmRSS")
        result = await run_check(task["url"], net=net, **over)
        growth = _memory("VmHWM") - before
    return {"reason": result.reason, "body_bytes": result.body_bytes, "growth": growth, "seconds": result.duration}


@contextmanager
def nothing_left(keep: int) -> Iterator[None]:
    """All file descriptors are taken but this many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (SPARE, hard))
    taken: list[int] = []
    try:
        with suppress(OSError):
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        for _ in range(keep):
            os.close(taken.pop())
        yield
    finally:
        for descriptor in taken:
            os.close(descriptor)


async def starve(task: dict[str, Any]) -> dict[str, Any]:
    """What a check finds without a file descriptor, and with them again."""
    over = {"resolver": (task["resolver"],)} if task.get("resolver") else {}
    async with opened_net() as net:
        await run_check(task["warm"], net=net)
        with nothing_left(task.get("keep", 0)):
            starved = await run_check(task["url"], net=net, **over)
        after = await run_check(task["url"], net=net, **over)
    return {"starved": starved.reason, "detail": starved.detail, "after": after.reason}


if __name__ == "__main__":
    work = {"memory": memory, "starve": starve}[sys.argv[1]]
    run = asyncio.run if sys.argv[3:] == ["asyncio"] else uvloop.run
    sys.stdout.write(json.dumps(run(work(json.loads(sys.argv[2])))))
