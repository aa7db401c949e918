"""Tracks the ids of the checks. A check keeps its id when it is renamed, and when it is removed and comes back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from monitor.history.statements import Row, Writes
from monitor.live.ledger import Ledger, Record
from monitor.model.clock import Clock
from monitor.model.spec import CheckSpec


class StoredCheck(NamedTuple):
    """A check that the database knows; times are Unix seconds, `removed_at` is None while the check is configured."""

    id: int
    name: str
    created_at: float
    removed_at: float | None = None


class Identities:
    """The ids of all checks, those of removed ones too. Changes become rows of the next transaction."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        self.highest = 0
        """The highest id that was ever given."""
        self._known: dict[int, StoredCheck] = {}
        self._stored: dict[int, StoredCheck] = {}
        """The checks as the database has them."""
        self._by_name: dict[str, int] = {}
        """The configured check of each name, else the one that was removed last."""
        self._configured: dict[Record, str] = {}
        self._changed: dict[int, Row] = {}
        self._events: list[Row] = []
        self._begun: list[Record] = []
        self.returned: dict[int, float] = {}
        """The checks that came back and whose past is not adopted yet, with the times of their removal."""

    @property
    def configured(self) -> frozenset[int | None]:
        """The ids of the configured checks."""
        return frozenset(record.id for record in self._configured)

    def of(self, name: str) -> int | None:
        """Returns the id of the check of this name, None if there is none."""
        return self._by_name.get(name)

    def name(self, check_id: object) -> str | None:
        """Returns the name of a check, None if the id is unknown."""
        known = self._known.get(check_id)  # type: ignore[call-overload]  # a column may hold anything
        return None if known is None else str(known.name)

    # changes

    def take_over(self, stored: Iterable[StoredCheck]) -> bool:
        """Takes over the checks of this database; True if a configured check has another id than before.

        Where the database stands as this process left it, what happened since is still true, and will be written.
        """
        known = {one.id: one for one in stored}
        since = {
            check_id: one for check_id, one in self._known.items() if known.get(check_id) == self._stored.get(check_id)
        }
        self._stored, self._known = known, known | since
        self._changed = {one.id: one._asdict() for one in self._known.values() if known.get(one.id) != one}
        self.highest = max(self._known, default=0)
        before = {record: record.id for record in self._ledger}
        kept = {check_id for check_id in before.values() if check_id in since}
        former = Former(one for one in self._known.values() if one.id not in kept)
        for record, check_id in before.items():
            record.id = check_id if check_id in kept else former.take(record.spec)
        self._apply()
        return any(check_id not in (None, record.id) for record, check_id in before.items())

    def use(self) -> tuple[list[Record], list[Record]]:
        """Takes over the checks of a reload. Returns those that are removed, and those whose past must be read."""
        removed = [record for record in self._configured if self._ledger.get(record.spec.name) is not record]
        former = Former(one for one in self._known.values() if one.removed_at is not None)
        returned = []
        for record in self._ledger:
            if record.id is None and (check_id := former.take(record.spec)) is not None:
                record.id = check_id
                returned.append(record)
        self._apply()
        return removed, returned

    def _apply(self) -> None:
        """Notes what differs between the stored checks and the configured ones."""
        now = self._clock().wall
        self._configured = {record: record.spec.name for record in self._ledger}
        for record, name in self._configured.items():
            if record.id is None:
                self._begin(record, self.highest + 1)
                continue
            known = self._known[record.id]
            if known.removed_at is not None:
                self.returned[record.id] = known.removed_at
                self._note(known._replace(name=name, removed_at=None), "returned", now)
            elif known.name != name:
                self._note(known._replace(name=name), "renamed", now)
        configured = self.configured
        for known in [one for one in self._known.values() if one.removed_at is None and one.id not in configured]:
            self._note(known._replace(removed_at=now), "removed", now)
        in_order = sorted(self._known.values(), key=lambda one: (one.removed_at is None, one.removed_at or 0.0))
        self._by_name = {one.name: one.id for one in in_order}

    def _begin(self, record: Record, check_id: int) -> None:
        record.id = check_id
        self._begun.append(record)
        self.highest = max(self.highest, check_id)
        now = self._clock().wall
        self._note(StoredCheck(check_id, record.spec.name, now), "created", now)

    def _note(self, check: StoredCheck, event: str, now: float) -> None:
        self._known[check.id] = check
        self._changed[check.id] = check._asdict()
        self._events.append({"check_id": check.id, "at": now, "event": event, "name": check.name})

    def begun(self) -> list[Record]:
        """Returns the checks that began since the last call."""
        found, self._begun = self._begun, []
        return found

    # what is written of it

    def pending(self, writes: Writes) -> None:
        """Adds the rows of checks that changed."""
        writes.checks += self._changed.values()
        writes.check_events += self._events

    def written(self, writes: Writes) -> None:
        """All of this is in the database now."""
        for row in writes.checks:
            self._stored[row["id"]] = StoredCheck(**row)
            if self._changed.get(row["id"]) is row:
                del self._changed[row["id"]]
        del self._events[: len(writes.check_events)]


class Former:
    """Finds the stored check that a configured one continues; each is continued once."""

    def __init__(self, stored: Iterable[StoredCheck]) -> None:
        ends_last = sorted(stored, key=lambda one: one.removed_at or 0.0)
        self._configured = {one.name: one.id for one in ends_last if one.removed_at is None}
        self._removed = {one.name: one.id for one in ends_last if one.removed_at is not None}

    def take(self, spec: CheckSpec) -> int | None:
        """Returns the id of the check that had a former name of it, or its name; None if there is none.

        Checks that were configured until now go first, then those that were removed. A former name goes before the
        present one, as in a reload: the file must not name a check in `was` that it has.
        """
        for stored in (self._configured, self._removed):
            for name in (*spec.was, spec.name):
                if name in stored:
                    return stored.pop(name)
        return None
