"""A random script of events that hit a monitor, its targets and its database."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Coroutine, Iterable
from math import inf
from random import Random
from typing import Any, NamedTuple

from tests.proof.audit import Audit
from tests.proof.stage import Stage
from tests.proof.truth import RESUMES
from tests.service.daemon import PAUSE

QUIET = 2.5
"""Seconds at the end in which all targets are good."""
LOOK_EVERY = 25.0
EARLY_KILLS = 0.2
"""Probability that a starting daemon is killed."""


class Event(NamedTuple):
    """The weight of an event among all events, and the most seconds that it takes."""

    weight: int
    seconds: float


EVENTS = {
    "kill": Event(3, 5), "term": Event(2, 5), "stop": Event(2, 6), "stop_and_kill": Event(1, 9), "reload": Event(5, 0),
    "acknowledge": Event(3, 0), "clock": Event(1, 6), "lock": Event(2, 15), "late": Event(1, 20), "calm": Event(3, 5),
    "look": Event(1, 1),
}  # fmt: skip


@contextlib.asynccontextmanager
async def _beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Runs the work until the block is left."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


class Script:
    """Plays events of a seed: two plays of one seed differ only by the timing of the machine."""

    def __init__(self, seed: int, stage: Stage, audit: Audit, without: frozenset[str] = frozenset()) -> None:
        self._random, self._weather_random = Random(seed), Random(seed + 1)
        self._stage, self._audit = stage, audit
        left_out = without if stage.clock.environment else without | {"clock"}
        self._events = {name: event for name, event in EVENTS.items() if name not in left_out}

    async def play(self, length: float) -> None:
        """Plays for these seconds, then compares twice: with the process that saw the events, and after a restart."""
        stage = self._stage
        async with _beside(stage.watch_machine()):
            while self._random.random() < EARLY_KILLS:
                await stage.start_for(self._random.uniform(0.0, 2.0))
            await stage.start()
            async with _beside(self._change_targets()):
                await self._events_for(length)
            stage.targets.bad.clear()
            stage.note("all targets are good")
            await asyncio.sleep(QUIET)
            await self._audit.look("at the end")
            await stage.end(signal.SIGTERM)
            await stage.start()
            await self._audit.look("after a restart")
            await stage.end(signal.SIGTERM)

    async def _events_for(self, length: float) -> None:
        end, looked = time.time() + length, time.time()
        while time.time() < end and not self._audit.problems:
            await asyncio.sleep(self._random.choice((0.0, 0.3, 1.0, 2.0)))
            await self._one_of(EVENTS, end - time.time())
            if time.time() - looked > LOOK_EVERY:
                await self._audit.look("now and then")
                looked = time.time()

    async def _one_of(self, names: Iterable[str], left: float) -> None:
        """Plays one of these events that fits into the seconds left."""
        fitting = [name for name in names if name in self._events and self._events[name].seconds <= left]
        if fitting:
            (name,) = self._random.choices(fitting, [self._events[name].weight for name in fitting])
            await getattr(self, f"_{name}")()

    async def _change_targets(self) -> None:
        random, bad = self._weather_random, self._stage.targets.bad
        while True:
            await asyncio.sleep(random.uniform(0.1, 0.7))
            key = random.choice(self._stage.roster.running).key
            bad.symmetric_difference_update({key})
            self._stage.note(f"{key} {'bad' if key in bad else 'good'}")

    # events

    async def _kill(self) -> None:
        await self._stage.end(signal.SIGKILL)
        await self._again()

    async def _term(self) -> None:
        await self._stage.end(signal.SIGTERM)
        await self._again()

    async def _again(self) -> None:
        await asyncio.sleep(self._random.choice((0.0, 0.3, 1.5, 4.0)))
        for _ in range(self._random.choice((0, 1, 1, 2)) if "reload" in self._events else 0):
            self._stage.edit_dead()
        while self._random.random() < EARLY_KILLS:
            await self._stage.start_for(self._random.uniform(0.0, 0.6))
        await self._stage.start()

    async def _stop(self) -> None:
        seconds = self._random.choice((0.5, 1.5, 4.5, 6.0))
        await self._stage.stand_still(seconds, everybody=self._random.random() < 0.5)

    async def _stop_and_kill(self) -> None:
        still = asyncio.create_task(self._stage.stand_still(4.5, everybody=True))
        await asyncio.sleep(self._random.uniform(1.0, 4.0))
        await self._stage.end(signal.SIGKILL)
        await still
        await self._again()

    async def _reload(self) -> None:
        for _ in range(self._random.choice((1, 1, 2, 3))):
            await self._stage.reload()

    async def _clock(self) -> None:
        """Sets the wall clock of the daemon, and leaves time to notice and to store the step.

        A clock that was set back makes the monitor believe that it was alive until the next start.
        """
        back = max((end for _, end in self._stage.truth.away), default=0.0)
        await asyncio.sleep(max(0.0, back + RESUMES - time.time()))
        step = self._random.choice((-1, 1)) * self._random.randint(15, 180) * 60.0
        self._stage.set_clock(self._stage.clock.steps[-1][1] + step)
        await asyncio.sleep(4.0)

    async def _acknowledge(self) -> None:
        await self._audit.acknowledge(self._random)

    async def _lock(self) -> None:
        """Takes the database away for a while; processes may end and start meanwhile."""
        await self._stage.take_away(self._random.choice(self._stage.database.ways))
        for _ in range(self._random.choice((1, 1, 2, 3))):
            await asyncio.sleep(self._random.uniform(0.5, 3.0))
            await self._one_of(("kill", "term", "reload", "acknowledge", "calm"), inf)
        await self._stage.give_back()

    async def _late(self) -> None:
        """Starts a daemon that cannot read its database, and adopts its past late."""
        await self._stage.end(self._random.choice((signal.SIGKILL, signal.SIGTERM)))
        await self._stage.take_away("whole" if "kill" not in self._stage.database.ways else "lock")
        await self._again()
        await asyncio.sleep(self._random.uniform(0.0, 3.0))
        await self._stage.give_back()
        await asyncio.sleep(self._random.uniform(0.0, 8.0))

    async def _calm(self) -> None:
        await asyncio.sleep(self._random.uniform(PAUSE, 5.0))

    async def _look(self) -> None:
        await self._audit.look("at some time")
