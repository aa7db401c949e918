"""The process of the targets: plays them, writes the configuration, says where, and ends with its standard input."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from monitor.demo.certificates import Issuer
from monitor.demo.configuration import written
from monitor.demo.example import Example
from monitor.demo.names import serve_names
from monitor.demo.runbooks import serve_runbooks
from monitor.demo.selection import chosen
from monitor.demo.server import HOST, playing


async def _play(examples: Sequence[Example], folder: Path) -> None:
    ended = _end()
    async with contextlib.AsyncExitStack() as opened:
        issuer = Issuer(folder)
        placed = [(example, await _place(opened, example, issuer)) for example in examples]
        path = folder / "checks.toml"
        history = f"sqlite:///{folder / 'monitor.db'}"
        path.write_text(written(placed, await serve_names(), await serve_runbooks(examples), history), "utf-8")
        with contextlib.suppress(BrokenPipeError):  # Ctrl-C has ended the daemon meanwhile
            print(path, flush=True)  # noqa: T201 - what the daemon waits for
            await ended.wait()


async def _place(opened: contextlib.AsyncExitStack, example: Example, issuer: Issuer) -> str:
    """Play the target of an example, and say where; empty if it has none."""
    target = example.target
    if target is None:
        return ""
    tls = issuer.context(example.host, target.certificate) if target.certificate else None
    return f"{HOST}:{await opened.enter_async_context(playing(target, tls))}"


def _end() -> asyncio.Event:
    """Returns an event that is set by a signal, or when the daemon closes its end of the pipe."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin, ended.set)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    return ended


def main() -> None:
    """Play the examples of the groups that are named, or all of them."""
    with tempfile.TemporaryDirectory(prefix="monitor-demo-") as folder:
        asyncio.run(_play(chosen(sys.argv[1:]), Path(folder)))


if __name__ == "__main__":
    main()
