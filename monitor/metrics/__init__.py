"""Metrics for Prometheus: what is known of the checks and of the monitor, as text, under stable names."""

from monitor.metrics.checks import CheckCollector
from monitor.metrics.exposition import Registry, Scrape
from monitor.metrics.one_run import write_one_run
from monitor.metrics.overload import Overload
from monitor.metrics.vitals import Vitals

__all__ = ["CheckCollector", "Overload", "Registry", "Scrape", "Vitals", "write_one_run"]
