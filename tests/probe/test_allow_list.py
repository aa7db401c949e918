"""What an allow-list allows, as pure logic."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.checks.policy import AddressPolicy, AllowList

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


@given(st.ip_addresses(v=6))
def test_all_of_ipv6_does_not_allow_the_ipv4_inside_of_it(address: IPv6Address) -> None:
    allowed = AllowList([], [ip_network("::/0")])
    inner = address.ipv4_mapped or address.sixtofour
    leads_to_ipv4 = inner is not None or address in ip_network("64:ff9b::/96") or address.is_unspecified
    assert allowed.holds(str(address)) == (not leads_to_ipv4)


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
