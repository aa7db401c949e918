"""Pages of checks, incidents and reports, and what people do on them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from monitor.history.archive import Outage
from monitor.model.incident import Incident
from monitor.model.outcome import Reason
from monitor.model.request import BasicAuth, Body
from monitor.model.result import Evidence
from monitor.secrets.secret import Secret
from monitor.stats.rollups import Stretch
from monitor.stats.tally import Tally
from monitor.web.charts import HEIGHT, RANGES, WIDTH, Axis, availability_bars, laid_out, latency_lines, scale_of
from monitor.web.configured import configured
from monitor.web.csrf import FIELD, csrf_token
from monitor.web.timeline import clusters, lanes
from tests.web import gallery
from tests.web.conftest import FakeService
from tests.web.past import quarter

NOW = gallery.NOW.wall
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


async def read(http: aiohttp.ClientSession, path: str, status: int = 200, **options: Any) -> str:
    async with http.get(path, **options) as answer:
        text = await answer.text()
        assert answer.status == status, text
        return text


def incident(check: str, n: int, ago: float, lasted: float | None = 600.0) -> Incident:
    began = NOW - ago
    return Incident(f"{n:04x}", check, began, Reason.REFUSED, "refused", None if lasted is None else began + lasted)


@pytest.fixture
def past(service: FakeService) -> None:
    """A quarter of shop-api, with an incident that lasts and one that is over."""
    view = service.check("shop-api")
    assert view is not None
    service.archive.minutes["shop-api"] = quarter(view, ((9, 0.5), (300, 2)))
    first = gallery.wrong(view.spec, NOW - 1300)
    first = structs.replace(first, evidence=Evidence((("X-A", HOSTILE),), HOSTILE, cut=True))
    lasting = view.standing.incident
    assert lasting is not None
    lasting = structs.replace(lasting, first=first)
    service.archive.logged = [lasting, incident("shop-api", 1, 9 * 3600)]
    checks = tuple(
        replace(c, standing=structs.replace(c.standing, incident=lasting)) if c.name == "shop-api" else c
        for c in service.view.checks
    )
    service.view = replace(service.view, checks=checks)


# one check


@pytest.mark.usefixtures("past")
async def test_a_check_shows_its_past_in_every_range(http: aiohttp.ClientSession) -> None:
    for of in RANGES:
        page = await read(http, f"/status/shop-api?range={of.name}")
        assert page.count("<title>") >= of.slots, "each bar says what it is"
        assert 'class="chart latency"' in page
        assert f'range={of.name}" aria-current="true"' in page
    assert re.search(r"<b>9\d\.\d\d %</b> <span class=\"soft\">(99|100).* known", page)


@pytest.mark.usefixtures("past")
async def test_evidence_is_shown_and_harms_nobody(http: aiohttp.ClientSession) -> None:
    page = await read(http, "/status/shop-api")
    assert "What was answered" in page
    assert "<script>alert" not in page
    assert "onerror=alert(2)&gt;" in page
    assert "The body went on." in page


async def test_a_check_whose_archive_is_away_shows_what_memory_knows(
    http: aiohttp.ClientSession, service: FakeService
) -> None:
    service.archive.away = "the disk is full"
    page = await read(http, "/status/shop-api")
    assert "The history cannot be read now: the disk is full" in page
    assert page.count('<tr class="failed"') == 30


async def test_a_check_without_any_past_is_hatched_and_not_green(
    http: aiohttp.ClientSession, service: FakeService
) -> None:
    page = await read(http, "/status/shop-web")
    assert page.count('class="gap"') == 90
    assert 'class="chart latency"' not in page


def test_what_is_configured_is_shown_without_secrets() -> None:
    spec = gallery.spec(
        "a",
        headers=(("X-Key", Secret("hunter2hunter2")), ("Accept", "text/html")),
        auth=BasicAuth("ann", Secret("hunter3hunter3")),
        body=Body(b"hunter4hunter4", "application/json", secret=True),
        proxy="http://u:hunter5hunter5@proxy.example.com:3128",
        connect_to=("192.0.2.7", 8443),
        secrets=frozenset({f"hunter{n}hunter{n}" for n in (2, 3, 4, 5)}),
    )
    shown = dict(configured(spec))
    assert "hunter" not in repr(shown)
    assert shown["headers.Accept"] == "text/html"
    assert shown["connect_to"] == "192.0.2.7:8443"
    assert shown["interval"] == "10 s"
    assert "max_redirects" not in shown, "the default"


# charts

NOT_A_NUMBER = re.compile(r"[\s\"](?:nan|inf)\b")
TALLIES = st.lists(
    st.none()
    | st.builds(
        Tally,
        up=st.floats(0, 960), down=st.floats(0, 960), degraded=st.floats(0, 960), maintenance=st.floats(0, 960),
        runs=st.integers(0, 100), duration_min=st.just(1e-4), duration_max=st.just(3600.0),
        latencies=st.dictionaries(st.integers(0, 180), st.integers(1, 9), max_size=4),
    ),
    min_size=90, max_size=90,
)  # fmt: skip


@given(TALLIES, st.none() | st.floats(0.001, 100))
def test_charts_stay_in_their_box_whatever_the_figures_are(slots: list[Tally | None], limit: float | None) -> None:
    axis = Axis(RANGES[0], NOW)
    drawn = availability_bars(slots, axis)
    assert drawn.count("<g>") == 90
    assert not NOT_A_NUMBER.search(drawn)
    scale = scale_of(slots, limit)
    assert (scale is None) is not any(tally and tally.latencies for tally in slots)
    if scale is None:
        return
    lines = latency_lines(slots, axis, scale, [incident("a", 1, 4000)], limit)
    assert not NOT_A_NUMBER.search(lines)
    for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", lines):
        assert 0 <= float(x) <= WIDTH
        assert 0 <= float(y) <= HEIGHT
    assert scale.low < scale.high


def test_a_line_is_interrupted_where_nothing_is_known() -> None:
    known = Tally(up=960.0, runs=3, duration_min=0.1, duration_max=0.1, latencies={72: 3})
    slots = [known] * 10 + [None] * 5 + [known] * 75
    scale = scale_of(slots, None)
    assert scale is not None
    drawn = latency_lines(slots, Axis(RANGES[0], NOW), scale, [], None)
    p50 = re.search(r'class="p50" d="([^"]+)"', drawn)
    assert p50 is not None
    assert p50[1].count("M") == 2


@pytest.mark.parametrize("day", [datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)])
def test_days_are_those_of_utc_also_when_the_clocks_change(day: datetime) -> None:
    """A day in Berlin has 23 or 25 hours then; none of ours has."""
    now = day.timestamp() + 86400 * 2 + 5000
    tallies = [Stretch(3600, int(day.timestamp()) + 3600 * n, Tally(up=3600.0)) for n in range(48)]
    slots = laid_out(tallies, RANGES[3], now)
    known = [tally.up for tally in slots if tally]
    assert known == [86400.0, 86400.0]


# incidents


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.floats(0, 5000)), max_size=60))
def test_every_incident_is_in_one_cluster_at_most_and_neighbours_are_together(found: list[tuple[str, float]]) -> None:
    made = [incident(check, n, at) for n, (check, at) in enumerate(found)]
    grouped = clusters(made)
    ids = [one.id for cluster in grouped for one in cluster.incidents]
    assert len(ids) == len(set(ids))
    for cluster in grouped:
        starts = [one.started_at for one in cluster.incidents]
        assert starts == sorted(starts)
        assert all(b - a <= 60 for a, b in pairwise(starts))
        assert len({one.check for one in cluster.incidents}) >= 3
    assert len(lanes(made, NOW - 6000, NOW)) == len({check for check, _ in found})


async def test_one_cause_behind_many_failures_is_said_in_a_sentence(
    http: aiohttp.ClientSession, service: FakeService
) -> None:
    names = [check.name for check in service.view.checks][:9]
    service.archive.logged = [incident(name, n, 7200 - n * 3) for n, name in enumerate(names)]
    service.archive.missed = [Outage(NOW - 5000, NOW - 4000)]
    page = await read(http, "/incidents")
    assert re.search(r"9 checks went down within 24 s: shop \(\d\), mail \(\d\).*; refused ×9", page)
    assert "the monitor itself did not look, for 16 min" in page
    assert page.count('class="lane"') == 9


async def test_a_quiet_day_and_a_history_that_is_away(http: aiohttp.ClientSession, service: FakeService) -> None:
    assert "No incident in the last 24 h" in await read(http, "/incidents")
    service.archive.away = "the disk is full"
    page = await read(http, "/incidents?range=7d")
    assert "the disk is full" in page
    assert "mail-in" in page, "those that last are known"
    assert "is no parameter" in await read(http, "/incidents?colour=red", 400)


@pytest.mark.usefixtures("past")
async def test_one_incident_has_its_evidence_and_those_that_began_with_it(
    http: aiohttp.ClientSession, service: FakeService
) -> None:
    lasting = service.archive.logged[0]
    service.archive.logged.append(structs.replace(lasting, id="beef", check="mail-in"))
    page = await read(http, f"/incidents/{lasting.id}")
    assert "Began with it" in page
    assert "What was answered" in page
    assert "Acknowledge" in page
    over = await read(http, "/incidents/0001")
    assert "was down for <b>10 min</b>" in over
    assert '<form class="form"' not in over
    await read(http, "/incidents/nothing", 404)


async def test_a_report_of_a_week(http: aiohttp.ClientSession, service: FakeService) -> None:
    page = await read(http, "/report")
    assert page.count("<tr>") == 1 + len(service.view.checks)
    assert page.count("<tr>") > (await read(http, "/report?group=mail&from=&to=")).count("<tr>")
    service.archive.away = "the disk is full"
    assert "the disk is full" in await read(http, "/report")


# what people do

PAGE = {"Sec-Fetch-Site": "same-origin"}


@pytest.mark.usefixtures("past")
async def test_forms_do_what_they_say_and_lead_back(http: aiohttp.ClientSession, service: FakeService) -> None:
    lasting = service.archive.logged[0]
    token = {FIELD: csrf_token()}

    async def post(path: str, status: int = 303, **fields: str) -> str:
        async with http.post(path, data=token | fields, headers=PAGE, allow_redirects=False) as answer:
            assert answer.status == status, await answer.text()
            return answer.headers.get("Location", "")

    assert await post("/status/shop-api/run") == "/status/shop-api"
    assert service.ran == ["shop-api"]
    acknowledge = f"/incidents/{lasting.id}/acknowledge"
    assert await post(acknowledge, note="on it", **{"for": "1h"}) == f"/incidents/{lasting.id}"
    said = service.archive.logged[0].acknowledged
    assert said is not None
    assert (said.by, said.note) == ("anonymous", "on it")
    assert "takes care of it" in await read(http, f"/incidents/{lasting.id}")
    assert await post(acknowledge, take_back="1", back="/status/shop-api") == "/status/shop-api"
    assert service.archive.logged[0].acknowledged is None
    assert await post(acknowledge, back="https://evil.example.com/") == f"/incidents/{lasting.id}"
    assert await post("/incidents/0001/acknowledge", 409) == ""
    await post("/announcements", text="slow", groups="shop, mail", **{"for": "4h"})
    (announced,) = service.archive.said
    assert announced.groups == ("shop", "mail")
    await post("/announcements", 400, text="")
    await post(f"/announcements/{announced.id}/withdraw")
    assert service.archive.said == []
    service.refuse_run = "asked for too often, try again in 4 s"
    await post("/status/shop-api/run", 409)


async def test_a_form_of_another_site_is_refused(http: aiohttp.ClientSession, service: FakeService) -> None:
    for headers in ({"Sec-Fetch-Site": "cross-site"}, PAGE):
        async with http.post("/status/shop-api/run", data={"x": "y"}, headers=headers) as answer:
            assert answer.status == 403
    assert service.ran == []
