"""The monitor's own want: without file descriptors, ports or a network nothing can be said about a target."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from monitor.model.outcome import Reason
from tests.protocols.harness import alone
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


NAMESPACE = ("unshare", "--map-root-user", "--net")


def namespaces() -> bool:
    """Whether this machine lets us make a network namespace."""
    tool = shutil.which(NAMESPACE[0])
    return tool is not None and subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode == 0


needs_namespaces = pytest.mark.skipif(not namespaces(), reason="needs the right to make a network namespace")


@needs_namespaces
@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
async def test_check_without_a_free_port_is_local_resources(loop: str) -> None:
    found = await alone("ports", {}, loop, within=NAMESPACE)
    assert found["starved"] == Reason.LOCAL_RESOURCES, found["detail"]
    assert found["elsewhere"] == Reason.OK


@needs_namespaces
@pytest.mark.parametrize("url", ["http://192.0.2.1/", "http://[2001:db8::1]/", "http://target.example/"])
async def test_check_without_a_network_is_monitor_offline(url: str) -> None:
    found = await alone("offline", {"url": url}, within=NAMESPACE)
    assert found["outside"] == Reason.MONITOR_OFFLINE, found["detail"]
    assert found["inside"] == Reason.OK
