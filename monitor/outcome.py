"""Defines what a run can find: outcome, reason, the measured result, and the states that follow from results."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Self

from msgspec import Meta, Struct

DETAIL_LIMIT = 200
"""Longest `Result.detail`, in characters."""

Seconds = Annotated[float, Meta(ge=-62135596800, le=253402300799)]
"""A time in Unix seconds of the years 1 to 9999, or a duration; decoding refuses what no calendar can show."""


class Outcome(StrEnum):
    """The class of a result."""

    SUCCESS = "success"
    HTTP_ERROR = "http_error"
    CONNECTION_ERROR = "connection_error"
    TIMEOUT = "timeout"
    UNEXPECTED_ANSWER = "unexpected_answer"
    INCONCLUSIVE = "inconclusive"


_OUTCOMES = frozenset(Outcome)
FAILURES = (Outcome.HTTP_ERROR, Outcome.CONNECTION_ERROR, Outcome.TIMEOUT, Outcome.UNEXPECTED_ANSWER)
"""The outcomes that count against the target."""


class Reason(StrEnum):
    """The closed list of words below the outcomes; `reason.outcome` is the class it belongs to."""

    outcome: Outcome

    def __new__(cls, value: str, outcome: Outcome) -> Self:
        """A word that is its own value, and knows its class."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.outcome = outcome
        return member

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        """A word of a newer version, which a database may hold, is shown as it is."""
        known = isinstance(value, str) and re.fullmatch(r"[a-z][a-z0-9_]{0,63}", value)
        return cls._unknown(value, Outcome.UNEXPECTED_ANSWER) if known else None  # type: ignore[arg-type]

    @classmethod
    def _unknown(cls, value: str, outcome: Outcome) -> Self:
        word = str.__new__(cls, value)
        word._name_ = word._value_ = value
        word.outcome = outcome
        return word

    def of(self, outcome: str | None) -> Self:
        """The same; a word that this version does not know is of the class that it was stored with."""
        if outcome is None or self.name != self.value:
            return self
        return self._unknown(self.value, Outcome(outcome) if outcome in _OUTCOMES else self.outcome)

    OK = "ok", Outcome.SUCCESS

    UNEXPECTED_STATUS = "unexpected_status", Outcome.HTTP_ERROR
    UNEXPECTED_HEADER = "unexpected_header", Outcome.HTTP_ERROR
    UNEXPECTED_BODY = "unexpected_body", Outcome.HTTP_ERROR
    UNEXPECTED_HTTP_VERSION = "unexpected_http_version", Outcome.HTTP_ERROR
    BODY_TOO_LARGE = "body_too_large", Outcome.HTTP_ERROR
    INVALID_CONTENT = "invalid_content", Outcome.HTTP_ERROR
    TOO_MANY_REDIRECTS = "too_many_redirects", Outcome.HTTP_ERROR
    FORBIDDEN_REDIRECT = "forbidden_redirect", Outcome.HTTP_ERROR

    DNS_NOT_FOUND = "dns_not_found", Outcome.CONNECTION_ERROR
    DNS_FAILED = "dns_failed", Outcome.CONNECTION_ERROR
    REFUSED = "refused", Outcome.CONNECTION_ERROR
    UNREACHABLE = "unreachable", Outcome.CONNECTION_ERROR
    RESET = "reset", Outcome.CONNECTION_ERROR
    DISCONNECTED = "disconnected", Outcome.CONNECTION_ERROR
    INVALID_RESPONSE = "invalid_response", Outcome.CONNECTION_ERROR
    PROXY_FAILED = "proxy_failed", Outcome.CONNECTION_ERROR
    TLS_CERTIFICATE_EXPIRED = "tls_certificate_expired", Outcome.CONNECTION_ERROR
    TLS_CERTIFICATE_NOT_YET_VALID = (
        "tls_certificate_not_yet_valid",
        Outcome.CONNECTION_ERROR,
    )
    TLS_HOSTNAME_MISMATCH = "tls_hostname_mismatch", Outcome.CONNECTION_ERROR
    TLS_UNTRUSTED = "tls_untrusted", Outcome.CONNECTION_ERROR
    TLS_HANDSHAKE_FAILED = "tls_handshake_failed", Outcome.CONNECTION_ERROR
    ALPN_REFUSED = "alpn_refused", Outcome.CONNECTION_ERROR
    ADDRESS_DENIED = "address_denied", Outcome.CONNECTION_ERROR

    DNS_TIMEOUT = "dns_timeout", Outcome.TIMEOUT
    CONNECT_TIMEOUT = "connect_timeout", Outcome.TIMEOUT
    TLS_TIMEOUT = "tls_timeout", Outcome.TIMEOUT
    RESPONSE_TIMEOUT = "response_timeout", Outcome.TIMEOUT
    READ_TIMEOUT = "read_timeout", Outcome.TIMEOUT
    TOTAL_TIMEOUT = "total_timeout", Outcome.TIMEOUT

    UNEXPECTED_CERTIFICATE = "unexpected_certificate", Outcome.UNEXPECTED_ANSWER

    MONITOR_STALLED = "monitor_stalled", Outcome.INCONCLUSIVE
    MONITOR_OVERLOADED = "monitor_overloaded", Outcome.INCONCLUSIVE
    MONITOR_OFFLINE = "monitor_offline", Outcome.INCONCLUSIVE
    LOCAL_RESOURCES = "local_resources", Outcome.INCONCLUSIVE
    CANCELLED = "cancelled", Outcome.INCONCLUSIVE
    INTERNAL_ERROR = "internal_error", Outcome.INCONCLUSIVE


