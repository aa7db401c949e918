"""Whether the monitor itself is overloaded, by what it skipped and started late in the last minute."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from prometheus_client import Metric

from monitor.metrics.vitals import Vitals

_WINDOW = 60.0
"""Seconds."""
_LATE = "1.0"
"""Seconds, a bound of the histogram: who starts so late asks at another time than the page says."""
_MANY = 0.01
"""The share of runs that may start late, after a short stall for instance, before anything has to be done."""


class Load(NamedTuple):
    """Totals since the start of the monitor."""

    runs: float
    punctual: float
    skipped: float


class Overload:
    """Looks at the vitals now and then, and says what the last minute was like."""

    def __init__(self, vitals: Vitals) -> None:
        self._vitals = vitals
        self._seen: deque[tuple[float, Load]] = deque()

    def look(self, now: float) -> None:
        """To be called every second or so, at steady seconds `now`."""
        self._seen.append((now, _load(self._vitals)))
        while now - self._seen[0][0] > _WINDOW:
            self._seen.popleft()

    def trouble(self) -> str | None:
        """What is wrong and what to do, in a sentence; None if the monitor keeps up."""
        if not self._seen:
            return None
        (_, before), (_, after) = self._seen[0], self._seen[-1]
        runs, skipped = after.runs - before.runs, after.skipped - before.skipped
        late = runs - (after.punctual - before.punctual)
        if not skipped and late <= _MANY * runs:
            return None
        return (
            f"the monitor is overloaded: of the last minute's runs {skipped:,.0f} were skipped, and {late:,.0f} of "
            f"{runs:,.0f} started more than a second late; raise intervals or add probe workers, see Sizing in "
            "docs/operating.md"
        )


def _load(vitals: Vitals) -> Load:
    lag = vitals.schedule_lag.collect()
    skipped = vitals.runs_skipped.collect()
    return Load(
        _total(lag, "_count"),
        _total(lag, "_bucket", le=(_LATE,)),
        _total(skipped, "_total", reason=("overlap", "late")),
    )


def _total(metrics: Iterable[Metric], suffix: str, **wanted: tuple[str, ...]) -> float:
    """The sum of the samples of this kind that have one of the wanted values in each label."""
    return sum(
        sample.value
        for metric in metrics
        for sample in metric.samples
        if sample.name == metric.name + suffix and all(sample.labels[key] in values for key, values in wanted.items())
    )
