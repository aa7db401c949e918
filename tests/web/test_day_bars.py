"""The bars of ninety days: as honest as what they are drawn from."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from monitor.stats.windows import DAY
from monitor.web.day_bars import HEIGHT, day_bars, parts
from monitor.web.public_view import Day
from tests.web.gallery import NOW

TODAY = NOW.wall // DAY * DAY


def kinds(**seconds: float) -> list[str]:
    return [part.kind for part in parts(Day(TODAY - DAY, **seconds), NOW.wall)]


def test_each_kind_of_day_looks_like_one() -> None:
    assert kinds() == ["gap"]
    assert kinds(maintenance=DAY) == ["maintenance"]
    assert kinds(paused=DAY) == ["gap"]
    assert kinds(up=DAY) == ["up"]
    assert kinds(up=DAY * 0.8, degraded=DAY * 0.2) == ["slow"]
    assert kinds(up=DAY - 60, down=60) == ["up", "down"]
    assert kinds(down=DAY) == ["down"]
    assert kinds(up=DAY / 2) == ["up", "gap"]
    assert kinds(up=DAY / 2, maintenance=DAY / 2) == ["up"]
    assert kinds(up=DAY * 0.95) == ["up"]


def test_today_is_not_unknown_only_because_it_is_not_over() -> None:
    assert [part.kind for part in parts(Day(TODAY, up=NOW.wall - TODAY), NOW.wall)] == ["up"]
    assert [part.kind for part in parts(Day(NOW.wall, up=0.0), NOW.wall)] == ["gap"]


def test_longer_outages_are_deeper() -> None:
    drawn = [parts(Day(TODAY - DAY, up=DAY - down, down=down), NOW.wall) for down in (60, 1800, 7200, 30_000)]
    deep = [next(part.height for part in one if part.kind == "down") for one in drawn]
    assert deep == sorted(set(deep))
    assert deep[-1] == HEIGHT


seconds = st.floats(0, DAY / 5, allow_subnormal=False)
days = st.builds(Day, st.just(TODAY - DAY), seconds, seconds, seconds, seconds, seconds)


@given(days)
def test_a_bar_is_never_better_than_its_day(day: Day) -> None:
    drawn = list(parts(day, NOW.wall))
    assert ("down" in {part.kind for part in drawn}) is (day.down >= 1)
    filled = sum(part.height for part in drawn if part.kind in ("up", "slow", "down"))
    assert (filled > 0) is (day.known > 0)
    for part in drawn:
        assert part.bottom >= 0
        assert part.bottom + part.height <= HEIGHT
        assert part.height > 0
    assert sum(part.height for part in drawn) <= HEIGHT


@given(st.lists(days, min_size=1, max_size=90))
def test_the_bars_are_sound_and_described(days: list[Day]) -> None:
    root = ET.fromstring(day_bars(days, 0.5, NOW.wall))
    assert root.get("role") == "img"
    assert f"{len(days)} days" in (root.get("aria-label") or "")
    broken = [path for path in root if path.get("class") == "down"]
    assert len(broken) == sum(day.down >= 1 for day in days)
    for path in broken:
        assert "down for" in (path.findtext("title") or "")
