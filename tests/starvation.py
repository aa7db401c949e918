"""How long processes were kept from running, so that a test blames the machine only for what the machine did."""

from __future__ import annotations

import os
from pathlib import Path


class Starvation:
    """Seconds that this process and others spent ready to run, without a processor, since this was made.

    The kernel counts them by thread (/proc/PID/task/TID/schedstat); a hypervisor that takes the processor away counts
    too (steal). On a quiet machine it is some milliseconds: a bound that adds it is as tight there as without.
    """

    def __init__(self, *pids: int) -> None:
        self._pids = (os.getpid(), *pids)
        self._began = {pid: _waited(pid) for pid in self._pids}
        self._stolen = _stolen()

    @property
    def seconds(self) -> float:
        """So far."""
        waited = sum(max(0.0, _waited(pid) - before) for pid, before in self._began.items())
        return waited + _stolen() - self._stolen


def _waited(pid: int) -> float:
    total = 0
    for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        try:
            total += int(thread.read_text().split()[1])
        except (OSError, IndexError):  # the thread has ended, or this kernel does not count
            continue
    return total / 1e9


def _stolen() -> float:
    ticks = Path("/proc/stat").read_text().split("\n", 1)[0].split()[8]
    return int(ticks) / os.sysconf("SC_CLK_TCK")
