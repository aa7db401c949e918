"""The demo command: starts the targets and the daemon, and prints what to look at."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import monitor
from monitor import daemon
from monitor.demo.announcement import announced
from monitor.demo.selection import chosen
from monitor.model.errors import StartError
from monitor.model.route import HostPort
from monitor.model.settings import MonitorSpec
from monitor.terminal.console import show, width

_ENDING = 5.0
"""Seconds that the process of the targets may take to end; it needs none."""


def run(listen: HostPort | None, groups: Sequence[str]) -> int:
    """The demo, until SIGINT or SIGTERM; raises MonitorError. Returns the exit code."""
    examples = chosen(groups)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # until the daemon has handlers of its own
    try:
        with _targets(groups) as config:
            place = listen or _usual_or_free()
            return daemon.run(config, place, lambda address: show(announced(examples, address, config, width())))
    except KeyboardInterrupt:
        return 0


@contextlib.contextmanager
def _targets(groups: Sequence[str]) -> Iterator[Path]:
    """The targets in a process of their own; yields the configuration that watches them."""
    process = subprocess.Popen(  # noqa: S603 - groups that are known, and nothing else
        [sys.executable, "-P", "-m", "monitor.demo", *groups],
        env=os.environ | {"PYTHONPATH": str(Path(monitor.__file__).parents[1])},  # and nothing of the current folder
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for the daemon, which drains before its targets go
    )
    assert process.stdin is not None
    assert process.stdout is not None
    config: Path | None = None
    try:
        said = os.fsdecode(process.stdout.readline().rstrip(b"\n"))
        if not said:
            raise StartError("the targets of the demo did not start; what is above says why")
        config = Path(said)
        yield config
    finally:
        process.stdin.close()
        _await_end(process)
        process.stdout.close()
        if config is not None:
            shutil.rmtree(config.parent, ignore_errors=True)  # usually gone already


def _await_end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_ENDING)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _usual_or_free() -> HostPort:
    """Returns the daemon's default address, with port 0 if the port is in use, perhaps by a real monitor."""
    host, port = MonitorSpec().listen
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the daemon will
        try:
            sock.bind((host, port or 0))
        except OSError:
            return host, 0
    return host, port
