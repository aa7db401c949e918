"""The checks of a configuration as it changes: names, former names, and who was renamed onto whom."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.proof.targets import Targets
from tests.proof.truth import Span, Subject, Term, Truth

INTERVALS = (0.6, 0.8, 1.0)
MOST = 12
LEAST = 5
KEPT_NAMES = 0.7
"""How often a `was` stays in the file, once the renaming is stored."""


@dataclass
class Check:
    """A check by its key, which its target has too, with its present name and those that it had."""

    key: str
    name: str
    interval: float
    was: list[str] = field(default_factory=list)
    configured: bool = True
    buried: bool = False
    """Another check has its name; it never comes back."""

    def table(self, targets: Targets) -> dict[str, Any]:
        """As the file has it."""
        seconds = self.interval
        limits = {"connect": seconds - 0.05, "read": seconds - 0.05, "total": seconds - 0.05}
        return {
            "name": self.name, "url": targets.url(self.key), "interval": seconds, "timeout": limits, "down_after": 2,
            "was": list(self.was),
        }  # fmt: skip


@dataclass(frozen=True)
class Edit:
    """What is about to change, applied to the truth once the monitor has it."""

    what: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


class Roster:
    """All checks that ever were; changes itself by chance."""

    def __init__(self, random: Random, targets: Targets, truth: Truth, count: int) -> None:
        self._random, self._targets, self._truth = random, targets, truth
        self.checks: dict[str, Check] = {}
        self._names = 0
        for _ in range(count):
            self._new()

    @property
    def configured(self) -> list[Check]:
        """Those in the file."""
        return [check for check in self.checks.values() if check.configured]

    def tables(self) -> list[dict[str, Any]]:
        """The checks as the file has them."""
        return [check.table(self._targets) for check in self.configured]

    def edit(self) -> Edit:
        """Changes something."""
        return self._random.choice((self._remove, self._bring_back, self._rename, self._take_over, self._add))()

    def applied(self, edit: Edit, during: Span, stored: float | None = None) -> None:
        """The monitor has it since that span; `stored` is until when it knew anything, if no daemon ran."""
        subjects = self._truth.subjects
        for key in edit.removed:
            term = subjects[key].terms[-1]
            term.until = during if stored is None else (stored, during[0])
            term.removed_dead = stored is not None
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
        return [check for check in self.checks.values() if not check.configured and not check.buried]

    def _bring_back(self) -> Edit:
        if not self._gone() or len(self.configured) >= MOST:
            return self._remove()
        check = self._random.choice(self._gone())
        check.configured = True
        before = check.name
        if self._random.random() < 0.4:
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
        gone.buried = True
        before = check.name
        self._renamed(check, gone.name)
        return Edit(f"rename {check.key} {before} to {check.name} of {gone.key}", changed=(check.key,))

    def _add(self) -> Edit:
        if len(self.configured) >= MOST:
            return self._rename()
        check = self._new()
        return Edit(f"add {check.key} {check.name}", added=(check.key,))

    def _renamed(self, check: Check, name: str) -> None:
        check.was = [one for one in (*check.was, check.name) if one != name]
        check.name = name
