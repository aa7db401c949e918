"""The checks of a configuration that changes: present and former names, removals and returns."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple

from tests.proof.targets import Targets
from tests.proof.truth import RESUMES, Span, Subject, Term, Truth

INTERVALS = (0.6, 0.8, 1.0)
MOST = 12
LEAST = 5
STORED = 3.0
"""Seconds after which a kill undoes no removal: one that is undone together with the return never was."""
KEPT_NAMES = 0.7
"""Probability that all former names stay in the file when a check gets another name."""


@dataclass
class Check:
    """A check with its present and former names; its key, which never changes, names its target."""

    key: str
    name: str
    interval: float
    was: list[str] = field(default_factory=list)
    configured: bool = True
    paused: bool = False
    told: str | None = None
    """The name that a daemon knew last, under which the history has it."""
    gone_at: float = 0.0
    """Time of its last removal."""
    buried: float | None = None
    """Time since which another check has its name; it never comes back."""

    def table(self, targets: Targets) -> dict[str, Any]:
        """Its table in the file."""
        seconds = self.interval
        limits = {"connect": seconds - 0.05, "read": seconds - 0.05, "total": seconds - 0.05}
        return {
            "name": self.name, "url": targets.url(self.key), "interval": seconds, "timeout": limits, "down_after": 2,
            "was": list(self.was), "enabled": not self.paused,
        }  # fmt: skip


class Known(NamedTuple):
    """A check as a daemon knows it."""

    name: str
    runs: bool


class Roster:
    """All checks that ever existed; changes them at random."""

    def __init__(self, random: Random, targets: Targets, truth: Truth, count: int) -> None:
        self._random, self._targets, self._truth = random, targets, truth
        self.checks: dict[str, Check] = {}
        self._names = 0
        self._dead = True
        self._known: dict[str, Known] = {}
        """The checks as the last daemon knew them."""
        for _ in range(count):
            self._new()

    @property
    def configured(self) -> list[Check]:
        """The checks in the file."""
        return [check for check in self.checks.values() if check.configured]

    @property
    def running(self) -> list[Check]:
        """The checks in the file that are not paused."""
        return [check for check in self.configured if not check.paused]

    def tables(self) -> list[dict[str, Any]]:
        """The tables of the file."""
        return [check.table(self._targets) for check in self.configured]

    def edit(self, *, dead: bool) -> str:
        """Makes a random change, and describes it; `dead`: no daemon runs."""
        self._dead = dead
        """A removal before the stored past was adopted loses what was seen since the start: a known fault."""
        edits = (self._remove, self._remove, self._bring_back, self._rename, self._take_over, self._add, self._pause)
        return self._random.choice(edits)()

    def adopted(self, during: Span, known: Span | None = None) -> None:
        """Notes that a daemon adopted the file; `known`: when the daemon before it saw its checks last, None if none.

        A check that was removed while no daemon ran ended then; one that was paused ended by the start at the latest.
        """
        for check in self.configured:
            check.told = check.name
        before, self._known = self._known, {c.key: Known(c.name, not c.paused) for c in self.configured}
        for key in before.keys() | self._known.keys():
            old, new = before.get(key), self._known.get(key)
            subject = self._truth.subjects.setdefault(key, Subject(key, answers=self._targets.noted(key)))
            if new and new.runs and not (old and old.runs):
                subject.terms.append(Term(during))
            elif old and old.runs and not (new and new.runs):
                subject.terms[-1].until = (known[0], during[1] if new else known[1]) if known else during
                subject.terms[-1].removed_at = during[0] if known else during[1]
                subject.terms[-1].paused = new is not None
            elif old != new:
                subject.changes.append(during)

    def _new(self) -> Check:
        self._names += 1
        key = f"k{self._names}"
        self.checks[key] = Check(key, self._fresh(), self._random.choice(INTERVALS))
        return self.checks[key]

    def _fresh(self) -> str:
        self._names += 1
        return f"check-{self._names}"

    def _some(self) -> Check:
        return self._random.choice(self.configured)

    def _remove(self) -> str:
        named = [check for check in self.configured if check.told in (None, check.name)]
        late = any(end + RESUMES > time.time() for _, end in self._truth.away)
        if len(self.configured) <= LEAST or not named or (late and not self._dead):
            return self._add()
        check = self._random.choice(named)
        check.configured, check.gone_at = False, time.time()
        return f"remove {check.key} {check.name}"

    def _gone(self) -> list[Check]:
        return [check for check in self.checks.values() if not check.configured and check.buried is None]

    def _bring_back(self) -> str:
        stored = [check for check in self._gone() if time.time() - check.gone_at > STORED]
        if not stored or len(self.configured) >= MOST:
            return self._remove()
        check = self._random.choice(stored)
        check.configured = True
        before = check.name
        if self._random.random() < 0.4:
            self._renamed(check, self._fresh())
        return f"bring back {check.key} {before} as {check.name}"

    def _rename(self) -> str:
        check = self._some()
        before = check.name
        self._renamed(check, self._fresh())
        return f"rename {check.key} {before} to {check.name}"

    def _take_over(self) -> str:
        free = [check for check in self._gone() if check.key not in self._known]
        # A check that no daemon has seen under its former name is the one that returns, as far as a daemon can know.
        seen = [check for check in self.configured if check.key in self._known]
        if not free or not seen:
            return self._rename()
        check, gone = self._random.choice(seen), self._random.choice(free)
        gone.buried = time.time()
        before = check.name
        self._renamed(check, gone.name)
        return f"rename {check.key} {before} to {check.name} of {gone.key}"

    def _pause(self) -> str:
        check = self._some()
        if not check.paused and len(self.running) <= LEAST:
            return self._rename()
        check.paused = not check.paused
        return f"{'pause' if check.paused else 'resume'} {check.key} {check.name}"

    def _add(self) -> str:
        if len(self.configured) >= MOST:
            return self._rename()
        check = self._new()
        return f"add {check.key} {check.name}"

    def _renamed(self, check: Check, name: str) -> None:
        former = check.was if self._random.random() < KEPT_NAMES else []
        check.was = [one for one in (*former, check.name) if one != name]
        check.name = name
