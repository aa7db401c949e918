"""Defines how the database stores a check's past: saved whole now and then, and an entry for each later result."""

from __future__ import annotations

from functools import partial
from typing import Annotated, NamedTuple

from msgspec import Meta, Raw, Struct, msgpack
from msgspec.structs import replace

from monitor.history.merging import EarlySummary, merge
from monitor.history.unreadable import SkipLog
from monitor.live.events import RecordedResult
from monitor.live.ledger import Record
from monitor.model.clock import Moment
from monitor.model.incident import Incident
from monitor.model.outcome import Outcome, State
from monitor.model.result import Result, Seconds
from monitor.model.spec import CheckSpec
from monitor.model.transition import Standing, Transition
from monitor.rules.state import STALE_AFTER_INTERVALS
from monitor.stats.first_form import first_result
from monitor.stats.presence import Presence
from monitor.stats.result_log import FORM, UNREADABLE, History, RunFields, history_of, own_of, whole
from monitor.stats.rollups import DAY, Past, SavedPast
from monitor.stats.tally import Count
from monitor.stats.windows import SLOT, Ring

MOST = 2**62
Number = Annotated[int, Meta(ge=0, le=MOST)]
"""The number of an entry of the journal, or an id, with room above it in the 63 bits of a database."""


class SavedStanding(Struct, array_like=True, gc=False):
    """A standing; `concluded` is Unix seconds here, since steady ones mean nothing to the next process."""

    state: str
    since: Seconds
    consecutive_failures: Count = 0
    consecutive_successes: Count = 0
    conclusive: Result | None = None
    concluded: Seconds | None = None
    incident: Incident | None = None
    failing: Result | None = None
    consecutive_slow: Count = 0


class SavedCheck(Struct, array_like=True):
    """Everything that is known of a check, but what has tables of its own: closed tallies, older results, incidents."""

    standing: SavedStanding | None = None
    past: SavedPast | None = None
    recent: Raw = Raw()
    """A `History`, whose results are read one by one."""
    last_run_at: Seconds | None = None
    last_success_at: Seconds | None = None
    last_success: Result | None = None
    last_failure: Result | None = None
    number: Number = 0
    """The number of the last entry that is included; later entries have higher numbers, in every process."""
    form: int = FORM


class Entry(Struct, array_like=True, gc=False):
    """One result, which stands for `runs` runs, and where its check stood after it, at `at` (Unix seconds).

    `alike` is there if it differs from that of the check's entry before (`monitor.stats.result_log`).
    """

    check_id: Number
    number: Number
    own: RunFields
    alike: Result | None
    runs: Count
    at: Seconds
    state: str
    since: Seconds
    consecutive_failures: Count
    consecutive_successes: Count
    consecutive_slow: Count = 0
    form: int = FORM


_NIL = b"\xc0"
_FEW = 30
"""Results of a check that was never saved; the journal has no more of it."""

_encoder = msgpack.Encoder()
encode = _encoder.encode
"""Any of these as MessagePack."""
decode_entries = msgpack.Decoder(list[Raw]).decode
_decode_entry = msgpack.Decoder(Entry).decode
_decode_raws = msgpack.Decoder(list[Raw]).decode


def decode_entry(data: bytes | Raw) -> Entry:
    """Decodes an entry, also of the first form. Raises what msgspec raises, and IndexError."""
    try:
        return _decode_entry(data)
    except UNREADABLE:
        raws = _decode_raws(data)
        raws[2] = Raw(encode(RunFields.of_first_form(raws[2])))
        if bytes(raws[3]) != _NIL:
            raws[3] = Raw(encode(first_result(raws[3])))
        return _decode_entry(encode(raws))


