"""A daemon, its database and its targets, and what is done to them: each deed is noted in the truth."""

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

from tests.proof.databases import Database
from tests.proof.roster import Edit, Roster
from tests.proof.targets import Targets
from tests.proof.truth import RESUMES, SLACK, Life, Truth
from tests.service.daemon import Daemon, configuration, launch

TROUBLE = {"history is not written", "history is not whole"}
"""What may be logged as errors while the database is away."""
CHECKS = 10


class Stage:
    """Everything that a script acts on."""

    def __init__(self, random: Random, folder: Path, database: Database, workers: int, targets: Targets) -> None:
        self.truth = Truth()
        self.targets = targets
        self.database = database
        self.roster = Roster(random, targets, self.truth, CHECKS)
        self.daemon: Daemon | None = None
        self.script: list[str] = []
        self.log_problems: list[str] = []
        self._workers = workers
        self._config = folder / "checks.toml"
        self._edits = [Edit("begin", added=tuple(self.roster.checks))]
        self._taken: str | None = None

    @property
    def life(self) -> Life:
        """The last process."""
        return self.truth.lives[-1]

    def note(self, text: str) -> None:
        """A line of the script as it went."""
        self.script.append(f"{time.time() % 10000:9.3f} {text}")

    # the process

    async def start(self) -> None:
        """Starts a daemon, and waits until it says that it did."""
        self._config.write_text(self._text())
        life = Life(time.time())
        self.daemon = await launch(self._config)
        self.truth.lives.append(life)
        await self.daemon.up()
        life.started = time.time()
        self.note(f"started in {life.started - life.spawned:.2f} s")
        for edit in self._edits:
            self.roster.applied(edit, (life.spawned, life.started), self._known_until())
        self._edits.clear()

    async def end(self, how: signal.Signals) -> None:
        """SIGKILL, or a SIGTERM and its exit."""
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
        """SIGSTOP for so long, of the daemon or of its workers too; somebody may end it meanwhile."""
        assert self.daemon is not None
        pids = [self.daemon.pid]
        if everybody:
            pids += [child.pid for child in psutil.Process(self.daemon.pid).children(recursive=True)]
        began = time.time()
        self.note(f"SIGSTOP for {seconds:.1f} s{' with workers' if everybody else ''}")
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(seconds)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        self.truth.standstills.append((began, time.time()))

    # the configuration

    def edit_dead(self) -> None:
        """Changes the file while no daemon runs."""
        edit = self.roster.edit()
        self.note(f"dead: {edit.what}")
        self._edits.append(edit)

    async def reload(self) -> None:
        """Changes the file, and has it loaded."""
        assert self.daemon is not None
        edit = self.roster.edit()
        self.note(edit.what)
        began = time.time()
        status, said = await self.daemon.reload(self._text())
        assert status == 200, said
        self.roster.applied(edit, (began, time.time()))

    def _text(self) -> str:
        settings: Mapping[str, Any] = {"history": {"url": self.database.url}, "workers": self._workers}
        return configuration(self.roster.tables(), settings)

    def _known_until(self) -> float | None:
        if len(self.truth.lives) < 2:
            return None
        before = self.truth.lives[-2]
        assert before.ended is not None
        return before.ended - SLACK if self.truth.clean(before) else self.truth.durable(before)

    # the database

    async def take_away(self, way: str) -> None:
        """Lets no monitor write, until it is given back."""
        began = time.time()
        if self._taken is None and await self.database.take(way):
            self._taken = way
            self.truth.away.append((began, inf))
            self.note(f"database: {way}")

    async def give_back(self) -> None:
        """Lets the monitor write again."""
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
