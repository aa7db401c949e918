"""Runs the checks, in this process or in probe workers; the rest of the monitor does not know which."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping

from monitor.model.clock import Clock, Moment
from monitor.model.result import Result
from monitor.model.settings import Configuration, MonitorSpec
from monitor.protocols.resources import Resources
from monitor.scheduling.engine import Engine
from monitor.scheduling.probing import Prober
from monitor.scheduling.runner import DrainCount
from monitor.scheduling.workers import OnResult, Pool
from monitor.stats.meters import Meter, WorkerMeter
from monitor.system.supervision import Turn

_SILENT_SCHEDULER = 5.0
"""Seconds without a beat of the scheduler after which it is not healthy."""


class Execution:
    """The engine of this process, which also runs requests for `/probe`, and the probe workers if there are any.

    The scheduler calls `on_beat` every `beat_every` seconds.
    """

    def __init__(
        self, spec: MonitorSpec, on_result: OnResult, on_beat: Callable[[], None], beat_every: float, clock: Clock
    ) -> None:
        def from_engine(check: str, result: Result, runs: int, _: float | None) -> None:
            on_result(check, result, runs)

        self._engine = Engine(from_engine, spec.max_concurrency, on_beat, clock, beat_every)
        self._pool = Pool(spec.workers, on_result, clock) if spec.workers else None
        self.prober = Prober(self._engine)

    async def start(self, spec: MonitorSpec) -> None:
        """Starts the scheduler and all workers, without checks. Raises StartError if a worker does not start."""
        self._engine.start()
        if self._pool is not None:
            await self._pool.start(self._engine.epoch, spec)

    async def stop(self) -> None:
        """Ends the workers and the scheduler."""
        if self._pool is not None:
            await self._pool.stop()
        self._engine.stop()

    def use(self, config: Configuration, resources: Resources) -> None:
        """Runs these checks from now on, and no others; one that did not change does not notice."""
        here = config.checks if self._pool is None else ()
        self._engine.use(here, resources, config.monitor.max_concurrency)
        if self._pool is not None:
            self._pool.use(config)

    def run_again(self, check: str) -> None:
        """Runs a check once more, soon."""
        if self._pool is None:
            self._engine.run_again([check])
        else:
            self._pool.run_again(check)

    def beat(self) -> None:
        """Looks after the workers, once a second."""
        if self._pool is not None:
            with Turn("worker"):
                self._pool.beat()

    async def drain(self, limit: float) -> DrainCount:
        """Starts nothing more, lets runs end within `limit` seconds, and cancels the rest."""
        here, others = await asyncio.gather(self._engine.drain(limit), self._drain_workers(limit))
        running, cancelled = map(sum, zip(here, *others, strict=True))
        return DrainCount(running, cancelled)

    async def _drain_workers(self, limit: float) -> list[DrainCount]:
        return await self._pool.drain(limit) if self._pool else []

    @property
    def epoch(self) -> Moment:
        """The moment of the start, by which all due times are mapped to the steady clock."""
        return self._engine.epoch

    def unhealthy(self) -> str | None:
        """Returns why the monitor should be restarted, in a sentence; None if it is healthy."""
        if self._engine.silence > _SILENT_SCHEDULER:
            return f"the scheduler has not run for {self._engine.silence:.0f} s"
        return self._pool.unhealthy() if self._pool else None

    def meters(self) -> Iterable[Meter]:
        """Returns the counts of all processes that probe."""
        return (self._engine.meter, *(self._pool.meters() if self._pool else ()))

    def worker_meters(self) -> Mapping[str, WorkerMeter]:
        """Returns the figures of each worker, by its number."""
        return self._pool.workers() if self._pool else {}
