"""The TCP check: connects, and leads the dialogue step by step."""

from __future__ import annotations

import asyncio

from monitor.model.answer import TcpAnswer, TcpFigures
from monitor.model.outcome import Finding, Reason
from monitor.model.request import Step, TcpDialogue
from monitor.model.result import Evidence, Result
from monitor.net.classify import TABLE
from monitor.net.dial import Destination, Dialer
from monitor.net.run import Disconnected, Run, Stop
from monitor.net.stage import Stage
from monitor.protocols.place import place_of
from monitor.protocols.resources import Resources
from monitor.protocols.running import within_limits
from monitor.protocols.tcp.conversation import Conversation
from monitor.protocols.tcp.lines import Lines, TooMuchData, filled
from monitor.rules.state import seconds
from monitor.secrets.secret import Secret, reveal
from monitor.secrets.visible import visible

_EVIDENCE = 2048
"""Bytes of a failed dialogue that are kept."""
_LABEL = 200
"""Characters of a label's value: every result keeps it, and every scrape shows it."""
_QUOTED = 60
"""Characters of a line or a pattern that are quoted."""


async def run_tcp(run: Run, resources: Resources) -> Result:
    """Runs the check once and returns its result. Raises only if the program has a bug, or CancelledError."""
    assert isinstance(run.spec.request, TcpDialogue)
    talk = _Talk(run, run.spec.request)
    _, failed = await within_limits(run, talk.lead(resources), TABLE)
    finding = talk.unexpected(failed) if failed is not None else talk.fine()
    return run.result(finding, talk.answer(), talk.evidence() if finding.reason.failed else None)


class _Talk:
    """One dialogue, as far as it came."""

    def __init__(self, run: Run, asked: TcpDialogue) -> None:
        self._run = run
        self._steps = asked.steps
        self._done = 0
        self._lines = Lines()
        self._labels: dict[str, str] = {}
        self._groups: dict[str, str] = {}

    async def lead(self, resources: Resources) -> None:
        """Connects and goes through the steps. Raises what `classify` knows."""
        run, loop = self._run, asyncio.get_running_loop()
        to, proxy = place_of(run.spec)
        run.host = to.host
        run.begin_hop()
        dialer = Dialer(run, resources, lambda: Conversation(loop, run), proxy)
        connection = await dialer.connect(to)
        try:
            if self._steps:
                run.enter(Stage.GREETING)
                connection.begin()
            for step in self._steps:
                await self._take(step, connection, dialer, to)
                self._done += 1
            connection.part()
        finally:
            connection.close()

    async def _take(self, step: Step, connection: Conversation, dialer: Dialer[Conversation], to: Destination) -> None:
        if step.expect is not None:
            await self._await_line(reveal(step.expect), connection)
            self._labels |= {name: self._filled(value) for name, value in step.labels}
        if step.send is not None:
            text = reveal(step.send) if isinstance(step.send, Secret) else filled(step.send, self._groups)
            connection.send(text.encode("utf-8", "surrogateescape"))
        if step.starttls:
            await self._start_tls(connection, dialer, to)

    async def _await_line(self, pattern: str, connection: Conversation) -> None:
        run = self._run
        shown = run.spec.redactor.foreign(pattern)[:_QUOTED]
        run.expected = f"; step {self._done + 1} of {len(self._steps)} expects a line that matches «{shown}»"
        self._lines.begin_step()
        while (groups := self._lines.match(pattern)) is None:
            if self._lines.unmatched:
                await asyncio.sleep(0)
                continue
            try:
                self._lines.add(await connection.more())
            except Disconnected:
                if not self._lines.end():
                    raise
            except TooMuchData as error:
                raise Stop(Reason.UNEXPECTED_DATA, f"{error}{run.expected}") from None
        self._groups |= groups
        run.expected = ""

    async def _start_tls(self, connection: Conversation, dialer: Dialer[Conversation], to: Destination) -> None:
        if self._lines.left or connection.holds_more:
            raise Stop(Reason.UNEXPECTED_DATA, "the server sent more before TLS started, which TLS would not protect")
        connection.pause()
        self._run.renew_connect_limit()
        await dialer.secure(connection, to)
        self._run.enter(Stage.DIALOGUE)
        connection.begin()

    def _filled(self, template: str) -> str:
        return visible(self._run.spec.redactor.foreign(filled(template, self._groups), _LABEL))

    def unexpected(self, failed: Finding) -> Finding:
        """The finding; a server that said other lines than the expected one, and then nothing, answered wrongly."""
        line = self._lines.last
        waited = failed.reason in (Reason.READ_TIMEOUT, Reason.TOTAL_TIMEOUT, Reason.DISCONNECTED)
        if line is None or not waited:
            return failed
        said = visible(self._run.spec.redactor.foreign(line))[:_QUOTED]
        return Finding(Reason.UNEXPECTED_DATA, f"the server said «{said}»; {failed.detail}")

    def fine(self) -> Finding:
        """The finding of a dialogue that went well."""
        run = self._run
        took = seconds((run.ended or run.began) - run.began)
        if not self._steps:
            return Finding(Reason.OK, f"connected in {took}")
        steps = f"{self._done} step" if self._done == 1 else f"{self._done} steps"
        return Finding(Reason.OK, f"{steps} done in {took}")

    def answer(self) -> TcpAnswer:
        """The part of the result that only TCP has."""
        figures = TcpFigures(self._run.received, tuple(self._labels.items()))
        return TcpAnswer(self._done, len(self._steps), figures)

    def evidence(self) -> Evidence | None:
        """Returns the beginning of the received text, redacted; None if nothing was received."""
        said = self._lines.beginning
        if not said:
            return None
        text = said.decode("utf-8", "replace")
        return Evidence(body=visible(self._run.spec.redactor.foreign(text, _EVIDENCE), "\n\r\t"))
