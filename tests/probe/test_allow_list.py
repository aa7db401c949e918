"""What an allow-list allows, as pure logic."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model.settings import MonitorSpec
from monitor.net.policy import AddressPolicy, AllowList

DENIED = (ip_network("169.254.0.0/16"),)
LABELS = st.from_regex(r"\A[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?\Z").filter(lambda label: not label.startswith("xn--"))


@given(st.lists(LABELS, min_size=1, max_size=4))
def test_a_wildcard_allows_what_is_below_it_and_nothing_else(labels: list[str]) -> None:
    allowed = AllowList(["*.example.com"], [])
    assert allowed.names(".".join([*labels, "example.com"]))
    assert allowed.names(".".join([*labels, "EXAMPLE.com."]).upper())
    assert not allowed.names(".".join(["example.com", *labels, "test"]))
    assert not allowed.names(labels[-1] + "xexample.com")


@given(st.ip_addresses(v=4))
def test_an_address_is_judged_by_where_it_leads_whatever_its_spelling(address: IPv4Address) -> None:
    policy = AddressPolicy(DENIED, AllowList([], [ip_network("10.0.0.0/8"), ip_network("169.254.0.0/16")]))
    allowed = address in ip_network("10.0.0.0/8")
    spellings = (
        address,
        IPv6Address(0xFFFF << 32 | int(address)),  # mapped
        IPv6Address(0x64FF9B << 96 | int(address)),  # NAT64
        IPv6Address(0x2002 << 112 | int(address) << 80),  # 6to4
    )
    for spelling in spellings:
        assert (policy.forbids(str(spelling), vouched=False) is None) == allowed, spelling


def embedding(address: IPv4Address) -> dict[str, IPv6Address]:
    """Every way in which IPv6 can stand for an IPv4 address."""
    four = int(address)
    high, low = four >> 16, four & 0xFFFF
    local, middle, rest = 0x64FF9B0001 << 80, four >> 24, four & 0xFFFFFF
    bits = {
        "mapped": 0xFFFF << 32 | four,
        "compatible": four,
        "translated": 0xFFFF << 48 | four,
        "6to4": 0x2002 << 112 | four << 80 | 0xABCD,
        "Teredo client": 0x20010000 << 96 | 0x08080808 << 64 | four ^ 0xFFFFFFFF,
        "Teredo server": 0x20010000 << 96 | four << 64 | 0xFFFFFFFF,
        "NAT64": 0x64FF9B << 96 | four,
        "local NAT64, 96 bits": local | 0x1234 << 64 | four,
        "local NAT64, 64 bits": local | 0x1234 << 64 | four << 24,
        "local NAT64, 56 bits": local | 0x12 << 72 | middle << 64 | rest << 32,
        "local NAT64, 48 bits": local | high << 64 | low << 40,
        "ISATAP": 0xFE80 << 112 | 0x5EFE << 32 | four,
        "ISATAP, global": 0x20010DB8 << 96 | 0x02005EFE << 32 | four,
    }
    return {name: IPv6Address(value) for name, value in bits.items()}


@given(st.ip_addresses(v=4).filter(lambda address: int(address) >> 24))
def test_a_denied_address_is_denied_however_ipv6_embeds_it(address: IPv4Address) -> None:
    policy = AddressPolicy([ip_network(address)])
    for name, spelling in embedding(address).items():
        assert policy.denies(str(spelling)) is not None, (name, spelling)


METADATA = ["169.254.169.254", "fd00:ec2::254", "100.100.100.200", "192.0.0.192", "168.63.129.16", "fd20:ce::254"]


@pytest.mark.parametrize("address", METADATA)
def test_the_metadata_services_of_clouds_are_denied_by_default(address: str) -> None:
    policy = AddressPolicy(MonitorSpec().deny_addresses)
    assert policy.denies(address) is not None
    if "." in address:
        assert all(policy.denies(str(one)) for one in embedding(IPv4Address(address)).values())


@pytest.mark.parametrize("address", ["::ffff:0.0.0.0", "::ffff:127.0.0.1", "::", "0.0.0.0", "::127.0.0.1"])
def test_this_machine_is_itself_by_any_address(address: str) -> None:
    assert AddressPolicy([ip_network("127.0.0.0/8")]).denies(address) is not None


@pytest.mark.parametrize("address", ["2001:db8::1", "64:ff9b:1::c000:207", "2606:4700::1111", "::1"])
def test_an_address_that_leads_elsewhere_is_not_denied(address: str) -> None:
    assert AddressPolicy(list(map(ip_network, ("127.0.0.0/8", "10.0.0.0/8")))).denies(address) is None


@given(st.ip_addresses(v=6))
def test_all_of_ipv6_does_not_allow_the_ipv4_inside_of_it(address: IPv6Address) -> None:
    allowed = AllowList([], [ip_network("::/0")])
    inner = address.ipv4_mapped or address.sixtofour or address.teredo
    translated = any(address in ip_network(one) for one in ("64:ff9b::/96", "64:ff9b:1::/48", "::ffff:0:0:0/96"))
    embeds = (
        translated or (int(address) >> 32 & 0xFDFFFFFF) == 0x5EFE or (int(address) >> 32 == 0 and int(address) != 1)
    )
    assert allowed.holds(str(address)) == (inner is None and not embeds)


@given(st.ip_addresses(), st.booleans())
def test_what_is_denied_is_denied_whoever_is_allowed(address: IPv4Address | IPv6Address, vouched: bool) -> None:
    policy = AddressPolicy([ip_network("0.0.0.0/0"), ip_network("::/0")], AllowList(["a"], [ip_network("0.0.0.0/0")]))
    assert "deny_addresses" in (policy.forbids(str(address), vouched=vouched) or "")


@given(st.text(max_size=30))
def test_no_text_is_a_host_by_accident(text: str) -> None:
    allowed = AllowList(["shop.example.com", "*.below.example.com"], [])
    if allowed.names(text):
        assert text.lower().rstrip(".").endswith(("shop.example.com", ".below.example.com"))


@pytest.mark.parametrize("host", ["", "a b", "a\0b", "evil.test@shop.example.com", "shop.example.com:80", "..", "%00"])
def test_what_is_no_host_is_not_allowed(host: str) -> None:
    assert not AllowList(["shop.example.com", "*.example.com"], []).names(host)


def test_a_name_of_another_alphabet_is_the_same_in_both_spellings() -> None:
    allowed = AllowList(["bücher.example.com"], [])
    assert allowed.names("xn--bcher-kva.example.com")
    assert allowed.names("BÜCHER.example.com")


def test_runs_without_an_allow_list_are_held_to_the_denied_networks_alone() -> None:
    policy = AddressPolicy(DENIED)
    assert policy.forbids("192.0.2.7", vouched=policy.vouches("anything")) is None
    assert policy.forbids_host("anything", resolved_here=False) is None
    assert (
        policy.forbids_host("169.254.169.254") == "169.254.169.254 is in 169.254.0.0/16, which deny_addresses forbids"
    )
    assert policy.denies(str(ip_address("169.254.0.1"))) == DENIED[0]
