"""A container with a systemd of its own, in which commands can be run; it has no network but loopback."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

_GET = """
import sys, urllib.request as r, urllib.error as e
try: answer = r.urlopen(sys.argv[1], timeout=5)
except e.HTTPError as refused: answer = refused
sys.stdout.write(answer.read().decode())
"""


def until(found: Callable[[], T], limit: float = 30.0) -> T:
    """Ask until the answer is true; fails with the last answer."""
    end = time.monotonic() + limit
    while not (answer := found()):
        assert time.monotonic() < end, f"not within {limit:g} s; the last answer was {answer!r}"
        time.sleep(0.1)
    return answer


class Container:
    """One copy of a tree, booted."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._console = root.with_suffix(".console")
        self._nspawn: subprocess.Popen[bytes] | None = None
        self._leader = 0

    def boot(self) -> None:
        """Start systemd and wait until it has started everything."""
        options = ["--quiet", "--boot", "--private-network", "--register=no", "--link-journal=no"]
        if not Path("/run/systemd/system").exists():
            options.append("--keep-unit")  # there is no manager to ask for a scope
        with self._console.open("ab") as console:
            self._nspawn = subprocess.Popen(
                ["systemd-nspawn", *options, "-D", str(self.root)],
                stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self._leader = until(self._find_leader)
        until(self._has_started, 60.0)

    def reboot(self) -> None:
        """Shut systemd down in good order, and start it again."""
        self.stop()
        self.boot()

    def stop(self) -> None:
        """As by the power button."""
        if self._nspawn is None:
            return
        self._nspawn.send_signal(signal.SIGTERM)
        try:
            self._nspawn.wait(90)
        except subprocess.TimeoutExpired:
            self._nspawn.kill()
            self._nspawn.wait()
        self._nspawn = None

    def remove(self) -> None:
        """Stop it and remove its tree."""
        self.stop()
        shutil.rmtree(self.root, ignore_errors=True)

    def run(self, *command: str, ok: bool = True) -> str:
        """Run a command as root inside; its output."""
        ended = self.ended(*command)
        assert not ok or ended.returncode == 0, f"{command}: {ended.returncode}\n{ended.stdout}{ended.stderr}"
        return ended.stdout

    def ended(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command as root inside."""
        entering = ["nsenter", "-t", str(self._leader), "-m", "-u", "-i", "-n", "-p", "-r", "-w"]
        env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
        return subprocess.run([*entering, *command], capture_output=True, text=True, env=env, check=False)

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write a file inside."""
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def get(self, url: str) -> str:
        """The body of an answer, asked from inside; empty if there was none."""
        return self.run("python3", "-c", _GET, url, ok=False)

    def shown(self, unit: str, name: str) -> str:
        """One property of a unit."""
        return self.run("systemctl", "show", unit, "-P", name).strip()

    def journal(self, unit: str, *options: str) -> str:
        """The messages of a unit, one a line."""
        return self.run("journalctl", "-q", "-o", "cat", "-u", unit, "--no-pager", *options)

    def _find_leader(self) -> int:
        assert self._nspawn is not None
        assert self._nspawn.poll() is None, self._console.read_text(errors="replace")[-2000:]
        children = Path(f"/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children").read_text().split()
        for child in children:
            if os.path.realpath(f"/proc/{child}/exe").endswith("/systemd"):
                return int(child)
        return 0

    def _has_started(self) -> bool:
        return self.run("systemctl", "is-system-running", ok=False).strip() in ("running", "degraded")
