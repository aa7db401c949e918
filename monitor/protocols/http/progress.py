"""Collects the answers of one run over HTTP."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.model.answer import Hop, HttpAnswer, HttpFigures
from monitor.model.outcome import Finding
from monitor.model.request import HttpRequest
from monitor.model.result import Evidence
from monitor.net.run import Run
from monitor.protocols.http.answer_head import Head
from monitor.protocols.http.evidence import BODY_BYTES, evidence_of
from monitor.protocols.http.redirect import Request


class Progress:
    """The answers of one run; the status stays the last one that was received."""

    def __init__(self, run: Run) -> None:
        assert isinstance(run.spec.request, HttpRequest)
        self.run = run
        self.asked = run.spec.request
        self.verdict: Finding | None = None
        """The finding from the head of the answer; trouble with the body does not change it."""
        self.hops: list[Hop] = []
        self.status: int | None = None
        self.version: str | None = None
        self.content_length: int | None = None
        self.body_bytes: int | None = None
        self.headers: Mapping[str, str] | None = None
        """The headers of the last answer."""
        self.wanted = False
        """True if the verdict depends on the body."""
        self.beginning = bytearray()
        """The first bytes of the body, decoded; the complete body if it is wanted."""
        self.cut = False
        """True if the body was longer than max_body."""

    def begin_hop(self, request: Request) -> None:
        """Begins another request; what is known is known of its answer alone."""
        spec = self.run.spec
        url = spec.redactor.foreign(str(request.url)) if self.hops else spec.target
        self.hops.append(Hop(request.method, url, None))
        self.version = self.content_length = self.body_bytes = self.headers = None
        self.run.host = request.url.raw_host or ""
        self.run.begin_hop()

    def take_head(self, head: Head, content_length: int | None) -> None:
        """Takes the head of an answer, whose Content-Length is `content_length`."""
        self.status, self.version, self.headers = head.status, head.version, head.headers
        last = self.hops[-1]
        self.hops[-1] = Hop(last.method, last.url, head.status)
        self.content_length = content_length
        self.beginning, self.cut = bytearray(), False

    def take(self, piece: bytes) -> None:
        """Takes a piece of the body, up to max_body; keeps what a verdict depends on, or evidence for a failure."""
        size = self.body_bytes or 0
        room = self.asked.max_body - size
        if self.wanted:
            self.beginning += piece[:room]
        elif len(self.beginning) <= BODY_BYTES:
            self.beginning += piece[: min(room, BODY_BYTES + 1)]
        self.body_bytes = size + min(len(piece), room)
        self.cut = len(piece) > room

    def answer(self) -> HttpAnswer:
        """The part of the result that only HTTP has."""
        figures = HttpFigures(self.content_length, self.body_bytes)
        return HttpAnswer(self.status, self.version, self.run.redirects, tuple(self.hops), figures)

    def evidence(self) -> Evidence | None:
        """The last answer as it may be shown; None if none came."""
        if self.headers is None:
            return None
        beginning = bytes(self.beginning[: BODY_BYTES + 1])
        return evidence_of(self.headers.items(), beginning, self.cut, self.run.spec.redactor)
