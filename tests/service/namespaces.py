"""Network namespaces of the tests' own: a machine without a network, and one whose network has no way to a target."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.service.daemon import environment

_COUNT = iter(range(1000))


def missing(*programs: str) -> str | None:
    """Why no namespace can be made here; None if one can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    absent = [program for program in programs if shutil.which(program, path=_PATH) is None]
    return f"not installed: {', '.join(absent)}" if absent else None


_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def need(*programs: str) -> None:
    """Skip where something is missing; in CI nothing may be."""
    if (why := missing(*programs)) is not None:
        if os.environ.get("CI"):
            pytest.fail(f"in CI nothing may be missing: {why}")
        pytest.skip(why)


async def _run(*command: str, env: dict[str, str] | None = None) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *command,
        env=env or os.environ | {"PATH": _PATH},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(30):
        out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


class Namespace:
    """One namespace, by name; every command runs inside of it."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def run(self, *command: str, fails: bool = False) -> str:
        """Run a command inside; its output."""
        env = environment({"PATH": _PATH})
        code, out, err = await _run("ip", "netns", "exec", self.name, *command, env=env)
        assert fails or code == 0, (command, code, out, err)
        return out

    def command(self, *command: str) -> tuple[str, ...]:
        """The command that runs this one inside."""
        return ("ip", "netns", "exec", self.name, *command)

    async def check(self, config: Path) -> dict[str, dict[str, Any]]:
        """`monitor check --json` inside; the results by check."""
        out = await self.run(sys.executable, "-m", "monitor", "check", "--json", "-c", str(config), fails=True)
        found = [json.loads(line) for line in out.splitlines()]
        return {line.get("check") or line["name"]: line for line in found}


@contextlib.asynccontextmanager
async def namespace() -> AsyncIterator[Namespace]:
    """A fresh namespace with loopback up and nothing else; deleted at the end, with all that is in it."""
    name = f"monitor-test-{os.getpid()}-{next(_COUNT)}"
    code, _, err = await _run("ip", "netns", "add", name)
    if code:
        if os.environ.get("CI"):
            pytest.fail(f"in CI a namespace must be possible: {err}")
        pytest.skip(f"no network namespaces here: {err.strip()}")
    try:
        inside = Namespace(name)
        await inside.run("ip", "link", "set", "lo", "up")
        yield inside
    finally:
        await _run("ip", "netns", "del", name)
