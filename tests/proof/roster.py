"""The checks of a configuration that changes: present and former names, removals and returns."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.proof.targets import Targets
from tests.proof.truth import Span, Subject, Term, Truth

INTERVALS = (0.6, 0.8, 1.0)
ALL = bool(os.environ.get("PROOF_ALL"))
"""True to look for known faults too."""
MOST = 12
LEAST = 5
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
    buried: float | None = None
    """Time since which another check has its name; it never comes back."""

    def table(self, targets: Targets) -> dict[str, Any]:
        """Its table in the file."""
        seconds = self.interval
        limits = {"connect": seconds - 0.05, "read": seconds - 0.05, "total": seconds - 0.05}
        return {
            "name": self.name, "url": targets.url(self.key), "interval": seconds, "timeout": limits, "down_after": 2,
            "was": list(self.was),
        }  # fmt: skip


@dataclass(frozen=True)
class Edit:
    """A change of the configuration, by keys of checks."""

    what: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


class Roster:
    """All checks that ever existed; changes them at random."""

    def __init__(self, random: Random, targets: Targets, truth: Truth, count: int) -> None:
        self._random, self._targets, self._truth = random, targets, truth
        self.checks: dict[str, Check] = {}
        self._names = 0
        self._may_return_renamed = ALL
        """False: a reload that brings a check back under another name loses its past."""
        for _ in range(count):
            self._new()

    @property
    def configured(self) -> list[Check]:
        """The checks in the file."""
        return [check for check in self.checks.values() if check.configured]

    def tables(self) -> list[dict[str, Any]]:
        """The tables of the file."""
        return [check.table(self._targets) for check in self.configured]

    def edit(self, *, dead: bool) -> Edit:
        """Makes a random change; `dead`: no daemon runs."""
        self._may_return_renamed = dead or ALL
        return self._random.choice((self._remove, self._bring_back, self._rename, self._take_over, self._add))()

    def applied(self, edit: Edit, during: Span, known: Span | None = None) -> None:
        """Notes that the monitor adopted a change; `known`: when it last saw the removed checks, if it was dead."""
        subjects = self._truth.subjects
        for key in edit.removed:
            term = subjects[key].terms[-1]
            term.until = known or during
            term.removed_dead = known is not None
        for key in edit.added:
            answers = self._targets.noted(key)
            subjects.setdefault(key, Subject(key, answers=answers)).terms.append(Term(during))
        for key in edit.changed:
            subjects[key].changes.append(during)

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

    def _remove(self) -> Edit:
        if len(self.configured) <= LEAST:
            return self._add()
        check = self._some()
        check.configured = False
        return Edit(f"remove {check.key} {check.name}", removed=(check.key,))

    def _gone(self) -> list[Check]:
        return [check for check in self.checks.values() if not check.configured and check.buried is None]

    def _bring_back(self) -> Edit:
        if not self._gone() or len(self.configured) >= MOST:
            return self._remove()
        check = self._random.choice(self._gone())
        check.configured = True
        before = check.name
        if self._random.random() < 0.4 and self._may_return_renamed:
            self._renamed(check, self._fresh())
        return Edit(f"bring back {check.key} {before} as {check.name}", added=(check.key,))

    def _rename(self) -> Edit:
        check = self._some()
        before = check.name
        self._renamed(check, self._fresh())
        return Edit(f"rename {check.key} {before} to {check.name}", changed=(check.key,))

    def _take_over(self) -> Edit:
        if not self._gone():
            return self._rename()
        check, gone = self._some(), self._random.choice(self._gone())
        gone.buried = time.time()
        before = check.name
        self._renamed(check, gone.name)
        return Edit(f"rename {check.key} {before} to {check.name} of {gone.key}", changed=(check.key,))

    def _add(self) -> Edit:
        if len(self.configured) >= MOST:
            return self._rename()
        check = self._new()
        return Edit(f"add {check.key} {check.name}", added=(check.key,))

    def _renamed(self, check: Check, name: str) -> None:
        former = check.was if self._random.random() < KEPT_NAMES else []
        check.was = [one for one in (*former, check.name) if one != name]
        check.name = name
