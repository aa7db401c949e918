"""No value that somebody sends or a database holds breaks a page, and none hides what it is."""

from __future__ import annotations

import json
import math
import xml.etree.ElementTree as ET
from collections.abc import Iterable

import pytest
from aiohttp import ClientSession
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from monitor.history.archive import Announcement
from monitor.model.clock import rfc3339
from monitor.model.incident import Acknowledgement, Incident
from monitor.model.outcome import Reason
from monitor.model.settings import PublicSpec
from monitor.secrets.visible import legible
from monitor.web import wording
from tests.web import gallery
from tests.web.conftest import FakeService

JSON = {"Accept": "application/json"}
LONG = ["999999w", "999999d", 1e9, 1e308, 999_999_999, "521w2", "1e5d", -1, 0, True, "", [], {}, "NaN"]
PAGES = ["/status", "/wall", "/incidents", "/public", "/public.json", "/feed.atom", "/public/feed.atom", "/report"]
ODD = "a\x1b[2Jb\u202ec\u2066d\x00e\ud800f\u2028g"
TOLD = r"a\x1b[2Jb\u202ec\u2066d\x00e\ud800f\u2028g"


@pytest.mark.parametrize("value", LONG)
async def test_a_duration_beyond_ten_years_is_refused_where_it_comes_in(
    http: ClientSession, service: FakeService, value: object
) -> None:
    service.archive.logged = [lasting()]
    for method, path in (("POST", "announcements"), ("PUT", f"incidents/{lasting().id}/acknowledgement")):
        given_ = {"text": "x", "for": value} if method == "POST" else {"for": value}
        async with http.request(method, f"/api/v1/{path}", json=given_, headers=JSON) as answer:
            assert answer.status in ((200, 201) if value == "" or value == 0 else (400,)), value
    async with http.post(f"/incidents/{lasting().id}/acknowledge", data={"for": str(value)}) as answer:
        assert answer.status < 500
    for path in PAGES:
        async with http.get(path) as answer:
            assert answer.status < 500, path


@pytest.mark.parametrize("key", ["starts", "until"])
@pytest.mark.parametrize("value", ["9999-12-31T23:59:59Z", "253402300799", "-999999w", "0001-01-01", "2199-01-01"])
async def test_a_time_beyond_ten_years_is_refused_where_it_comes_in(http: ClientSession, key: str, value: str) -> None:
    async with http.post("/api/v1/announcements", json={"text": "x", key: value}, headers=JSON) as answer:
        assert answer.status == 400


@pytest.mark.parametrize("path", ["/report", "/api/v1/report", "/api/v1/incidents", "/api/v1/checks/shop-api/history"])
@pytest.mark.parametrize("query", ["from=-999999w", "to=-999999w", "from=0&to=253402300799", "cursor=WzFlMzA4LCIiXQ"])
async def test_no_period_breaks_an_answer(http: ClientSession, path: str, query: str) -> None:
    async with http.get(f"{path}?{query}") as answer:
        assert answer.status in (200, 400)


def lasting(**more: object) -> Incident:
    made = Incident("ab12", "shop-api", gallery.NOW.wall - 60, Reason.REFUSED, "refused")
    return structs.replace(made, **more)


@pytest.mark.parametrize("at", [6e11, -6e11, math.inf, -math.inf, math.nan, 253402300800.0])
async def test_a_stored_time_that_no_calendar_has_is_shown_and_can_be_taken_back(
    http: ClientSession, service: FakeService, at: float
) -> None:
    service.shown = PublicSpec(enabled=True, groups=("*",))
    now = gallery.NOW.wall
    service.archive.said = [Announcement("cd34", "text", "ana", now - 60, at), Announcement("ef56", "t", "b", at, None)]
    cared_for = Acknowledgement("ana", "note", now, at)
    service.archive.logged = [lasting(acknowledged=cared_for), lasting(id="aa", started_at=at, ended_at=at)]
    for path in (*PAGES, "/incidents/ab12", "/incidents/aa", "/api/v1/incidents", "/api/v1/announcements?from=0"):
        async with http.get(path) as answer:
            assert answer.status == 200, (path, await answer.text())
    async with http.delete("/api/v1/announcements/cd34") as answer:
        assert answer.status == 204


async def test_what_is_hidden_in_a_text_is_visible_wherever_it_is_shown(
    http: ClientSession, service: FakeService
) -> None:
    service.shown = PublicSpec(enabled=True, groups=("*",))
    now = gallery.NOW.wall
    service.archive.said = [
        Announcement(name, ODD, ODD, now - 60, None, about) for name, about in (("cd", (ODD,)), ("ef", ()))
    ]
    service.archive.logged = [lasting(detail=ODD, acknowledged=Acknowledgement(ODD, ODD, now))]
    paths = (*PAGES[:-1], "/incidents/ab12", "/api/v1/incidents", "/api/v1/incidents/ab12", "/api/v1/announcements")
    for path in paths:
        async with http.get(path, headers={"Accept": "text/html"}) as answer:
            text = await answer.text()
            assert answer.status == 200, path
        if path.endswith(".atom"):
            ET.fromstring(text)
        assert shown_in(text, path), path
        assert not set(text) & set("\x1b\u202e\u2066\x00\u2028"), path


def shown_in(text: str, path: str) -> bool:
    text = text.replace("\\\\", "\\")  # as JSON writes a backslash
    if path.endswith("public/feed.atom") or path in ("/public", "/public.json"):
        return r"a\x1b[2Jb" in text
    return TOLD in text or TOLD.replace("<", "&lt;").replace(">", "&gt;") in text


@given(st.text())
def test_a_visible_text_stays_as_it_is_and_can_be_written(text: str) -> None:
    shown = legible(text)
    shown.encode()
    json.loads(json.dumps(shown))
    assert legible(shown) == shown


@pytest.mark.parametrize("text", ["Ünïcode 日本 👩\u200d🚒", "two\nlines\tand a tab", "no\u00a0break"])
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert legible(text) == text


@given(st.floats())
def test_every_number_is_a_time_and_a_span(at: float) -> None:
    texts: Iterable[str] = (rfc3339(at), wording.clock(at, 0.0), wording.since(0.0, at), wording.span(at))
    assert all(texts)