def saved(record: Record, number: int, now: Moment) -> bytes:
    """The check as it stands now, after the entry of that number."""
    standing = record.standing
    concluded = None if standing.concluded is None else now.wall - (now.steady - standing.concluded)
    return encode(
        SavedCheck(
            SavedStanding(
                standing.state,
                standing.since,
                standing.consecutive_failures,
                standing.consecutive_successes,
                standing.conclusive,
                concluded,
                standing.incident,
                standing.failing,
                standing.consecutive_slow,
            ),
            record.past.saved(),
            Raw(encode(record.recent)),
            record.last_run_at,
            record.last_success_at,
            record.last_success,
            record.last_failure,
            number,
        )
    )


class PendingEntry(NamedTuple):
    """A result as it was noted; `alike` is None if an earlier entry of the check has it."""

    check_id: int
    number: int
    recorded: RecordedResult
    alike: Result | None


def entry(noted: PendingEntry) -> Entry:
    """The entry of a result."""
    recorded, standing = noted.recorded, noted.recorded.standing
    return Entry(
        noted.check_id,
        noted.number,
        own_of(recorded.result),
        noted.alike,
        recorded.runs,
        recorded.now.wall,
        standing.state,
        standing.since,
        standing.consecutive_failures,
        standing.consecutive_successes,
        standing.consecutive_slow,
    )


class Change(NamedTuple):
    """A stored change of state at a time (Unix seconds), numbered like the entries of the journal."""

    number: int
    at: float
    state: str


class Ended(NamedTuple):
    """The end of what was known of a check, in Unix seconds: of the process before, or of the check itself."""

    alive_until: float
    removed_at: float | None = None


class EarlierCheck:
    """A check in the process before, as it is rebuilt: what was saved of it, and then every entry after that."""

    def __init__(
        self, spec: CheckSpec, kept: SavedCheck | None, place: str, skipped: SkipLog, presence: Presence
    ) -> None:
        kept = kept or SavedCheck()
        self._spec = spec
        self._presence = presence
        self._past = _past(kept.past, place, skipped, presence.last.wall)
        self._recent = _recent(kept.recent, place, skipped)
        self._alike = self._recent.alike
        self._standing = _standing(kept.standing)
        self._concluded = kept.standing.concluded if kept.standing else None
        self._credited = kept.past.credited if kept.past else None
        self._run_at = kept.last_run_at
        self._success_at = kept.last_success_at
        self._success = kept.last_success
        self._failure = kept.last_failure
        self._number = kept.number

    def replay(self, one: Entry) -> None:
        """Take in a result that came after the check was saved."""
        self._alike = one.alike or self._alike
        if one.number <= self._number or self._alike is None:  # already contained, or its other half was dropped
            return
        result = whole(self._alike, one.own)
        self._credit(one.at)
        self._the_past(one.at).count_at(result, one.at, one.runs)
        self._recent = self._recent.add(result)
        self._run_at = one.at
        if result.outcome is Outcome.SUCCESS:
            self._success_at, self._success = one.at, result
        elif result.failed:
            self._failure = result
        self._standing = _moved(self._standing or Standing(State.UNKNOWN, one.at), one, result)
        if result.conclusive:
            self._concluded = one.at

    def change(self, one: Change) -> None:
        """Take in a change that no result brought about: a pause, maintenance, or results that became too old."""
        before = self._standing or Standing(State.UNKNOWN, one.at)
        state = state_of(one.state, before.incident)
        if one.number <= self._number or state is before.state:
            return
        self._credit(one.at)
        incident = before.incident if state in (State.DOWN, State.UNKNOWN) else None
        self._standing = replace(before, state=state, since=one.at, incident=incident)

    def _the_past(self, at: float) -> Past:
        if self._past is None:
            self._past = Past(Presence(Moment(at, 0.0)), Moment(at, 0.0))
        return self._past

    def _credit(self, until: float) -> None:
        """Count the time until then to the state that held, as long as what was known was not too old."""
        standing, since = self._standing, self._credited
        if standing is not None and since is not None and until > since:
            fresh = STALE_AFTER_INTERVALS * self._spec.interval
            since, known = max(since, until - fresh - DAY), until  # a time that makes no sense costs no minutes of work
            if standing.state not in (State.PAUSED, State.MAINTENANCE):
                known = min(until, (self._concluded or since) + fresh)
            for start, end in self._presence.within(since, known):
                self._the_past(since).stand_between(standing.state, start, end)
        self._credited = until

    def into(
        self, record: Record, end: Ended, ongoing: Incident | None, early: EarlySummary | None, now: Moment
    ) -> Transition | None:
        """Let a record go on from here, which knows nothing yet, or only what came `early`, since this process began.

        What held at the end of the process before holds on as if its last result had just come: time in which nobody
        looked is no time in which nothing was found. But it is counted to no state. Nothing holds on for a check that
        was removed: its incident ended then.
        """
        self._credit(end.alive_until if end.removed_at is None else min(end.alive_until, end.removed_at))
        if self._past is not None:
            record.past.absorb(self._past, now)
        for result in reversed(record.recent.results()):
            self._recent = self._recent.add(result)
        record.recent = self._recent.within(record.recent.limit)
        record.last = next(iter(record.recent.results()), None)
        record.last_run_at = record.last_run_at or self._run_at
        record.last_success_at = record.last_success_at or self._success_at
        record.last_success = record.last_success or self._success
        record.last_failure = record.last_failure or self._failure
        if self._standing is None or end.removed_at is not None:
            return None
        concluded = None if self._standing.conclusive is None else now.steady
        lasting = self._standing.state in (State.DOWN, State.UNKNOWN)
        incident = (ongoing or self._standing.incident) if lasting else None
        incident = incident and replace(incident, check=record.spec.name)
        stored = replace(self._standing, concluded=concluded, incident=incident)
        if record.standing.conclusive is None:
            return record.resume(stored, now)
        merged = merge(stored, record.standing, early or EarlySummary(), self._spec.up_after)
        own = tuple(one for one in record.incidents if one.started_at >= merged.own_from)
        ended = () if merged.ended is None else (merged.ended,)
        record.incidents = (*own, *ended)
        return record.adopt(merged.standing, now)