class State(StrEnum):
    """The state of a check as on-call sees it, after thresholds."""

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"
    PAUSED = "paused"
    MAINTENANCE = "maintenance"


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


class Hop(Struct, frozen=True, array_like=True, gc=False):
    """One request of a run, with its URL redacted; `status` is None if no answer came."""

    method: str
    url: str
    status: int | None


class Evidence(Struct, frozen=True, array_like=True, gc=False):
    """The answer of a failing run, redacted: its headers, and the beginning of its body if that is text.

    `cut` tells that the body went on; `body` is None if there was none, or if it was not read or not text.
    """

    headers: tuple[tuple[str, str], ...] = ()
    body: str | None = None
    cut: bool = False


class Result(Struct, frozen=True, array_like=True, gc=False):
    """The result of one run. Times are Unix seconds, durations are seconds; None means unknown.

    `content_length` is the header's, `body_bytes` what was received after decoding. `certificates` is the chain as
    sent, leaf first; `verified` the one that verification accepted, with its root, empty if none was. `endings` has the
    first end of each hop's chain, `client_ending` that of our own certificate. `detail`, `notes` and every URL are
    redacted already. Only a failure has `evidence`, if an answer came. `notes` say what was odd about an answer that
    was taken as one.
    """

    check: str
    started_at: Seconds
    reason: Reason
    detail: str
    duration: Seconds | None = None
    phases: Phases = Phases()
    status_code: int | None = None
    http_version: str | None = None
    remote_address: str | None = None
    redirects: int = 0
    content_length: int | None = None
    body_bytes: int | None = None
    tls_version: str | None = None
    certificates: tuple[Certificate, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    hops: tuple[Hop, ...] = ()
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
        return self.outcome is not Outcome.INCONCLUSIVE

    @property
    def failed(self) -> bool:
        """True if the result counts against the target."""
        return self.outcome in FAILURES

    @property
    def certificate(self) -> Certificate | None:
        """The target's own certificate, the first of the chain."""
        return self.certificates[0] if self.certificates else None

    @property
    def earliest_expiry(self) -> float | None:
        """The first end of a relevant certificate over all hops, in Unix seconds."""
        return min((one.not_after for one in self.endings or self.certificates), default=None)
