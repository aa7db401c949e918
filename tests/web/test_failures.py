"""Failures to log in: a burst, then one in a while, for each address apart, in bounded memory."""

from __future__ import annotations

from ipaddress import ip_address

from hypothesis import given
from hypothesis import strategies as st

from monitor.web.access_failures import BURST, MOST, PERIOD, Failures, address_of, counted_as


@given(st.lists(st.floats(0, 60), max_size=80))
def test_never_more_than_the_burst_and_what_was_forgiven(pauses: list[float]) -> None:
    failures, now, let = Failures(), 1000.0, 0
    for pause in pauses:
        now += pause
        if not failures.wait("a", now):
            failures.count("a", now)
            let += 1
    assert let <= BURST + sum(pauses) / PERIOD


@given(st.integers(0, 3 * BURST), st.floats(0, 1e9))
def test_who_waits_as_long_as_he_is_told_may_try_again(failed: int, now: float) -> None:
    failures = Failures()
    for _ in range(failed):
        failures.count("a", now)
    wait = failures.wait("a", now)
    assert (wait > 0) is (failed >= BURST)
    assert failures.wait("a", now + wait + 1e-3) == 0


def test_one_address_does_not_lock_out_another() -> None:
    failures = Failures()
    for _ in range(BURST):
        failures.count("a", 0.0)
    assert failures.wait("a", 0.0)
    assert not failures.wait("b", 0.0)


def test_what_was_no_failure_does_not_count() -> None:
    failures = Failures()
    for _ in range(100):
        failures.count("a", 0.0)
        failures.take_back("a")
    assert not failures.wait("a", 0.0)


def test_memory_is_bounded_and_the_oldest_goes_first() -> None:
    failures = Failures()
    for number in range(2 * MOST):
        failures.count(str(number), 0.0)
    assert len(failures) == MOST
    failures.take_back("0")  # forgotten, and no trouble


def test_a_network_of_ipv6_counts_as_one_and_ipv4_is_seen_through() -> None:
    assert counted_as(ip_address("2001:db8::1")) == counted_as(ip_address("2001:db8::ffff:2"))
    assert counted_as(ip_address("2001:db8::1")) != counted_as(ip_address("2001:db8:0:1::1"))
    assert address_of("::ffff:192.0.2.7") == ip_address("192.0.2.7")
    assert address_of("") is None
    assert address_of(None) is None
