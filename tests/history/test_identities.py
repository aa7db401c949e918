"""Whatever is added, removed, renamed and brought back, by reloads or restarts, a check keeps its id."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from monitor.history.identities import Identities, StoredCheck
from monitor.history.statements import Writes
from monitor.live.ledger import Ledger
from tests.history.living import MONITOR, HeldClock, spec

SOME = st.integers(0, 10**6)


@dataclass
class Check:
    """A check of the file: its names, and its id once a process gave it one."""

    name: str
    was: list[str] = field(default_factory=list)
    configured: bool = True
    buried: bool = False
    id: int | None = None


class Reloads(RuleBasedStateMachine):
    """Processes one after the other, with one database and one file."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = HeldClock()
        self.stored: dict[int, StoredCheck] = {}
        self.checks = [Check("first")]
        self.names = 0
        self.start()

    # the file

    def some(self, number: int, *, configured: bool) -> Check | None:
        found = [check for check in self.checks if check.configured is configured and not check.buried]
        return found[number % len(found)] if found else None

    def fresh(self) -> str:
        self.names += 1
        return f"n{self.names}"

    def rename(self, check: Check, name: str) -> None:
        check.was = [one for one in (*check.was, check.name) if one != name]
        check.name = name

    @rule()
    def add(self) -> None:
        self.checks.append(Check(self.fresh()))

    @rule(number=SOME)
    def remove(self, number: int) -> None:
        if (check := self.some(number, configured=True)) is not None:
            check.configured = False

    @rule(number=SOME, renamed=st.booleans())
    def bring_back(self, number: int, renamed: bool) -> None:
        if (check := self.some(number, configured=False)) is not None:
            check.configured = True
            if renamed:
                self.rename(check, self.fresh())

    @rule(number=SOME)
    def rename_one(self, number: int) -> None:
        if (check := self.some(number, configured=True)) is not None:
            self.rename(check, self.fresh())

    @rule(number=SOME, other=SOME)
    def rename_onto_a_removed_one(self, number: int, other: int) -> None:
        check, gone = self.some(number, configured=True), self.some(other, configured=False)
        if check is not None and gone is not None and check.id is not None and gone.name not in self.now:
            gone.buried = True
            for one in self.checks:  # no other check may name it
                one.was = [name for name in one.was if name != gone.name]
            self.rename(check, gone.name)

    # the process

    def specs(self) -> list[Any]:
        taken = {check.name for check in self.checks if check.configured}
        return [
            spec(check.name, was=tuple(name for name in check.was if name not in taken))
            for check in self.checks
            if check.configured
        ]

    def start(self) -> None:
        self.ledger = Ledger(self.clock())
        self.identities = Identities(self.ledger, self.clock)
        self.ledger.apply(self.specs(), MONITOR, self.clock())
        self.identities.take_over(self.stored.values())
        self.loaded()

    def loaded(self) -> None:
        self.now = {check.name: check for check in self.checks if check.configured}
        for name, check in self.now.items():
            record = self.ledger.get(name)
            assert record is not None
            if check.id is None:
                check.id = record.id

    @rule()
    def reload(self) -> None:
        self.clock.forward(1)
        self.ledger.apply(self.specs(), MONITOR, self.clock())
        self.identities.use()
        self.loaded()

    @rule()
    def write(self) -> None:
        writes = Writes()
        self.identities.pending(writes)
        self.stored |= {row["id"]: StoredCheck(**row) for row in writes.checks}
        self.identities.written(writes)

    @rule()
    def the_database_comes_back(self) -> None:
        assert not self.identities.take_over(self.stored.values())

    @precondition(lambda self: self.stored)
    @rule(killed=st.booleans())
    def restart(self, killed: bool) -> None:
        """A killed process loses what it has not written; so do checks that were never written."""
        self.clock.forward(1)
        if not killed:
            self.write()
        for check in self.checks:
            if check.id not in self.stored:
                check.id = None
        self.start()

    # what holds

    @invariant()
    def every_check_has_its_id(self) -> None:
        for name, check in self.now.items():
            record = self.ledger.get(name)
            assert record is not None
            assert record.id == check.id, (name, check)

    @invariant()
    def names_lead_to_ids_and_back(self) -> None:
        for name, check in self.now.items():
            assert self.identities.of(name) == check.id
            assert self.identities.name(check.id) == name
        assert self.identities.configured == {check.id for check in self.now.values()}


TestReloads = Reloads.TestCase
TestReloads.settings = settings(max_examples=60, stateful_step_count=30)
