"""The monitor's own figures: whether it is on time, what it skipped, and whether its configuration is in force."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Metric,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from monitor.live.events import RecordedResult
from monitor.metrics.history import HistoryCollector
from monitor.model.outcome import Outcome, Reason
from monitor.stats.meters import HistoryMeter, Latency, Meter, WorkerMeter, total
from monitor.system.supervision import LOOPS

SPOILT_REASONS = tuple(reason.value for reason in Reason if reason.outcome is Outcome.INCONCLUSIVE)
"""Reasons of inconclusive results."""

_LAG = "How much later than due a run started"
_LOOP = "How much later than asked for the event loop woke up"
_FLIGHT = "Runs that are under way now"


class Vitals:
    """The monitor's own metrics, registered with a registry.

    `meters` are the figures of all that probes, `workers` those of the probe workers among them, by number, `history`
    those of the history, None if none is kept.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        version: str,
        meters: Callable[[], Iterable[Meter]] = tuple,
        workers: Callable[[], Mapping[str, WorkerMeter]] = dict,
        history: Callable[[], HistoryMeter | None] = lambda: None,
    ) -> None:
        registry.register(_MeterCollector(meters))
        registry.register(HistoryCollector(history))
        registry.register(_WorkerCollector(workers))
        self.runs_inconclusive = Counter(
            "monitor_runs_inconclusive",
            "Runs of all checks that say nothing about their target, by reason.",
            ["reason"],
            registry=registry,
        )
        for reason in SPOILT_REASONS:
            self.runs_inconclusive.labels(reason)
        self.config_last_reload_successful = Gauge(
            "monitor_config_last_reload_successful",
            "Whether the last attempt to load the configuration succeeded: 1 or 0.",
            registry=registry,
        )
        self.config_last_reload_success_timestamp = Gauge(
            "monitor_config_last_reload_success_timestamp_seconds",
            "When the configuration in force was loaded, in Unix seconds.",
            registry=registry,
        )
        _register_process(registry, version)

    def on_result(self, recorded: RecordedResult) -> None:
        """Counts the runs of an inconclusive result."""
        if not recorded.result.conclusive:
            self.runs_inconclusive.labels(recorded.result.reason.value).inc(recorded.runs)

    def configuration_loaded(self, now: float) -> None:
        """A configuration came into force, at Unix seconds `now`; the first one counts too."""
        self.config_last_reload_successful.set(1)
        self.config_last_reload_success_timestamp.set(now)

    def configuration_refused(self) -> None:
        """A reload found problems; the old configuration goes on."""
        self.config_last_reload_successful.set(0)


class _MeterCollector(Collector):
    """Sums the counts of all probing processes."""

    def __init__(self, meters: Callable[[], Iterable[Meter]]) -> None:
        self._meters = meters

    def collect(self) -> Iterator[Metric]:
        """The families, the same whether there are workers or not."""
        meter = total(self._meters())
        yield GaugeMetricFamily("monitor_checks_in_flight", f"{_FLIGHT}.", meter.in_flight)
        yield _histogram("monitor_schedule_lag_seconds", f"{_LAG}.", {(): meter.schedule_lag})
        skipped = CounterMetricFamily(  # prometheus-client exposes it as monitor_runs_skipped_total
            "monitor_runs_skipped", "Runs that were due and did not happen, by reason.", labels=["reason"]
        )
        for why, runs in meter.skipped.items():
            skipped.add_metric([why], runs)
        yield skipped
        yield _histogram("monitor_event_loop_lag_seconds", f"{_LOOP}.", {(): meter.event_loop_lag})
        failures = CounterMetricFamily(
            "monitor_supervision_failures", "Turns of the monitor's own loops that a bug ended.", labels=["loop"]
        )
        for loop in LOOPS:
            failures.add_metric([loop], meter.supervision.get(loop, 0))
        yield failures


class _WorkerCollector(Collector):
    """Exposes the counts of each probe worker; they restart with its process."""

    def __init__(self, workers: Callable[[], Mapping[str, WorkerMeter]]) -> None:
        self._workers = workers

    def collect(self) -> Iterator[Metric]:
        """The families, without samples where the daemon probes in its own process."""
        found = self._workers()
        for name, meaning, reading in _WORKER_GAUGES:
            yield _labelled(GaugeMetricFamily(name, meaning, labels=["worker"]), found, reading)
        for name, meaning, reading in _WORKER_COUNTERS:
            yield _labelled(CounterMetricFamily(name, meaning, labels=["worker"]), found, reading)
        lags: _Latencies = {(n,): w.meter.schedule_lag for n, w in found.items()}
        yield _histogram("monitor_worker_schedule_lag_seconds", f"{_LAG}, by probe worker.", lags)
        loops: _Latencies = {(n,): w.meter.event_loop_lag for n, w in found.items()}
        yield _histogram("monitor_worker_event_loop_lag_seconds", f"{_LOOP}, by probe worker.", loops)


_Latencies = Mapping[tuple[str, ...], Latency]
_Reading = Callable[[WorkerMeter], float]
_Family = TypeVar("_Family", GaugeMetricFamily, CounterMetricFamily)
_WORKER_GAUGES: tuple[tuple[str, str, _Reading], ...] = (
    ("monitor_worker_up", "Whether the probe worker lives and answers: 1 or 0.", lambda w: w.up),
    ("monitor_worker_checks", "Checks that the probe worker runs.", lambda w: w.checks),
    ("monitor_worker_checks_in_flight", f"{_FLIGHT}, by probe worker.", lambda w: w.meter.in_flight),
    ("monitor_worker_resident_memory_bytes", "Resident memory of the probe worker.", lambda w: w.resident_bytes),
)
_WORKER_COUNTERS: tuple[tuple[str, str, _Reading], ...] = (
    ("monitor_worker_restarts", "How often the probe worker had to be started again.", lambda w: w.restarts),
    ("monitor_worker_cpu_seconds", "User and system CPU time of the probe worker.", lambda w: w.cpu_seconds),
)


def _labelled(family: _Family, workers: Mapping[str, WorkerMeter], reading: _Reading) -> _Family:
    for number, worker in workers.items():
        family.add_metric([number], reading(worker))
    return family


def _histogram(name: str, meaning: str, latencies: _Latencies) -> HistogramMetricFamily:
    labels = ["worker"] if () not in latencies else []
    family = HistogramMetricFamily(name, meaning, labels=labels)
    for values, latency in latencies.items():
        family.add_metric(list(values), _buckets(latency), latency.total)
    return family


def _buckets(latency: Latency) -> list[tuple[str, float]]:
    """Cumulative counts by upper bound, as the exposition wants them."""
    counted = 0
    buckets = []
    for bound, count in zip((*map(str, latency.bounds), "+Inf"), latency.counts, strict=True):
        counted += count
        buckets.append((bound, float(counted)))
    return buckets


def _register_process(registry: CollectorRegistry, version: str) -> None:
    """Registers constant metrics of the process, and prometheus-client's own `process_*` and `python_*`."""
    Gauge(
        "monitor_build_info",
        "Version of the monitor and of the Python that runs it, always 1.",
        ["version", "python"],
        registry=registry,
    ).labels(version, platform.python_version()).set(1)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
