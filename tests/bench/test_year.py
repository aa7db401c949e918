"""A year of synthetic history is one that a daemon could have kept."""

from __future__ import annotations

from itertools import pairwise

import pytest

from monitor.stats.rollups import DAY, HOUR, MINUTE, decode_tally, encode_tally
from tests.bench.year import KEPT, lives

END = 20_770 * DAY
YEAR = 365 * DAY


def test_every_stretch_is_kept_as_long_as_its_length_is() -> None:
    (life,) = lives(1)
    starts = {step: [s.start for s in life.stretches(END, YEAR) if s.step == step] for step in KEPT}
    assert {step: len(found) for step, found in starts.items()} == {MINUTE: 1440, HOUR: 2160, DAY: 365}
    for step, found in starts.items():
        assert {later - earlier for earlier, later in pairwise(found)} == {step}
        assert found[-1] + step == END


def test_stretches_hold_what_fits_into_them_and_mostly_good_time() -> None:
    for life in lives(2):
        for stretch in life.stretches(END, YEAR):
            tally = stretch.tally
            assert tally.known == pytest.approx(stretch.step)
            assert tally.runs == stretch.step / life.interval
            again = decode_tally(encode_tally(tally))
            assert (again.runs, again.latencies) == (tally.runs, tally.latencies)
            assert again.down == pytest.approx(tally.down, abs=0.001)
        days = [s.tally.availability or 0 for s in life.stretches(END, YEAR) if s.step == DAY]
        assert 0.995 < sum(days) / len(days) < 1


def test_incidents_follow_each_other_and_have_evidence() -> None:
    for life in lives(5):
        found = list(life.incidents(END, YEAR))
        assert 10 < len(found) < 50
        assert len({incident.id for incident in found}) == len(found)
        for earlier, later in pairwise(found):
            assert (earlier.ended_at or END) < later.started_at
        assert all(incident.first and incident.first.evidence for incident in found)


def test_the_same_check_has_the_same_year() -> None:
    one, other = lives(2)
    assert list(one.stretches(END, YEAR)) == list(lives(1)[0].stretches(END, YEAR))
    assert list(one.incidents(END, YEAR)) != list(other.incidents(END, YEAR))


def test_the_last_results_end_where_the_year_ends() -> None:
    (life,) = lives(1)
    starts = [result.started_at for result in life.results(END)]
    assert len(starts) == 100
    assert starts == sorted(starts)
    assert starts[-1] == END - life.interval
