"""A tally as it is kept: small, and the same again but for parts of milliseconds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from monitor.past import decode_tally, encode_tally
from monitor.tally import MEASURED, Tally

seconds = st.floats(0, 86400) | st.integers(0, 86400).map(float)
counts = st.integers(0, 864_000)
durations = st.none() | st.floats(0, 300)
latencies = st.dictionaries(st.integers(0, 160), st.integers(1, 864_000))
tallies = st.builds(
    Tally, *[seconds] * 5, *[counts] * 5, st.floats(0, 1e6), durations, durations, latencies
)  # fmt: skip


@given(tallies)
def test_a_kept_tally_is_the_same_again_to_the_millisecond(tally: Tally) -> None:
    again = decode_tally(encode_tally(tally))
    times = {state.value for state in MEASURED}
    for name, value in structs.asdict(tally).items():
        found = getattr(again, name)
        assert type(found) is type(value)
        assert found == (pytest.approx(value, abs=0.000501) if name in times else value)


def test_a_kept_minute_takes_few_bytes() -> None:
    minute = Tally(up=59.9999997, runs=2, duration_sum=0.1613, duration_min=0.0799, duration_max=0.0814)
    minute.latencies = {70: 2}
    assert len(encode_tally(minute)) < 50
    assert decode_tally(encode_tally(minute)).up == 60.0
