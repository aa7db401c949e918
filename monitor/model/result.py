"""Defines the measured result of one run, and its parts."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from monitor.model.answer import Answer
from monitor.model.outcome import Outcome, Reason

Seconds = Annotated[float, Meta(ge=-62135596800, le=253402300799)]
"""A time in Unix seconds of the years 1 to 9999, or a duration; decoding refuses what no calendar can show."""


class Phases(Struct, frozen=True, array_like=True, gc=False):
    """Seconds spent in each phase of a run, summed over its hops; None for a phase that was not reached.

    `connect` is TCP and, through a proxy, its CONNECT; `processing` runs from a usable connection to the first
    byte of the answer; `transfer` from there to the end of the body.
    """

    resolve: Seconds | None = None
    connect: Seconds | None = None
    tls: Seconds | None = None
    processing: Seconds | None = None
    transfer: Seconds | None = None

    def items(self) -> tuple[tuple[str, float | None], ...]:
        """Phase names with their seconds, in the order in which they happen."""
        return tuple((name, getattr(self, name)) for name in PHASE_NAMES)


PHASE_NAMES = Phases.__struct_fields__


class Certificate(Struct, frozen=True, array_like=True, gc=False):
    """One certificate; dates are Unix seconds, subject and issuer RFC 4514 strings.

    `kinds` has one letter for each of `names`: d for DNS, i for an IP address, e for e-mail, u for a URI, o for any
    other. Fingerprint (SHA-256) and serial number are lower-case hexadecimal. What cannot be read is empty.
    """

    not_before: Seconds
    not_after: Seconds
    subject: str
    issuer: str
    names: tuple[str, ...] = ()
    kinds: str = ""
    fingerprint: str = ""
    serial: str = ""
    key: str = ""
    signature: str = ""

    @property
    def dns_names(self) -> list[str]:
        """The host names among `names`."""
        return [name for name, kind in zip(self.names, self.kinds, strict=False) if kind == "d"]


class Ending(Struct, frozen=True, array_like=True, gc=False):
    """The certificate that ends first among those that count for one host; dates are Unix seconds.

    `what` says which one it is: «the certificate of shop.example.com», «the client certificate».
    """

    what: str
    not_before: Seconds
    not_after: Seconds


class Attempt(Struct, frozen=True, array_like=True, gc=False):
    """One address that was tried: «192.0.2.7:443», what went wrong (None if it connected), and how long it took."""

    address: str
    error: str | None
    seconds: Seconds


class Evidence(Struct, frozen=True, array_like=True, gc=False):
    """The answer of a failing run, redacted: its headers, and the beginning of its body if that is text.

    `cut` tells that the body went on; `body` is None if there was none, or if it was not read or not text.
    """

    headers: tuple[tuple[str, str], ...] = ()
    body: str | None = None
    cut: bool = False


class Result(Struct, frozen=True, array_like=True, gc=False):
    """The result of one run. Times are Unix seconds, durations are seconds; None means unknown.

    `answer` is what the protocol received, None if it has nothing to say. `certificates` is the chain as sent, leaf
    first; `verified` the one that verification accepted, with its root, empty if none was. `endings` has the first end
    of each hop's chain, `client_ending` that of our own certificate. `detail`, `notes` and every URL are redacted
    already. Only a failure has `evidence`, if an answer came. `notes` say what was odd about an accepted answer.
    """

    check: str
    started_at: Seconds
    reason: Reason
    detail: str
    duration: Seconds | None = None
    phases: Phases = Phases()
    remote_address: str | None = None
    answer: Answer | None = None
    tls_version: str | None = None
    certificates: tuple[Certificate, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    evidence: Evidence | None = None
    notes: tuple[str, ...] = ()
    verified: tuple[Certificate, ...] = ()
    endings: tuple[Ending, ...] = ()
    client_ending: Ending | None = None
    tls_cipher: str | None = None

    @property
    def outcome(self) -> Outcome:
        """The class of the reason."""
        return self.reason.outcome

    @property
    def conclusive(self) -> bool:
        """True if the result tells something about the target."""
        return self.reason.conclusive

    @property
    def failed(self) -> bool:
        """True if the result counts against the target."""
        return self.reason.failed

    @property
    def certificate(self) -> Certificate | None:
        """The target's own certificate, the first of the chain."""
        return self.certificates[0] if self.certificates else None

    @property
    def earliest_expiry(self) -> float | None:
        """The first end of a relevant certificate over all hops, in Unix seconds."""
        return min((one.not_after for one in self.endings or self.certificates), default=None)
