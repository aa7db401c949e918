"""Deals the checks out to the probe workers, and accounts for each run, also for those that a worker lost."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from zlib import crc32

from monitor.model.clock import Clock, Moment
from monitor.model.errors import StartError
from monitor.model.outcome import Reason
from monitor.model.result import Result
from monitor.model.settings import AccessSpec, Configuration, MonitorSpec
from monitor.model.spec import CheckSpec
from monitor.rules.due import DueTimes, due_times
from monitor.scheduling.runner import DrainCount
from monitor.scheduling.workers.wire import Batch, EndedRun, Orders
from monitor.scheduling.workers.worker import Worker
from monitor.stats.meters import Meter, WorkerMeter
from monitor.system.supervision import Turn

_PATIENCE = 60.0
"""Seconds for all workers to be ready for checks."""
_AT_ONCE = 500
"""Checks in one message, packed in a few milliseconds."""

OnResult = Callable[[str, Result, int], None]
"""Receives the name of a check, a result, and the number of runs that it stands for."""


@dataclass(slots=True)
class Assignment:
    """A check that a worker has; up to `settled` (steady seconds) all its due times have been answered for.

    `generation` is that of the orders that made it what it is; what was found under older ones is not about it.
    """

    spec: CheckSpec
    worker: int
    times: DueTimes
    settled: float
    generation: int

    def outstanding(self, now: float) -> int:
        """Returns the number of runs that were due but have no result yet."""
        return self.times.between(self.settled, now) if self.spec.enabled else 0


class Pool:
    """Runs `count` probe workers and calls `on_result` with every result, as an engine in this process would."""

    def __init__(self, count: int, on_result: OnResult, clock: Clock) -> None:
        self._on_result = on_result
        self._workers = [Worker(number, self) for number in range(count)]
        self._assignments: dict[str, Assignment] = {}
        self._lost: list[set[str]] = [set() for _ in self._workers]
        self._generation = 0
        self._epoch: Moment = clock()
        self._started = False
        self._monitor = MonitorSpec()
        self._gone = [Meter() for _ in self._workers]
        """Counts of earlier worker processes."""

    # life

    async def start(self, epoch: Moment, monitor: MonitorSpec) -> None:
        """Start all workers, without checks; due times will go by `epoch`. Raises StartError if one will not start."""
        self._epoch = epoch
        self._limit(monitor)
        try:
            async with asyncio.timeout(_PATIENCE):
                await asyncio.gather(*(worker.start() for worker in self._workers))
        except TimeoutError:
            raise StartError(f"the probe workers did not start within {_PATIENCE:g} s; see the log") from None
        self._started = True

    def use(self, config: Configuration) -> None:
        """Run these checks from now on, and no others; one that did not change does not notice."""
        self._generation += 1
        self._limit(config.monitor)
        before, self._assignments = self._assignments, {}
        for spec in config.checks:
            self._assignments[spec.name] = self._assignment(spec, before.get(spec.name))
        counted = Counter(assigned.worker for assigned in self._assignments.values())
        changed = [d for d in self._assignments.values() if d.generation == self._generation]
        for worker in self._workers:
            worker.figures.checks = counted[worker.number]
            mine = (d.spec for d in changed if d.worker == worker.number)
            gone = tuple(d.spec.name for d in before.values() if d.worker == worker.number)
            worker.order(self._orders(mine, tuple(name for name in gone if name not in self._assignments)))

    def _limit(self, monitor: MonitorSpec) -> None:
        limit = monitor.max_concurrency // len(self._workers)
        # Workers accept no HTTP requests, so they need no secrets of users.
        self._monitor = replace(monitor, max_concurrency=max(1, limit), access=AccessSpec(), tls=None)

    def run_again(self, name: str) -> None:
        """Run a check once more, soon, unless it runs."""
        if (assigned := self._assignments.get(name)) is not None:
            orders = Orders(self._generation, self._epoch, self._monitor, again=(name,))
            self._workers[assigned.worker].order([orders])

    def beat(self) -> None:
        """Once a second: see that all workers live, and answer for what is due of those that do not."""
        for worker in self._workers:
            with Turn("worker"):
                worker.beat()
                if self._started and not worker.figures.up:
                    self._answer_for(worker.number, time.monotonic())

    async def drain(self, limit: float) -> list[DrainCount]:
        """Lets running checks finish within `limit` seconds, then ends all workers."""
        return await asyncio.gather(*(worker.drain(limit) for worker in self._workers))

    async def stop(self) -> None:
        """End all workers now."""
        await asyncio.gather(*(worker.stop() for worker in self._workers))

    # what is known of them

    def meters(self) -> Iterable[Meter]:
        """Returns the counts of all worker processes, also of those that have ended."""
        return (*self._gone, *(worker.figures.meter for worker in self._workers))

    def workers(self) -> Mapping[str, WorkerMeter]:
        """The figures of each worker, by its number."""
        return {str(worker.number): worker.figures for worker in self._workers}

    def unhealthy(self) -> str | None:
        """Returns a sentence that names the workers that do not probe; None if all do."""
        down = [str(worker.number) for worker in self._workers if not worker.figures.up]
        return f"probe worker {', '.join(down)} is being started again" if down else None

    # what a worker asks and says

    def all_orders(self, number: int) -> list[Orders]:
        """Everything that a worker is to do; what its process before has counted goes to the others that are gone."""
        figures = self._workers[number].figures
        figures.meter.in_flight = 0
        self._gone[number].add(figures.meter)
        figures.meter = Meter()
        return list(self._orders((d.spec for d in self._assignments.values() if d.worker == number), ()))

    def heard(self, number: int, batch: Batch) -> None:
        """Pass on what a worker found."""
        for ended in batch.ended:
            with Turn("result"):
                self._take(ended, batch.generation)
        if batch.began is not None and self._started:
            self._answer_for(number, batch.began)
            again, self._lost[number] = tuple(self._lost[number]), set()
            if again:
                self._workers[number].order([Orders(self._generation, self._epoch, self._monitor, again=again)])

    def _take(self, ended: EndedRun, generation: int) -> None:
        result = ended.result
        assigned = self._assignments.get(result.check)
        if assigned is None:
            return  # removed while its result was on the way
        if generation < assigned.generation:
            result = Result(result.check, result.started_at, Reason.CANCELLED, "its check was changed meanwhile")
        if ended.until is not None:
            assigned.settled = max(assigned.settled, ended.until)
        self._on_result(result.check, result, ended.runs)

    def _answer_for(self, number: int, until: float) -> None:
        """Reports the runs due until now (steady seconds) as lost: their worker will send no results."""
        for name, assigned in self._assignments.items():
            if assigned.worker == number and (runs := assigned.outstanding(until)):
                assigned.settled = until
                self._gone[number].skipped["worker"] += runs
                self._lost[number].add(name)
                detail = f"the monitor's probe worker {number} died or hung, and with it {runs} of the check's runs"
                with Turn("result"):
                    self._on_result(name, Result(name, time.time(), Reason.MONITOR_OVERLOADED, detail), runs)

    def _assignment(self, spec: CheckSpec, before: Assignment | None) -> Assignment:
        if before is not None and before.spec == spec:
            return before
        number = crc32(spec.name.encode()) % len(self._workers)
        times = due_times(spec.name, spec.interval, self._epoch)
        return Assignment(spec, number, times, time.monotonic(), self._generation)

    def _orders(self, specs: Iterable[CheckSpec], gone: tuple[str, ...]) -> Iterator[Orders]:
        """The orders for these checks, in pieces."""
        left = iter(specs)
        piece = tuple(islice(left, _AT_ONCE))
        while following := tuple(islice(left, _AT_ONCE)):
            yield Orders(self._generation, self._epoch, self._monitor, piece, more=True)
            piece = following
        yield Orders(self._generation, self._epoch, self._monitor, piece, gone)
