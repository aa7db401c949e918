"""Collects the checks out of the ledger: a cheap snapshot first, its samples only when somebody reads them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from monitor.clock import Clock
from monitor.ledger import Ledger, Record
from monitor.metrics.labels import (
    cached_label_text,
    cached_number,
    check_labels,
    label_text,
)
from monitor.metrics.points import Frozen, freeze
from monitor.metrics.probe import FAMILIES, Family
from monitor.outcome import State
from monitor.state import aged

_AT_ONCE = 500
"""Checks frozen between two turns of the loop, a millisecond or two."""


class ProbeMetric(Metric):
    """One family over a snapshot, with two readings of the same points.

    `samples` is what any prometheus-client encoder reads. `lines()` is the same as finished text: that library sorts,
    checks and escapes every label of every sample afresh, 0.6 ms per check and scrape, which thousands of checks cannot
    afford.
    """

    def __init__(self, family: Family, checks: tuple[tuple[Frozen, str], ...]) -> None:
        self._family = family
        self._checks = checks
        super().__init__(family.name, family.help, family.kind)

    @property
    def samples(self) -> list[Sample]:
        """Every sample of the family, made anew at each reading."""
        return [
            Sample(
                self.name + point.suffix,
                dict((*check_labels(check.spec), *point.labels)),
                point.value,
            )
            for check, _ in self._checks
            for point in self._family.points(check)
        ]

    @samples.setter
    def samples(self, value: list[Sample]) -> None:
        """Ignored: `Metric` empties the list when it is made."""

    def lines(self) -> Iterator[str]:
        """Every sample of the family as a line of exposition text, the same in both formats."""
        name, points = self._family.name, self._family.points
        written = label_text if name == "probe_info" else cached_label_text
        for check, labels in self._checks:
            for value, more, suffix in points(check):
                text = f"{labels},{written(more)}" if more else labels
                yield f"{name}{suffix}{{{text}}} {cached_number(value)}\n"


class Snapshot:
    """All checks at one moment; holds immutable values only, so another thread may read it."""

    def __init__(self, checks: Iterable[Frozen]) -> None:
        self._checks = tuple(checks)

    def collect(self) -> Iterator[Metric]:
        """The families of the checks, and how many checks are in which state."""
        checks = tuple((c, label_text(check_labels(c.spec))) for c in self._checks)
        for family in FAMILIES:
            yield ProbeMetric(family, checks)
        yield self._states()

    def _states(self) -> Metric:
        family = GaugeMetricFamily("monitor_checks", "Checks in each state.", labels=["state"])
        counted = Counter(check.standing.state for check in self._checks)
        for state in State:
            family.add_metric([state.value], counted[state])
        return family


class CheckCollector(Collector):
    """The checks of a ledger as a prometheus-client collector; keeps nothing itself."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    def snapshot(self) -> Snapshot:
        """The checks as they stand now; to be called on the loop that changes the ledger, 3 µs per check."""
        return Snapshot(self._frozen(self._ledger))

    async def gentle_snapshot(self) -> Snapshot:
        """The same, letting the loop run in between: each check is whole, but they may be some milliseconds apart."""
        records = iter(self._ledger)
        frozen: list[Frozen] = []
        while slice_ := list(self._frozen(islice(records, _AT_ONCE))):
            frozen += slice_
            await asyncio.sleep(0)
        return Snapshot(frozen)

    def collect(self) -> Iterable[Metric]:
        """The families as they stand now."""
        return self.snapshot().collect()

    def _frozen(self, records: Iterable[Record]) -> Iterator[Frozen]:
        now = self._clock()
        for record in records:
            yield freeze(record, aged(record.standing, record.spec, now))
