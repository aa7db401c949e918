"""A daemon with its database, targets and clock; every action on them is noted in the truth."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Mapping
from math import inf
from pathlib import Path
from random import Random
from typing import Any

import psutil

from tests.proof.clock import Clock
from tests.proof.databases import Database
from tests.proof.roster import Roster
from tests.proof.spans import Span
from tests.proof.targets import Targets
from tests.proof.truth import RESUMES, SLACK, Life, Truth
from tests.service.daemon import Daemon, configuration, launch
from tests.starvation import Starvation

TROUBLE = {"history is not written", "history is not whole"}
"""Errors that the log may contain while the database is away."""
CHECKS = 10
WINDOW = 0.25
STARVED = 0.1
"""Seconds of waiting for a processor, in a window, that may delay a result."""


class Stage:
    """Performs the actions of a script."""

    def __init__(
        self, random: Random, database: Database, workers: int, targets: Targets, clock: Clock, config: Path
    ) -> None:
        self.truth = Truth()
        self.targets = targets
        self.database = database
        self.clock = clock
        self.roster = Roster(random, targets, self.truth, CHECKS)
        self.daemon: Daemon | None = None
        self.script: list[str] = []
        self.log_problems: list[str] = []
        self._workers = workers
        self._config = config
        self._first: float | None = None
        """The start of the first process that may have adopted the file; None if the last one said so."""
        self._taken: str | None = None

    @property
    def life(self) -> Life:
        """The last process."""
        return self.truth.lives[-1]

    def note(self, text: str) -> None:
        """Adds a line to the protocol of the script."""
        self.script.append(f"{time.time() % 10000:9.3f} {text}")

    # the process

    async def start(self) -> None:
        """Starts a daemon, and waits until it says that it did."""
        self.daemon = await self._launch()
        await self.daemon.up()
        life = self.life
        life.started = time.time()
        self.note(f"started in {life.started - life.spawned:.2f} s")
        self.roster.adopted((self._first or life.spawned, life.started), self._last_seen(life))
        self._first = None

    async def start_for(self, seconds: float) -> None:
        """Starts a daemon, and kills it after these seconds."""
        self.note(f"start, for {seconds:.2f} s")
        self.daemon = await self._launch()
        self._first = self._first or self.life.spawned
        await asyncio.sleep(seconds)
        await self.end(signal.SIGKILL)

    async def _launch(self) -> Daemon:
        self._config.write_text(self._text())
        life = Life(time.time())
        daemon = await launch(self._config, env=self.clock.environment)
        self.truth.lives.append(life)
        return daemon

    async def end(self, how: signal.Signals) -> None:
        """Sends SIGKILL or SIGTERM, and waits for the exit."""
        assert self.daemon is not None
        daemon, self.daemon = self.daemon, None
        self.note(how.name)
        daemon.tolerated = TROUBLE
        await daemon._hang_up()
        daemon.signal(how)
        await daemon.process.wait()
        self.life.killed = how is signal.SIGKILL
        self.life.ended = time.time()
        await daemon.ended()
        if how is signal.SIGTERM and daemon.process.returncode != 0:
            self.log_problems.append(f"SIGTERM ended with {daemon.process.returncode}: {daemon.said[-2000:]}")
        self._read_log(daemon)

    async def stand_still(self, seconds: float, *, everybody: bool) -> None:
        """Stops the daemon (SIGSTOP), with its workers if `everybody`; it may be killed meanwhile."""
        assert self.daemon is not None
        pids = self._pids() if everybody else [self.daemon.pid]
        began = time.time()
        self.note(f"SIGSTOP for {seconds:.1f} s{' with workers' if everybody else ''}")
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(seconds)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        self.truth.standstills.append((began, time.time()))

    def set_clock(self, ahead: float) -> None:
        """Sets the wall clock of the daemon, in seconds ahead of the machine."""
        began = time.time()
        self.clock.set(ahead)
        self.truth.clock_steps.append((began, time.time()))
        self.note(f"clock is ahead by {ahead:.0f} s")

    async def watch_machine(self) -> None:
        """Notes when the machine keeps processes from running; runs until it is cancelled."""
        while True:
            began, starvation = time.time(), Starvation(*self._pids())
            await asyncio.sleep(WINDOW)
            if starvation.seconds > STARVED or time.time() > began + 2 * WINDOW:
                self.truth.hiccups.append((began, time.time()))

    def _pids(self) -> list[int]:
        """The daemon and its workers."""
        if self.daemon is None:
            return []
        with contextlib.suppress(psutil.NoSuchProcess):
            return [self.daemon.pid, *(child.pid for child in psutil.Process(self.daemon.pid).children())]
        return []

    # the configuration

    def edit_dead(self) -> None:
        """Changes the file while no daemon runs."""
        self.note(f"dead: {self.roster.edit(dead=True)}")

    async def reload(self) -> None:
        """Changes the file and reloads it."""
        assert self.daemon is not None
        self.note(self.roster.edit(dead=False))
        began = time.time()
        status, said = await self.daemon.reload(self._text())
        assert status == 200, said
        self.roster.adopted((began, time.time()))

    def _text(self) -> str:
        settings: Mapping[str, Any] = {"history": {"url": self.database.url}, "workers": self._workers}
        return configuration(self.roster.tables(), settings)

    def _last_seen(self, life: Life) -> Span | None:
        """When the daemon before this process saw its checks last; None for the first one."""
        before = [one for one in self.truth.lives if one is not life]
        if not before:
            return None
        last = max((one for one in before if one.started), key=lambda one: one.spawned, default=before[-1])
        assert last.ended is not None
        assert before[-1].ended is not None
        stored = last.ended - SLACK if self.truth.clean(last) else self.truth.durable(last)
        return stored, before[-1].ended

    # the database

    async def take_away(self, way: str) -> None:
        """Keeps monitors from writing until the database is given back."""
        began = time.time()
        if self._taken is None and await self.database.take(way):
            self._taken = way
            self.truth.away.append((began, inf))
            self.note(f"database: {way}")

    async def give_back(self) -> None:
        """Lets monitors write again."""
        if self._taken is not None:
            self._taken = None
            await self.database.give_back()
            began, _ = self.truth.away.pop()
            self.truth.away.append((began, time.time()))
            self.note("database is back")

    # what is logged

    def _read_log(self, daemon: Daemon) -> None:
        life = self.life
        away = any(start <= (life.ended or inf) and end + RESUMES >= life.spawned for start, end in self.truth.away)
        errors = [line for line in daemon.log if line["level"] in ("error", "critical")]
        wrong = [line for line in errors if not (away and line["event"] in TROUBLE)]
        self.log_problems += [f"logged: {line}" for line in wrong]
        self.log_problems += [f"said: {line}" for line in daemon.noise]
        if "internal_error" in daemon.said or "Traceback" in daemon.said:
            self.log_problems.append(f"an error of its own: {daemon.said[-3000:]}")
