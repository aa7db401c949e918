"""A random script of what happens to a monitor, its targets and its database."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Iterable
from math import inf
from random import Random
from typing import NamedTuple

from tests.proof.asking import Audit
from tests.proof.stage import Stage
from tests.service.daemon import PAUSE

QUIET = 3.0
"""Seconds in which every target is good, at the end."""
LOOK_EVERY = 25.0
SETTLED = 0.0 if os.environ.get("PROOF_ALL") else 6.0
"""Seconds after a check is added in which no process is killed: its name is not stored yet, and its incident ends."""


class Event(NamedTuple):
    """How often something happens, compared with others, and the seconds that it may take."""

    weight: int
    seconds: float


EVENTS = {
    "kill": Event(3, 5), "term": Event(2, 5), "stop": Event(2, 6), "stop_and_kill": Event(1, 9), "reload": Event(5, 0),
    "acknowledge": Event(3, 0), "lock": Event(2, 15), "late": Event(1, 20), "calm": Event(3, 5), "look": Event(1, 1),
}  # fmt: skip


class Script:
    """Plays for some seconds; everything is drawn from the seed, so only the machine's own timing differs."""

    def __init__(self, seed: int, stage: Stage, audit: Audit, without: frozenset[str] = frozenset()) -> None:
        self._random, self._weather_random = Random(seed), Random(seed + 1)
        self._stage, self._audit = stage, audit
        self._without = without
        self._events = {name: event for name, event in EVENTS.items() if name not in without}

    async def play(self, length: float) -> None:
        """Everything, with a look at the end, and another one at a process that knows only what is stored."""
        stage = self._stage
        await stage.start()
        end, looked = time.time() + length, time.time()
        async with self._weather():
            while time.time() < end and not self._audit.problems:
                await asyncio.sleep(self._random.uniform(0.2, 2.0))
                await self._one_of(EVENTS, end - time.time())
                if time.time() - looked > LOOK_EVERY:
                    await self._audit.look("now and then")
                    looked = time.time()
        stage.targets.bad.clear()
        stage.note("all targets are good")
        await asyncio.sleep(QUIET)
        await self._audit.look("at the end")
        await stage.end(signal.SIGTERM)
        await stage.start()
        await self._audit.look("after a restart")
        await stage.end(signal.SIGTERM)

    async def _one_of(self, names: Iterable[str], left: float) -> None:
        """An event of these, one that is over in time."""
        fitting = [name for name in names if name in self._events and self._events[name].seconds <= left]
        if fitting:
            (name,) = self._random.choices(fitting, [self._events[name].weight for name in fitting])
            await getattr(self, f"_{name}")()

    @contextlib.asynccontextmanager
    async def _weather(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._change_targets())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _change_targets(self) -> None:
        random, bad = self._weather_random, self._stage.targets.bad
        while True:
            await asyncio.sleep(random.uniform(0.1, 0.7))
            key = random.choice(self._stage.roster.configured).key
            bad.symmetric_difference_update({key})
            self._stage.note(f"{key} {'bad' if key in bad else 'good'}")

    # events

    async def _kill(self) -> None:
        await self._settled()
        await self._stage.end(signal.SIGKILL)
        await self._again()

    async def _term(self) -> None:
        await self._stage.end(signal.SIGTERM)
        await self._again()

    async def _again(self) -> None:
        await asyncio.sleep(self._random.choice((0.0, 0.3, 1.5, 4.0)))
        if self._random.random() < 0.4 and "reload" not in self._without:
            self._stage.edit_dead()
        await self._stage.start()

    async def _stop(self) -> None:
        seconds = self._random.choice((0.5, 1.5, 4.5, 6.0))
        await self._stage.stand_still(seconds, everybody=self._random.random() < 0.5)

    async def _settled(self) -> None:
        added = max(subject.terms[-1].since[1] for subject in self._stage.truth.subjects.values())
        await asyncio.sleep(max(0.0, added + SETTLED - time.time()))

    async def _stop_and_kill(self) -> None:
        await self._settled()
        still = asyncio.create_task(self._stage.stand_still(4.5, everybody=True))
        await asyncio.sleep(self._random.uniform(1.0, 4.0))
        await self._stage.end(signal.SIGKILL)
        await still
        await self._again()

    async def _reload(self) -> None:
        await self._stage.reload()

    async def _acknowledge(self) -> None:
        await self._audit.acknowledge(self._random)

    async def _lock(self) -> None:
        """The database is away for a while, in which a process may end and another one may begin."""
        await self._stage.take_away(self._random.choice(self._stage.database.ways))
        for _ in range(self._random.choice((1, 1, 2, 3))):
            await asyncio.sleep(self._random.uniform(0.5, 3.0))
            await self._one_of(("kill", "term", "reload", "acknowledge", "calm"), inf)
        await self._stage.give_back()

    async def _late(self) -> None:
        """A start while nobody can read the database, so that the past is adopted late."""
        await self._settled()
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
