"""A machine without a network knows that it has none; one with a network leaves what is out of reach to the target."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.service.daemon import configuration, launch
from tests.service.namespaces import Namespace, namespace, need

PYTHON = sys.executable
OUTSIDE = "http://192.0.2.7/"
BRIEF = {"interval": "2s", "timeout": {"connect": "600ms", "read": "600ms", "total": "900ms"}}


@pytest.fixture
async def inside() -> AsyncIterator[Namespace]:
    """A namespace with nothing but loopback."""
    need("ip")
    async with namespace() as made:
        yield made


async def wired(inside: Namespace, *, carrier: bool = True) -> None:
    """Give it an interface with an address and a default route; without a carrier, the other end is down."""
    await inside.run("ip", "link", "add", "out0", "type", "veth", "peer", "name", "out1")
    await inside.run("ip", "address", "add", "198.51.100.2/24", "dev", "out0")
    await inside.run("ip", "link", "set", "out0", "up")
    if carrier:
        await inside.run("ip", "link", "set", "out1", "up")
    await inside.run("ip", "route", "add", "default", "via", "198.51.100.1", "dev", "out0")
    # nobody is there to answer ARP
    await inside.run("ip", "neigh", "add", "198.51.100.1", "lladdr", "02:00:00:00:00:01", "dev", "out0")


async def packets(inside: Namespace, verdict: str) -> None:
    """What becomes of packets that leave for the target."""
    need("nft")
    rule = f"ip daddr 192.0.2.0/24 {verdict}"
    await inside.run(
        "nft", f"table inet t {{\n chain out {{\n type filter hook output priority 0;\n {rule};\n }}\n }}\n"
    )


def checks(tmp_path: Path, *more: dict[str, Any]) -> Path:
    config = tmp_path / "checks.toml"
    config.write_text(configuration([{"name": "outside", "url": OUTSIDE}, *more], defaults=BRIEF))
    return config


LOOPBACK = {"name": "loopback", "url": "http://127.0.0.1:1/"}
BY_NAME = {"name": "by-name", "url": "http://target.example/", "resolver": ["198.51.100.53:53"]}
SYSTEM_NAME = {"name": "system-name", "url": "http://target.example/"}
SIX = {"name": "six", "url": "http://[2001:db8::7]/"}


async def test_without_a_network_nothing_outside_can_be_known(inside: Namespace, tmp_path: Path) -> None:
    found = await inside.check(checks(tmp_path, LOOPBACK, BY_NAME, SYSTEM_NAME, SIX))
    for name in ("outside", "by-name", "system-name", "six"):
        assert (found[name]["outcome"], found[name]["reason"]) == ("inconclusive", "monitor_offline"), found[name]
        assert "no network" in found[name]["detail"]
    assert found["loopback"]["reason"] == "refused", "loopback needs no network"


async def test_a_link_without_a_carrier_is_no_network(inside: Namespace, tmp_path: Path) -> None:
    await wired(inside, carrier=False)
    found = await inside.check(checks(tmp_path, LOOPBACK, BY_NAME))
    assert found["outside"]["reason"] == "monitor_offline", found["outside"]
    assert found["by-name"]["reason"] == "monitor_offline", found["by-name"]
    assert found["loopback"]["reason"] == "refused"


async def test_an_interface_that_is_switched_off_is_no_network(inside: Namespace, tmp_path: Path) -> None:
    await wired(inside)
    await inside.run("ip", "link", "set", "out0", "down")
    found = await inside.check(checks(tmp_path))
    assert found["outside"]["reason"] == "monitor_offline"


@pytest.mark.parametrize(
    ("verdict", "outcome", "reason"),
    [
        ("reject with icmpx type host-unreachable", "connection_error", "unreachable"),
        ("reject with icmpx type no-route", "connection_error", "unreachable"),
        ("reject with icmpx type admin-prohibited", "connection_error", "unreachable"),
        ("meta l4proto tcp reject with tcp reset", "connection_error", "refused"),
        ("drop", "timeout", "connect_timeout"),
    ],
)
async def test_with_a_network_what_rejects_is_the_targets(
    inside: Namespace, tmp_path: Path, verdict: str, outcome: str, reason: str
) -> None:
    await wired(inside)
    await packets(inside, verdict)
    found = (await inside.check(checks(tmp_path)))["outside"]
    assert (found["outcome"], found["reason"]) == (outcome, reason), found


async def test_with_a_network_silence_is_the_targets(inside: Namespace, tmp_path: Path) -> None:
    await wired(inside)
    found = await inside.check(checks(tmp_path, BY_NAME))
    assert (found["outside"]["outcome"], found["outside"]["reason"]) == ("timeout", "connect_timeout")
    assert (found["by-name"]["outcome"], found["by-name"]["reason"]) == ("timeout", "dns_timeout")


async def test_no_route_to_a_target_is_the_targets_while_there_is_another_way_out(
    inside: Namespace, tmp_path: Path
) -> None:
    await wired(inside)
    await inside.run("ip", "route", "add", "unreachable", "192.0.2.0/24")
    found = await inside.check(checks(tmp_path, SIX))
    assert found["outside"]["reason"] == "unreachable"
    assert found["six"]["reason"] == "unreachable", found["six"]


async def test_the_daemon_blames_no_target_when_the_link_goes_down_and_recovers(
    inside: Namespace, tmp_path: Path
) -> None:
    """From up to unknown, never down; and up again by itself once the link is back."""
    await inside.run("ip", "link", "add", "out0", "type", "veth", "peer", "name", "out1")
    for command in (
        "address add 192.0.2.7/24 dev out0",
        "link set out0 up",
        "link set out1 up",
        "route add default via 192.0.2.1 dev out0",
    ):
        await inside.run("ip", *command.split())
    served = await file_server(inside)
    config = tmp_path / "checks.toml"
    url = "http://192.0.2.7:8099/"
    quick = {"interval": "500ms", "timeout": {"connect": "200ms", "read": "200ms", "total": "300ms"}}
    config.write_text(configuration([{"name": "outside", "url": url}], defaults=quick))
    daemon = await launch(config, program=inside.command(PYTHON, "-m", "monitor"))
    try:
        await daemon.logged("state changed", state="up")
        # The target's address leaves with its interface, as the way to a target does when a cable is pulled.
        await inside.run("ip", "address", "flush", "dev", "out0")
        await inside.run("ip", "link", "set", "out0", "down")
        await daemon.logged("state changed", state="unknown")
        status = json.loads(await inside.run(PYTHON, "-c", ASK, (await daemon.logged("started"))["listen"]))
        assert status["checks"][0]["last"]["reason"] == "monitor_offline"
        assert any("no network" in trouble for trouble in status["monitor"]["troubles"])
        await inside.run("ip", "link", "set", "out0", "up")
        await inside.run("ip", "address", "add", "192.0.2.7/24", "dev", "out0")
        await daemon.logged("state changed", 2, state="up")
        assert not daemon.lines("state changed", state="down")
    finally:
        await daemon.close()
        served.terminate()
        await served.wait()


async def file_server(inside: Namespace) -> asyncio.subprocess.Process:
    """Python's own HTTP server inside, listening."""
    process = await asyncio.create_subprocess_exec(
        *inside.command(PYTHON, "-u", "-c", SERVE),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), 20)
    return process


SERVE = (
    "import http.server as h; s = h.ThreadingHTTPServer(('0.0.0.0', 8099), h.SimpleHTTPRequestHandler);"
    "print('ready'); s.serve_forever()"
)
ASK = "import sys, urllib.request as u; print(u.urlopen(f'http://{sys.argv[1]}/status.json').read().decode())"
