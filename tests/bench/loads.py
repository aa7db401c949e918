"""What is measured: each load is put on both contenders in turn, several times, and every round gives one ratio."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Literal, NamedTuple

from tests.bench.exporter import Driver, exporter
from tests.bench.machine import cpu_seconds, resident_mib
from tests.bench.monitor import daemon, saturated
from tests.bench.target import Target

_WARM_UP = 3.0
"""Seconds of a load before it is measured: every check has run once then, and what is made once is made."""


@dataclass(frozen=True)
class Load:
    """Checks of one scheme; `rate` of them per second, None for as many as go. An idle one measures the rest."""

    name: str
    title: str
    scheme: Literal["http", "https"]
    rate: float | None
    idle: bool = False
    interval: float = 1.0


LOADS = (
    Load("http-100", "HTTP, 100/s", "http", 100),
    Load("http-600", "HTTP, 600/s", "http", 600),
    Load("http-max", "HTTP, back to back", "http", None),
    Load("https-50", "HTTPS, 50/s", "https", 50),
    Load("https-max", "HTTPS, back to back", "https", None),
    Load("idle", "idle: 20 checks, every 30 s", "http", 20 / 30, idle=True, interval=30.0),
)


class Sample(NamedTuple):
    """What one contender used in one round; memory is None where no whole daemon ran."""

    seconds: float
    cpu_seconds: float
    runs: int
    mib: float | None = None
    inconclusive: int = 0
    """Runs that the daemon could not make in time, on a machine that has too much to do; they are not in `runs`."""

    @property
    def per_run(self) -> float:
        """Milliseconds of CPU for a check."""
        return 1000 * self.cpu_seconds / self.runs

    @property
    def share(self) -> float:
        """Per cent of one CPU."""
        return 100 * self.cpu_seconds / self.seconds


@dataclass
class Comparison:
    """The rounds of one load, ours and theirs by turns."""

    load: Load
    ours: list[Sample] = field(default_factory=list)
    theirs: list[Sample] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        """Ours divided by theirs, round by round."""
        return [a.per_run / b.per_run for a, b in zip(self.ours, self.theirs, strict=True)]

    def typical(self, samples: list[Sample]) -> float:
        """The median: milliseconds of CPU for a check, or per cent of a CPU if it idles."""
        return median(s.share if self.load.idle else s.per_run for s in samples)


class Contest:
    """This checkout against blackbox_exporter, or against another checkout."""

    def __init__(self, target: Target, against: Path | None, seconds: float, rounds: int) -> None:
        self._target = target
        self._here = Path(__file__).parents[2]
        self._against = against
        self._seconds = seconds
        self._rounds = rounds

    @property
    def opponent(self) -> str:
        """Who we are measured against."""
        return "blackbox_exporter" if self._against is None else str(self._against)

    def compare(self, load: Load) -> Iterator[Comparison]:
        """The comparison as it stands after each round."""
        seconds = 3 * self._seconds if load.idle else self._seconds
        comparison = Comparison(load)
        for _ in range(1 if load.idle else self._rounds):
            comparison.ours.append(self._monitor(self._here, load, seconds))
            comparison.theirs.append(self._theirs(load, seconds))
            yield comparison

    def _theirs(self, load: Load, seconds: float) -> Sample:
        if self._against is None:
            return self._exporter(load, seconds)
        return self._monitor(self._against, load, seconds)

    def _monitor(self, tree: Path, load: Load, seconds: float) -> Sample:
        url = self._target.url(load.scheme)
        if load.rate is None:
            return Sample(seconds, *saturated(tree, self._target, url, seconds))
        with daemon(tree, self._target, url, round(load.rate * load.interval), load.interval) as running:
            time.sleep(_WARM_UP)
            used, runs, nothing = running.measure(seconds, scraped=not load.idle)
            return Sample(seconds, used, runs, resident_mib(running.pid), nothing)

    def _exporter(self, load: Load, seconds: float) -> Sample:
        with exporter(self._target) as (pid, port):
            driver = Driver(port, self._target.url(load.scheme))

            def drive(how_long: float) -> int:
                work = driver.saturated(how_long) if load.rate is None else driver.paced(load.rate, how_long)
                return driver.run(work)

            drive(_WARM_UP)
            before = cpu_seconds(pid)
            runs = drive(seconds)
            return Sample(seconds, cpu_seconds(pid) - before, runs, resident_mib(pid))
