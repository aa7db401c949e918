"""The daemon under load: as it is installed, as a process, scraped as Prometheus would."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.machine import cpu_seconds
from tests.bench.target import HOST, Target, ended

SCRAPE_SECONDS = 5.0
_PATIENCE = 20.0
_ACCEPT = {
    "Accept": "application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5",
    "Accept-Encoding": "gzip",
}
"""What Prometheus asks for."""
_SATURATE = Path(__file__).with_name("saturate.py")


@dataclass(frozen=True)
class Daemon:
    """A running daemon."""

    pid: int
    address: str

    def scrape(self) -> dict[str, float]:
        """How many runs ended, failed and found nothing, over all checks."""
        request = urllib.request.Request(f"http://{self.address}/metrics", headers=_ACCEPT)
        with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:
            text = gzip.decompress(answer.read()).decode()
        return {
            name: sum(map(float, re.findall(rf"^probe_{name}_total{{[^}}]*}} (\S+)", text, re.MULTILINE)))
            for name in ("attempts", "failures", "inconclusive")
        }

    def measure(self, seconds: float, *, scraped: bool) -> tuple[float, int, int]:
        """CPU seconds over so many seconds of its work, and how many runs ended well or inconclusively in them."""
        before, cpu = self.scrape(), cpu_seconds(self.pid)
        until = time.monotonic() + seconds
        while scraped and until - time.monotonic() > SCRAPE_SECONDS:
            time.sleep(SCRAPE_SECONDS)
            self.scrape()
        time.sleep(max(0.0, until - time.monotonic()))
        after = self.scrape()
        used = cpu_seconds(self.pid) - cpu
        ran, failed, nothing = (int(after[name] - before[name]) for name in ("attempts", "failures", "inconclusive"))
        if failed:
            raise SystemExit(f"{failed} of {ran} runs failed; no figure means anything then")
        return used, ran - nothing, nothing


@contextmanager
def daemon(tree: Path, target: Target, url: str, checks: int, interval: float) -> Iterator[Daemon]:
    """The daemon of a checkout, with so many checks of one URL and otherwise its default settings."""
    with tempfile.TemporaryDirectory(prefix="bench-monitor-") as folder:
        config, log = Path(folder, "checks.toml"), Path(folder, "log")
        config.write_text(_configuration(target, url, checks, interval))
        command = [sys.executable, "-m", "monitor", "run", "-c", str(config), "--listen", f"{HOST}:0"]
        with log.open("wb") as stderr, ended(subprocess.Popen(command, cwd=tree, stderr=stderr)) as process:
            yield Daemon(process.pid, _listen(log, process))


def saturated(tree: Path, target: Target, url: str, seconds: float) -> tuple[float, int]:
    """CPU seconds and runs of the path of a check, back to back, in a process of a checkout."""
    command = [sys.executable, "-P", str(_SATURATE), url, str(target.ca_file), str(seconds)]
    answer = subprocess.run(
        command, cwd=tree, env=os.environ | {"PYTHONPATH": str(tree)}, stdout=subprocess.PIPE, check=True
    )
    measured = json.loads(answer.stdout)
    return measured["cpu_seconds"], measured["runs"]


def _configuration(target: Target, url: str, checks: int, interval: float) -> str:
    limit = min(interval, 5.0)
    tls = f'tls = {{ ca_file = "{target.ca_file}" }}' if url.startswith("https") else ""
    defaults = f"""[defaults]
interval = {interval}
timeout = {{ connect = {limit}, read = {limit}, total = {limit} }}
{tls}
"""
    return defaults + "".join(f'[[checks]]\nname = "check-{n}"\nurl = "{url}"\n' for n in range(checks))


def _listen(log: Path, process: subprocess.Popen[bytes]) -> str:
    """The address in the line that says that the daemon has started."""
    until = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < until:
        for line in log.read_text().splitlines():
            said = json.loads(line) if line.startswith("{") else {}
            if said.get("event") == "started":
                address: str = said["listen"]
                return address
        time.sleep(0.05)
    raise SystemExit(f"the daemon did not start:\n{log.read_text()}")
