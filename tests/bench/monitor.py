"""The daemon under load: as it is installed, as a process, asked as Prometheus and browsers would."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from tests.bench.figures import NotMeasured
from tests.bench.machine import cpu_seconds
from tests.bench.scrape import Scrape
from tests.bench.target import HOST, ended

SCRAPE_SECONDS = 5.0
_PATIENCE = 60.0
PROMETHEUS = {
    "Accept": "application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5",
    "Accept-Encoding": "gzip",
}
"""What Prometheus asks for."""
BROWSER = {"Accept": "text/html", "Accept-Encoding": "gzip"}
_SATURATE = Path(__file__).with_name("saturate.py")


class Visitor:
    """One client of the daemon, on one kept connection."""

    def __init__(self, address: str) -> None:
        self._connection = http.client.HTTPConnection(address, timeout=_PATIENCE)

    def get(self, path: str, headers: dict[str, str] | None = None, method: str = "GET") -> tuple[float, bytes]:
        """Seconds until the last byte of the answer was here, and its body as sent."""
        began = time.monotonic()
        self._connection.request(method, path, headers=headers or {})
        answer = self._connection.getresponse()
        body = answer.read()
        took = time.monotonic() - began
        if answer.status != 200:
            raise NotMeasured(f"{method} {path} was answered with {answer.status}")
        return took, body

    def first_byte(self, path: str, headers: dict[str, str] | None = None) -> float:
        """Seconds until the head of the answer was here."""
        began = time.monotonic()
        self._connection.request("GET", path, headers=headers or {})
        answer = self._connection.getresponse()
        took = time.monotonic() - began
        answer.read()
        return took


class Spent(NamedTuple):
    """CPU of the daemon over a stretch of time, and the runs that ended in it."""

    seconds: float
    cpu_seconds: float
    runs: int
    inconclusive: int
    """Runs that the daemon could not make in time, on a machine that has too much to do; they are not in `runs`."""

    @property
    def per_run(self) -> float:
        """Milliseconds of CPU for a run."""
        return 1000 * self.cpu_seconds / self.runs if self.runs else float("nan")

    @property
    def share(self) -> float:
        """Per cent of one CPU."""
        return 100 * self.cpu_seconds / self.seconds


@dataclass(frozen=True)
class Daemon:
    """A running daemon, when it was launched in steady seconds, and its checks.toml, beside which its history is."""

    pid: int
    address: str
    launched: float
    config: Path

    def scrape(self) -> Scrape:
        """All its metrics."""
        began = time.monotonic()
        _, body = Visitor(self.address).get("/metrics", PROMETHEUS)
        return Scrape(began, gzip.decompress(body).decode())

    def results(self, checks: Iterable[str], begin: float, end: float) -> Iterator[tuple[str, float, dict[str, Any]]]:
        """Each result of these checks that began in this window: whose it is, when that was, and all of it."""
        visitor = Visitor(self.address)
        for check in checks:
            for result in json.loads(visitor.get(f"/status/{check}.json")[1])["recent"]:
                started = datetime.fromisoformat(result["started_at"]).timestamp()
                if begin <= started < end:
                    yield check, started, result

    def measure(self, seconds: float, *, scraped: bool) -> Spent:
        """What it spends on so many seconds of its work, in which every run must succeed."""
        before, began, cpu = self.scrape(), time.monotonic(), cpu_seconds(self.pid)
        until = began + seconds
        visitor = Visitor(self.address)
        while scraped and until - time.monotonic() > SCRAPE_SECONDS:
            time.sleep(SCRAPE_SECONDS)
            visitor.get("/metrics", PROMETHEUS)
        time.sleep(max(0.0, until - time.monotonic()))
        if scraped:
            visitor.get("/metrics", PROMETHEUS)
        took, used = time.monotonic() - began, cpu_seconds(self.pid) - cpu
        after = self.scrape()
        ran, failed, nothing = (
            after.total(name) - before.total(name)
            for name in ("probe_attempts_total", "probe_failures_total", "probe_inconclusive_total")
        )
        if failed:
            raise NotMeasured(f"{failed:.0f} of {ran:.0f} runs failed; no figure means anything then")
        within = took / (after.at - before.at)  # the counters were read a little before and after the CPU was
        return Spent(took, used, round((ran - nothing) * within), round(nothing))


def configuration(
    urls: Iterable[str], interval: float, limits: tuple[float, float, float] | None = None, **settings: object
) -> str:
    """A checks.toml with a check of each URL; limits are connect, read and total, settings those of the daemon."""
    connect, read, total = limits or (min(interval, 5.0),) * 3
    ca_file = settings.pop("ca_file", None)
    tls = "" if ca_file is None else f'tls = {{ ca_file = "{ca_file}" }}\n'
    return (
        "[monitor]\n"
        + "".join(f"{key} = {value}\n" for key, value in settings.items())
        + f"[defaults]\ninterval = {interval}\n"
        + f"timeout = {{ connect = {connect}, read = {read}, total = {total} }}\n{tls}"
        + "".join(
            f'[[checks]]\nname = "check-{n}"\ngroup = "group-{n // 50}"\nurl = "{url}"\n' for n, url in enumerate(urls)
        )
    )


@contextmanager
def daemon(tree: Path, text: str) -> Iterator[Daemon]:
    """The daemon of a checkout with this configuration."""
    with tempfile.TemporaryDirectory(prefix="bench-monitor-") as folder:
        config, log = Path(folder, "checks.toml"), Path(folder, "log")
        config.write_text(text)
        command = [sys.executable, "-m", "monitor", "run", "-c", str(config), "--listen", f"{HOST}:0"]
        environ = os.environ | {"STATE_DIRECTORY": folder}
        launched = time.monotonic()
        with (
            log.open("wb") as stderr,
            ended(subprocess.Popen(command, cwd=tree, stderr=stderr, env=environ)) as process,
        ):
            yield Daemon(process.pid, _listen(log, process), launched, config)


def validated(tree: Path, text: str) -> tuple[float, str]:
    """Seconds that `monitor validate` takes for a configuration, and what it has against it, if anything."""
    with tempfile.TemporaryDirectory(prefix="bench-monitor-") as folder:
        config = Path(folder, "checks.toml")
        config.write_text(text)
        began = time.monotonic()
        command = [sys.executable, "-m", "monitor", "validate", "-c", str(config)]
        done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
        return time.monotonic() - began, "" if done.returncode == 0 else done.stdout + done.stderr


def saturated(tree: Path, url: str, ca_file: Path, seconds: float) -> Spent:
    """CPU seconds and runs of the path of a check, back to back, in a process of a checkout."""
    command = [sys.executable, "-P", str(_SATURATE), url, str(ca_file), str(seconds)]
    answer = subprocess.run(
        command, cwd=tree, env=os.environ | {"PYTHONPATH": str(tree)}, stdout=subprocess.PIPE, check=True
    )
    measured = json.loads(answer.stdout)
    return Spent(seconds, measured["cpu_seconds"], measured["runs"], 0)


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
    raise NotMeasured(f"the daemon did not start: {log.read_text()}")
