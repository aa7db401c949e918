"""What outsiders see: the page and its document, over a real socket."""

from __future__ import annotations

import asyncio
import gzip
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import ClientSession
from hypothesis import given
from hypothesis import strategies as st

from monitor.history.archive import IncidentQuery, NoArchive
from monitor.model.incident import Incident
from monitor.model.outcome import State
from monitor.model.settings import PublicSpec
from monitor.web.access import Access
from monitor.web.public_view import DAYS, DRAWN
from monitor.web.public_words import sentence, worst
from tests.web import gallery, public_scenes
from tests.web.conftest import Begin, FakeService
from tests.web.public_scenes import NAMES, PUBLIC
from tests.web.test_access import login, rules

HTML = {"Accept": "text/html"}
PATHS = ("/public", "/public.json", "/public/feed.atom")


@pytest.fixture
def service(request: pytest.FixtureRequest) -> FakeService:
    """The scene that a test asks for, else the bad night."""
    return public_scenes.SCENES[getattr(request, "param", "night")]()


async def text(http: ClientSession, path: str = "/public") -> str:
    async with http.get(path, headers=HTML) as answer:
        assert answer.status == 200
        return await answer.text()


async def document(http: ClientSession) -> Any:
    async with http.get("/public.json") as answer:
        assert (answer.status, answer.content_type) == (200, "application/json")
        return await answer.json()


# whether there is anything


@pytest.mark.parametrize("path", [*PATHS, "/public/", "/public/shop-api"])
async def test_nothing_is_there_unless_it_is_switched_on(http: ClientSession, service: FakeService, path: str) -> None:
    service.shown = PublicSpec(groups=("*",))
    async with http.get(path, headers={"Accept": "application/json"}) as answer:
        assert (answer.status, await answer.json()) == (404, {"error": "there is nothing at this path"})


@pytest.mark.parametrize("path", PATHS)
async def test_it_is_for_everybody_whatever_the_rest_needs(begin: Begin, path: str) -> None:
    server = await begin(access=Access(rules()))
    async with ClientSession(f"http://{server.address}/") as session:
        for headers in ({}, login("anna", "wrong"), {"Authorization": "Bearer nonsense"}):
            async with session.get(path, headers=headers) as answer:
                assert answer.status == 200
                assert "WWW-Authenticate" not in answer.headers
        async with session.get("/feed.atom") as answer:
            assert answer.status == 401
        async with session.get("/feed.atom", headers=login("anna", "correct horse")) as answer:
            assert answer.status == 200


async def test_switching_it_off_takes_it_away_at_once(http: ClientSession, service: FakeService) -> None:
    await text(http)
    service.shown = replace(PUBLIC, enabled=False)
    for path in PATHS:
        async with http.get(path) as answer:
            assert answer.status == 404


async def test_a_group_that_is_no_longer_public_is_gone_at_once(http: ClientSession, service: FakeService) -> None:
    assert "mail-in" in await text(http)
    service.shown = replace(PUBLIC, groups=("shop",))
    assert "mail-in" not in await text(http)
    assert {check["group"] for check in (await document(http))["checks"]} == {"shop"}


async def test_nobody_changes_anything_there(http: ClientSession) -> None:
    for path in PATHS:
        async with http.post(path) as answer:
            assert answer.status == 405


# what it says


async def test_the_page_says_first_how_everything_is(http: ClientSession) -> None:
    page = await text(http)
    assert page.index("2 of 7 services are down, 1 is slow") < page.index("Incidents of the last 14 days")
    assert "<title>2 of 7 services are down, 1 is slow · Example Shop status</title>" in page
    assert "down for 21 min, " in page
    assert "ledger-db" not in page


@pytest.mark.parametrize("service", ["quiet"], indirect=True)
async def test_a_quiet_page_says_so(http: ClientSession) -> None:
    page = await text(http)
    assert "All 7 services are up" in page
    assert "<title>Example Shop status</title>" in page


async def test_the_document_says_the_same(http: ClientSession) -> None:
    said = await document(http)
    assert said["sentence"] == "2 of 7 services are down, 1 is slow"
    assert said["summary"] == {"up": 4, "degraded": 1, "down": 2, "unknown": 0, "paused": 0, "maintenance": 0}
    assert [check["name"] for check in said["checks"]] == list(NAMES)
    api = said["checks"][1]
    assert set(api) == {
        *("name", "title", "group", "description", "state", "since", "maintenance_ends_at", "availability", "days"),
    }
    assert (api["state"], api["since"]) == ("down", "2026-11-13T13:41:40.000Z")
    assert len(api["days"]) == DAYS
    assert api["days"][-1]["date"] == "2026-11-13"
    assert api["days"][-1]["down_seconds"] == 1302
    assert 0.99 < api["availability"] < 1
    assert said["incidents"][0] == {
        "check": "mail-in", "title": None, "started_at": "2026-11-13T14:00:40.000Z", "ended_at": None,
        "duration_seconds": None,
    }  # fmt: skip
    assert len(said["incidents"]) == 6


