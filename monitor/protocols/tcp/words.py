"""Words a TCP check and its answer, and its metrics, as blackbox_exporter has them."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.model.answer import Answer, TcpAnswer
from monitor.model.outcome import Reason
from monitor.model.request import Step, TcpDialogue
from monitor.model.result import Result
from monitor.model.spec import CheckSpec
from monitor.protocols.protocol import Facts, Gauge, Info, Labels
from monitor.secrets.secret import MASK, Secret, shown
from monitor.secrets.visible import visible


def facts(answer: Answer | None) -> Facts:
    """Returns the facts of a dialogue."""
    if not isinstance(answer, TcpAnswer):
        return Facts()
    done, received = f"{answer.done} of {answer.steps} steps", answer.figures.received
    labels = {visible(name): visible(value) for name, value in answer.figures.labels}
    return Facts(
        status=f"{answer.done}/{answer.steps}" if answer.steps else "–",
        headline=done,
        words=(
            *((done, f"{received:,} bytes received") if answer.steps else ()),
            *(f"{n} {v}" for n, v in labels.items()),
        ),
        document={"answer": {"steps": answer.steps, "done": answer.done, "bytes": received, "labels": labels}},
    )


def settings(asked: TcpDialogue) -> Iterator[tuple[str, str]]:
    """The steps, one row each."""
    for number, step in enumerate(asked.steps, start=1):
        yield f"tcp.dialogue {number}", ", ".join(_said(step))


def _said(step: Step) -> Iterator[str]:
    if step.expect is not None:
        yield f"expect {shown(step.expect)}"
    if step.send is not None:
        yield f"send {MASK if isinstance(step.send, Secret) else step.send.encode('unicode_escape').decode()}"
    if step.starttls:
        yield "start TLS"


def starts_tls(spec: CheckSpec) -> bool:
    """True if the dialogue starts TLS."""
    assert isinstance(spec.request, TcpDialogue)
    return any(step.starttls for step in spec.request.steps)


def unsaid(spec: CheckSpec) -> list[str]:
    """Keys of the check that `monitor probe` has no option for."""
    assert isinstance(spec.request, TcpDialogue)
    found = {"tcp.dialogue": spec.request.steps, "expect.latency": spec.latency}
    return [key for key, said in found.items() if said]


def _labels(result: Result) -> Labels | None:
    return result.answer.figures.labels or None if isinstance(result.answer, TcpAnswer) else None


FAMILIES = (
    Gauge(
        "probe_failed_due_to_regex",
        "Whether a line that was expected did not come: 1 or 0.",
        lambda r: float(r.reason is Reason.UNEXPECTED_DATA),
    ),
    Info("probe_expect_info", "What the patterns of the dialogue captured, always 1.", _labels),
)
