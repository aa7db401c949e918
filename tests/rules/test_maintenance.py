"""When planned maintenance is: against the clocks of real time zones, minute by minute, on the days they change too."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.keys import times
from monitor.model.maintenance import MaintenanceSpec, Recurrence
from monitor.rules.maintenance import (
    Plan,
    in_maintenance,
    next_change,
    plans,
    selects,
    shortest_gap,
    upcoming,
    windows_between,
)
from tests.made import spec

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Nuuk"]
HOUR, DAY = 3600, 86400


def instant(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def weekly(days: tuple[int, ...], at: tuple[int, int], zone: str = "Europe/Berlin") -> Recurrence:
    return Recurrence(zone, (at[1],), (at[0],), weekdays=days)


def said(windows: list[MaintenanceSpec], start: str, end: str) -> list[str]:
    """What is between two times, in UTC."""
    found = windows_between(windows, instant(start), instant(end))
    return [
        f"{datetime.fromtimestamp(w.starts, UTC):%d %H:%M}–{datetime.fromtimestamp(w.ends, UTC):%H:%M}" for w in found
    ]


def subset(low: int, high: int) -> st.SearchStrategy[tuple[int, ...]]:
    return st.sets(st.integers(low, high), min_size=1, max_size=3).map(lambda found: tuple(sorted(found)))


def seconds(low: float, high: float) -> st.SearchStrategy[float]:
    """Whole ones: between two floats that are neighbours there is no time to look at."""
    return st.integers(int(low), int(high)).map(float)


recurrences = st.builds(
    Recurrence,
    st.sampled_from(ZONES),
    subset(0, 59),
    st.one_of(st.sampled_from([(2,), (1, 2, 3), (0, 23)]), subset(0, 23)),
    st.one_of(st.just(tuple(range(1, 32))), subset(1, 31)),
    weekdays=st.one_of(st.just(tuple(range(7))), subset(0, 6)),
    either=st.booleans(),
)
asked = st.lists(
    st.builds(
        MaintenanceSpec,
        st.sampled_from(["a", "b"]),
        st.one_of(recurrences, seconds(instant("2026-01-01T00Z"), instant("2027-01-01T00Z"))),
        st.sampled_from([60.0, 1800.0, 2 * HOUR, 26 * HOUR]),
    ),
    max_size=3,
)
CHANGES = [instant(f"{day}T00:00Z") for day in ("2026-03-29", "2026-10-25", "2026-03-08", "2026-11-01", "2026-04-05")]
moments = st.one_of(
    seconds(instant("2026-01-01T00Z"), instant("2027-01-01T00Z")),
    st.builds(lambda day, more: day + more, st.sampled_from(CHANGES), seconds(-DAY, DAY)),
)


@given(recurrences, moments)
def test_it_starts_at_every_minute_at_which_the_clock_says_so_for_the_first_time(
    recurrence: Recurrence, now: float
) -> None:
    zone = ZoneInfo(recurrence.timezone)
    begin = now // 60 * 60 - 12 * HOUR
    expected = []
    for minute in range(24 * 60):
        local = datetime.fromtimestamp(begin + 60 * minute, zone)
        month_day, week_day = local.day in recurrence.days, local.weekday() in recurrence.weekdays
        day = month_day or week_day if recurrence.either else month_day and week_day
        if day and not local.fold and local.hour in recurrence.hours and local.minute in recurrence.minutes:
            expected.append(begin + 60 * minute)
    found = [w.starts for w in windows_between([MaintenanceSpec("a", recurrence, 60.0)], begin, begin + DAY)]
    clock_shifts = {datetime.fromtimestamp(t, zone).utcoffset() for t in (begin - DAY, begin, begin + DAY)}
    assert set(expected) <= set(found)
    assert set(expected) == set(found) or len(clock_shifts) > 1  # the times that are left out come besides


@given(asked, moments)
def test_every_answer_is_about_the_same_windows(windows: list[MaintenanceSpec], now: float) -> None:
    window = in_maintenance(windows, now)
    around = windows_between(windows, now - 30 * HOUR, now + 30 * HOUR)
    assert (window is not None) is any(w.starts <= now < w.ends for w in around)
    if window is not None:
        assert window in around
        assert window.starts <= now < window.ends
    after = upcoming(windows, now)
    ahead = [w.starts for w in around if w.starts > now]
    assert after is None or after.starts > now
    if ahead:
        assert after is not None
        assert after.starts == min(ahead)


@given(asked, moments)
def test_nothing_changes_before_the_next_change(windows: list[MaintenanceSpec], now: float) -> None:
    change = next_change(tuple(windows), now)
    until = min(change or math.inf, now + 2 * DAY)
    assert until > now
    for share in (0.1, 0.5, 0.9):
        then = now + share * (until - now)
        inside = [w for w in windows_between(windows, then, then + 1e-3) if w.starts <= then]
        assert bool(inside) is (in_maintenance(windows, now) is not None)


@given(asked, st.lists(moments, max_size=6))
def test_a_plan_remembers_and_says_the_same(windows: list[MaintenanceSpec], looks: list[float]) -> None:
    """Also if the clock is put back."""
    plan = Plan(tuple(windows))
    for now in looks:
        for later in (0.0, 1.0, 90.0, HOUR, -HOUR):
            assert plan.at(now + later) == in_maintenance(windows, now + later)


@given(recurrences)
def test_the_shortest_gap_is_one_between_two_times(recurrence: Recurrence) -> None:
    naive = Recurrence("UTC", *(getattr(recurrence, f) for f in ("minutes", "hours", "days", "months", "weekdays")))
    gap = shortest_gap(naive)
    begin = instant("2026-01-01T00Z")
    starts = [w.starts for w in windows_between([MaintenanceSpec("a", naive, 1.0)], begin, begin + 100 * DAY)]
    assert all(later - earlier >= gap for earlier, later in pairwise(starts)) if gap else not starts


def test_when_the_clock_springs_over_it_a_window_comes_by_the_offset_from_before_and_lasts_as_long() -> None:
    window = MaintenanceSpec("a", weekly((5, 6), (2, 30)), 2.0 * HOUR)
    assert said([window], "2026-03-27T00:00Z", "2026-03-30T00:00Z") == ["28 01:30–03:30", "29 01:30–03:30"]
    local = datetime.fromtimestamp(instant("2026-03-29T01:30Z"), ZoneInfo("Europe/Berlin"))
    assert f"{local:%H:%M}" == "03:30"


def test_a_time_that_is_left_out_before_midnight_is_one_of_the_next_day() -> None:
    """In Nuuk the clocks go from 23:00 to 00:00, on Saturday."""
    window = [MaintenanceSpec("a", weekly((5,), (23, 30), "America/Nuuk"), 60.0)]
    assert said(window, "2026-03-29T00:00Z", "2026-03-30T00:00Z") == ["29 01:30–01:31"]
    assert said(window, "2026-03-29T01:20Z", "2026-03-30T00:00Z") == ["29 01:30–01:31"]


def test_when_the_clock_falls_back_a_window_comes_once_the_first_time() -> None:
    window = MaintenanceSpec("a", weekly((6,), (2, 30)), 2.0 * HOUR)
    assert said([window], "2026-10-24T00:00Z", "2026-10-26T00:00Z") == ["25 00:30–02:30"]


def test_every_hour_means_every_hour_that_passes() -> None:
    hourly = MaintenanceSpec("a", Recurrence("Europe/Berlin", (15,), hourly=True, weekdays=(6,)), 60.0)
    for day, hours in (("2026-03-29", 23), ("2026-10-25", 25), ("2026-07-05", 24)):
        zone = ZoneInfo("Europe/Berlin")
        midnight = datetime.fromisoformat(day).replace(tzinfo=zone)
        found = windows_between([hourly], midnight.timestamp(), (midnight + timedelta(1)).timestamp())
        assert len(found) == hours
        assert {later.starts - earlier.starts for earlier, later in pairwise(found)} == {HOUR}


def test_the_end_is_no_part_of_a_window() -> None:
    once = [MaintenanceSpec("a", 1000.0, 60.0)]
    assert in_maintenance(once, 999.9) is None
    assert in_maintenance(once, 1000.0) is not None
    assert in_maintenance(once, 1059.9) is not None
    assert in_maintenance(once, 1060.0) is None
    assert upcoming(once, 1000.0) is None
    assert next_change(tuple(once), 1060.0) is None


def test_of_two_windows_the_one_that_ends_last_is_told() -> None:
    both = [MaintenanceSpec("long", 1000.0, 600.0), MaintenanceSpec("short", 1100.0, 60.0)]
    window = in_maintenance(both, 1110.0)
    assert window is not None
    assert window.name == "long"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("30 3 * * 1-5", ["02 03:30", "03 03:30", "04 03:30", "05 03:30", "06 03:30", "09 03:30"]),
        ("0 0 5 * *", ["05 00:00"]),
        ("0 0 5 * sun", ["01 00:00", "05 00:00", "08 00:00"]),  # either day will do
        ("0 0 */2 * 7", ["01 00:00"]),  # a field that begins with * leaves the choice to the other one
        ("0 22 * mar TUE,thu", ["03 22:00", "05 22:00"]),
        ("0 */12 2 * *", ["02 00:00", "02 12:00"]),
        ("5/25 1 2 3 *", ["02 01:05", "02 01:30", "02 01:55"]),
        ("0 0 * * fri-sun", ["01 00:00", "06 00:00", "07 00:00", "08 00:00"]),
        ("0 0 * 4 *", []),
    ],
)
def test_cron_expressions_mean_what_they_do_elsewhere(expression: str, expected: list[str]) -> None:
    recurrence = times.cron(expression)
    found = windows_between(
        [MaintenanceSpec("a", recurrence, 60.0)], instant("2026-03-01T00:00Z"), instant("2026-03-09T12:00Z")
    )
    assert [f"{datetime.fromtimestamp(w.starts, UTC):%d %H:%M}" for w in found] == expected


def test_a_leap_day_is_found_eight_years_ahead() -> None:
    leap = MaintenanceSpec("a", times.cron("0 0 29 2 *"), 60.0)
    window = upcoming([leap], instant("2096-03-01T00:00Z"))
    assert window is not None
    assert window.starts == instant("2104-02-29T00:00Z")


def test_checks_are_selected_by_name_group_or_all_labels() -> None:
    check = spec(name="mail-1", group="office", labels=(("team", "post"), ("env", "prod")))

    def selected(**by: tuple[object, ...]) -> bool:
        return selects(MaintenanceSpec("a", 0.0, 1.0, **by), check)  # type: ignore[arg-type]

    assert selected()
    assert selected(checks=("mail-*",))
    assert selected(checks=("x", "mail-1"))
    assert not selected(checks=("mail",))
    assert not selected(checks=("MAIL-1",))
    assert selected(groups=("off?ce",))
    assert selected(checks=("x",), groups=("office",))
    assert selected(labels=(("team", "p*"), ("env", "prod")))
    assert not selected(labels=(("team", "post"), ("env", "test")))
    assert not selected(labels=(("other", "*"),))
    assert selected(checks=("x",), labels=(("env", "prod"),))


def test_checks_with_the_same_windows_share_a_plan() -> None:
    some = MaintenanceSpec("a", 0.0, 1.0, checks=("a-*",))
    found = plans([some], [spec(name=name) for name in ("a-1", "a-2", "b")])
    assert found["a-1"] is found["a-2"]
    assert found["a-1"].windows == (some,)
    assert found["b"].windows == ()
