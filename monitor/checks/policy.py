"""Which addresses may be asked, decided on the address itself, so that no DNS answer and no redirect gets round it."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from monitor.spec import Network

_LOOPBACK = (IPv4Address("127.0.0.1"), IPv6Address("::1"))
_NAT64 = IPv6Network("64:ff9b::/96")
"""RFC 6052: the last 32 bits are an IPv4 address, which is where the packets end up."""
_REMEMBERED = 16384
"""Addresses about which the answer is remembered: most runs see the same ones, and reading one takes a while."""
_LONGEST = 45
"""Characters of an address (INET6_ADDRSTRLEN without its end); a longer text is none, and not worth remembering."""


class AddressPolicy:
    """The networks that must not be asked."""

    def __init__(self, denied: Iterable[Network]) -> None:
        self._denied = tuple(denied)
        self._verdict = functools.lru_cache(_REMEMBERED)(self._judge)

    def denies(self, address: str) -> Network | None:
        """The network that forbids this numeric address (a zone `%eth0` is ignored); None if none does."""
        return self._verdict(address.partition("%")[0])

    def _judge(self, address: str) -> Network | None:
        found = _embedded(ip_address(address))
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
    address = host.partition("%")[0]
    return len(address) <= _LONGEST and _is_address(address)


@functools.lru_cache(_REMEMBERED)
def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
