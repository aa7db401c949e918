"""Detects that this machine has no network; used only after a target could not be reached."""

from __future__ import annotations

import fcntl
import ipaddress
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

from monitor.model.outcome import Reason
from monitor.net.policy import is_numeric
from monitor.net.run import Run

_SUSPECT = {
    Reason.UNREACHABLE, Reason.CONNECT_TIMEOUT, Reason.DNS_FAILED, Reason.DNS_TIMEOUT, Reason.TOTAL_TIMEOUT,
}  # fmt: skip
_SIOCGIFFLAGS = 0x8913
_UP_AND_RUNNING = 0x1 | 0x40
"""IFF_UP | IFF_RUNNING (linux/if.h): switched on, and with a carrier."""
_LINK_LOCAL = "fe80"


def is_offline(reason: Reason, run: Run) -> bool:
    """True if the machine itself is cut off: the run reached no address outside, and no interface but loopback both
    runs and has a route.
    """
    if reason not in _SUSPECT or run.remote_address is not None or _all_local(run):
        return False
    return not any(map(_runs, set(_routed_interfaces())))


def _all_local(run: Run) -> bool:
    """True if the run tried only loopback addresses, which need no network."""
    asked = [a.address.rpartition(":")[0].strip("[]") for a in run.attempts]
    if not asked and not is_numeric(run.host):  # it failed at the name
        asked = [server.rpartition(":")[0].strip("[]") or server for server in run.spec.route.resolver]
    return bool(asked) and all(is_numeric(a) and ipaddress.ip_address(a.partition("%")[0]).is_loopback for a in asked)


def _routed_interfaces() -> Iterator[str]:
    """Names of interfaces with a route that leads out (proc(5): /proc/net/route, /proc/net/ipv6_route)."""
    for line in _lines("/proc/self/net/route")[1:]:
        yield line.split()[0]
    for line in _lines("/proc/self/net/ipv6_route"):
        fields = line.split()
        if not fields[0].startswith((_LINK_LOCAL, "ff")):
            yield fields[-1]


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:  # no such protocol here
        return []


def _runs(interface: str) -> bool:
    if interface == "lo":
        return False
    request = struct.pack("16sH14x", interface.encode(), 0)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            flags: int = struct.unpack("16sH14x", fcntl.ioctl(sock, _SIOCGIFFLAGS, request))[1]
    except OSError:  # it has just gone
        return False
    return flags & _UP_AND_RUNNING == _UP_AND_RUNNING
