"""What the kernel says of a process and its children, and what machine this is."""

from __future__ import annotations

import os
import platform
import re
import ssl
import subprocess
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_TIMES = slice(11, 15)
"""Where utime, stime, cutime and cstime stand behind the name in /proc/PID/stat (proc(5))."""


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, of its children that live and of those it has waited for."""
    return sum(map(_ticks, family(pid))) / _TICKS


def resident_mib(pid: int) -> float:
    """Resident memory of a process and its children, in MiB."""
    return sum(map(_resident_kib, family(pid))) / 1024


def foreign_cpu_seconds() -> float:
    """CPU time since the machine started that went to neither this process nor anything below it, nor was idle."""
    user, nice, system, _idle, _wait, irq, softirq, steal = map(int, _read(Path("/proc/stat")).split()[1:9])
    return (user + nice + system + irq + softirq + steal) / _TICKS - cpu_seconds(os.getpid())


def family(pid: int) -> Iterator[int]:
    """A process and all below it that live."""
    yield pid
    for task in _tasks(pid):
        for child in _read(task / "children").split():
            yield from family(int(child))


def described() -> str:
    """This machine and what runs on it, in a line."""
    libraries = ", ".join(f"{name} {version(name)}" for name in ("aiohttp", "uvloop"))
    return (
        f"{os.cpu_count()} × {_processor()}, {platform.system()} {platform.release().split('-')[0]}, "
        f"Python {platform.python_version()}, {libraries}, {ssl.OPENSSL_VERSION.rsplit(' ', 3)[0]}, "
        f"{_first_version(['prometheus-blackbox-exporter', '--version'], 'blackbox_exporter')}, "
        f"{_first_version(['nginx', '-v'], 'nginx')}; load at the start {os.getloadavg()[0]:.1f}"
    )


def _tasks(pid: int) -> list[Path]:
    try:
        return list(Path(f"/proc/{pid}/task").iterdir())
    except FileNotFoundError:  # it has ended
        return []


def _ticks(pid: int) -> int:
    fields = _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return sum(map(int, fields[_TIMES]))


def _resident_kib(pid: int) -> int:
    found = re.search(r"VmRSS:\s+(\d+) kB", _read(Path(f"/proc/{pid}/status")))
    return int(found[1]) if found else 0


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):  # it has ended
        return ""


def _processor() -> str:
    found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    return found[1].strip() if found else platform.machine()


def _first_version(command: list[str], name: str) -> str:
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return f"{name} missing"
    found = re.search(r"\d+(\.\d+)+", answer.stdout + answer.stderr)
    return f"{name} {found[0] if found else '?'}"
