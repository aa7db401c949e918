"""Figures, their aims, and the arithmetic of quantiles; a row of the table is a function that yields figures."""

from __future__ import annotations

import math
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.target import Target

_DECIMALS = {"MB": 0, "GB": 2, "ms": 1, "s": 2, "×": 2, "MiB": 0, "% of a CPU": 2, "/s": 0, "": 0}
_SAID_EVERY = 30.0
"""Seconds of waiting between two signs of life."""


class NotMeasured(Exception):
    """A row that has no figure; the message says why."""


@dataclass(frozen=True)
class Figure:
    """One measured figure; `most` or `least` is its aim, neither if it only explains others."""

    what: str
    measured: float | None
    unit: str = ""
    most: float | None = None
    least: float | None = None
    remark: str = ""

    @property
    def aim(self) -> str:
        """The aim in words, empty if there is none."""
        if self.most is not None:
            return f"≤ {self.most:g} {self.unit}".strip() if self.most else "none"
        return "" if self.least is None else f"≥ {self.least:g} {self.unit}".strip()

    @property
    def shown(self) -> str:
        """The figure with its unit."""
        if self.measured is None or math.isnan(self.measured):
            return "–"
        return f"{self.measured:,.{_DECIMALS[self.unit]}f} {self.unit}".strip()

    @property
    def verdict(self) -> str:
        """Whether the aim is met; judged by the figure itself, not by what is shown of it."""
        if self.measured is None or math.isnan(self.measured):
            return "not measured"
        if not self.aim:
            return ""
        high = self.most is not None and self.measured > self.most
        low = self.least is not None and self.measured < self.least
        return "not met" if high or low else "met"


@dataclass(frozen=True)
class Bench:
    """What every row is given: a checkout to measure, an nginx to ask, how thorough to be, and whom to tell."""

    tree: Path
    target: Target
    quick: bool
    say: Callable[[str], None]
    against: Path | None = None
    """Another checkout, which takes the place of blackbox_exporter."""
    seconds: float = 8.0
    rounds: int = 4
    minutes: float = 10.0
    """How long a soak lasts."""

    def either(self, full: float, quick: float) -> float:
        """The first in a full run, the second in one that gives only an impression."""
        return quick if self.quick else full

    def wait(self, seconds: float, why: str) -> None:
        """Let time pass, and say so while it does."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.say(f"{why}: {left:.0f} s")
            time.sleep(min(left, _SAID_EVERY))


@dataclass(frozen=True)
class Row:
    """A row of the table, with one figure or several."""

    name: str
    title: str
    measure: Callable[[Bench], Iterator[Figure]]


def quantile(values: Sequence[float], q: float) -> float:
    """The smallest value that at least this share of the values does not exceed; NaN of none."""
    return sorted(values)[max(0, math.ceil(q * len(values)) - 1)] if values else math.nan


def bucket_quantile(buckets: dict[float, float], q: float) -> float:
    """A quantile of a cumulative histogram, linear within a bucket as in Prometheus; NaN of an empty one."""
    bounds = sorted(buckets)
    counts = [buckets[bound] for bound in bounds]
    if not counts or not counts[-1]:
        return math.nan
    rank = q * counts[-1]
    at = bisect_left(counts, rank)
    if math.isinf(bounds[at]):
        return bounds[at]
    low, below = (bounds[at - 1], counts[at - 1]) if at else (0.0, 0.0)
    return low + (bounds[at] - low) * (rank - below) / (counts[at] - below)
