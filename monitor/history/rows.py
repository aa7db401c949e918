"""Turns incidents, transitions and announcements into rows of plain columns, and rows into values again."""

from __future__ import annotations

from typing import Any

import msgspec.json
from msgspec import convert, msgpack
from sqlalchemy import Row as StoredRow

from monitor.history.archive import Announcement
from monitor.history.statements import Row
from monitor.history.unreadable import SkipLog
from monitor.model.incident import Incident
from monitor.model.outcome import Reason
from monitor.model.result import Result
from monitor.model.transition import Transition

_encode = msgpack.Encoder().encode


def stored_text(text: str) -> str:
    """A text that both databases take: PostgreSQL refuses NUL, both refuse half a surrogate pair."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def incident_row(one: Incident, check_id: int) -> Row:
    """The row of an incident of the check with this id."""
    said = one.acknowledged
    return {
        "id": one.id,
        "check_id": check_id,
        "started_at": one.started_at,
        "ended_at": one.ended_at,
        "ended_by": one.ended_by,
        "reason": one.reason.value,
        "detail": stored_text(one.detail),
        "acknowledged_at": said and said.at,
        "acknowledged_by": said and stored_text(said.by),
        "acknowledged_note": said and stored_text(said.note),
        "acknowledged_until": said and said.until,
        "first_run": None if one.first is None else _encode(one.first),
    }


def incident_of(row: StoredRow[Any], check: str, skipped: SkipLog, *, evidence: bool = True) -> Incident | None:
    """Returns the incident of a row, `check` being the name of its check; None if it cannot be read.

    What cannot be read of it costs no more than itself.
    """
    place = f"incidents {row.id!r}"
    first = skipped.parts(Result, row.first_run, f"{place}, first_run") if evidence and row.first_run else None
    reason = skipped.read(_word, row.reason, f"{place}, reason") or _UNREADABLE

    def words(column: str) -> str:
        return skipped.read(_words, getattr(row, column), f"{place}, {column}") or ""

    said = None
    if row.acknowledged_at is not None:
        by, note = words("acknowledged_by"), words("acknowledged_note")
        said = (by, note, row.acknowledged_at, row.acknowledged_until)
    detail = words("detail")
    values = (row.id, check, row.started_at, reason, detail, row.ended_at, first, said, row.ended_by)
    return skipped.parts(Incident, _encode(values), place)


def _word(value: object) -> Reason:
    return convert(value, Reason)


def _words(value: object) -> str:
    return convert(value, str)


_UNREADABLE = convert("unreadable", Reason)
"""The reason of an incident whose own is lost."""


def transition_row(one: Transition, number: int) -> Row:
    """The row of a change of state."""
    return {
        "check_id": one.check_id,
        "id": number,
        "at": one.at,
        "state_before": one.before.state.value,
        "state_after": one.after.state.value,
        "cause": one.cause.value,
        "incident_id": one.incident and one.incident.id,
    }


def announcement_row(said: Announcement) -> Row:
    """The row of an announcement."""
    return {
        "id": said.id,
        "starts": said.starts,
        "ends": said.ends,
        "author": stored_text(said.by),
        "text": stored_text(said.text),
        "for_groups": msgspec.json.encode(said.groups).decode(),
    }


def announcement_of(row: StoredRow[Any], skipped: SkipLog) -> Announcement | None:
    """Returns the announcement of a row, None if it cannot be read. One whose groups cannot be read is about all."""
    place = f"announcements {row.id!r}"
    groups = skipped.read(_groups, row.for_groups, f"{place}, for_groups")
    values = (row.id, row.text, row.author, row.starts, row.ends, groups or ())
    return skipped.read(lambda data: convert(data, Announcement), values, place)


_groups = msgspec.json.Decoder(tuple[str, ...]).decode
