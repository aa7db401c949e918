"""Runs checks in a process of their own, where memory and file descriptors can be counted; prints JSON.

    python -m tests.protocols.alone memory '{"warm": URL, "url": URL, "needs_body": true}'
    python -m tests.protocols.alone starve '{"warm": URL, "url": URL, "resolver": "127.0.0.1:53", "keep": 1}'
    unshare -rn python -m tests.protocols.alone ports '{}'
    unshare -rn python -m tests.protocols.alone offline '{"url": URL}'

A third argument `asyncio` takes the standard event loop in place of uvloop's.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import resource
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import uvloop

from monitor.model.spec import Limits
from tests.flat import http
from tests.protocols.harness import expecting_body, opened_resources, run_check
from tests.servers import faults
from tests.servers.http import HttpServer
from tests.servers.tcp import Server

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
    async with opened_resources() as resources:
        await run_check(task["warm"], resources=resources, **over)
        _forget_the_most()
        before = _memory("VmRSS")
        result = await run_check(task["url"], resources=resources, **over)
        growth = _memory("VmHWM") - before
    return {
        "reason": result.reason,
        "body_bytes": http(result).figures.body_bytes,
        "growth": growth,
        "seconds": result.duration,
    }


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
    async with opened_resources() as resources:
        await run_check(task["warm"], resources=resources)
        for _ in range(3):  # the loop closes the socket in a later turn, which must not free a descriptor below
            await asyncio.sleep(0)
        with nothing_left(task.get("keep", 0)):
            starved = await run_check(task["url"], resources=resources, **over)
        after = await run_check(task["url"], resources=resources, **over)
    return {"starved": starved.reason, "detail": starved.detail, "after": after.reason}


def _loopback_up() -> None:
    """Switch on the loopback of a fresh network namespace, see netdevice(7)."""
    up = struct.pack("16sH14x", b"lo", 0x1 | 0x40)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, 0x8914, up)


def _two_ports_only() -> None:
    Path("/proc/sys/net/ipv4/ip_local_port_range").write_text("50000 50001")


async def ports(_: dict[str, Any]) -> dict[str, Any]:
    """What a check finds in a network namespace whose ports are all in use."""
    _loopback_up()
    _two_ports_only()
    async with (
        opened_resources() as resources,
        Server(faults.silent, port=40000) as server,
        HttpServer(port=40001) as other,
    ):
        taken = [await asyncio.open_connection(server.host, server.port) for _ in range(2)]
        result = await run_check(server.url(), resources=resources)
        elsewhere = await run_check(other.url(), resources=resources)
        for _, writer in taken:
            writer.transport.abort()
    return {"starved": result.reason, "detail": result.detail, "elsewhere": elsewhere.reason}


async def offline(task: dict[str, Any]) -> dict[str, Any]:
    """What checks find in a network namespace that leads nowhere: one of an outside address, one of loopback."""
    _loopback_up()
    async with opened_resources() as resources, HttpServer() as server:
        outside = await run_check(task["url"], resources=resources, limits=Limits(connect=0.5, read=0.5, total=1.0))
        inside = await run_check(server.url(), resources=resources)
    return {"outside": outside.reason, "detail": outside.detail, "inside": inside.reason}


def main(work: str, task: str, loop: str = "uvloop") -> None:
    """Do this work, and print what it found."""
    run = asyncio.run if loop == "asyncio" else uvloop.run
    works = {"memory": memory, "starve": starve, "ports": ports, "offline": offline}
    sys.stdout.write(json.dumps(run(works[work](json.loads(task)))))


if __name__ == "__main__":
    main(*sys.argv[1:])