@pytest.mark.parametrize("service", ["young"], indirect=True)
async def test_days_of_which_nothing_is_known_are_no_good_days(http: ClientSession) -> None:
    first = (await document(http))["checks"][0]["days"][0]
    assert first["availability"] is None
    assert first["down_seconds"] is None
    assert first["known_seconds"] == 0
    assert 'class="gap"' in await text(http)


@pytest.mark.parametrize("service", ["announced"], indirect=True)
async def test_announcements_and_maintenance_are_said_to_whom_they_concern(http: ClientSession) -> None:
    said = await document(http)
    assert [one["groups"] for one in said["announcements"]] == [["mail"], []]
    assert {c["name"] for c in said["checks"] if c["state"] == "maintenance"} == {"mail-in", "mail-out", "webmail"}
    assert said["checks"][4]["maintenance_ends_at"] == "2026-11-13T15:03:22.000Z"
    assert [one["checks"] for one in said["planned_maintenance"]] == [[n for n in NAMES if n.startswith("shop")]]
    page = await text(http)
    assert "We move the mail servers" in page
    assert "maintenance until" in page
    assert "ledger" not in page


@pytest.mark.parametrize("service", ["away"], indirect=True)
async def test_without_a_history_the_present_is_shown(http: ClientSession) -> None:
    page = await text(http)
    assert "The history is not available at the moment." in page
    assert "shop-api" in page
    assert "2 of 7 services are down" in page
    assert "Incidents of" not in page
    said = await document(http)
    assert (said["history"], said["incidents"], said["checks"][0]["days"]) == (None, None, None)
    assert said["checks"][0]["availability"] is None
    async with http.get("/public/feed.atom") as answer:
        assert (answer.status, await answer.text()) == (503, "the history is not available at the moment\n")
        assert answer.headers["Retry-After"] == "60"


async def test_a_list_that_is_cut_says_so(http: ClientSession, service: FakeService) -> None:
    service.archive.logged = [public_scenes.incident("shop-web", ago * 3600.0, 60) for ago in range(1, 110)]
    page = await text(http)
    assert page.count('<li id="i-') == 100
    assert "Only the last 100 are listed." in page


async def test_the_history_may_be_left_out(http: ClientSession, service: FakeService) -> None:
    service.shown = replace(PUBLIC, history=False)
    page = await text(http)
    assert "Incidents of" not in page
    assert "not available" not in page
    assert "feed" not in page
    assert (await document(http))["history"] is False
    async with http.get("/public/feed.atom") as answer:
        assert answer.status == 404


async def test_a_monitor_that_keeps_no_history_misses_none(http: ClientSession, service: FakeService) -> None:
    service.archive = NoArchive()  # type: ignore[assignment]
    service.announcements = lambda: ()  # type: ignore[method-assign]
    assert "not available" not in await text(http)
    assert (await document(http))["history"] is False


async def test_descriptions_are_shown_only_if_they_are_asked_for(http: ClientSession, service: FakeService) -> None:
    described = (replace(c, spec=replace(c.spec, description="Takes <orders>.")) for c in service.view.checks)
    service.view = replace(service.view, checks=tuple(described))
    assert "orders" not in await text(http)
    assert (await document(http))["checks"][0]["description"] is None
    service.shown = replace(PUBLIC, descriptions=True)
    assert "Takes &lt;orders&gt;." in await text(http)


async def test_all_groups_are_all_checks_also_those_without_a_group(http: ClientSession, service: FakeService) -> None:
    service.view = gallery.evening()
    service.shown = PublicSpec(enabled=True, groups=("*",))
    assert len((await document(http))["checks"]) == len(service.view.checks)
    page = await text(http)
    assert "Other services" in page
    assert '<p class="title">Status</p>' in page


async def test_of_very_many_services_no_days_are_asked_for(http: ClientSession, service: FakeService) -> None:
    service.view = gallery.many(DRAWN + 1)
    service.shown = PublicSpec(enabled=True, groups=("*",))
    assert {check["days"] for check in (await document(http))["checks"]} == {None}
    assert "1 of 301 services is down" in await text(http)


