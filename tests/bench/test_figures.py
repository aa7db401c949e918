"""What the bench concludes from what it measured; what it measures is tested nowhere."""

from __future__ import annotations

import math
from collections import deque
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.answerer import Asked
from tests.bench.figures import Figure, Row, bucket_quantile, quantile
from tests.bench.honest import request_of
from tests.bench.scrape import Scrape, between
from tests.bench.soak import slope
from tests.bench.table import COLUMNS, markdown, write

TEXT = """\
# TYPE probe_attempts counter
probe_attempts_total{check="a",group="g"} 3.0
probe_attempts_total{check="b",group="g"} 4.0
probe_attempts_total_other 9.0
lag_bucket{worker="0",le="0.25"} 5.0
lag_bucket{worker="1",le="0.25"} 6.0
lag_bucket{worker="1",le="+Inf"} 8.0
up{state="up"} 1.0
up{state="down"} 2.0
alone 7.0
"""


@given(st.lists(st.integers(), min_size=1), st.floats(0.01, 1))
def test_a_quantile_is_the_least_value_that_so_many_do_not_exceed(values: list[int], q: float) -> None:
    found = quantile(values, q)
    assert found in values
    assert sum(v <= found for v in values) >= q * len(values) - 1e-6
    assert sum(v < found for v in values) < q * len(values) + 1e-6


def test_there_is_no_quantile_of_nothing() -> None:
    assert math.isnan(quantile([], 0.5))
    assert math.isnan(bucket_quantile({0.1: 0.0, math.inf: 0.0}, 0.5))


@pytest.mark.parametrize(
    ("buckets", "expected"),
    [
        ({0.1: 10.0, 0.2: 10.0, math.inf: 10.0}, 0.05),
        ({0.1: 4.0, 0.2: 8.0, math.inf: 8.0}, 0.1),
        ({0.1: 0.0, 0.2: 8.0, math.inf: 8.0}, 0.15),
        ({0.1: 2.0, 0.2: 2.0, math.inf: 8.0}, math.inf),
    ],
)
def test_a_quantile_of_buckets_is_linear_within_one(buckets: dict[float, float], expected: float) -> None:
    assert bucket_quantile(buckets, 0.5) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("figure", "aim", "shown", "verdict"),
    [
        (Figure("delay", 1.5, "ms", most=1.5), "≤ 1.5 ms", "1.5 ms", "met"),
        (Figure("delay", 1.501, "ms", most=1.5), "≤ 1.5 ms", "1.5 ms", "not met"),
        (Figure("gain", 1.4, "×", least=1.5), "≥ 1.5 ×", "1.40 ×", "not met"),
        (Figure("skipped", 0, most=0), "none", "0", "met"),
        (Figure("delay", math.nan, "ms", most=1.5), "≤ 1.5 ms", "–", "not measured"),
        (Figure("gain", None, "×", least=1.5), "≥ 1.5 ×", "–", "not measured"),
        (Figure("size", 1234.4, "MiB"), "", "1,234 MiB", ""),
    ],
)
def test_a_figure_is_held_against_its_aim(figure: Figure, aim: str, shown: str, verdict: str) -> None:
    assert (figure.aim, figure.shown, figure.verdict) == (aim, shown, verdict)


def test_a_scrape_is_summed_whatever_its_labels_are() -> None:
    scrape = Scrape(0.0, TEXT)
    assert scrape.total("probe_attempts_total") == 7
    assert scrape.total("up", 'state="down"') == 2
    assert scrape.total("alone") == 7
    assert scrape.total("absent") == 0
    assert scrape.per_check("probe_attempts_total") == {"a": 3, "b": 4}
    assert scrape.buckets("lag") == {0.25: 11, math.inf: 8}


def test_what_a_histogram_counted_in_between_is_a_difference() -> None:
    assert between({0.1: 1.0}, {0.1: 3.0, math.inf: 4.0}) == {0.1: 2.0, math.inf: 4.0}


def test_markdown_has_every_figure_with_its_aim() -> None:
    row = Row("r", "a row", lambda _: iter(()))
    text = markdown([(row, [Figure("delay", 2.0, "ms", most=1.5, remark="why")])], "a machine")
    head, _, title, line, _, machine = text.splitlines()
    assert head == "| " + " | ".join(COLUMNS) + " |"
    assert title.startswith("| **a row** |")
    assert line == "| delay | ≤ 1.5 ms | 2.0 ms | not met | why |"
    assert machine == "a machine"


def test_a_table_takes_the_place_of_the_one_before_and_of_nothing_else(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A\n<!-- table -->\nold\n<!-- end of the table -->\nrest\n")
    write(page, "new\n")
    assert page.read_text() == "# A\n<!-- table -->\nnew\n<!-- end of the table -->\nrest\n"


def test_a_file_without_a_place_for_the_table_becomes_the_table(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    for _ in range(2):
        write(page, "new\n")
        assert page.read_text() == "new\n"


def test_a_run_is_held_against_its_own_request_and_no_other() -> None:
    before, first, third = Asked(9.0, 0.0), Asked(10.01, 0.2), Asked(14.01, 0.2)
    asked = deque([before, first, third])
    runs = [(10.0, 0.25), (12.0, 0.25), (14.0, 0.25), (16.0, None)]
    assert [request_of(asked, *run) for run in runs] == [first, None, third, None]


@given(st.lists(st.integers(-1000, 1000), min_size=2, max_size=50, unique=True), st.integers(-9, 9), st.integers(-9, 9))
def test_the_slope_of_points_on_a_line_is_that_of_the_line(xs: list[int], rise: int, start: int) -> None:
    assert slope([(x, rise * x + start) for x in xs]) == pytest.approx(rise)


def test_points_at_one_place_have_no_slope() -> None:
    assert slope([(1.0, 2.0), (1.0, 5.0)]) == 0
