"""Runs the checks of one event loop, in the daemon or in a worker: schedule, runner and watchdog."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from monitor.model.clock import Clock, Moment
from monitor.model.result import Result
from monitor.model.spec import CheckSpec
from monitor.protocols.resources import Resources
from monitor.scheduling.runner import DrainCount, OnRun, Runner
from monitor.scheduling.schedule import BEAT, Job, Schedule
from monitor.scheduling.stall import Watchdog
from monitor.stats.meters import Meter
from monitor.system import supervision as supervised
from monitor.system.process import descriptors_for


class Engine:
    """Runs checks when they are due, and calls `on_run` with every result; `beat` is called by the scheduler itself.

    `limit` is how many runs may be under way at once.
    """

    def __init__(
        self, on_run: OnRun, limit: int, beat: Callable[[], None], clock: Clock, beat_every: float = BEAT
    ) -> None:
        self._meter = Meter(supervision=supervised.failures)
        self._watchdog = Watchdog(self._meter.event_loop_lag.observe)
        self._runner = Runner(
            Resources(),
            limit=limit,
            descriptors=descriptors_for(limit),
            watchdog=self._watchdog,
            meter=self._meter,
            on_run=on_run,
        )
        self._schedule = Schedule(self._runner.due, beat, clock, beat_every)
        self._jobs: dict[str, Job] = {}

    def start(self, epoch: Moment | None = None) -> None:
        """Begin; due times are mapped to the steady clock by `epoch`, or by the clocks as they are now."""
        self._watchdog.start()
        self._schedule.start(epoch)

    def stop(self) -> None:
        """Start nothing more; what runs goes on."""
        self._schedule.stop()
        self._watchdog.stop()

    @property
    def meter(self) -> Meter:
        """The figures of this process."""
        self._meter.in_flight = self._runner.in_flight
        return self._meter

    @property
    def epoch(self) -> Moment:
        """The moment of the start, by which all due times are mapped to the steady clock."""
        return self._schedule.epoch

    @property
    def silence(self) -> float:
        """Seconds since the scheduler last showed that it lives."""
        return time.monotonic() - self._schedule.last_beat

    def use(self, specs: Iterable[CheckSpec], resources: Resources, limit: int) -> None:
        """Run these checks from now on, and no others; one that did not change does not notice."""
        self._runner.use(resources, limit)
        wanted = {spec.name: spec for spec in specs}
        for name, job in self._jobs.items():
            if wanted.get(name) != job.spec:
                self._runner.forget(job)
        self._jobs = {name: self._job(spec) for name, spec in wanted.items()}
        self._schedule.apply(self._jobs)

    def run_again(self, names: Iterable[str]) -> None:
        """Runs these checks soon, outside of their schedule, as a result of each was lost."""
        for name in names:
            if job := self._jobs.get(name):
                self._runner.run_again(job)

    async def ask(self, spec: CheckSpec, resources: Resources, until: float) -> Result:
        """Runs a check for a waiting caller until `until` (steady seconds); records nothing."""
        return await self._runner.ask(spec, resources, until)

    async def drain(self, limit: float) -> DrainCount:
        """Start nothing more, let what runs end within `limit` seconds, cancel the rest."""
        self._schedule.stop()
        return await self._runner.drain(limit)

    def _job(self, spec: CheckSpec) -> Job:
        job = self._jobs.get(spec.name) or Job(spec)
        job.spec = spec
        return job
