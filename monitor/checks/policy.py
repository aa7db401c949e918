"""Which addresses may be asked, decided on the address itself, so that no DNS answer and no redirect gets round it."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from monitor.spec import Network

_LOOPBACK = (IPv4Address("127.0.0.1"), IPv6Address("::1"))
_NAT64 = IPv6Network("64:ff9b::/96")
"""RFC 6052: the last 32 bits are an IPv4 address, which is where the packets end up."""


class AddressPolicy:
    """The networks that must not be asked."""

    def __init__(self, denied: Iterable[Network]) -> None:
        self._denied = tuple(denied)

    def denies(self, address: str) -> Network | None:
        """The network that forbids this numeric address (a zone `%eth0` is ignored); None if none does."""
        found = _embedded(ip_address(address.partition("%")[0]))
        return next((n for n in self._denied if any(a in n for a in found)), None)


def _embedded(
    address: IPv4Address | IPv6Address,
) -> tuple[IPv4Address | IPv6Address, ...]:
    """The address and what it leads to: the IPv4 address inside of it; loopback for 0.0.0.0 and ::."""
    if address.is_unspecified:
        return (address, *_LOOPBACK)
    if isinstance(address, IPv4Address):
        return (address,)
    if address.ipv4_mapped:
        return (address, address.ipv4_mapped)
    if address in _NAT64:
        return (address, IPv4Address(int(address) & 0xFFFFFFFF))
    return (address, address.sixtofour) if address.sixtofour else (address,)


def is_numeric(host: str) -> bool:
    """Whether the host is an address, not a name."""
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
