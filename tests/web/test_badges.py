"""Badges: what they say, whom they are for, and that they are sound SVG whatever a check is called."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from aiohttp import ClientSession
from hypothesis import given
from hypothesis import strategies as st

from monitor.model.outcome import State
from monitor.model.settings import AccessSpec, PublicSpec
from monitor.web.access import Access
from monitor.web.badge import Badge, badge_svg, text_width
from tests.web import gallery, public_scenes
from tests.web.conftest import Begin, FakeService
from tests.web.public_scenes import PUBLIC
from tests.web.test_access import ANNA, BEARER, login, rules

SVG = "{http://www.w3.org/2000/svg}"
NOT_THERE = (404, "there is nothing at this path\n")


@pytest.fixture
def service() -> FakeService:
    return public_scenes.night()


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter(f"{SVG}text")]


async def said(http: ClientSession, path: str) -> list[str]:
    async with http.get(f"/badge/{path}") as answer:
        assert (answer.status, answer.content_type) == (200, "image/svg+xml")
        return texts(await answer.text())


async def test_a_badge_says_the_state_in_a_word(http: ClientSession) -> None:
    assert await said(http, "shop-web.svg") == ["shop-web", "up"]
    assert await said(http, "shop-api.svg") == ["shop-api", "down"]
    assert await said(http, "shop-search.svg") == ["shop-search", "slow"]
    assert await said(http, "shop-search.svg?show=state") == ["shop-search", "slow"]


async def test_a_badge_says_a_figure_if_it_is_asked_for_one(http: ClientSession, service: FakeService) -> None:
    for days, span in ((1, "24 h"), (7, "7 d"), (30, "30 d"), (90, "90 d")):
        check = service.check("shop-api")
        assert check is not None
        share = check.availability(days)
        assert share is not None
        (label, value) = await said(http, f"shop-api.svg?show=uptime&days={days}")
        assert label == "shop-api"
        assert re.fullmatch(rf"\d+(\.\d\d)? % in {span}", value)
        assert float(value.partition(" ")[0]) == pytest.approx(share * 100, abs=0.011)
    assert re.fullmatch(r"\d+ ms", (await said(http, "shop-web.svg?show=latency"))[1])
    assert await said(http, "shop-api.svg?show=latency") == ["shop-api", "–"]


async def test_what_is_not_known_is_no_figure(http: ClientSession, service: FakeService) -> None:
    service.view = gallery.viewed(gallery.begun(gallery.spec("new", "shop")))
    assert await said(http, "new.svg") == ["new", "unknown"]
    assert await said(http, "new.svg?show=uptime") == ["new", "– in 30 d"]
    assert await said(http, "new.svg?show=latency") == ["new", "–"]


async def test_the_label_may_be_another_one(http: ClientSession) -> None:
    assert await said(http, "shop-api.svg?label=Orders") == ["Orders", "down"]
    assert await said(http, "shop-api.svg?label=") == ["down"]
    hostile = await said(http, "shop-api.svg?label=%3Cscript%3E%26%22%27%00%1b%EF%BF%BE")
    assert hostile == ["<script>&\"'\\x00\\x1b\\ufffe", "down"]
    ((label, _),) = [await said(http, f"shop-api.svg?label={'x' * 5000}")]
    assert len(label) == 100


@pytest.mark.parametrize("query", ["show=history", "show=uptime&days=31", "days=x", "show="])
async def test_what_no_badge_shows_is_refused_with_a_sentence(http: ClientSession, query: str) -> None:
    async with http.get(f"/badge/shop-api.svg?{query}") as answer:
        assert answer.status == 400
        assert " is one of " in await answer.text()


# whom they are for


async def got(session: ClientSession, path: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
    async with session.get(path, headers=headers) as answer:
        assert "WWW-Authenticate" not in answer.headers
        return answer.status, "" if answer.status == 200 else await answer.text()


HIDDEN = ("ledger-db", "nothing", "ledger-db.svg", "%2e%2e")


@pytest.mark.parametrize("public", [PUBLIC, PublicSpec(), replace(PUBLIC, enabled=False)])
async def test_strangers_cannot_tell_a_hidden_check_from_none(
    begin: Begin, service: FakeService, public: PublicSpec
) -> None:
    service.shown = public
    server = await begin(access=Access(rules()))
    async with ClientSession(f"http://{server.address}/") as session:
        for name in (*HIDDEN, *(() if public.enabled else ("shop-api",))):
            for query in ("", "?show=uptime", "?show=nonsense", "?days=x"):
                for headers in ({}, login("anna", "wrong"), BEARER):
                    assert await got(session, f"/badge/{name}.svg{query}", headers) == NOT_THERE


async def test_who_may_view_gets_every_badge(begin: Begin, service: FakeService) -> None:
    service.shown = PublicSpec()
    server = await begin(access=Access(rules()))
    async with ClientSession(f"http://{server.address}/") as session:
        for name in ("shop-api", "ledger-db"):
            assert await got(session, f"/badge/{name}.svg", login(*ANNA)) == (200, "")
        assert await got(session, "/badge/nothing.svg", login(*ANNA)) == NOT_THERE
    everybody = await begin(access=Access(AccessSpec(True, frozenset({"view"}))))
    async with ClientSession(f"http://{everybody.address}/") as session:
        assert await got(session, "/badge/ledger-db.svg") == (200, "")


async def test_without_a_history_only_the_state_is_for_everybody(begin: Begin, service: FakeService) -> None:
    service.shown = replace(PUBLIC, history=False)
    server = await begin(access=Access(rules()))
    async with ClientSession(f"http://{server.address}/") as session:
        assert await got(session, "/badge/shop-api.svg") == (200, "")
        assert await got(session, "/badge/shop-api.svg?show=uptime") == NOT_THERE
        assert await got(session, "/badge/shop-api.svg?show=uptime", login(*ANNA)) == (200, "")


async def test_only_what_needs_no_login_is_for_pages_of_other_sites_and_for_caches(begin: Begin) -> None:
    server = await begin(access=Access(rules()))
    async with ClientSession(f"http://{server.address}/") as session:
        async with session.get("/badge/shop-api.svg", headers=login(*ANNA)) as answer:
            assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
            assert answer.headers["Cache-Control"] == "public, max-age=30"
        async with session.get("/badge/ledger-db.svg", headers=login(*ANNA)) as answer:
            assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
            assert answer.headers["Cache-Control"] == "private, max-age=30"
            assert answer.headers["Vary"] == "Authorization"


# how they are drawn


def test_every_state_has_its_own_shape_and_word() -> None:
    drawn = {state: badge_svg(Badge("x", "y", state)) for state in State}
    assert len(set(drawn.values())) == len(State)
    shapes = {re.search(r"<g transform[^>]*>(.*?)</g>", svg)[1] for svg in drawn.values()}  # type: ignore[index]
    assert len(shapes) == len(State)


def luminance(colour: str) -> float:
    def linear(part: int) -> float:
        share = part / 255
        return share / 12.92 if share <= 0.03928 else ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(int(colour[at : at + 2], 16)) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("state", [*State, None])
def test_white_on_every_ground_has_enough_contrast(state: State | None) -> None:
    grounds = re.findall(r'<path fill="(#[0-9a-f]{6})" d="M\d+ 0H', badge_svg(Badge("x", "y", state)))
    assert len(grounds) == 2
    for ground in grounds:
        assert 1.05 / (luminance(ground) + 0.05) >= 4.5


badges = st.builds(Badge, st.text(max_size=120), st.text(max_size=20), st.sampled_from([*State, None]))


@given(badges)
def test_a_badge_is_sound_whatever_it_says(badge: Badge) -> None:
    root = ET.fromstring(badge_svg(badge).encode())
    assert root.get("role") == "img"
    assert (
        root.get("aria-label") == root.findtext(f"{SVG}title")
        or "\r" in badge.label + badge.value
        or any(c in badge.label + badge.value for c in "\n\t")
    )
    width = float(root.get("width") or 0)
    for text in root.iter(f"{SVG}text"):
        assert float(text.get("x") or 0) + float(text.get("textLength") or 0) <= width - 5
    assert not list(root.iter(f"{SVG}style")) + list(root.iter(f"{SVG}script"))
    assert not [name for element in root.iter() for name in element.attrib if name == "style" or name.startswith("on")]


@given(st.text(), st.text())
def test_a_longer_text_is_wider(one: str, other: str) -> None:
    assert text_width(one + other) >= text_width(one) - 1
