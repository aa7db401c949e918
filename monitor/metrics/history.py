"""Exposes the history's own counts: whether it is written, what waits, and what was dropped."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, SummaryMetricFamily
from prometheus_client.registry import Collector

from monitor.stats.meters import HistoryMeter


class HistoryCollector(Collector):
    """The families, without samples where no history is kept."""

    def __init__(self, meter: Callable[[], HistoryMeter | None]) -> None:
        self._meter = meter

    def collect(self) -> Iterator[Metric]:
        """Yields the current values."""
        meter = self._meter()
        families = (
            GaugeMetricFamily("monitor_history_writing", "Whether the last write of the history succeeded: 1 or 0."),
            GaugeMetricFamily("monitor_history_queue_results", "Results that wait to be written."),
            GaugeMetricFamily(
                "monitor_history_last_write_timestamp_seconds", "When the history was last written, in Unix seconds."
            ),
            CounterMetricFamily(  # prometheus-client exposes it as monitor_history_dropped_total
                "monitor_history_dropped", "Results and incidents that were given up because they could not be written."
            ),
            CounterMetricFamily(
                "monitor_history_unreadable", "Stored values that were skipped because they could not be read."
            ),
            SummaryMetricFamily("monitor_history_write_duration_seconds", "How long writes of the history took."),
        )
        if meter is not None:
            writing, queue, last, dropped, unreadable, took = families
            writing.add_metric([], meter.writing)
            queue.add_metric([], meter.queue)
            last.add_metric([], meter.written_at)
            dropped.add_metric([], meter.dropped)
            unreadable.add_metric([], meter.unreadable)
            took.add_metric([], meter.writes, meter.write_seconds)
        yield from families
