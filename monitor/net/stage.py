"""Defines the stages of a run."""

from __future__ import annotations

from enum import Enum

from monitor.model.outcome import Reason
from monitor.model.result import PHASE_NAMES

RESOLVING, CONNECTING, SECURING, PROCESSING, TRANSFERRING = range(len(PHASE_NAMES))
"""Indices of the phases."""


class Stage(Enum):
    """A stage of a run: the phase that its time counts to, the reason if its limit passes, and its words.

    A dialogue begins with its greeting, until the first byte comes.
    """

    RESOLVE = RESOLVING, Reason.DNS_TIMEOUT, "resolving the name"
    CONNECT = CONNECTING, Reason.CONNECT_TIMEOUT, "connecting"
    TUNNEL = CONNECTING, Reason.CONNECT_TIMEOUT, "waiting for the proxy's tunnel"
    TLS = SECURING, Reason.TLS_TIMEOUT, "in the TLS handshake"
    HEAD = PROCESSING, Reason.RESPONSE_TIMEOUT, "waiting for the head", "head"
    BODY = TRANSFERRING, Reason.READ_TIMEOUT, "reading the body", "body"
    GREETING = PROCESSING, Reason.RESPONSE_TIMEOUT, "waiting for the first line", "dialogue"
    DIALOGUE = TRANSFERRING, Reason.READ_TIMEOUT, "in the dialogue", "dialogue"

    def __init__(self, phase: int, reason: Reason, words: str, part: str = "") -> None:
        self.phase = phase
        self.reason = reason
        self.words = words
        self.part = part
        self.waits_for_bytes = reason in (Reason.RESPONSE_TIMEOUT, Reason.READ_TIMEOUT)
