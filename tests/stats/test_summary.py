"""The figures of a report, held against what they are made of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model.incident import Incident
from monitor.model.outcome import Reason
from monitor.stats.availability import percent, report
from monitor.stats.tally import Tally

START, END = 1_000_000.0, 1_086_400.0


def incident(check: str, began: float, ended: float | None) -> Incident:
    return Incident(f"{check}{began}", check, began, Reason.REFUSED, "", ended)


INCIDENTS = st.lists(
    st.builds(
        lambda check, began, lasted: incident(check, began, None if lasted is None else began + lasted),
        st.sampled_from("abc"),
        st.floats(START - 90_000, END + 90_000),
        st.none() | st.floats(1, 90_000),
    ),
    max_size=30,
)
TALLIES = st.dictionaries(
    st.sampled_from("abc"), st.builds(Tally, up=st.floats(0, 86400), down=st.floats(0, 86400), runs=st.integers(0, 9))
)


@given(TALLIES, INCIDENTS)
def test_rows_add_up_to_the_total(totals: dict[str, Tally], incidents: list[Incident]) -> None:
    made = report({"a": "", "b": "Магазин"}, totals, incidents, START, END)
    assert [(row.name, row.display_name) for row in made.rows] == [("a", "a"), ("b", "Магазин")]
    for name in ("incidents", "ongoing", "runs", "downtime"):
        assert getattr(made.total, name) == pytest.approx(sum(getattr(row, name) for row in made.rows))
    for row in (*made.rows, made.total):
        assert row.availability is None or 0 <= row.availability <= 1
        assert row.coverage is None or 0 <= row.coverage <= 1
        assert row.longest is None or 0 <= row.longest <= END - START
    within = [
        one for one in incidents if one.check in "ab" and one.started_at < END and (one.ended_at or END + 1) > START
    ]
    assert made.total.incidents == len(within)


def test_time_to_repair_is_of_those_that_ended() -> None:
    found = [
        incident("a", START + 10, START + 110),
        incident("a", START + 500, START + 800),
        incident("a", END - 50, None),
    ]
    made = report({"a": ""}, {}, found, START, END)
    row = made.rows[0]
    assert (row.mttr, row.ongoing, row.longest) == (200.0, 1, 300.0)


@pytest.mark.parametrize(
    ("share", "said"),
    [(1.0, "100 %"), (0.99999, "99.99 %"), (0.5, "50.00 %"), (0.0, "0.00 %"), (None, "–"), (0.29, "29.00 %")],
)
def test_percentages_are_never_better_than_the_truth(share: float | None, said: str) -> None:
    assert percent(share) == said
