"""Single values: what is read from how they are written."""

from __future__ import annotations

import contextlib
import math
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.keys import addresses, values
from monitor.keys.bad_value import BadValueError

UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
SIZES = {"B": 1, "kB": 1000, "MB": 10**6, "KiB": 1024, "MiB": 1024**2}
NUMBERS = st.integers(0, 999).map(str) | st.decimals(0, 999, places=2).map(str)


@given(st.dictionaries(st.sampled_from(list(UNITS)), NUMBERS, min_size=1))
def test_a_duration_is_the_sum_of_its_parts(parts: dict[str, str]) -> None:
    text = "".join(parts[unit] + unit for unit in UNITS if unit in parts)
    seconds = math.fsum(float(number) * UNITS[unit] for unit, number in parts.items())
    if seconds == 0:
        with pytest.raises(BadValueError, match="longer than 0"):
            values.duration(text)
    else:
        assert values.duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(("first", "second"), [(b, a) for a, b in combinations(UNITS, 2)] + [(u, u) for u in UNITS])
def test_units_stand_in_falling_order_and_once(first: str, second: str) -> None:
    with pytest.raises(BadValueError, match="is not a duration"):
        values.duration(f"1{first}1{second}")


@given(st.floats(1e-6, 1e8) | st.integers(1, 10**8))
def test_a_number_is_seconds(number: float) -> None:
    assert values.duration(number) == number


@given(st.text() | st.floats() | st.integers() | st.booleans() | st.binary() | st.none())
def test_any_other_duration_is_wrong_and_nothing_worse(value: object) -> None:
    try:
        seconds = values.duration(value)
    except BadValueError:
        return
    assert 0 < seconds <= values.LONGEST_DURATION


@given(st.integers(1, 1000), st.sampled_from(list(SIZES)), st.sampled_from(["", " "]))
def test_a_size_is_its_number_times_its_unit(number: int, unit: str, space: str) -> None:
    assert values.size(f"{number}{space}{unit}") == number * SIZES[unit]


def test_a_size_may_have_a_fraction_as_long_as_the_bytes_are_whole() -> None:
    assert values.size("1.5KiB") == 1536
    with pytest.raises(BadValueError, match="is not a size"):
        values.size("1.0001kB")


@given(st.text() | st.floats() | st.integers() | st.booleans() | st.none())
def test_any_other_size_is_wrong_and_nothing_worse(value: object) -> None:
    try:
        size = values.size(value)
    except BadValueError:
        return
    assert 0 < size <= values.LARGEST_SIZE


@given(st.integers(100, 999), st.integers(100, 999))
def test_a_range_of_statuses_is_inclusive(one: int, other: int) -> None:
    low, high = sorted((one, other))
    assert values.status(f"{low}-{high}") == (low, high)
    assert values.status(low) == values.status(str(low)) == (low, low)


@given(st.text() | st.integers() | st.booleans())
def test_any_other_status_is_wrong_and_nothing_worse(value: object) -> None:
    try:
        low, high = values.status(value)
    except BadValueError:
        return
    assert 100 <= low <= high <= 999


@pytest.mark.parametrize("name", ["PURGE", "PROPFIND", "M-SEARCH", "QUERY", "HEAD"])
def test_uncommon_methods_are_methods(name: str) -> None:
    assert values.method(name) == name


@given(st.text())
def test_any_text_is_a_url_or_wrong_and_nothing_worse(text: str) -> None:
    for url in (text, f"https://{text}", f"http://{text}/", f"http://example.com:{text}", f"http://[{text}]/"):
        with contextlib.suppress(BadValueError):
            addresses.url(url)
            addresses.split_userinfo(url)


@given(st.text())
def test_any_text_is_an_address_or_wrong_and_nothing_worse(text: str) -> None:
    for read in (addresses.connect_to, addresses.listen, addresses.resolver, addresses.network, addresses.proxy):
        with contextlib.suppress(BadValueError):
            read(text)


@given(st.ip_addresses(v=6), st.integers(0, 65535))
def test_ipv6_stands_in_brackets(address: object, port: int) -> None:
    assert addresses.listen(f"[{address}]:{port}") == (str(address), port)


@pytest.mark.parametrize("host", ["localhost", "_dns.example.com", "a-b.example.com.", "b\u00fccher.example", "x" * 63])
def test_a_host_may_be(host: str) -> None:
    assert addresses.host(host) == host
