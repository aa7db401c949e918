"""Results as bytes: to be sent between processes, and to be kept by the thousand in a quarter of their memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Annotated

from msgspec import Meta, MsgspecError, Raw, Struct, msgpack

from monitor.model.answer import Figures, HttpFigures
from monitor.model.outcome import Reason
from monitor.model.result import Attempt, Phases, Result, Seconds
from monitor.stats.first_form import FirstRunFields, first_result

_encoder = msgpack.Encoder()
encode = _encoder.encode
"""A result, or a list of them, as MessagePack; integers may have 64 bits."""

decode = msgpack.Decoder(Result).decode
"""The result that was encoded."""

FORM = 2
"""The version of stored values: since 2 a result has an `answer`. Values of version 1 are read too."""

UNREADABLE = (MsgspecError, TypeError, ValueError, IndexError, RecursionError)
"""Exceptions of decoding bytes of another shape."""

_AT_ONCE = 8
"""Results that are packed together; up to 15 their number is in the first byte (a `fixarray` of MessagePack)."""
_ARRAY = 0x90
_LOOKED_AT = 3
"""Stretches among which a new one looks for one that was alike: a target may alternate."""


class RunFields(Struct, frozen=True, array_like=True, gc=False):
    """The part of a result that differs from run to run."""

    started_at: Seconds
    reason: Reason
    detail: str
    duration: Seconds | None
    phases: Phases
    remote_address: str | None
    attempts: tuple[Attempt, ...]
    figures: Figures | None
    outcome: str | None = None
    """The class of a reason that is not `ok`, for a version that does not know the reason."""

    @classmethod
    def of_first_form(cls, data: bytes | Raw) -> RunFields:
        """Decodes what was stored before results had an `answer`."""
        one = _decode_first_own(data)
        figures = HttpFigures(one.content_length, one.body_bytes)
        place = one.remote_address
        return cls(
            one.started_at, one.reason, one.detail, one.duration, one.phases, place, one.attempts, figures, one.outcome
        )


_decode_first_own = msgpack.Decoder(FirstRunFields).decode
_decode_owns = msgpack.Decoder(list[RunFields]).decode


class _Stretch(Struct, frozen=True, gc=False):
    """Some results in a row that are alike in all but their own figures, which are packed, oldest first."""

    alike: Result
    owns: bytes

    def __len__(self) -> int:
        return self.owns[0] - _ARRAY

    def with_one_more(self, own: bytes) -> _Stretch:
        """The same and one newer result."""
        return _Stretch(self.alike, b"".join(((self.owns[0] + 1).to_bytes(), self.owns[1:], own)))

    def results(self) -> list[Result]:
        """The results, newest first."""
        return [whole(self.alike, own) for own in reversed(_decode_owns(self.owns))]


class History(Struct, frozen=True, gc=False):
    """The last results of one check, at most `limit`, without their evidence.

    It is immutable, so that any reader may use it at any time.
    """

    limit: int
    stretches: tuple[_Stretch, ...] = ()
    """Newest first."""
    form: int = FORM

    def __len__(self) -> int:
        return min(self.limit, sum(map(len, self.stretches)))

    def add(self, result: Result) -> History:
        """The same with a newer result, and without what is too old."""
        alike, own = alike_of(result), encode(own_of(result))
        newest, *older = self.stretches or (None,)
        if newest is not None and len(newest) < _AT_ONCE and newest.alike == alike:
            return History(self.limit, (newest.with_one_more(own), *older))
        shared = next((s.alike for s in self.stretches[:_LOOKED_AT] if s.alike == alike), alike)
        return History(self.limit, (_Stretch(shared, b"\x91" + own), *self.stretches)).within(self.limit)

    def within(self, limit: int) -> History:
        """Returns the history cut to `limit` results."""
        stretches, kept = [], 0
        for stretch in self.stretches:
            if kept >= limit:
                break
            stretches.append(stretch)
            kept += len(stretch)
        return History(limit, tuple(stretches))

    def results(self) -> tuple[Result, ...]:
        """The results, newest first; unpacked at every call, half a microsecond each."""
        return tuple(islice((result for stretch in self.stretches for result in stretch.results()), self.limit))

    def shared(self) -> History:
        """The same; what is equal in several stretches is one object again after it was read from somewhere."""
        seen: dict[Result, Result] = {}
        stretches = (_Stretch(seen.setdefault(s.alike, s.alike), s.owns) for s in self.stretches)
        return History(self.limit, tuple(stretches))

    @property
    def alike(self) -> Result | None:
        """The part that the newest result shares with others (`alike_of`); the same object as long as it is equal."""
        return self.stretches[0].alike if self.stretches else None

    @property
    def certified(self) -> Result | None:
        """The shared part of the newest result with certificates."""
        return next((s.alike for s in self.stretches if s.alike.certificates), None)


class _FirstStretch(Struct):
    alike: Raw
    owns: bytes


class _Stored(Struct):
    limit: Annotated[int, Meta(ge=1, le=100_000)]
    stretches: list[Raw]


_decode_stored = msgpack.Decoder(_Stored).decode
_decode_stretch = msgpack.Decoder(_Stretch).decode
_decode_first_stretch = msgpack.Decoder(_FirstStretch).decode
decode_own = msgpack.Decoder(RunFields).decode
_decode_raws = msgpack.Decoder(list[Raw]).decode


def history_of(data: bytes | Raw, skip: Callable[[Exception], None]) -> History:
    """The history that was encoded; results that cannot be read are skipped, each with a call that says why."""
    stored, stretches = _decode_stored(data), list[_Stretch]()
    for raw in stored.stretches:
        try:
            stretches += _stretches(_stretch(raw), skip)
        except UNREADABLE as error:
            skip(error)
    return History(stored.limit, tuple(stretches))


def _stretch(raw: Raw) -> _Stretch:
    try:
        return _decode_stretch(raw)
    except UNREADABLE:
        first = _decode_first_stretch(raw)
        return _Stretch(first_result(first.alike), first.owns)


def _own(raw: Raw) -> RunFields:
    try:
        return decode_own(raw)
    except UNREADABLE:
        return RunFields.of_first_form(raw)


def _stretches(one: _Stretch, skip: Callable[[Exception], None]) -> Iterable[_Stretch]:
    """The stretch, or what can be read of it, newest first."""
    try:
        count = len(_decode_owns(one.owns))
        if 0 < count == len(one):
            return (one,)
    except UNREADABLE:
        pass
    owns = []
    for raw in _decode_raws(one.owns):
        try:
            owns.append(encode(_own(raw)))
        except UNREADABLE as error:
            skip(error)
    pieces = [owns[at : at + _AT_ONCE] for at in range(0, len(owns), _AT_ONCE)]
    return [_Stretch(one.alike, bytes([_ARRAY + len(piece)]) + b"".join(piece)) for piece in reversed(pieces)]


def own_of(result: Result) -> RunFields:
    """Returns the part that differs from run to run."""
    return RunFields(
        result.started_at,
        result.reason,
        result.detail,
        result.duration,
        result.phases,
        result.remote_address,
        result.attempts,
        None if result.answer is None else result.answer.figures,
        None if result.reason is Reason.OK else result.outcome,
    )


def alike_of(result: Result) -> Result:
    """Returns the part that most runs of a check share; with `Own` it is everything but the evidence."""
    return Result(
        result.check,
        0.0,
        Reason.OK,
        "",
        answer=None if result.answer is None else result.answer.alike(),
        tls_version=result.tls_version,
        certificates=result.certificates,
        notes=result.notes,
        verified=result.verified,
        endings=result.endings,
        client_ending=result.client_ending,
        tls_cipher=result.tls_cipher,
    )


def whole(alike: Result, own: RunFields) -> Result:
    """The result that was taken apart."""
    return Result(
        alike.check,
        own.started_at,
        own.reason if own.outcome is None else own.reason.of(own.outcome),
        own.detail,
        own.duration,
        own.phases,
        own.remote_address,
        None if alike.answer is None else alike.answer.with_figures(own.figures),
        alike.tls_version,
        alike.certificates,
        own.attempts,
        notes=alike.notes,
        verified=alike.verified,
        endings=alike.endings,
        client_ending=alike.client_ending,
        tls_cipher=alike.tls_cipher,
    )
