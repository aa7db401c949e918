"""One run in progress: its stop-watch, its three limits, and what was seen so far."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from monitor.model.answer import Answer
from monitor.model.outcome import Finding, Reason
from monitor.model.result import PHASE_NAMES, Attempt, Certificate, Ending, Evidence, Phases, Result
from monitor.model.spec import CheckSpec
from monitor.net.chain import client_ending, first_ending, read_chain
from monitor.net.secure import TlsStream
from monitor.net.stage import CONNECTING, PROCESSING, RESOLVING, SECURING, TRANSFERRING, Stage
from monitor.rules.state import seconds
from monitor.secrets.secret import Text

_NOTES_KEPT = 10
"""Notes of one run; a target that is odd in more ways is known to be odd."""
_TIE = 0.005
"""A connect limit as long as the total one begins with it, but for these seconds; then it names the reason."""


class Stop(Exception):
    """Ends a run from within with what was found."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.finding = Finding(reason, detail)


class Disconnected(Exception):
    """The peer closed the connection before its answer was whole."""


class Run:
    """One run; as a context, from its first hop on, it ends its task's wait with TimeoutError when a limit passes.

    Times are steady seconds. Every moment between the beginning and the end counts to exactly one phase.
    """

    def __init__(self, spec: CheckSpec) -> None:
        self.spec = spec
        self.started_at = time.time()
        self.began = self._mark = time.monotonic()
        self.ended: float | None = None
        self.stage = Stage.RESOLVE
        self.host = ""
        """The host of this hop."""
        self.server_name: Text = ""
        """The name that this hop sends and verifies in TLS."""
        self.attempts: list[Attempt] = []
        self.tls: TlsStream | None = None
        """The TLS of this hop, from its handshake on."""
        self.client_certificate: bytes | None = None
        """The client's own certificate, as DER."""
        self._endings: list[Ending] = []
        """Endings of the hops before the current one."""
        self.tls_version: str | None = None
        self.remote_address: str | None = None
        self.notes: dict[str, None] = {}
        """Sentences on what was odd about the answers, each once, in order."""
        self.redirects = 0
        self.received = 0
        """Bytes of this hop's answer, as they came over the wire."""
        self.expected = ""
        """Words for the awaited data, appended to sentences about limits; empty if the stage is enough."""
        self._whole_at: float | None = None
        self._total_at = self.began + spec.limits.total
        self._stage_at = self._total_at
        self._connect_at = self._total_at
        self._stage_began = self.began
        self._phase = RESOLVING
        self._phases: list[float | None] = [None] * len(PHASE_NAMES)
        self._task: asyncio.Task[object] | None = None
        self._cancelling = 0
        self._expired = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = math.inf

    async def __aenter__(self) -> Self:
        self._task = asyncio.current_task()
        assert self._task is not None
        self._cancelling = self._task.cancelling()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = time.monotonic()
        self._switch(self._phase, now if self._whole_at is None or exc is not None else self._whole_at)
        self.ended = self._mark
        task, self._task = self._task, None
        assert task is not None
        ours = self._expired and task.uncancel() <= self._cancelling  # only the limit cancelled the task
        if ours and kind is asyncio.CancelledError:
            raise TimeoutError from exc

    @property
    def connect_at(self) -> float:
        """Steady time at which this hop must have a usable connection."""
        return min(self._connect_at, self._total_at)

    def begin_hop(self) -> None:
        """Begins another connection: its connect limit starts, and the facts of an earlier one are dropped."""
        self._endings = list(self._all_endings())
        self.tls = self.tls_version = self.remote_address = None
        self.renew_connect_limit()
        self.received = 0
        self._whole_at = None
        self.attempts.clear()
        self.enter(Stage.RESOLVE)

    def renew_connect_limit(self) -> None:
        """Lets the connect limit start now: for a connection, or for TLS that starts in the middle of a dialogue."""
        self._connect_at = time.monotonic() + self.spec.limits.connect

    def enter(self, stage: Stage) -> None:
        """Begin to wait for something else."""
        now = time.monotonic()
        if stage.phase != self._phase:
            self._switch(stage.phase, now)
        self.stage = stage
        self._stage_began = now
        self._arm(now + self.spec.limits.read if stage.waits_for_bytes else self._connect_at)

    def heard(self, count: int) -> None:
        """Bytes of the answer came: the silence is over, and the first of them end the processing."""
        now = time.monotonic()
        if self._phase == PROCESSING:
            self._switch(TRANSFERRING, now)
        self.received += count
        self._arm(now + self.spec.limits.read)

    def whole(self) -> None:
        """The answer is whole: a run that succeeds took until now, not until its task gets to know that."""
        self._whole_at = time.monotonic()

    def note(self, sentence: str) -> None:
        """Record something odd about an answer that is taken as one all the same."""
        if len(self.notes) < _NOTES_KEPT:
            self.notes[sentence] = None

    def limit_passed(self) -> Finding:
        """Returns the finding for the limit that passed, with the stage in which it passed."""
        tie = 0.0 if self.stage.waits_for_bytes else _TIE
        if self._stage_at > self._total_at + tie:
            return Finding(Reason.TOTAL_TIMEOUT, self._total_passed())
        return Finding(self.stage.reason, self._stage_passed())

    def phase_seconds(self, phase: int) -> float:
        """Seconds spent in a phase so far, 0 if it was not reached."""
        return self._phases[phase] or 0.0

    @property
    def connected(self) -> str:
        """«connected in 12 ms to 192.0.2.7:443», once it is; a handshake that does not end is no part of that."""
        phases = (RESOLVING, CONNECTING) if self.stage is Stage.TLS else (RESOLVING, CONNECTING, SECURING)
        took = sum(map(self.phase_seconds, phases))
        return f"connected in {seconds(took)} to {self.remote_address}"

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """The chain that the server sent, leaf first; read when it is wanted, for that is no time of the target's."""
        return read_chain(self.tls.seen.chain) if self.tls is not None else ()

    @property
    def path(self) -> tuple[Certificate, ...]:
        """The chain up to its root, as it was verified, or as far as OpenSSL came."""
        return read_chain(self.tls.seen.path) if self.tls is not None else ()

    @property
    def verified(self) -> bool:
        """True if the certificate chain of this hop was verified."""
        return self.tls_version is not None and self.spec.route.tls.verify

    def _all_endings(self) -> Iterator[Ending]:
        """The first end of each hop's chain, so far."""
        yield from self._endings
        if self.tls is not None:
            path = self.path or self.certificates
            ending = first_ending(str(self.server_name), path, verified=self.verified)
            if ending is not None:
                yield ending

    def result(self, finding: Finding, answer: Answer | None = None, evidence: Evidence | None = None) -> Result:
        """The result of this run; every sentence has lost its secrets, and its end if it is too long."""
        ended = self.ended if self.ended is not None else time.monotonic()
        redactor = self.spec.redactor
        return Result(
            check=self.spec.name,
            started_at=self.started_at,
            reason=finding.reason,
            detail=redactor.ours(finding.detail),
            duration=ended - self.began,
            phases=Phases(*self._phases),
            remote_address=self.remote_address,
            answer=answer,
            tls_version=self.tls_version,
            certificates=self.certificates,
            attempts=tuple(self.attempts),
            evidence=evidence if finding.reason.failed else None,
            notes=tuple(map(redactor.ours, self.notes)),
            verified=self.path if self.verified else (),
            endings=tuple(self._all_endings()),
            client_ending=client_ending(self.client_certificate),
            tls_cipher=self.tls.cipher if self.tls is not None and self.tls_version is not None else None,
        )

    def _switch(self, phase: int, now: float) -> None:
        self._phases[self._phase] = (self._phases[self._phase] or 0.0) + now - self._mark
        self._mark = now
        self._phase = phase

    def _arm(self, stage_at: float) -> None:
        """The limit is now at `stage_at`, or the total one if that is earlier.

        Most limits are put off long before they pass, so a timer that is set too early is left to find that out.
        """
        self._stage_at = stage_at
        if self._task is not None and stage_at < self._timer_at:
            self._set_timer(min(stage_at, self._total_at))

    def _set_timer(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = at
        self._timer = asyncio.get_running_loop().call_at(at, self._on_timer)

    def _on_timer(self) -> None:
        limit = min(self._stage_at, self._total_at)
        if limit > time.monotonic():
            self._set_timer(limit)
        elif self._task is not None and not self._expired:
            self._expired = True
            self._task.cancel()

    def _waited(self) -> str:
        return seconds(time.monotonic() - self._stage_began)

    def _stage_passed(self) -> str:
        spec = self.spec
        match self.stage:
            case Stage.RESOLVE:
                return f"no answer from the resolver in {seconds(spec.limits.connect)}"
            case Stage.CONNECT:
                return f"no connection in {seconds(spec.limits.connect)}; {tried(self.attempts)}"
            case Stage.TUNNEL:
                return f"the proxy {self.remote_address} opened no tunnel in {seconds(spec.limits.connect)}"
            case Stage.TLS:
                limit = seconds(spec.limits.connect)
                return f"the TLS handshake was not done in {limit}; {self.connected}"
            case Stage.HEAD | Stage.GREETING if not self.received:
                return f"no byte of the answer in {seconds(spec.limits.read)}; {self.connected}{self.expected}"
            case Stage.HEAD:
                return f"the head stalled after {self.received} bytes for {seconds(spec.limits.read)}; {self.connected}"
            case _:
                silence = f"the {self.stage.part} stalled for {seconds(spec.limits.read)}"
                return f"{silence} after {self.received} bytes came in all{self.expected}"

    def _total_passed(self) -> str:
        limit = f"not done in {seconds(self.spec.limits.total)}"
        hop = f" (redirect {self.redirects})" if self.redirects else ""
        match self.stage:
            case Stage.HEAD | Stage.GREETING if not self.received:
                return f"{limit}: no byte of the answer in {self._waited()}{hop}; {self.connected}{self.expected}"
            case Stage.HEAD | Stage.BODY | Stage.GREETING | Stage.DIALOGUE:
                coming = f"the {self.stage.part} was still coming after {self.received} bytes"
                return f"{limit}: {coming}{hop}; {self.connected}{self.expected}"
            case _:
                return f"{limit}: still {self.stage.words} for {self._waited()}{hop}"


def tried(attempts: list[Attempt]) -> str:
    """«tried 192.0.2.7:443 (refused), [2001:db8::7]:443 (unreachable)»."""
    return "tried " + ", ".join(f"{a.address} ({a.error})" for a in attempts if a.error)
