"""Runs the work of a protocol within the limits of a run, and turns what it raises into a finding."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from monitor.model.outcome import Finding, Reason
from monitor.net.classify import Table, classify
from monitor.net.offline import is_offline
from monitor.net.run import Run

T = TypeVar("T")


async def within_limits(run: Run, work: Awaitable[T], table: Table) -> tuple[T | None, Finding | None]:
    """Returns what the work returned, or the finding of why it failed; `table` names the reasons of exceptions.

    Raises only if the program has a bug, or CancelledError.
    """
    try:
        async with run:
            return await work, None
    except Exception as exc:  # noqa: BLE001 - the seam: all that a library can raise is placed, or raised as a bug
        return None, _ours_if_offline(classify(exc, run, table), run)


def _ours_if_offline(finding: Finding, run: Run) -> Finding:
    """Without any way out of this machine, what is out of reach says nothing about the target."""
    if not is_offline(finding.reason, run):
        return finding
    return Finding(Reason.MONITOR_OFFLINE, f"this machine has no network: {finding.detail}")
