"""Reports the state of the service to systemd (sd_notify(3)); does nothing without systemd.

Twenty lines of our own: the Python packages for this are wrappers of libsystemd, or not kept any more.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress

from monitor.system.supervision import Turn


def status_line(states: Mapping[str, int], refused: str | None) -> str:
    """One line on how many checks stand how, and why the configuration was not reloaded, if it was not."""
    named = ", ".join(f"{n} {state}" for state, n in states.items() if n)
    said = f"{sum(states.values())} checks" + (f": {named}" if named else "")
    return " ".join((f"{said}; configuration not reloaded: {refused}" if refused else said).split())


class Notifier:
    """A socket to the service manager."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")
        self._said = ""
        limit = environ.get("WATCHDOG_USEC", "")
        meant_for_us = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self._watchdog = int(limit) / 1e6 if limit.isdecimal() and meant_for_us else None

    @property
    def listened_to(self) -> bool:
        """True if systemd expects notifications."""
        return bool(self._address)

    def beat_within(self, seconds: float) -> float:
        """Seconds between heartbeats: half of the watchdog's limit (sd_watchdog_enabled(3)), at most `seconds`."""
        return seconds if self._watchdog is None else min(seconds, self._watchdog / 2)

    def ready(self, status: str) -> None:
        """Everything is up, or the reload is over."""
        self._send(f"READY=1\nSTATUS={status}")

    def reloading(self) -> None:
        """A reload begins; the time lets systemd tell it from an older one."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}\nSTATUS=reloading")

    def stopping(self, status: str) -> None:
        """The end begins."""
        self._send(f"STOPPING=1\nSTATUS={status}")

    def status(self, status: str) -> None:
        """One line for `systemctl status`; sent if it differs from the one before."""
        if status != self._said:
            self._said = status
            self._send(f"STATUS={status}")

    def alive(self) -> None:
        """The scheduling loop turns."""
        if self._watchdog is not None:
            self._send("WATCHDOG=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC
        # A manager that does not listen is no reason to stop checking.
        with Turn("notify"), suppress(OSError), socket.socket(socket.AF_UNIX, kind) as sock:
            sock.setblocking(False)
            sock.sendto(message.encode(errors="replace"), address)
