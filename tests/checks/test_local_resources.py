"""The monitor's own want: without file descriptors nothing can be said about a target, and with them again all can."""

from __future__ import annotations

import pytest

from monitor.outcome import Reason
from tests.checks.harness import alone
from tests.servers import dns
from tests.servers.http import HttpServer


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_check_without_a_file_descriptor_is_local_resources(host: str, loop: str) -> None:
    async with HttpServer() as server:
        found = await alone("starve", {"warm": server.url(), "url": server.url(host=host)}, loop)
    assert found["starved"] == Reason.LOCAL_RESOURCES, found["detail"]
    assert found["after"] == Reason.OK


@pytest.mark.parametrize("keep", [0, 1])
async def test_resolution_without_a_file_descriptor_is_local_resources(keep: int) -> None:
    async with dns.DnsServer({"target.test": dns.addresses("127.0.0.1")}) as resolver, HttpServer() as server:
        url = server.url(host="target.test")
        task = {"warm": server.url(), "url": url, "resolver": resolver.address, "keep": keep}
        found = await alone("starve", task)
    assert found["starved"] == Reason.LOCAL_RESOURCES or (keep and found["starved"] == Reason.OK), found["detail"]
    assert found["after"] == Reason.OK
