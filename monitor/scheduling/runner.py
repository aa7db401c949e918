"""One run of one check: its slot, its lag, whose fault it was, and what becomes of its result."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import structlog
from msgspec import structs

from monitor.model.outcome import Reason
from monitor.model.result import Result
from monitor.model.spec import CheckSpec, Limits
from monitor.protocols.resources import Resources
from monitor.protocols.running import check
from monitor.rules.state import seconds, slowness
from monitor.scheduling.schedule import Job
from monitor.scheduling.stall import Watchdog
from monitor.stats.meters import Meter
from monitor.system.supervision import Turn

_log = structlog.get_logger("monitor.scheduling.runner")

STALL_SECONDS = 0.25
"""Seconds; a failed run proves nothing if the process stalled for this time, or a quarter of its shortest limit."""
_RERUN_PACE = 0.005
"""Seconds between two runs that a stall spoiled and that are run again, so that they do not make the next one."""

_USELESS = 0.01
"""Seconds; a requested run with less time than this would find nothing."""
_ENDED = "cancelled by a reload or the end of the monitor"

OnRun = Callable[[str, Result, int, float | None], None]
"""Receives a result: the check's name, the result, the runs that it stands for, and a due time (steady seconds).
Up to that time no run is outstanding; None for a run outside of the schedule.
"""


class DrainCount(NamedTuple):
    """Runs under way when a drain began, and how many of them it cancelled."""

    running: int
    cancelled: int


class Runner:
    """Runs checks when they are due, never one check twice at a time and never more than `limit` at once.

    `descriptors` is how many may hold a socket before the rest of the process goes without.
    Every run ends in exactly one call of `on_run`, also one that could not be made; `meter` counts what else there is
    to say.
    """

    def __init__(
        self, resources: Resources, *, limit: int, descriptors: int, watchdog: Watchdog, meter: Meter, on_run: OnRun
    ) -> None:
        self._resources = resources
        self._limit = limit
        self._slots = asyncio.Semaphore(limit)
        self._withholding: asyncio.Task[None] | None = None
        self._descriptors = descriptors
        self._asking = 0
        self._watchdog = watchdog
        self._meter = meter
        self._on_run = on_run
        self._tasks: dict[Job, asyncio.Task[None]] = {}
        self._asked: set[asyncio.Task[Result]] = set()
        self._reruns: dict[Job, asyncio.TimerHandle] = {}
        self._next: dict[Job, float] = {}
        """Runs that are due and wait for the one before to end."""
        self._beside: dict[Job, float | None] = {}
        """Runs under way that the schedule did not ask for, with the due time that each has come to stand for."""
        self._closing = False

    @property
    def in_flight(self) -> int:
        """The number of runs that are under way or wait for a slot."""
        return len(self._tasks) + len(self._asked)

    def use(self, resources: Resources, limit: int) -> None:
        """Settings for the runs that begin from now on; those under way keep their slots."""
        self._resources = resources
        for _ in range(limit - self._limit):
            self._slots.release()
        if limit < self._limit:
            self._withholding = asyncio.create_task(self._withhold(self._limit - limit, self._withholding))
        self._limit = limit

    async def _withhold(self, count: int, before: asyncio.Task[None] | None) -> None:
        """Takes `count` slots out of use, as they become free."""
        if before is not None:
            await before
        for _ in range(count):
            await self._slots.acquire()

    def due(self, job: Job, due: float, missed: int) -> None:
        """A run is due (steady seconds), and `missed` runs before it could not be started at all."""
        if missed:
            before = math.nextafter(due, -math.inf)
            self._skip(job, "stalled", missed, before, f"{missed} runs were due while the monitor stood still")
        if job not in self._tasks:
            self._start(job, due)
            return
        # A run that takes all of its interval ends just after the next is due; one beside the schedule is the next.
        waiting: dict[Job, Any] = self._beside if job in self._beside else self._next
        if (older := waiting.get(job)) is not None:
            self._skip(job, "overlap", 1, older, "due while the run before was not over")
        waiting[job] = due

    def forget(self, job: Job) -> None:
        """Cancel what runs for a check that is removed or changed; it is recorded as that."""
        if rerun := self._reruns.pop(job, None):
            rerun.cancel()
        self._next.pop(job, None)
        if task := self._tasks.get(job):
            task.cancel()

    async def drain(self, limit: float) -> DrainCount:
        """Start nothing more, let what runs end within `limit` seconds, cancel the rest."""
        self._closing = True
        for rerun in self._reruns.values():
            rerun.cancel()
        running: set[asyncio.Task[Any]] = {*self._tasks.values(), *self._asked}
        if not running:
            return DrainCount(0, 0)
        _, late = await asyncio.wait(running, timeout=limit)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)
        return DrainCount(len(running), len(late))

    async def ask(self, spec: CheckSpec, resources: Resources, until: float) -> Result:
        """Runs a check for a waiting caller until `until` (steady seconds); records nothing.

        A cancelled wait cancels the run.
        """
        if self._closing:
            return _nothing_found(spec, Reason.CANCELLED, _ENDED)
        task = asyncio.create_task(self._answered(spec, resources, until))
        self._asked.add(task)
        try:
            return await task
        finally:
            self._asked.discard(task)

    async def _answered(self, spec: CheckSpec, resources: Resources, until: float) -> Result:
        try:
            try:
                async with asyncio.timeout(until - time.monotonic() - _USELESS):
                    await self._slots.acquire()
            except TimeoutError:
                return _nothing_found(spec, Reason.MONITOR_OVERLOADED, "no slot of the monitor was free in time")
            try:
                left = until - time.monotonic()
                if left < _USELESS:
                    return _nothing_found(spec, Reason.MONITOR_OVERLOADED, "no time was left for the run")
                return await self._checked(_cut(spec, left), resources)
            finally:
                self._slots.release()
        except asyncio.CancelledError:
            return _nothing_found(spec, Reason.CANCELLED, _ENDED)

    def _start(self, job: Job, due: float | None) -> None:
        """`due` is None for a run that the schedule did not ask for."""
        if self._closing:
            return
        if due is None:
            self._beside[job] = None
        task = asyncio.create_task(self._run(job, due))
        self._tasks[job] = task
        task.add_done_callback(lambda _: self._ended(job))

    def _ended(self, job: Job) -> None:
        del self._tasks[job]
        self._beside.pop(job, None)
        due = self._next.pop(job, None)
        if due is not None:
            self._start(job, due)

    async def _run(self, job: Job, due: float | None) -> None:
        spec = job.spec
        try:
            async with self._slots:
                if due is not None:
                    due = self._note_lag(job, due)
                result = await self._checked(spec, self._resources, known_bug=job.buggy)
        except asyncio.CancelledError:
            result = _nothing_found(spec, Reason.CANCELLED, _ENDED)
        if job in self._beside:
            due = self._beside.pop(job)
        job.buggy = result.reason is Reason.INTERNAL_ERROR
        self._tell(spec.name, result, 1, due)
        if result.reason is Reason.MONITOR_STALLED:
            self._rerun(job)

    def run_again(self, job: Job) -> None:
        """Run soon, beside the schedule; a run that is under way now stands for that, though it may end before."""
        task = self._tasks.get(job)
        if task is None or task.done():
            self._rerun(job)

    def _rerun(self, job: Job) -> None:
        """Run soon, beside the schedule: what the target is like is still not known."""

        def again() -> None:
            del self._reruns[job]
            if job not in self._tasks:
                self._start(job, None)

        if job not in self._reruns and not self._closing:
            pause = _RERUN_PACE * (1 + len(self._reruns))
            self._reruns[job] = asyncio.get_running_loop().call_later(pause, again)

    def _skip(self, job: Job, why: str, runs: int, until: float, detail: str) -> None:
        self._meter.skipped[why] += runs
        self._tell(job.spec.name, _nothing_found(job.spec, Reason.MONITOR_OVERLOADED, detail), runs, until)

    def _tell(self, name: str, result: Result, runs: int, until: float | None) -> None:
        """Pass on a result; a bug in what becomes of it stops neither this check nor another."""
        with Turn("result"):
            self._on_run(name, result, runs, until)

    def _note_lag(self, job: Job, due: float) -> float:
        """A slot at last: how late is it? A run that waited until the next was due is that next one now. Says which."""
        newer = self._next.pop(job, None)
        if newer is not None:
            waited = seconds(time.monotonic() - due)
            self._skip(job, "late", 1, due, f"waited {waited} for one of the monitor's slots, until the next was due")
            due = newer
        self._meter.schedule_lag.observe(max(0.0, time.monotonic() - due))
        return due

    async def _checked(self, spec: CheckSpec, resources: Resources, *, known_bug: bool = False) -> Result:
        """`known_bug` tells that the run before met a bug already, which is said once, not at every run."""
        if self._asking >= self._descriptors:  # the page and Prometheus need some too
            return _nothing_found(spec, Reason.LOCAL_RESOURCES, "no file descriptor to spare for one more run")
        began = time.monotonic()
        self._asking += 1
        self._watchdog.begin_run()
        try:
            result = await check(spec, resources)
        except Exception as exc:  # noqa: BLE001 - a bug that one check meets stops no other
            if not known_bug:
                _log.exception("internal error in a check", check=spec.name)
            return _nothing_found(
                spec, Reason.INTERNAL_ERROR, f"a bug of the monitor: {type(exc).__name__}; see its log"
            )
        finally:
            self._asking -= 1
            self._watchdog.end_run()
        return self._excused(result, spec, began)

    def _excused(self, result: Result, spec: CheckSpec, began: float) -> Result:
        """A failure, or a slow answer, that the monitor's own standing still explains is not the target's."""
        if not result.conclusive or not (result.failed or slowness(spec, result)):
            return result
        lost = self._watchdog.lost_between(began, time.monotonic())
        limits = spec.limits
        tolerable = min(STALL_SECONDS, min(limits.connect, limits.read, limits.total) / 4)
        if lost < tolerable and not _too_slow_by_less_than(lost, result, spec):
            return result
        detail = f"the monitor stood still for {seconds(lost)} in this run, which saw: {result.detail}"
        return structs.replace(result, reason=Reason.MONITOR_STALLED, detail=spec.redactor.ours(detail))


def _cut(spec: CheckSpec, left: float) -> CheckSpec:
    """The check with its limits cut to the seconds that are left."""
    limits = spec.limits
    if left >= limits.total:
        return spec
    return replace(spec, limits=Limits(min(limits.connect, left), limits.read, left))


def _too_slow_by_less_than(lost: float, result: Result, spec: CheckSpec) -> bool:
    """True if a run exceeded its latency (`down = true`) by less than the seconds that the monitor lost."""
    latency = spec.latency if spec.latency_down else None
    timed_out = result.reason is Reason.TOTAL_TIMEOUT and result.duration is not None
    return timed_out and latency is not None and 0 < (result.duration or 0.0) - latency <= lost


def _nothing_found(spec: CheckSpec, reason: Reason, detail: str) -> Result:
    return Result(spec.name, time.time(), reason, detail)
