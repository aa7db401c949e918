"""The phases of one run as a waterfall: each bar begins where the one before ended."""

from __future__ import annotations

from typing import NamedTuple

from monitor.model.outcome import Outcome
from monitor.model.result import PHASE_NAMES, Result
from monitor.web.wording import latency

WIDTH = 1000


class Step(NamedTuple):
    """One phase: where its bar begins and how long it is, in thousandths of the run; `note` says its time."""

    phase: str
    note: str
    start: float
    length: float
    broken: bool


def waterfall(result: Result) -> list[Step]:
    """Lists the phases in order, without those that such a run does not have, as TLS over plain HTTP.

    If no whole answer came, the run broke in the last phase that it reached.
    """
    reached = [name for name, took in result.phases.items() if took is not None]
    cut = result.outcome in (Outcome.CONNECTION_ERROR, Outcome.TIMEOUT)
    whole = sum(took or 0.0 for _, took in result.phases.items()) or 1.0
    steps, at = [], 0.0
    for name in PHASE_NAMES:
        took: float | None = getattr(result.phases, name)
        if took is None and (not cut or (reached and PHASE_NAMES.index(name) < PHASE_NAMES.index(reached[-1]))):
            continue
        broken = cut and bool(reached) and name == reached[-1]
        length = (took or 0.0) / whole * WIDTH
        steps.append(Step(name, _note(took), at, length, broken))
        at += length
    return steps


def _note(took: float | None) -> str:
    return "not reached" if took is None else latency(took)
