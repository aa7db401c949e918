"""What stands where on the overview, and how it is said."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from multidict import MultiDict

from monitor.live.view import CheckView, Overview
from monitor.model.clock import Moment
from monitor.model.outcome import Reason
from monitor.model.request import Expect, Rule
from monitor.model.result import Phases, Result
from monitor.protocols.http.words import expectation
from monitor.secrets.secret import Secret
from monitor.stats.windows import Slot
from monitor.web import wording
from monitor.web.charts import RANGES
from monitor.web.negotiation import HTML, JSON, TEXT, accepted
from monitor.web.one_check import CheckPast, gathered
from monitor.web.overview_query import OverviewQuery
from monitor.web.pages import check_page, overview_page, wall_page
from monitor.web.rows import MANY, OverviewRows, arrange, certificate_words
from monitor.web.slots import bar
from monitor.web.viewer import Viewer
from monitor.web.waterfall import WIDTH, waterfall
from tests.web import gallery
from tests.web.gallery import NOW, begun, fine, late, past, refused, spec, viewed, wrong
from tests.web.past import LaidOut


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "0 s"),
        (-3, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (18720, "5 h 12 min"),
        (86400, "1 d"),
        (273600, "3 d 4 h"),
    ],
)
def test_spans_have_two_units_at_most(value: float, said: str) -> None:
    assert wording.span(value) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.25, "250 ms"), (1.5, "1.5 s"), (30, "30 s"), (90, "1 min 30 s"), (300, "5 min"), (7200, "2 h")],
)
def test_intervals_are_said_as_configured(value: float, said: str) -> None:
    assert wording.every(value) == said


def test_times_name_the_day_unless_it_is_today() -> None:
    now = NOW.wall
    assert wording.clock(now, now) == "14:03:22"
    assert wording.clock(now - 86400, now) == "12 Nov 14:03:22"
    assert wording.since(now - 400 * 86400, now) == "9 Oct 2025 14:03"


def test_expectations_are_said_without_their_secrets() -> None:
    expect = Expect(
        status=((200, 299), (301, 301), (400, 404)),
        headers=(("Content-Type", (Rule("matches", "^application/json"),)),),
        json=(("$.token", (Rule("equals", Secret("hunter2")),)), ("$.ok", (Rule("equals", True),))),
        http_version=("1.1",),
    )
    said = expectation(expect)
    assert said == [
        "2xx, 301, 400–404",
        "HTTP 1.1",
        "header Content-Type matches ^application/json",
        "$.token = ***",
        "$.ok = true",
    ]


@pytest.mark.parametrize(("days", "said"), [(61, "61 d"), (1.5, "1 d 12 h"), (-3, "ended 3 d ago"), (0.5, "12 h")])
def test_certificates_say_how_long_they_hold(days: float, said: str) -> None:
    assert certificate_words(days * 86400) == said


async def arranged(view: Overview, **query: str) -> OverviewRows:
    """The overview as an address with this query asks for it."""
    return await arrange(view, OverviewQuery.of(MultiDict(query)))


async def remembered(check: CheckView) -> CheckPast:
    """What its page shows while the archive is away."""
    return await gathered(check, LaidOut(away="gone"), RANGES[0], only_failures=False)


def names(found: OverviewRows) -> list[str]:
    """Every check that is listed, by name."""
    return [row.view.name for part in (*found.sections, *found.groups) for row in part.rows]


async def test_what_is_wrong_stands_above_what_is_right_by_urgency() -> None:
    sections = {s.key: [row.view.name for row in s.rows] for s in (await arranged(gallery.evening())).sections}
    assert list(sections.items()) == [
        ("down", ["shop-api", "mail-in"]),
        ("degraded", ["search", "old-login"]),
        ("failing", ["img-cdn"]),
        ("unknown", ["batch-export"]),
    ]


async def test_every_check_stands_in_exactly_one_place() -> None:
    for scene in gallery.SCENES.values():
        view = scene()
        assert sorted(names(await arranged(view))) == sorted(c.name for c in view.checks)


async def test_large_groups_are_folded_and_few_checks_are_not() -> None:
    assert not any(group.open for group in (await arranged(gallery.many())).groups)
    assert all(group.open for group in (await arranged(gallery.busy())).groups)


async def test_of_too_many_checks_what_is_wrong_is_listed_and_what_is_right_is_counted() -> None:
    view = gallery.many(MANY + 1)
    found = await arranged(view)
    wrong = [c.name for c in view.checks if c.state.value != "up" or c.standing.consecutive_failures]
    assert sorted(names(found)) == sorted(wrong)
    assert len(wrong) == 3
    assert sum(group.total for group in found.groups) == len(view.checks)


@pytest.mark.parametrize(
    ("query", "listed"),
    [
        ({"group": "mail"}, lambda c: c.spec.group == "mail"),
        ({"q": "EDGE z1"}, lambda c: c.spec.group == "edge" and c.spec.labels == (("zone", "z1"),)),
        ({"q": "node-0999"}, lambda c: c.name.endswith("0999")),
        ({"q": "nowhere"}, lambda c: False),
        ({"group": "no such group"}, lambda c: False),
    ],
)
async def test_of_too_many_checks_those_are_listed_that_somebody_asks_for(
    query: dict[str, str], listed: Callable[[CheckView], bool]
) -> None:
    view = gallery.many(MANY + 1)
    found = await arranged(view, **query)
    assert set(names(found)) == {c.name for c in view.checks if listed(c)}
    assert found.shown == len(names(found))


@settings(deadline=None, max_examples=8)  # each arranges a thousand checks for each group
@given(st.lists(st.sampled_from(["", "a b", "<&>", "日本", "x/y?z#", "-"]), min_size=1, max_size=3, unique=True))
def test_a_group_that_is_summed_up_leads_to_its_checks(groups: list[str]) -> None:
    ledger = begun(*(spec(f"c{n}", groups[n % len(groups)]) for n in range(MANY + 1)))
    found = asyncio.run(arranged(viewed(ledger)))
    for group in found.groups:
        query = dict(parse_qsl(urlsplit(group.href).query, keep_blank_values=True))
        listed = asyncio.run(arranged(viewed(ledger), **query))
        assert [len(g.rows) for g in listed.groups if g.title == group.title] == [min(group.total, 200)]
        assert sum(len(g.rows) for g in listed.groups) == min(group.total, 200)


def one(*stretches: tuple[int, gallery.Made], **more: object) -> CheckView:
    """One check that lived through these."""
    ledger = begun(spec("api", **more))
    for record in ledger:
        past(record, *stretches)
    return viewed(ledger).checks[0]


def test_slots_are_drawn_by_kind_each_with_its_own_form() -> None:
    slots = [
        Slot(up=960.0, latency=0.1), Slot(up=900.0, latency=0.05), Slot(up=500.0, down=300.0, latency=0.1),
        Slot(degraded=960.0, latency=0.2), Slot(maintenance=960.0), Slot(),
    ]  # fmt: skip
    drawn = bar(slots)
    assert re.findall(r'<path class="(\w+)"', drawn) == ["fine", "slow", "failed", "planned", "gap"]
    assert "M6 0h2v16h-2z" in drawn, "down is higher than anything that is well"
    assert "M9 16v-11h2v11z" in drawn, "the longest latency"
    assert "down in 1 of 6 slots" in drawn
    assert "nothing known yet" in bar([Slot()] * 90)


def test_waterfall_begins_each_bar_where_the_last_one_ended() -> None:
    steps = waterfall(fine(spec("api"), 0.0, 0.1))
    assert [round(s.start) for s in steps] == [0, 10, 140, 360, 960]
    assert round(steps[-1].start + steps[-1].length) == WIDTH
    assert not any(s.broken for s in steps)


@pytest.mark.parametrize(("made", "broken"), [(refused, "connect"), (late, "processing"), (wrong, None)])
def test_waterfall_marks_where_the_answer_was_cut_off(made: gallery.Made, broken: str | None) -> None:
    steps = waterfall(made(spec("api"), 0.0))
    assert next((s.phase for s in steps if s.broken), None) == broken


def test_waterfall_leaves_out_a_phase_that_the_run_passed_over() -> None:
    result = structs.replace(fine(spec("api"), 0.0, 0.1), phases=Phases(0.001, 0.002, None, 0.05, 0.01))
    steps = waterfall(result)
    assert [s.phase for s in steps] == ["resolve", "connect", "processing", "transfer"]
    assert not any(s.note == "not reached" for s in steps)


def test_waterfall_of_a_run_that_reached_nothing() -> None:
    result = Result("api", 0.0, Reason.DNS_NOT_FOUND, "no such name")
    assert {s.note for s in waterfall(result)} == {"not reached"}


def test_reading_of_a_check_that_recovers_says_how_far_it_is() -> None:
    view = one((5, refused), (1, gallery.wave(1)), up_after=3)
    assert view.reading.startswith("succeeds again, 1 of 3 in a row: 200 in")


def test_reading_of_a_check_that_is_not_down_yet_says_how_far_it_is() -> None:
    assert one((1, refused)).reading == "failure 1 of 2: the connection to 198.51.100.7:443 was refused"


def test_reading_of_what_is_too_old_says_so() -> None:
    ledger = begun(spec("api"))
    record = next(iter(ledger))
    record.add(fine(record.spec, NOW.wall - 600, 0.1), Moment(NOW.wall - 600, NOW.steady - 600))
    assert viewed(ledger).checks[0].reading == "nothing new for too long; the last was: 200 in 100 ms"


@pytest.mark.parametrize("scene", sorted(gallery.SCENES))
async def test_pages_name_no_other_host_and_carry_no_inline_style_or_script(scene: str) -> None:
    view = gallery.SCENES[scene]()
    pages = [
        b"".join(await made)
        for made in (
            overview_page(view, OverviewQuery(), (), False),
            *[check_page(view.monitor, c, await remembered(c), Viewer(True, False), False) for c in view.checks[:20]],
            wall_page(view, (), False),
        )
    ]
    for page in map(bytes.decode, pages):
        assert not re.search(r"<[^>]*\s(style|on\w+)=", page)
        assert not re.search(r"<script(?![^>]*\ssrc=\"/static/)", page)
        assert not re.search(r'<(?:link|script|img)[^>]*(?:href|src)="(?!/static/|/icon/|/feed.atom)', page)


async def test_thousand_checks_are_no_heavier_than_a_photograph() -> None:
    assert sum(map(len, await overview_page(gallery.many(), OverviewQuery(), (), True))) < 150_000


@pytest.mark.parametrize(
    ("header", "offers", "best"),
    [
        (None, (TEXT, JSON, HTML), TEXT),
        ("image/png", (HTML, JSON), HTML),
        ("application/*", (HTML, JSON), JSON),
        ("text/html;q=0, */*;q=0.1", (HTML, JSON), JSON),
        ("APPLICATION/JSON", (HTML, JSON), JSON),
        (",;q=,;;", (HTML, JSON), HTML),
    ],
)
def test_best_liked_offer_wins(header: str | None, offers: tuple[str, ...], best: str) -> None:
    assert accepted(header, *offers) == best
