"""The rows of the table of exceptions that HTTP adds: answers that are not HTTP, and bodies that cannot be decoded."""

from __future__ import annotations

from monitor.model.outcome import Finding, Reason
from monitor.net.classify import TABLE as NET_TABLE
from monitor.net.classify import Table
from monitor.net.run import Run
from monitor.protocols.http.answer_head import InvalidAnswer
from monitor.protocols.http.codings import Undecodable
from monitor.secrets.visible import visible

_QUOTED = 24
"""Characters of an answer that is not HTTP which are shown."""


def _invalid(exc: BaseException, run: Run) -> Finding:
    """Bytes that are not HTTP, or more of them than are read."""
    assert isinstance(exc, InvalidAnswer)
    said = exc.sentence if exc.beyond_limits else f"the answer is not HTTP: {exc.sentence}"
    begun = f", it begins with «{_excerpt(exc.beginning, run)}»" if exc.beginning else ""
    return Finding(Reason.INVALID_RESPONSE, f"{said}{begun}; {run.connected}")


def _excerpt(text: str, run: Run) -> str:
    """The beginning of the target's text, without secrets; cut last, lest a secret be halved."""
    return visible(run.spec.redactor.foreign(text)[:_QUOTED])


def _encoding(exc: BaseException, run: Run) -> Finding:
    return Finding(
        Reason.INVALID_CONTENT,
        f"the body cannot be decompressed: {exc}; {run.received} bytes of the answer came",
    )


TABLE: Table = ((Undecodable, _encoding), (InvalidAnswer, _invalid), *NET_TABLE)
