"""The checks of a ledger for a scrape: written in slices between which the loop goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.parser import text_string_to_metric_families as parsed
from prometheus_client.registry import Collector

from monitor.live.ledger import Ledger
from monitor.metrics.lines import CheckSnapshot, shown
from monitor.metrics.probe import FAMILIES, Family
from monitor.model.clock import Clock
from monitor.model.outcome import State
from monitor.system.turns import turns

_AT_ONCE = 20
"""Checks written together, in less than a millisecond."""


class CheckTexts:
    """Checks as text, family by family."""

    def __init__(self) -> None:
        self.parts = [bytearray() for _ in FAMILIES]
        self.states: Counter[State] = Counter()

    def families(self) -> Iterator[tuple[Family, bytearray]]:
        """Each family with its lines, in the order in which they are exposed."""
        return zip(FAMILIES, self.parts, strict=True)

    def counted(self) -> Metric:
        """Returns the number of checks in each state."""
        family = GaugeMetricFamily("monitor_checks", "Checks in each state.", labels=["state"])
        for state in State:
            family.add_metric([state.value], self.states[state])
        return family


class CheckCollector(Collector):
    """The checks of a ledger as a prometheus-client collector; keeps nothing itself."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    async def written(self) -> CheckTexts:
        """The checks as text; each is whole, but they may be some hundred milliseconds apart."""
        written = CheckTexts()
        async for _ in turns(self._slices(written)):
            pass
        return written

    def collect(self) -> Iterable[Metric]:
        """The families as they stand now, for prometheus-client; slow by nature, and not what answers a scrape."""
        written = CheckTexts()
        for _ in self._slices(written):
            pass
        for family, lines in written.families():
            text = head(family.name, family.help, family.kind) + lines.decode()
            metric = Metric(family.name, family.help, family.kind)
            metric.samples = [sample for found in parsed(text) for sample in found.samples]
            yield metric
        yield written.counted()

    def _slices(self, written: CheckTexts) -> Iterator[None]:
        """Write some checks at every step."""
        records = iter(self._ledger)
        while some := list(islice(records, _AT_ONCE)):
            now = self._clock()
            checks = [shown(record, now) for record in some]
            written.states.update([check.standing.state for check in checks])
            for lines, column in zip(written.parts, zip(*map(_lines, checks), strict=True), strict=True):
                lines.extend("".join(column).encode())
            yield


def _lines(check: CheckSnapshot) -> tuple[str, ...]:
    """A check's lines in each family, written once per result: most are scraped more often than they run."""
    record = check.record
    made_of = (record.attempts, check.standing, record.spec, record.latency)
    if record.exposed is None or any(a is not b for a, b in zip(record.exposed[0], made_of, strict=True)):
        record.exposed = made_of, tuple([family.lines(check) for family in FAMILIES])
    return record.exposed[1]


def head(name: str, help_text: str, kind: str, *, openmetrics: bool = False) -> str:
    """Returns the header lines of a family."""
    if kind == "counter" and not openmetrics:
        name += "_total"
    return f"# HELP {name} {help_text}\n# TYPE {name} {kind}\n"
