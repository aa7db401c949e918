"""The monitor's own figures: whether it is on time, what it skipped, and whether its configuration is in force."""

from __future__ import annotations

import platform

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)

from monitor.outcome import Outcome, Reason

SKIP_REASONS = ("overlap", "late", "stalled")
"""Why a run may be skipped: two wait for the one before; it waited for a slot until the next; all stood still."""

SPOILT_REASONS = tuple(reason.value for reason in Reason if reason.outcome is Outcome.INCONCLUSIVE)
"""Why a run may say nothing of its target."""

_SCHEDULE_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0)
_LOOP_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)


class Vitals:
    """The monitor's own metrics, registered with a registry; each is a plain prometheus-client object to be set."""

    def __init__(self, registry: CollectorRegistry, version: str) -> None:
        self.checks_in_flight = Gauge(
            "monitor_checks_in_flight",
            "Runs that are under way now.",
            registry=registry,
        )
        self.schedule_lag = Histogram(
            "monitor_schedule_lag_seconds",
            "How much later than due a run started.",
            buckets=_SCHEDULE_BUCKETS,
            registry=registry,
        )
        self.runs_skipped = Counter(  # prometheus-client makes it monitor_runs_skipped_total
            "monitor_runs_skipped",
            "Runs that were due and did not happen, by reason.",
            ["reason"],
            registry=registry,
        )
        for reason in SKIP_REASONS:
            self.runs_skipped.labels(reason)
        self.runs_inconclusive = Counter(
            "monitor_runs_inconclusive",
            "Runs of all checks that say nothing about their target, by reason.",
            ["reason"],
            registry=registry,
        )
        for reason in SPOILT_REASONS:
            self.runs_inconclusive.labels(reason)
        self.event_loop_lag = Histogram(
            "monitor_event_loop_lag_seconds",
            "How much later than asked for the event loop woke up.",
            buckets=_LOOP_BUCKETS,
            registry=registry,
        )
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

    def configuration_loaded(self, now: float) -> None:
        """A configuration came into force, at Unix seconds `now`; the first one counts too."""
        self.config_last_reload_successful.set(1)
        self.config_last_reload_success_timestamp.set(now)

    def configuration_refused(self) -> None:
        """A reload found problems; the old configuration goes on."""
        self.config_last_reload_successful.set(0)


def _register_process(registry: CollectorRegistry, version: str) -> None:
    """What stays the same while the process lives, and prometheus-client's own `process_*` and `python_*`."""
    Gauge(
        "monitor_build_info",
        "Version of the monitor and of the Python that runs it, always 1.",
        ["version", "python"],
        registry=registry,
    ).labels(version, platform.python_version()).set(1)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
