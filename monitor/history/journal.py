"""Gathers on the loop what the database has to store: new results, the states of checks, and changes of incidents."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator
from itertools import islice, takewhile

from monitor.history.rows import incident_row, transition_row
from monitor.history.saved import PendingEntry, encode, entry, saved
from monitor.history.statements import Row, Writes
from monitor.live.events import RecordedResult
from monitor.live.ledger import Ledger, Record
from monitor.model.clock import Moment
from monitor.model.incident import Incident
from monitor.model.result import Result
from monitor.model.transition import Transition
from monitor.stats.meters import HistoryMeter
from monitor.stats.result_log import History
from monitor.system.turns import turns

MOST_RESULTS = 100_000
"""Results that wait at most to be written."""
_MOST_CHANGES = 20_000
"""Incidents, and changes of state, that wait at most to be written."""
_IN_A_ROW = 200
"""Results in one row of the journal: as many as are encoded in a fraction of a millisecond."""
_ROUND_SECONDS = 300.0
"""Each check is saved once in this time, so a restart has as much of the journal to go through."""
_MOST_AT_ONCE = 500
"""Checks that are saved at once because something happened to them; the others come with the next."""
CHECKPOINT_SECONDS = 5.0

Captured = tuple[Record, int, list[tuple[int, int, bytes]]]
"""A check that was saved, with how many new results, and which closed stretches."""


class Journal:
    """Everything that is not written yet, bounded. Entries are numbered above those of every process before."""

    def __init__(self, ledger: Ledger, meter: HistoryMeter, now: Moment) -> None:
        self._ledger = ledger
        self._meter = meter
        self._number = self._row = int(now.wall) * 1_000_000
        self._noted: list[PendingEntry] = []
        self._rows: deque[tuple[Row, int]] = deque()
        """Rows that are already encoded, each with the number of its results."""
        self._alike: dict[Record, Result | None] = {}
        self._fresh: dict[Record, int] = {}
        """Results of each check since it was saved."""
        self._soon: dict[Record, None] = {}
        self.pressing = False
        """True if checks must be saved with the next write: soon their results are more than their records remember."""
        self._incidents: dict[str, Row] = {}
        self._lasting: dict[Record, Incident | None] = {}
        """The incident of each check that is down, as it was noted last: its times follow a clock that is set."""
        self._transitions: deque[Row] = deque(maxlen=_MOST_CHANGES)
        self._round: Iterator[Record] = iter(())
        self._round_began: int | None = None
        """The row of the journal at which the round began."""
        self._forget: int | None = None
        self._looked_from = now.wall
        """When the present stretch of presence began, in Unix seconds."""
        self._gap: tuple[float, float] | None = None
        """The last gap in the presence that is in `_stretches`."""
        self._stretches: list[Row] = []
        """Stretches of presence that are over."""
        self._parting: dict[Record, int] = {}
        """Checks that are configured no more and still to be saved, each with its results since it was saved."""

    def above(self, number: int) -> None:
        """Number entries and rows above this, should the clock have been put back since the process before."""
        self._number, self._row = max(self._number, number), max(self._row, number)

    # what happens

    def note(self, record: Record, recorded: RecordedResult) -> None:
        """Notes a result that the record has just taken in."""
        alike = record.recent.alike
        self._number += 1
        said = alike is self._alike.get(record)
        self._noted.append(PendingEntry(record.id or 0, self._number, recorded, None if said else alike))
        self._alike[record] = alike
        if recorded.standing.incident is not None:
            self._lasting.setdefault(record, None)
        self._meter.queue += 1
        self.early(record)

    def early(self, record: Record) -> None:
        """A result that needs no entry, for its check is saved whole before anything else is written."""
        fresh = self._fresh[record] = self._fresh.get(record, 0) + 1
        if fresh * 4 >= record.recent.limit * 3:
            self._soon[record] = None
            self.pressing = True

    def incident(self, incident: Incident, check_id: int | None) -> None:
        """Notes that an incident began or ended, or that its acknowledgement changed."""
        if check_id is None:
            return
        self._incidents.pop(incident.id, None)
        self._incidents[incident.id] = incident_row(incident, check_id)
        if len(self._incidents) > _MOST_CHANGES:
            del self._incidents[next(iter(self._incidents))]
            self._meter.dropped += 1

    def transition(self, one: Transition) -> None:
        """Notes a change of state."""
        self._number += 1
        self._transitions.append(transition_row(one, self._number))

    def part(self, records: Iterable[Record]) -> None:
        """Saves checks that are configured no more, once, together with their removal."""
        for record in records:
            self.pressing = True
            record.past.end()
            self._parting[record] = self._fresh.pop(record, 0)
            for kept in (self._alike, self._soon, self._lasting):
                kept.pop(record, None)

    def save_soon(self, records: Iterable[Record]) -> None:
        """Save these checks with the next ones."""
        self._soon |= dict.fromkeys(records)

    def save_all(self) -> None:
        """Drops what waits to be written of results, as every check is saved whole with the next write."""
        self._rows.clear()
        self._noted.clear()
        self._alike.clear()
        self._meter.queue = 0

    # what is written of it

    async def encoded(self) -> None:
        """Make rows of what was noted."""
        noted, self._noted = self._noted, []
        for start in range(0, len(noted), _IN_A_ROW):
            some = noted[start : start + _IN_A_ROW]
            entries = [entry(one) async for one in turns(some)]
            self._row += 1
            at = some[-1].recorded.now.wall
            self._rows.append(({"id": self._row, "at": at, "entries": encode(entries)}, len(some)))
        while self._meter.queue > MOST_RESULTS and self._rows:
            _, lost = self._rows.popleft()
            self._meter.queue -= lost
            self._meter.dropped += lost
            self._alike.clear()  # what they shared with later ones has to be said again

    def pending(self, now: Moment) -> Writes:
        """The journal's rows, the incidents, the changes of state, and the stretches in which this process looked."""
        for record, noted in tuple(self._lasting.items()):
            incident = self._lasting[record] = record.standing.incident
            if incident is None:
                del self._lasting[record]
            elif incident is not noted:
                self.incident(incident, record.id)
        unseen = list(takewhile(lambda gap: gap is not self._gap, reversed(self._ledger.presence.gaps)))
        for self._gap in reversed(unseen):
            self._stretches.append(_stretch(self._looked_from, self._gap[0]))
            self._looked_from = self._gap[1]
        return Writes(
            presence=[*self._stretches, _stretch(self._looked_from, now.wall)],
            journal=[row for row, _ in self._rows],
            incidents=list(self._incidents.values()),
            transitions=list(self._transitions),
            forget_journal=self._forget,
        )

    async def checkpoint(
        self, writes: Writes, now: Callable[[], Moment], *, held: Container[Record], all_of_them: bool
    ) -> list[Captured]:
        """Adds the checks whose turn it is, or all; returns them, for `written` or `not_written` after the commit.

        Those that are `held` are not saved yet: their stored past has not been read.
        """
        captured = []
        self.pressing = False
        due = [record for record in self._due(all_of_them=all_of_them) if record not in held and record.id is not None]
        async for record in turns(due):
            number = record.id or 0
            fresh = self._parting.get(record, self._fresh.get(record, 0))
            closed = record.past.closed()
            for step, start, tally in closed:
                writes.tallies.append({"step": step, "check_id": number, "start": start, "tally": tally})
                if start < record.past.again_until:
                    writes.again.add((step, number, start))
            writes.results += _chunks(record, number, fresh)
            writes.states.append({"check_id": number, "saved": saved(record, self._number, now())})
            captured.append((record, fresh, closed))
        return captured

    def _due(self, *, all_of_them: bool) -> Iterable[Record]:
        if all_of_them:
            self._soon.clear()
            return [*self._parting, *self._ledger]
        asked = list(islice(self._soon, _MOST_AT_ONCE))
        for record in asked:
            del self._soon[record]
        count = -(-len(self._ledger) * int(CHECKPOINT_SECONDS) // int(_ROUND_SECONDS))
        some = list(islice(self._round, count))
        if len(some) < count:
            self._forget, self._round_began = self._round_began, self._row
            self._round = iter(self._ledger)
        return dict.fromkeys((*self._parting, *asked, *some))

    def written(self, writes: Writes, captured: list[Captured]) -> None:
        """All of this is in the database now."""
        for row in writes.journal:
            if self._rows and self._rows[0][0] is row:
                _, count = self._rows.popleft()
                self._meter.queue -= count
        for row in writes.incidents:
            if self._incidents.get(row["id"]) is row:
                del self._incidents[row["id"]]
        for row in writes.transitions:
            if self._transitions and self._transitions[0] is row:
                self._transitions.popleft()
        self._stretches = [row for row in self._stretches if not any(row is one for one in writes.presence)]
        for record, fresh, closed in captured:
            if self._parting.pop(record, None) is None:
                self._fresh[record] = self._fresh.get(record, 0) - fresh
            record.past.kept(closed)
        if writes.forget_journal == self._forget:
            self._forget = None

    def not_written(self, captured: list[Captured]) -> None:
        """Saves these checks again with the next ones, as the write failed; until all are, no row is forgotten."""
        self.save_soon(record for record, _, _ in captured if record not in self._parting)
        if captured:
            self._forget, self._round_began, self._round = None, self._row, iter(self._ledger)


def _stretch(began: float, until: float) -> Row:
    return {"started_at": began, "alive_until": max(began, until)}


def _chunks(record: Record, check_id: int, fresh: int) -> Iterator[Row]:
    """Yields the newest `fresh` results as rows, failures apart from the others."""
    newest = record.recent.results()[:fresh]
    for failed in (False, True):
        some = [result for result in reversed(newest) if result.failed is failed]
        if some:
            packed = History(len(some))
            for result in some:
                packed = packed.add(result)
            times = {"first_at": some[0].started_at, "last_at": some[-1].started_at}
            yield {"check_id": check_id, "failed": failed, **times, "count": len(some), "data": encode(packed)}
