"""The feeds: what RFC 4287 asks of them, what they say, and to whom."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from xml.etree import ElementTree as ET

import pytest
from aiohttp import ClientSession
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from monitor.history.archive import Announcement
from monitor.model.incident import Incident
from monitor.model.outcome import Reason
from monitor.web.atom import AtomFeed, Entry, atom, urn
from monitor.web.feed_entries import announcement_entry, incident_entry
from tests.web import public_scenes
from tests.web.conftest import Begin, FakeService
from tests.web.gallery import NOW

A = "{http://www.w3.org/2005/Atom}"
BOTH = ("/feed.atom", "/public/feed.atom")
MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"
HOSTILE = "</title>]]><script>alert(1)</script>&amp;\x00\x0b\ud800\ufffe \U0001f40e"


@pytest.fixture
def service() -> FakeService:
    service = public_scenes.night()
    service.archive.said = public_scenes.announced().archive.said
    return service


async def feed(http: ClientSession, path: str) -> ET.Element:
    async with http.get(path) as answer:
        assert (answer.status, answer.content_type, answer.charset) == (200, "application/atom+xml", "utf-8")
        return sound(await answer.read())


def only(parent: ET.Element, name: str) -> str:
    (found,) = parent.findall(f"{A}{name}")
    return found.text or ""


def sound(body: bytes) -> ET.Element:
    """The feed, once it keeps the rules of RFC 4287, 4.1.1 and 4.1.2."""
    root = ET.fromstring(body)
    assert body.startswith(b'<?xml version="1.0" encoding="utf-8"?>\n<feed ')
    assert root.tag == f"{A}feed"
    known = {"id", "title", "updated", "author", "link", "entry"}
    assert {child.tag.removeprefix(A) for child in root} <= known
    entries = root.findall(f"{A}entry")
    for element in (root, *entries):
        assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", only(element, "id"))
        assert only(element, "title").strip()
        assert re.fullmatch(MOMENT, only(element, "updated"))
        assert len({(link.get("rel"), link.get("type")) for link in element.findall(f"{A}link")}) == len(
            element.findall(f"{A}link")
        )
        for author in element.findall(f"{A}author"):
            assert only(author, "name").strip()
    assert len(root.findall(f"{A}author")) == 1
    ids = [only(element, "id") for element in (root, *entries)]
    assert len(set(ids)) == len(ids)
    for entry in entries:
        assert {child.tag.removeprefix(A) for child in entry} <= {
            *("id", "title", "published", "updated", "author", "link", "content"),
        }
        assert datetime.fromisoformat(only(entry, "published")) <= datetime.fromisoformat(only(entry, "updated"))
        assert [link.get("rel") for link in entry.findall(f"{A}link")] == ["alternate"]
        assert [content.get("type") for content in entry.findall(f"{A}content")] == ["text"]
        assert only(entry, "updated") <= only(root, "updated")
    return root


def titles(root: ET.Element) -> list[str]:
    return [only(entry, "title") for entry in root.findall(f"{A}entry")]


@pytest.mark.parametrize("path", BOTH)
async def test_a_feed_says_where_it_is_and_of_what_page(http: ClientSession, path: str) -> None:
    links = {link.get("rel"): link.get("href") for link in (await feed(http, path)).findall(f"{A}link")}
    page = "/public" if path.startswith("/public") else "/status"
    assert links == {"self": path, "alternate": page}
    async with http.get(page, headers={"Accept": "text/html"}) as answer:
        pattern = r'<link rel="alternate" type="application/atom\+xml"[^>]* href="([^"]+)">'
        found = re.search(pattern, await answer.text())
    assert found
    assert found[1] == path


async def test_who_may_view_is_told_why(http: ClientSession) -> None:
    root = await feed(http, "/feed.atom")
    assert titles(root)[:3] == ["mail-in is down", "shop-api is down", "mail-in was down for 40 min"]
    last = root.findall(f"{A}entry")[1]
    assert only(last, "content").splitlines() == [
        "Down since 13 Nov 2026 13:41 UTC.",
        "the connection to 198.51.100.7:443 was refused (refused)",
    ]
    link = last.find(f"{A}link")
    assert link is not None
    assert re.fullmatch(r"/incidents/[0-9a-f]{16}", link.get("href") or "")


async def test_outsiders_are_told_when_and_nothing_else(http: ClientSession) -> None:
    root = await feed(http, "/public/feed.atom")
    entry = root.findall(f"{A}entry")[2]
    assert only(entry, "content") == "Down from 9 Nov 2026 12:56 to 9 Nov 2026 13:36 UTC."
    link = entry.find(f"{A}link")
    assert link is not None
    path, _, place = (link.get("href") or "").partition("#")
    async with http.get(path, headers={"Accept": "text/html"}) as answer:
        assert f'id="{place}"' in await answer.text()


async def test_announcements_are_entries_too(http: ClientSession) -> None:
    inside, outside = [await feed(http, path) for path in BOTH]
    said = "Over the holidays the shop answers questions within two days."
    assert said in titles(inside)
    assert said in titles(outside)
    assert "The ledger is being copied." in titles(inside)
    assert "The ledger is being copied." not in titles(outside)
    assert "anna" in {only(author, "name") for author in inside.iter(f"{A}author")}
    assert {only(author, "name") for author in outside.iter(f"{A}author")} == {"Example Shop status"}


def test_an_entry_is_the_same_after_a_restart_and_changes_when_its_incident_ends() -> None:
    lasts = Incident("0123456789abcdef", "shop-api", NOW.wall - 600, Reason.REFUSED, "refused")
    over = structs.replace(lasts, ended_at=NOW.wall)
    assert (
        incident_entry(lasts, {}).id == incident_entry(over, {}).id == "urn:uuid:7fdc5a94-1f6e-5f37-ac11-d0663992361e"
    )
    assert (incident_entry(lasts, {}).updated, incident_entry(over, {}).updated) == (NOW.wall - 600, NOW.wall)
    assert incident_entry(over, {}).title == "shop-api was down for 10 min"


def test_an_announcement_changes_when_it_is_over() -> None:
    said = Announcement("a", "First line\nand more", "anna", NOW.wall - 600, NOW.wall)
    assert announcement_entry(said, NOW.wall - 1).updated == NOW.wall - 600
    assert announcement_entry(said, NOW.wall).updated == NOW.wall
    assert announcement_entry(said, NOW.wall).title == "First line"


async def test_a_feed_without_entries_is_sound(http: ClientSession, service: FakeService) -> None:
    service.archive.logged, service.archive.said = [], []
    for path in BOTH:
        assert titles(await feed(http, path)) == []


async def test_without_the_past_there_is_no_feed(http: ClientSession, service: FakeService) -> None:
    service.archive.away = "the database is locked"
    async with http.get("/feed.atom") as answer:
        assert (answer.status, await answer.text()) == (503, "the database is locked\n")
        assert answer.headers["Retry-After"] == "60"


async def test_hostile_names_and_texts_stay_text(begin: Begin, service: FakeService) -> None:
    hostile = HOSTILE.replace("\ud800", "")
    service.archive.said = [Announcement(hostile, hostile, hostile, NOW.wall - 60, None, ())]
    service.archive.logged = [structs.replace(public_scenes.incident("shop-api", 60, None), detail=hostile, id=hostile)]
    service.shown = replace(service.shown, title=hostile)
    service.view = replace(service.view, monitor=replace(service.view.monitor, title=hostile))
    server = await begin()
    async with ClientSession(f"http://{server.address}/") as session:
        for path in BOTH:
            root = await feed(session, path)
            assert "</title>]]><script>alert(1)</script>&amp;" in only(root, "title")
            assert not list(root.iter(f"{A}script"))


words = st.text(min_size=1).map(lambda text: f"x{text}")
moments = st.floats(0, 4e9)


@given(words, st.lists(st.tuples(words, words, moments, moments), max_size=3, unique_by=lambda one: one[0]))
def test_a_feed_is_sound_whatever_it_says(title: str, entries: list[tuple[str, str, float, float]]) -> None:
    made = [Entry(urn("x", i), i, t, min(a, b), max(a, b), "/x", t) for i, t, a, b in entries]
    sound(atom(AtomFeed(urn("feed"), title, "/feed.atom", "/status", made, 0.0)).encode())


@given(st.lists(st.text(), min_size=1), st.lists(st.text(), min_size=1))
def test_an_id_is_of_one_thing(one: list[str], other: list[str]) -> None:
    separated = [name.replace("\0", "") for name in one], [name.replace("\0", "") for name in other]
    assert (urn(*separated[0]) == urn(*separated[1])) is (separated[0] == separated[1])
