"""Which module checks which kind of URL."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from monitor.checks.http import check_http
from monitor.checks.net import Net
from monitor.outcome import Result
from monitor.secret import reveal
from monitor.spec import CheckSpec

Check = Callable[[CheckSpec, Net], Awaitable[Result]]

PROTOCOLS: dict[str, Check] = {
    "http": check_http,
    "https": check_http,
}


async def check(spec: CheckSpec, net: Net) -> Result:
    """Run a check once, by the protocol of its URL."""
    return await PROTOCOLS[reveal(spec.url).partition(":")[0].lower()](spec, net)
