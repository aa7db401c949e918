"""Runs a check by its protocol, within the limits of a run, and turns exceptions into findings."""

from __future__ import annotations

import time
from collections.abc import Awaitable
from typing import TypeVar

from msgspec import structs

from monitor.model.outcome import Finding, Outcome, Reason
from monitor.model.result import Result
from monitor.model.spec import CheckSpec
from monitor.net.classify import Table, classify
from monitor.net.offline import is_offline
from monitor.net.run import Run
from monitor.protocols.registry import client_of, protocol_of
from monitor.protocols.resources import Resources
from monitor.rules.state import expiry, slowness

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


async def check(spec: CheckSpec, resources: Resources) -> Result:
    """Run a check once, by its protocol."""
    protocol = protocol_of(spec)
    try:
        # From disk the first time, which must not count as the target's.
        resources.tls.get(spec.route.tls, protocol.alpn)
    except OSError as error:
        return Run(spec).result(Finding(Reason.LOCAL_RESOURCES, f"a file of this check's TLS is gone: {error}"))
    run = Run(spec)
    run.client_certificate = resources.tls.client_certificate(spec.route.tls)
    result = await client_of(protocol)(run, resources)
    return strictly(spec, result) if result.outcome is Outcome.SUCCESS else result


def strictly(spec: CheckSpec, success: Result) -> Result:
    """The success, or a failure instead if it is slow, or its certificate ends, and `down = true` says so."""
    if spec.latency_down and (slow := slowness(spec, success)):
        return structs.replace(success, reason=Reason.TOTAL_TIMEOUT, detail=slow)
    if spec.route.tls.expiry_down and (ending := expiry(spec, success, time.time())):
        return structs.replace(success, reason=Reason.UNEXPECTED_CERTIFICATE, detail=ending)
    return success
