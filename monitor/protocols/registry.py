"""Maps URL schemes to check functions, and turns some successes into failures, for every protocol alike."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from msgspec import structs

from monitor.model.outcome import Outcome, Reason
from monitor.model.result import Result
from monitor.model.spec import CheckSpec
from monitor.protocols.http.check import check_http
from monitor.protocols.resources import Net
from monitor.rules.state import expiry, slowness
from monitor.secrets.secret import reveal

Check = Callable[[CheckSpec, Net], Awaitable[Result]]

PROTOCOLS: dict[str, Check] = {
    "http": check_http,
    "https": check_http,
}


async def check(spec: CheckSpec, net: Net) -> Result:
    """Run a check once, by the protocol of its URL."""
    result = await PROTOCOLS[reveal(spec.url).partition(":")[0].lower()](spec, net)
    return strictly(spec, result) if result.outcome is Outcome.SUCCESS else result


def strictly(spec: CheckSpec, success: Result) -> Result:
    """The success, or a failure instead if it is slow, or its certificate ends, and `down = true` says so."""
    if spec.expect.latency_down and (slow := slowness(spec, success)):
        return structs.replace(success, reason=Reason.TOTAL_TIMEOUT, detail=slow)
    if spec.tls.expiry_down and (ending := expiry(spec, success, time.time())):
        return structs.replace(success, reason=Reason.UNEXPECTED_CERTIFICATE, detail=ending)
    return success
