"""Results as bytes: to be sent between processes, and to be kept by the thousand in a quarter of their memory."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct, msgpack

from monitor.outcome import Attempt, Phases, Reason, Result

encode = msgpack.Encoder().encode
"""A result, or a list of them, as MessagePack; integers may have 64 bits."""

decode = msgpack.Decoder(Result).decode
"""The result that was encoded."""


class _Own(Struct, frozen=True, array_like=True, gc=False):
    """What differs from one run of a check to the next."""

    started_at: float
    reason: Reason
    detail: str
    duration: float | None
    phases: Phases
    remote_address: str | None
    content_length: int | None
    body_bytes: int | None
    attempts: tuple[Attempt, ...]


_decode_own = msgpack.Decoder(_Own).decode


class Kept(Struct, frozen=True, gc=False):
    """One result of a check: its own figures packed, the rest shared with an older one that was alike in it."""

    alike: Result
    own: bytes

    def result(self) -> Result:
        """The result, equal to the one that was kept."""
        alike, own = self.alike, _decode_own(self.own)
        return Result(
            alike.check,
            own.started_at,
            own.reason,
            own.detail,
            own.duration,
            own.phases,
            alike.status_code,
            alike.http_version,
            own.remote_address,
            alike.redirects,
            own.content_length,
            own.body_bytes,
            alike.tls_version,
            alike.certificates,
            own.attempts,
            alike.hops,
        )


def keep(result: Result, others: Iterable[Kept]) -> Kept:
    """Pack a result of the same check as the others."""
    same = _same(result)
    alike = next((other.alike for other in others if _same(other.alike) == same), result)
    own = _Own(
        result.started_at,
        result.reason,
        result.detail,
        result.duration,
        result.phases,
        result.remote_address,
        result.content_length,
        result.body_bytes,
        result.attempts,
    )
    return Kept(alike, encode(own))


def _same(result: Result) -> tuple[object, ...]:
    """What is usually the same in every run of a check; together with `_Own` it is everything."""
    return (
        result.check,
        result.status_code,
        result.http_version,
        result.redirects,
        result.tls_version,
        result.certificates,
        result.hops,
    )