def _moved(before: Standing, one: Entry, result: Result) -> Standing:
    failing = (before.failing or result) if result.failed else None if result.conclusive else before.failing
    return replace(
        before,
        state=state_of(one.state, before.incident),
        since=one.since,
        consecutive_failures=one.consecutive_failures,
        consecutive_successes=one.consecutive_successes,
        consecutive_slow=one.consecutive_slow,
        conclusive=result if result.conclusive else before.conclusive,
        failing=failing,
        incident=before.incident if one.state in (State.DOWN, State.UNKNOWN) else None,
    )


def _standing(kept: SavedStanding | None) -> Standing | None:
    if kept is None:
        return None
    return Standing(
        state_of(kept.state, kept.incident),
        kept.since,
        kept.consecutive_failures,
        kept.consecutive_successes,
        kept.conclusive,
        None,
        kept.incident,
        kept.failing,
        kept.consecutive_slow,
    )


def state_of(word: str, incident: Incident | None) -> State:
    """The state of this word; a word of a newer version says no more than whether an incident lasts."""
    return State(word) if word in _STATES else State.DOWN if incident is not None else State.UNKNOWN


_STATES = frozenset(State)


def _past(kept: SavedPast | None, place: str, skipped: SkipLog, now: float) -> Past | None:
    if kept is None:
        return None
    for name, step in (("slots", SLOT), ("days", DAY)):
        if not getattr(kept, name).sane(step, now):
            skipped(f"{place}, past, {name}", "its figures make no sense")
            setattr(kept, name, Ring(step))
    return Past.of(kept)


def _recent(kept: Raw, place: str, skipped: SkipLog) -> History:
    if not memoryview(kept).nbytes:
        return History(_FEW)
    where = f"{place}, recent"
    return (skipped.read(lambda raw: history_of(raw, partial(skipped, where)), kept, where) or History(_FEW)).shared()
