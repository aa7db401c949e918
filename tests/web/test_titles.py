"""A check's title stands wherever people read; its name stays in addresses and is what programs know it by."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from html import unescape

import pytest
from aiohttp import ClientSession

from monitor.terminal import past
from monitor.terminal.console import _console
from tests.web import public_scenes
from tests.web.conftest import FakeService

TITLE = "Магазин – API <b>&"
"""Of shop-api, which is down."""
PAGES = ("/status", "/wall", "/status/shop-api", "/incidents", "/report", "/public", "/feed.atom", "/public/feed.atom")


@pytest.fixture
def service() -> FakeService:
    service = public_scenes.night()
    checks = (replace(c, spec=replace(c.spec, title=TITLE)) if c.name == "shop-api" else c for c in service.view.checks)
    service.view = replace(service.view, checks=tuple(checks))
    return service


async def text(http: ClientSession, path: str) -> str:
    async with http.get(path, headers={"Accept": "text/html"} if "." not in path else {}) as answer:
        assert answer.status == 200
        return await answer.text()


async def document(http: ClientSession, path: str) -> dict[str, object]:
    async with http.get(path) as answer:
        assert answer.status == 200
        found: dict[str, object] = json.loads(await answer.read())
        return found


def read(page: str) -> str:
    """What somebody reads: the text without its tags."""
    return unescape(re.sub(r"<[^>]*>", "", page))


@pytest.mark.parametrize("path", PAGES)
async def test_people_read_the_title_and_addresses_have_the_name(http: ClientSession, path: str) -> None:
    page = await text(http, path)
    said = read(page)
    assert TITLE in said
    assert "<b>&" not in page, "a title is text"
    where = said.replace("name\nshop-api", "") if path == "/status/shop-api" else said
    assert not re.search(r"(?<![\w/])shop-api(?![\w.])", where), "the name stands beside or instead of the title"
    if path in ("/status", "/wall", "/report", "/incidents"):
        assert 'href="/status/shop-api"' in page


async def test_an_incident_has_the_title_in_its_heading(http: ClientSession, service: FakeService) -> None:
    one = next(one for one in service.archive.logged if one.check == "shop-api")
    page = await text(http, f"/incidents/{one.id}")
    assert f"<bdi>{TITLE.replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;')}</bdi>" in page
    assert TITLE in unescape(re.findall("<title>(.*?)</title>", page)[0])


async def test_a_check_without_a_title_is_called_by_its_name(http: ClientSession) -> None:
    assert "<bdi>" not in await text(http, "/status/shop-cart")
    assert "shop-cart" in read(await text(http, "/status/shop-cart"))


async def test_json_has_both(http: ClientSession) -> None:
    for path, key in (("/status.json", "checks"), ("/api/v1/checks", "checks"), ("/public.json", "checks")):
        found = {check["name"]: check["title"] for check in (await document(http, path))[key]}  # type: ignore[attr-defined]
        assert (found["shop-api"], found["shop-cart"]) == (TITLE, None), path
    assert (await document(http, "/status/shop-api.json"))["title"] == TITLE
    for path in ("/api/v1/incidents", "/public.json"):
        incidents = {one["check"]: one["title"] for one in (await document(http, path))["incidents"]}  # type: ignore[attr-defined]
        assert incidents["shop-api"] == TITLE, path
        assert incidents["mail-in"] is None, path


async def test_a_search_finds_a_check_by_its_title_and_by_its_name(http: ClientSession) -> None:
    for words in ("магазин", "shop-api"):
        found = await document(http, f"/api/v1/checks?q={words}")
        assert [check["name"] for check in found["checks"]] == ["shop-api"]  # type: ignore[attr-defined]


async def test_a_badge_is_labelled_with_the_title(http: ClientSession) -> None:
    assert TITLE in read(await text(http, "/badge/shop-api.svg"))


async def test_a_report_has_the_title_in_every_form(http: ClientSession) -> None:
    rows = csv.DictReader(io.StringIO(await text(http, "/api/v1/report?format=csv")))
    assert {row["name"]: row["title"] for row in rows}["shop-api"] == TITLE
    table = await text(http, "/api/v1/report?format=markdown")
    assert r"| Магазин – API \<b\>& |" in table
    made = await document(http, "/api/v1/report")
    console = _console(io.StringIO())
    console.width = 200
    console.print(past.report(made, 200))
    assert TITLE in console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize("title", ["=1+1", "+1", "-1", "@a"])
async def test_a_title_is_no_formula_in_a_spreadsheet(http: ClientSession, service: FakeService, title: str) -> None:
    checks = (replace(c, spec=replace(c.spec, title=title)) for c in service.view.checks)
    service.view = replace(service.view, checks=tuple(checks))
    rows = csv.DictReader(io.StringIO(await text(http, "/api/v1/report?format=csv")))
    assert {row["title"] for row in rows} == {f"'{title}", ""}
