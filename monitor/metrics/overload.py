"""Detects that the monitor is overloaded, by the runs skipped and late in the last minute."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

from monitor.stats.meters import Meter, total

_WINDOW = 60.0
"""Seconds."""
_LATE = 1.0
"""Seconds, a bound of the histogram: who starts so late asks at another time than the page says."""
_MANY = 0.01
"""The share of runs that may start late, after a short stall for instance, before anything has to be done."""


class Load(NamedTuple):
    """Totals since the start of the processes that probe; a worker's begin again with its process."""

    runs: int
    late: int
    skipped: int


class Overload:
    """Looks at what all that probes has counted now and then, and says what the last minute was like."""

    def __init__(self, meters: Callable[[], Iterable[Meter]]) -> None:
        self._meters = meters
        self._seen: deque[tuple[float, Load]] = deque()

    def look(self, now: float) -> None:
        """Takes a sample; call it about once a second, with steady seconds."""
        self._seen.append((now, _load(total(self._meters()))))
        while now - self._seen[0][0] > _WINDOW:
            self._seen.popleft()

    def trouble(self) -> str | None:
        """Returns the problem and its remedy in a sentence; None if the monitor keeps up."""
        if not self._seen:
            return None
        (_, before), (_, after) = self._seen[0], self._seen[-1]
        runs, late, skipped = (max(0, a - b) for a, b in zip(after, before, strict=True))
        if not skipped and late <= _MANY * runs:
            return None
        return (
            f"the monitor is overloaded: of the last minute's runs {skipped:,} were skipped, and {late:,} of {runs:,} "
            "started more than a second late; raise intervals or add probe workers, see Sizing in docs/operating.md"
        )


def _load(meter: Meter) -> Load:
    lag = meter.schedule_lag
    late = sum(lag.counts[lag.bounds.index(_LATE) + 1 :])
    return Load(sum(lag.counts), late, meter.skipped["overlap"] + meter.skipped["late"])
