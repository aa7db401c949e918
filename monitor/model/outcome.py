"""Defines the closed words for what a run finds (outcome, reason) and for what follows from results (state)."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple, Self


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
    """The closed list of words below the outcomes; `reason.outcome` is the class it belongs to.

    `conclusive` is True if it tells something about the target, `failed` if that counts against it.
    """

    outcome: Outcome
    conclusive: bool
    failed: bool

    def __new__(cls, value: str, outcome: Outcome) -> Self:
        """A word that is its own value, and knows its class."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.classify(outcome)
        return member

    def classify(self, outcome: Outcome) -> None:
        """Puts a new word into this class."""
        self.outcome = outcome
        self.conclusive = outcome is not Outcome.INCONCLUSIVE
        self.failed = outcome in FAILURES

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        """A word of a newer version, which a database may hold, is shown as it is."""
        known = isinstance(value, str) and re.fullmatch(r"[a-z][a-z0-9_]{0,63}", value)
        return cls._unknown(value, Outcome.UNEXPECTED_ANSWER) if known else None  # type: ignore[arg-type]

    @classmethod
    def _unknown(cls, value: str, outcome: Outcome) -> Self:
        word = str.__new__(cls, value)
        word._name_ = word._value_ = value
        word.classify(outcome)
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

    UNEXPECTED_DATA = "unexpected_data", Outcome.UNEXPECTED_ANSWER
    UNEXPECTED_CERTIFICATE = "unexpected_certificate", Outcome.UNEXPECTED_ANSWER

    MONITOR_STALLED = "monitor_stalled", Outcome.INCONCLUSIVE
    MONITOR_OVERLOADED = "monitor_overloaded", Outcome.INCONCLUSIVE
    MONITOR_OFFLINE = "monitor_offline", Outcome.INCONCLUSIVE
    LOCAL_RESOURCES = "local_resources", Outcome.INCONCLUSIVE
    CANCELLED = "cancelled", Outcome.INCONCLUSIVE
    INTERNAL_ERROR = "internal_error", Outcome.INCONCLUSIVE


class Finding(NamedTuple):
    """A reason with its sentence."""

    reason: Reason
    detail: str


class State(StrEnum):
    """The state of a check as on-call sees it, after thresholds."""

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"
    PAUSED = "paused"
    MAINTENANCE = "maintenance"
