"""Tracks the numbers that the database has for the checks, whatever their names."""

from __future__ import annotations

from monitor.history.journal import Journal
from monitor.history.restoring import StoredState
from monitor.history.statements import NAMELESS
from monitor.live.ledger import Ledger, Record


class Numbers:
    """The numbers of the checks. A check keeps its own when it is renamed, and when it is removed and comes back."""

    def __init__(self, ledger: Ledger, journal: Journal) -> None:
        self._ledger = ledger
        self._journal = journal
        self.by_name: dict[str, int] = {}
        """The numbers of all stored checks, removed ones too, by their present names."""
        self.highest = 0
        """The highest number that was ever given."""
        self.watched: frozenset[int | None] = frozenset()
        """The numbers of the configured checks."""
        self._names: dict[Record, str] = {}

    def use(self) -> list[Record]:
        """Takes over the checks of a reload; returns those that come back, whose past has to be read."""
        before, self._names = self._names, self._named()
        for record in before.keys() - self._names.keys():
            self._journal.part(record)
        returned = []
        for record, name in self._names.items():
            if record.number is not None and name != before.get(record, name):
                self._rename(record, before[record], record.number)
            elif record.number is None and name in self.by_name:
                returned.append(record)
            elif record.number is None:
                self._begin(record)
        self.look()
        return returned

    def take_over(self, found: StoredState) -> None:
        """Takes over the numbers that this database has."""
        self.by_name.clear()
        self.by_name |= {name: number for name, number in found.ids.items() if not name.startswith(NAMELESS)}
        self.highest = max(found.ids.values(), default=0)
        for record in self._ledger:
            name = found.former(record.spec)
            record.number = self.by_name.get(name or "")
            if record.number is None:
                self._begin(record)
            elif name is not None and name != record.spec.name:
                self._rename(record, name, record.number)
        self._names = self._named()
        self.look()

    def look(self) -> None:
        """Looks which checks are configured."""
        self.watched = frozenset(record.number for record in self._ledger)

    def of(self, record: Record) -> int:
        """The check's number, a new one if it has none yet."""
        if record.number is None:
            record.number = self.of_name(record.spec.name)
        return record.number

    def of_name(self, name: str) -> int:
        """The number of the check that has this name, a new one if none is stored."""
        if name not in self.by_name:
            self.highest += 1
            self.by_name[name] = self.highest
        return self.by_name[name]

    def stored(self, record: Record) -> tuple[int, str]:
        """The number and the name to store it by; a check that is removed may have lost its name to another one."""
        number, name = self.of(record), record.spec.name
        return number, name if self.by_name.get(name) == number else f"{NAMELESS}{number}"

    def _named(self) -> dict[Record, str]:
        return {record: record.spec.name for record in self._ledger}

    def _begin(self, record: Record) -> None:
        self.of(record)
        self._journal.save_soon([record.spec.name])

    def _rename(self, record: Record, before: str, number: int) -> None:
        if self.by_name.get(before) == number:
            del self.by_name[before]
        self.by_name[record.spec.name] = number
        self._journal.renamed(before, record, number)
