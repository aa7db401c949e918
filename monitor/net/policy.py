"""Decides which addresses checks may connect to: by the address itself, so that DNS and redirects cannot evade it."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from monitor.model.settings import Network
from monitor.net.urls import ascii_host

_LOOPBACK = (IPv4Address("127.0.0.1"), IPv6Address("::1"))
_LAST = tuple(map(IPv6Network, ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48")))
"""Networks whose last 32 bits are the IPv4 address of the receiver: RFC 4291 (compatible, mapped), 2765, 6052, 8215."""
_LOCAL_NAT64 = _LAST[-1]
"""A local translator may use any part of it as its prefix, of 48, 56, 64 or 96 bits (RFC 6052, 2.2)."""
_ISATAP = (0x00005EFE, 0x02005EFE)
"""RFC 5214: bits 64 to 95 of an address whose last 32 bits are one of IPv4."""
_REMEMBERED = 16384
"""Addresses about which the answer is remembered: most runs see the same ones, and reading one takes a while."""
_HOST_SHOWN = 100
_LONGEST = 45
"""Characters of an address (INET6_ADDRSTRLEN without its end); a longer text is none, and not worth remembering."""


class AllowList:
    """Allow-list: host names, at any address, and networks, under any name.

    A host is a name, or `*.` and a name for every name below it.
    """

    def __init__(self, hosts: Iterable[str], networks: Iterable[Network]) -> None:
        names = {host: canonical(host.removeprefix("*.")) for host in hosts}
        self._names = frozenset(name for host, name in names.items() if not host.startswith("*."))
        self._endings = tuple(f".{name}" for host, name in names.items() if host.startswith("*."))
        self._networks = tuple(networks)

    def names(self, host: str) -> bool:
        """True if the allow-list names the host."""
        name = "" if is_numeric(host) else canonical(host)
        return name in self._names or name.endswith(self._endings)

    def holds(self, address: str) -> bool:
        """True if an allowed network holds the address, or each IPv4 address embedded in it if there are any."""
        itself, *beyond = _embedded(ip_address(address.partition("%")[0]))
        return all(any(a in network for network in self._networks) for a in beyond or (itself,))

    def may_hold(self, host: str) -> bool:
        """True if an address of this host, or the host itself if numeric, can be in an allowed network."""
        return self.holds(host) if is_numeric(host) else bool(self._networks)


def canonical(host: str) -> str:
    """A host as it is compared: in ASCII and lower case, without the dot at its end; empty if it can be no host."""
    try:
        return ascii_host(host).lower().removesuffix(".")
    except ValueError:
        return ""


class AddressPolicy:
    """The denied networks and, for some runs, the allow-list of hosts and networks."""

    def __init__(self, denied: Iterable[Network], only: AllowList | None = None) -> None:
        self._only = only
        # Not a method: a policy that refers to itself would outlive its reload, as settled objects are not collected.
        self._verdict = functools.lru_cache(_REMEMBERED)(functools.partial(_denied_by, tuple(denied)))

    def vouches(self, host: str) -> bool:
        """True if there is no allow-list or it names this host: then only denied networks limit its addresses."""
        return self._only is None or self._only.names(host)

    def forbids_host(self, host: str, *, resolved_here: bool = True) -> str | None:
        """Returns why checks must not connect to this host; None if it is allowed, or if its address decides.

        If the proxy resolves a name, no list of networks can apply to it.
        """
        if is_numeric(host):
            return self.forbids(host, vouched=self.vouches(host))
        if self._only is None or self._only.names(host) or (resolved_here and self._only.may_hold(host)):
            return None
        return f"monitor.probe.allow does not name the host {host[:_HOST_SHOWN]}"

    def forbids(self, address: str, *, vouched: bool) -> str | None:
        """Returns why checks must not connect to this address, or None; `vouched`: the allow-list names its host."""
        network = self.denies(address)
        if network is not None:
            return f"{address} is in {network}, which deny_addresses forbids"
        if vouched or self._only is None or self._only.holds(address):
            return None
        return f"{address} is in no network of monitor.probe.allow"

    def denies(self, address: str) -> Network | None:
        """The network that forbids this numeric address (a zone `%eth0` is ignored); None if none does."""
        return self._verdict(address.partition("%")[0])


def _denied_by(denied: tuple[Network, ...], address: str) -> Network | None:
    found = _embedded(ip_address(address))
    return next((network for network in denied if any(one in network for one in found)), None)


def _embedded(
    address: IPv4Address | IPv6Address,
) -> tuple[IPv4Address | IPv6Address, ...]:
    """The address and what it leads to: the IPv4 address inside of it; loopback for 0.0.0.0 and ::."""
    if address.is_unspecified:
        return (address, *_LOOPBACK)
    if isinstance(address, IPv4Address) or address == _LOOPBACK[1]:
        return (address,)
    inside = dict.fromkeys(_inside(address))
    return (address, *inside, *(_LOOPBACK if any(one.is_unspecified for one in inside) else ()))


def _inside(address: IPv6Address) -> Iterator[IPv4Address]:
    """Every IPv4 address that this one may stand for."""
    bits = int(address)
    if any(address in network for network in _LAST) or bits >> 32 & 0xFFFFFFFF in _ISATAP:
        yield IPv4Address(bits & 0xFFFFFFFF)
    if address in _LOCAL_NAT64:
        guessed = (_around_u(bits, prefix) for prefix in (48, 56, 64))
        yield from (one for one in guessed if int(one) >> 24)  # 0.0.0.0/8 has no hosts
    if address.sixtofour:
        yield address.sixtofour
    if address.teredo:
        yield from address.teredo


def _around_u(bits: int, prefix: int) -> IPv4Address:
    """Returns the IPv4 address behind a prefix of `prefix` bits, without the byte at bit 64."""
    without = bits >> 64 << 56 | bits & (1 << 56) - 1
    return IPv4Address(without >> 120 - prefix - 32 & 0xFFFFFFFF)


def is_numeric(host: str) -> bool:
    """True if the host is an address, not a name."""
    address = host.partition("%")[0]
    return len(address) <= _LONGEST and _is_address(address)


@functools.lru_cache(_REMEMBERED)
def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