# how it is kept, and what it costs


async def test_it_may_be_kept_for_a_quarter_of_a_minute_and_asked_about(http: ClientSession) -> None:
    for path in (*PATHS, "/badge/shop-api.svg"):
        async with http.get(path) as answer:
            assert answer.status == 200
            control, tag = answer.headers["Cache-Control"], answer.headers["ETag"]
            assert control.startswith("public, max-age=")
        for known in (tag, f'"other", {tag}', f"W/{tag}", "*"):
            async with http.get(path, headers={"If-None-Match": known}) as answer:
                assert (answer.status, await answer.read()) == (304, b"")
                assert (answer.headers["ETag"], answer.headers["Cache-Control"]) == (tag, control)
        async with http.get(path, headers={"If-None-Match": '"other"'}) as answer:
            assert answer.status == 200


async def test_head_is_get_without_the_body(http: ClientSession) -> None:
    for path in (*PATHS, "/badge/shop-api.svg"):
        async with http.get(path) as whole, http.head(path) as head:
            assert (head.status, await head.read()) == (200, b"")
            for name in ("Content-Type", "ETag", "Cache-Control", "Content-Length"):
                assert head.headers[name] == whole.headers[name]


async def test_it_is_compressed_for_whom_that_suits(begin: Begin) -> None:
    server = await begin()
    async with ClientSession(f"http://{server.address}/", auto_decompress=False) as session:
        async with session.get("/public", headers=HTML | {"Accept-Encoding": "gzip"}) as packed:
            assert packed.headers["Content-Encoding"] == "gzip"
            body = gzip.decompress(await packed.read())
        async with session.get("/public", headers=HTML | {"Accept-Encoding": ""}) as plain:
            assert await plain.read() == body
            assert plain.headers["ETag"] != packed.headers["ETag"]
            assert "Accept-Encoding" in plain.headers["Vary"]


async def test_however_many_ask_it_is_made_once(begin: Begin, service: FakeService) -> None:
    made: Counter[str] = Counter()
    overview, incidents = service.overview, service.archive.incidents

    async def counted() -> Any:
        made["overview"] += 1
        return await overview()

    async def asked(query: IncidentQuery) -> list[Incident]:
        made["incidents"] += 1
        return await incidents(query)

    service.overview = counted  # type: ignore[method-assign]
    service.archive.incidents = asked  # type: ignore[method-assign]
    async with several(begin) as session:
        paths = [f"{path}?{n}" for path in ("/public", "/public.json") for n in range(100)]
        await asyncio.gather(*(text(session, path) for path in paths))
        assert made == {"overview": 1, "incidents": 1}
        service.archive.away = "the database is locked"
        statuses = set()
        for number in range(20):
            async with session.get(f"/public/feed.atom?{number}") as answer:
                statuses.add(answer.status)
        assert statuses == {503}
        assert made == {"overview": 2, "incidents": 2}


@asynccontextmanager
async def several(begin: Begin) -> AsyncIterator[ClientSession]:
    server = await begin()
    async with ClientSession(f"http://{server.address}/") as session:
        yield session


# the words


@pytest.mark.parametrize(
    ("states", "said"),
    [
        ("", "No service is watched at the moment"),
        ("paused", "No service is watched at the moment"),
        ("up", "The service is up"),
        ("up paused", "The service is up"),
        ("down", "The service is down"),
        ("down down", "All 2 services are down"),
        ("up up down", "1 of 3 services is down"),
        ("down down degraded unknown up", "2 of 5 services are down, 1 is slow, 1 is in an unknown state"),
        ("maintenance up", "1 of 2 services is in planned maintenance, all others are up"),
        ("maintenance maintenance", "All 2 services are in planned maintenance"),
        ("maintenance degraded up", "1 of 3 services is slow, 1 is in planned maintenance"),
        ("unknown unknown", "All 2 services are in an unknown state"),
    ],
)
def test_one_sentence_says_how_everything_is(states: str, said: str) -> None:
    assert sentence(Counter(map(State, states.split()))) == said


@given(st.dictionaries(st.sampled_from(list(State)), st.integers(0, 20_000)))
def test_nothing_is_up_in_words_while_anything_is_not(counts: dict[State, int]) -> None:
    said = sentence(counts)
    others = sum(count for state, count in counts.items() if state not in (State.UP, State.PAUSED))
    assert (worst(counts) in (State.UP, State.PAUSED)) is (others == 0)
    if others:
        assert not said.startswith(("All", "The")) or "are up" not in said
