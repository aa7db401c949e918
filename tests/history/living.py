"""A ledger and its keeper that live by a clock of the test's own, die, and are born again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

import pytest
from sqlalchemy import select

from monitor.history import keeper, places, writing
from monitor.history.keeper import Keeper
from monitor.history.tables import checks
from monitor.live.events import EventBus, RecordedResult
from monitor.live.ledger import Ledger, Record
from monitor.model.clock import Moment
from monitor.model.outcome import Reason
from monitor.model.result import Evidence, Phases, Result
from monitor.model.retention import HistorySpec
from monitor.model.settings import MonitorSpec
from monitor.model.spec import CheckSpec
from monitor.model.transition import Transition
from tests.flat import changed, flat_result, flat_spec

START = 1_790_000_000.0
"""A Monday at 06:13:20 UTC."""
MONITOR = MonitorSpec()


def spec(name: str, **more: object) -> CheckSpec:
    url = f"http://{name}.example.com/"
    return changed(flat_spec(name, url, url, interval=10.0), **more)  # type: ignore[arg-type]


def good(check: str, at: float, took: float = 0.1) -> Result:
    phases = Phases(0.001, 0.01, None, took - 0.011, 0.0)
    return flat_result(
        check,
        at - took,
        Reason.OK,
        f"answered 200 in {took * 1000:.0f} ms",
        took,
        phases,
        status_code=200,
        http_version="1.1",
    )


def bad(check: str, at: float, reason: Reason = Reason.UNEXPECTED_STATUS) -> Result:
    evidence = Evidence((("Server", "x"),), "no", cut=False)
    return flat_result(check, at - 0.1, reason, "status 503 instead of 2xx", 0.1, status_code=503, evidence=evidence)


class HeldClock:
    """Both clocks, which only move when they are told to."""

    def __init__(self) -> None:
        self.moment = Moment(START, 5000.0)

    def __call__(self) -> Moment:
        return self.moment

    def forward(self, seconds: float, *, wall: float | None = None) -> Moment:
        """Let time pass; the wall clock may be stepped besides."""
        self.moment = Moment(self.moment.wall + (seconds if wall is None else wall), self.moment.steady + seconds)
        return self.moment


@dataclass
class Life:
    """One process: what it knows, and who keeps it."""

    clock: HeldClock
    ledger: Ledger
    keeper: Keeper
    bus: EventBus
    moved: list[Transition]

    def record(self, name: str) -> Record:
        found = self.ledger.get(name)
        assert found is not None
        return found

    def take(self, result: Result, runs: int = 1) -> None:
        """What the service does with a result that came now."""
        now, record = self.clock(), self.record(result.check)
        self.ledger.presence.seen(now)
        transition = record.add(result, now, runs)
        self.bus.result(RecordedResult(result.check, result, runs, now, record.standing))
        if transition is not None:
            self.bus.transition(transition)

    def take_good(self, name: str) -> None:
        """A good result that came now."""
        self.take(good(name, self.clock().wall))

    def wait(self, seconds: float) -> None:
        """Let time pass in which this process is there."""
        while seconds > 0:
            step = min(seconds, 2.0)
            seconds -= step
            self.ledger.presence.seen(self.clock.forward(step))

    def live(self, name: str, count: int, *, failing: bool = False, every: float = 10.0) -> None:
        """So many runs, one after the other."""
        for _ in range(count):
            self.wait(every)
            now = self.clock().wall
            self.take(bad(name, now) if failing else good(name, now))

    async def last(self, name: str, count: int, *, failing: bool = False, every: float = 10.0) -> None:
        """The same for hours, saved now and then."""
        while count > 0:
            self.live(name, min(count, 20), failing=failing, every=every)
            count -= 20
            await self.save()

    async def save(self) -> None:
        """What happens every few minutes."""
        self.keeper._writer._checkpointed = -1e9
        self.keeper._journal.save_soon(self.ledger)
        await self.write()

    async def write(self) -> None:
        """What happens once a second."""
        await self.keeper._attempt(self.keeper._turn())

    async def prune(self) -> None:
        """What happens with every checkpoint."""
        keeper = self.keeper
        ids = keeper._identities
        await keeper._database.write(
            lambda connection: keeper._writer.pruning.step(connection, ids.configured, ids.highest, self.clock())
        )

    async def checks(self) -> list[str]:
        """The names of the stored checks."""
        return [row.name for row in await self.keeper._database.rows(select(checks.c.name).order_by(checks.c.name))]

    async def die(self) -> None:
        """As by SIGKILL: nothing more is written, and the lock goes with the process."""
        for task in self.keeper._tasks:
            task.cancel()
        await asyncio.gather(*self.keeper._tasks, return_exceptions=True)
        await self.keeper._database.close()


class World:
    """Where processes live one after the other, with the same database."""

    def __init__(self, location: str, clock: HeldClock) -> None:
        self.location = location
        self.clock = clock

    @contextlib.asynccontextmanager
    async def life(self, *specs: CheckSpec, killed: bool = False, **settings: object) -> AsyncIterator[Life]:
        """A process that watches these checks, until it is stopped, or killed."""
        now = self.clock()
        ledger = Ledger(now)
        ledger.apply(specs, MONITOR, now)
        moved: list[Transition] = []
        bus = EventBus()
        bus.on_transition("log", moved.append)
        history = HistorySpec(location=self.location, **settings)  # type: ignore[arg-type]
        kept = Keeper(history, ledger, bus, self.clock)
        life = Life(self.clock, ledger, kept, bus, moved)
        await kept.start()
        kept.use(history)
        try:
            yield life
        finally:
            if killed:
                await life.die()
            else:
                await kept.stop()


def hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the history's own task sleep; the test says when a second has passed."""
    monkeypatch.setattr(keeper, "_EVERY", 3600.0)
    monkeypatch.setattr(writing, "CHECKPOINT_SECONDS", 3600.0)
    monkeypatch.setattr(places, "_BUSY_MILLISECONDS", 200)


def names(records: Iterable[Record]) -> list[str]:
    return [record.spec.name for record in records]
