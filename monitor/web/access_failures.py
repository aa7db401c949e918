"""Limits failed logins per address: a burst first, then one per period; in bounded memory."""

from __future__ import annotations

from collections import OrderedDict
from ipaddress import IPv4Address, IPv6Address, ip_address

BURST = 10
"""Failures at once."""
PERIOD = 6.0
"""Seconds after which one more is forgiven."""
_ROUNDING = 1e-9
"""Seconds that sums of floating point may be off."""
MOST = 4096
"""Addresses that are remembered; the one that tried least lately is forgotten first."""

Address = IPv4Address | IPv6Address


class Failures:
    """Per address, the steady time at which all its failures are forgiven (generic cell rate algorithm)."""

    def __init__(self) -> None:
        self._forgiven: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._forgiven)

    def wait(self, address: str, now: float) -> float:
        """Seconds until this address may try again; 0 if it may now."""
        wait = self._forgiven.get(address, 0.0) - (BURST - 1) * PERIOD - now
        return wait if wait > _ROUNDING else 0.0

    def count(self, address: str, now: float) -> None:
        """Counts an attempt as a failure, until `take_back`."""
        self._forgiven[address] = max(self._forgiven.get(address, 0.0), now) + PERIOD
        self._forgiven.move_to_end(address)
        if len(self._forgiven) > MOST:
            self._forgiven.popitem(last=False)

    def take_back(self, address: str) -> None:
        """Uncounts an attempt that succeeded."""
        if address in self._forgiven:
            self._forgiven[address] -= PERIOD


def address_of(text: str | None) -> Address | None:
    """The IP address of a peer, IPv4 inside IPv6 seen through; None if it has none."""
    try:
        found = ip_address(text or "")
    except ValueError:
        return None
    return (isinstance(found, IPv6Address) and found.ipv4_mapped) or found


def counted_as(address: Address | None) -> str:
    """Returns the key that failures are counted under: for IPv6 the /64, as one client usually holds all of it."""
    if isinstance(address, IPv6Address):
        return str(IPv6Address(int(address) >> 64 << 64))
    return str(address)
