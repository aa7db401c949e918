"""How long processes were kept from running, so that a test blames the machine only for what the machine did."""

from __future__ import annotations

import os
from pathlib import Path


class Starvation:
    """Seconds that this process and others spent ready to run, without a processor, since this was made.

    The kernel counts them by thread (/proc/PID/task/TID/schedstat); a hypervisor that takes the processor away counts
    too (steal). On a quiet machine it is some milliseconds: a bound that adds it is as tight there as without. Of a
    process that has ended by now nobody knows; then it is the time in which any process had to wait.
    """

    def __init__(self, *pids: int) -> None:
        self._began = {pid: _waited(pid) for pid in (os.getpid(), *pids)}
        self._stolen, self._somebody = _stolen(), _somebody_waited()

    @property
    def seconds(self) -> float:
        """So far."""
        now = {pid: _waited(pid) for pid in self._began}
        if None in now.values():
            return _somebody_waited() - self._somebody
        waited = sum(max(0.0, (now[pid] or 0.0) - (before or 0.0)) for pid, before in self._began.items())
        return waited + _stolen() - self._stolen


def thread_waited() -> float:
    """Seconds that this thread has spent ready to run, without a processor."""
    return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9


def _waited(pid: int) -> float | None:
    """Seconds of all its threads; None if it has ended."""
    total = None
    for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        try:
            total = (total or 0.0) + int(thread.read_text().split()[1]) / 1e9
        except OSError:  # the thread has ended
            continue
    return total


def _stolen() -> float:
    ticks = Path("/proc/stat").read_text().split("\n", 1)[0].split()[8]
    return int(ticks) / os.sysconf("SC_CLK_TCK")


def _somebody_waited() -> float:
    """Seconds since the machine started in which some process waited for a processor; 0 if the kernel has no PSI."""
    try:
        return int(Path("/proc/pressure/cpu").read_text().split("total=")[1].split()[0]) / 1e6
    except OSError:
        return 0.0
