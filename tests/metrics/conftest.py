"""A ledger whose checks a test can run through any results, and what a scrape then says."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from monitor.live.ledger import Ledger
from monitor.metrics import CheckCollector, Registry, Vitals
from monitor.model.clock import Moment
from monitor.model.outcome import Reason
from monitor.model.result import Phases
from monitor.model.settings import MonitorSpec
from monitor.model.spec import CheckSpec
from monitor.stats.meters import Meter, WorkerMeter
from tests.flat import flat_result, flat_spec

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


@dataclass
class Bench:
    """One monitor's metrics, without the monitor."""

    now: Moment = field(default_factory=lambda: Moment(1_790_000_000.0, 1000.0))
    ledger: Ledger = field(default_factory=Ledger)
    monitor: MonitorSpec = field(default_factory=MonitorSpec)

    def __post_init__(self) -> None:
        self.registry = Registry(CheckCollector(self.ledger, lambda: self.now))
        self.meter = Meter()
        self.workers: dict[str, WorkerMeter] = {}
        self.vitals = Vitals(self.registry, "1.2.3", lambda: [self.meter], lambda: self.workers)

    def configure(self, *specs: CheckSpec) -> None:
        self.ledger.apply(specs, self.monitor, self.now)

    def run(self, name: str, reason: Reason = Reason.OK, **found: object) -> None:
        """One run of a check that found this."""
        record = self.ledger.get(name)
        assert record is not None
        facts: dict[str, object] = {"duration": 0.1, "phases": Phases(0.01, 0.02, None, 0.06, 0.01)}
        result = flat_result(name, self.now.wall, reason, "as found", **(facts | found))  # type: ignore[arg-type]
        record.add(result, self.now)

    def wait(self, seconds: float) -> None:
        self.now = Moment(self.now.wall + seconds, self.now.steady + seconds)

    async def text(self, accept: str = "") -> str:
        return (await self.registry.scrape(accept, "")).body.decode()

    async def series(self) -> Series:
        """Every sample of a scrape, the same in both formats."""
        plain = samples(list(parse_text(await self.text())))
        openmetrics = samples(list(parse_openmetrics(await self.text(OPENMETRICS))))
        assert ours(plain) == ours(openmetrics)
        return plain

    async def of(self, name: str, **labels: str) -> float | None:
        """One sample of the check «api» of the group «shop»."""
        wanted = {"check": "api", "group": "shop"} | labels
        return (await self.series()).get((name, frozenset(wanted.items())))


def samples(families: list[Metric]) -> Series:
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def ours(series: Series) -> Series:
    """Without what differs between two scrapes of any process."""
    return {key: value for key, value in series.items() if key[0].startswith(("probe_", "monitor_"))}


def spec(name: str = "api", **more: object) -> CheckSpec:
    """A check of the group «shop»."""
    facts = {"url": "https://api.example.com/", "target": "https://api.example.com/", "group": "shop"} | more
    return flat_spec(name, **facts)  # type: ignore[arg-type]


@pytest.fixture
def bench() -> Bench:
    made = Bench()
    made.configure(spec())
    return made
