"""Starts checks at their due times: APScheduler opens short slots, and within a slot each check has its exact time.

One job per check would cost as much as half a check; a job per slot costs the same for one check and for a thousand.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from monitor.model.clock import Clock, Moment
from monitor.model.spec import CheckSpec
from monitor.rules.due import DueTimes, due_times
from monitor.system.supervision import Turn

SLOT = 1.0
"""Seconds that a slot is open for."""
BEAT = 1.0
"""Seconds between two beats at most, by which the scheduler shows that it lives."""
_OVERDUE = 1.0
"""Seconds; runs overdue by more were delayed by a common cause, and are spread instead of started at once."""
_ROUNDED = 2e-6
"""Seconds; a datetime is exact to a microsecond, so a time may seem to miss the grid by this much."""
_SPREAD = 2.0
"""Seconds over which overdue runs are spread."""

logging.getLogger("apscheduler").setLevel(logging.WARNING)  # it logs every job it runs, here every second

Due = Callable[["Job", float, int], None]
"""Receives a due run: the job, its due time (steady seconds), and how many runs before it were missed."""


class SteadyTime(tzinfo):
    """UTC from the monotonic clock, as if the wall clock had not been set since the start.

    APScheduler asks for `datetime.now(its time zone)` and compares only what it got that way. In this time zone that
    is monotonic time, so a step of the wall clock moves no due time.
    """

    def __init__(self) -> None:
        self._epoch = time.time() - time.monotonic()

    def at(self, steady: float) -> datetime:
        """Steady seconds as a time in this zone."""
        return datetime.fromtimestamp(self._epoch + steady, UTC).replace(tzinfo=self)

    def fromutc(self, dt: datetime) -> datetime:
        """Undo what the wall clock was stepped by."""
        stepped = time.time() - time.monotonic() - self._epoch
        return dt - timedelta(seconds=stepped)

    def utcoffset(self, _: datetime | None) -> timedelta:
        """None to speak of: it is UTC."""
        return timedelta(0)

    def dst(self, _: datetime | None) -> timedelta:
        """None."""
        return timedelta(0)

    def tzname(self, _: datetime | None) -> str:
        """Its name."""
        return "steady"


class Grid(BaseTrigger):  # type: ignore[misc]  # apscheduler ships no types
    """Fires at first + n × interval for ever; computed from n, so that no error adds up."""

    def __init__(self, first: datetime, interval: float) -> None:
        self._first = first
        self._interval = interval

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        """The next time on the grid: after `previous` if there is one, else not before now."""
        elapsed = ((previous or now) - self._first).total_seconds()
        after = previous is not None
        n = (
            math.floor((elapsed + _ROUNDED) / self._interval) + 1
            if after
            else math.ceil((elapsed - _ROUNDED) / self._interval)
        )
        return self._first + timedelta(seconds=max(0, n) * self._interval)


@dataclass(slots=True)
class _Entry:
    job: Job
    times: DueTimes
    slot: int
    lead: float
    """Seconds from the opening of its slot to its own time."""
    number: int
    """The number of its next due time."""
    handle: asyncio.TimerHandle | None = None

    @property
    def interval(self) -> float:
        return self.times.interval

    @property
    def due(self) -> float:
        return self.times.at(self.number)


@dataclass(slots=True)
class _Slot:
    job_id: str
    entries: dict[str, _Entry] = field(default_factory=dict)


class Job:
    """One check as it is run, by this process; the same one for as long as its name is configured."""

    __slots__ = ("buggy", "spec")

    def __init__(self, spec: CheckSpec) -> None:
        self.spec = spec
        self.buggy = False
        """True if the last run raised an internal error: such an error is logged once, not at every run."""


class Schedule:
    """Calls `due` on the loop at all due times of all checks, and `beat` every `every` seconds."""

    def __init__(self, due: Due, beat: Callable[[], None], clock: Clock, every: float = BEAT) -> None:
        self._clock = clock
        self._due = due
        self._beat = beat
        self._every = every
        self._zone = SteadyTime()
        self._scheduler = AsyncIOScheduler(
            timezone=self._zone, job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        )
        self._slots: dict[tuple[float, int], _Slot] = {}
        self._entries: dict[str, _Entry] = {}
        self._stopped = False
        self._epoch = clock()
        self.last_beat = self._epoch.steady

    def start(self, epoch: Moment | None = None) -> None:
        """Begin; due times are mapped to the steady clock by `epoch`, or by the clocks as they are now."""
        now = self._clock()
        self.last_beat = now.steady
        self._epoch = epoch or now
        self._scheduler.start()
        self._scheduler.add_job(self._on_beat, Grid(self._zone.at(self._epoch.steady), self._every), id="beat")

    def stop(self) -> None:
        """Start nothing more; what runs goes on."""
        for entry in self._entries.values():
            _disarm(entry)
        self._entries.clear()
        if self._scheduler.running and not self._stopped:
            self._stopped = True  # APScheduler says so only later
            self._scheduler.pause()  # else it may still start a job, cancel it and log that as an error
            self._scheduler.shutdown(wait=False)

    @property
    def epoch(self) -> Moment:
        """The moment of the start, by which all due times are mapped to the steady clock."""
        return self._epoch

    def apply(self, jobs: Mapping[str, Job]) -> None:
        """Schedule these checks and no others; one that is scheduled already at its interval is not touched."""
        wanted = {name: job for name, job in jobs.items() if job.spec.enabled}
        for name, entry in list(self._entries.items()):
            job = wanted.get(name)
            if job is not entry.job or job.spec.interval != entry.interval:
                self._remove(name, entry)
        for name, job in wanted.items():
            if name not in self._entries:
                self._add(name, job)

    def _add(self, name: str, job: Job) -> None:
        times = due_times(name, job.spec.interval, self._epoch)
        offset = times.first - self._epoch.steady
        slot = int(offset / SLOT)
        entry = _Entry(job, times, slot, offset - slot * SLOT, times.number_from(time.monotonic()))
        self._entries[name] = entry
        self._slot(times.interval, slot).entries[name] = entry
        self._plan(entry)

    def _remove(self, name: str, entry: _Entry) -> None:
        _disarm(entry)
        del self._entries[name]
        slot = self._slots[entry.interval, entry.slot]
        del slot.entries[name]
        if not slot.entries:
            del self._slots[entry.interval, entry.slot]
            self._scheduler.remove_job(slot.job_id)

    def _slot(self, interval: float, number: int) -> _Slot:
        slot = self._slots.get((interval, number))
        if slot is None:
            slot = self._slots[interval, number] = _Slot(f"every {interval:g} s at {number * SLOT:g} s")
            first = self._zone.at(self._epoch.steady + number * SLOT)
            self._scheduler.add_job(self._open, Grid(first, interval), args=(slot,), id=slot.job_id)
        return slot

    async def _open(self, slot: _Slot) -> None:
        """A slot opens: every check in it gets a timer for its own time."""
        for entry in slot.entries.values():
            if entry.handle is None:
                with Turn("schedule"):
                    self._arm(entry)

    def _plan(self, entry: _Entry) -> None:
        """Give it a timer, unless its slot is still to open and will do so."""
        if entry.due - entry.lead <= time.monotonic():
            self._arm(entry)

    def _arm(self, entry: _Entry) -> None:
        now = time.monotonic()
        at = entry.due
        if at < now - _OVERDUE:
            at = now + entry.lead / SLOT * min(_SPREAD, entry.interval / 2)
        entry.handle = asyncio.get_running_loop().call_at(at, self._fire, entry)

    def _fire(self, entry: _Entry) -> None:
        entry.handle = None
        number = max(entry.number, entry.times.until(time.monotonic()) - 1)
        missed = number - entry.number
        entry.number = number + 1
        with Turn("schedule"):
            self._plan(entry)
        with Turn("schedule"):
            self._due(entry.job, entry.times.at(number), missed)

    async def _on_beat(self) -> None:
        self.last_beat = time.monotonic()
        with Turn("beat"):
            self._beat()


def _disarm(entry: _Entry) -> None:
    if entry.handle is not None:
        entry.handle.cancel()
        entry.handle = None
