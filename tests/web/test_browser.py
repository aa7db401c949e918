"""The page in a real browser: complete without scripts, current without reloading, nothing cut off, nothing logged."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from monitor.web import pages
from monitor.web.rows import MANY
from tests.web import gallery
from tests.web.conftest import Begin, FakeService, Tabs, begun

playwright = pytest.importorskip("playwright.async_api")
LONG_NAME = "a" * 60 + "-" + "b" * 39

pytestmark = pytest.mark.asyncio(loop_scope="session")  # the loop of the one browser
begin = pytest_asyncio.fixture(begun, loop_scope="session")

Open = Callable[..., Awaitable[playwright.Page]]


NEVER = 600
"""Seconds between two looks of a page that a test does not want to renew itself."""


@pytest.fixture
def refresh() -> float:
    """Seconds between two looks of a page; a test that waits for one parametrizes this."""
    return NEVER


renewing = pytest.mark.parametrize("refresh", [0.5], ids=["renewing"])


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(tabs: Tabs, begin: Begin, monkeypatch: pytest.MonkeyPatch, refresh: float) -> AsyncIterator[Open]:
    """Opens pages of a fresh server in one tab; whatever they log, or ask of another host, fails the test."""
    monkeypatch.setitem(pages._ENVIRONMENT.globals, "refresh", refresh)
    server = await begin()
    ours = f"http://{server.address}/"
    complaints: list[str] = []
    heard: dict[str, Callable[[Any], object]] = {
        "console": lambda message: complaints.append(message.text),
        "pageerror": lambda error: complaints.append(str(error)),
        "request": lambda request: request.url.startswith(ours) or complaints.append(request.url),
    }
    async with AsyncExitStack() as stack:
        lent: dict[str, playwright.Page] = {}

        async def opened(
            path: str = "/status", width: int = 1280, color_scheme: str = "light", **options: object
        ) -> playwright.Page:
            kind = repr(options)
            if kind not in lent:
                lent[kind] = await stack.enter_async_context(tabs.lent(**options))
                for event, hear in heard.items():
                    lent[kind].on(event, hear)
                    stack.callback(lent[kind].remove_listener, event, hear)
            page = lent[kind]
            await page.set_viewport_size({"width": width, "height": 800})
            await page.emulate_media(color_scheme=color_scheme)
            await page.goto(f"{ours}{path.removeprefix('/')}")
            return page

        yield opened
    assert complaints == []


async def overflow(page: playwright.Page) -> int:
    """How far the page scrolls sideways."""
    return int(await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


CUT = """() => [...document.querySelectorAll("main *, header *, footer *")].filter((e) => {
  const box = e.getBoundingClientRect();
  if (e.closest(".unseen, svg") || !box.width) return false;
  return box.right > innerWidth + 1 || box.left < -1;
}).map((e) => e.outerHTML.slice(0, 120))"""


async def assert_fits(page: playwright.Page, *widths: int) -> None:
    """Nothing is cut off, and nothing scrolls sideways, on screens this wide."""
    for width in widths:
        await page.set_viewport_size({"width": width, "height": 800})
        assert await overflow(page) == 0, (page.url, width)
        assert await page.evaluate(CUT) == [], (page.url, width)


@pytest.mark.parametrize("scene", sorted(gallery.SCENES))
async def test_nothing_is_cut_off_on_a_phone(open_page: Open, service: FakeService, scene: str) -> None:
    service.view = gallery.SCENES[scene]()
    await assert_fits(await open_page(width=360), 360)


@pytest.mark.parametrize("name", ["shop-api", "img-cdn", "batch-export", "reports"])
async def test_detail_page_fits_every_screen(open_page: Open, name: str) -> None:
    await assert_fits(await open_page(f"/status/{name}"), 360, 1280, 2560)


async def test_longest_names_fit_on_the_detail_page(open_page: Open, service: FakeService) -> None:
    service.view = gallery.extremes()
    await assert_fits(await open_page(f"/status/{LONG_NAME}", width=360), 360)


async def test_forty_checks_fit_on_a_laptop(open_page: Open, service: FakeService) -> None:
    service.view = gallery.busy()
    page = await open_page(width=1280)
    last = "[...document.querySelectorAll('[data-search]')].at(-1).getBoundingClientRect().bottom"
    assert await page.evaluate(last) <= 800


async def test_page_is_complete_without_scripts_and_refreshes_itself(open_page: Open) -> None:
    page = await open_page(java_script_enabled=False)
    text = await page.inner_text("main")
    assert "the connection to 198.51.100.7:443 was refused" in text
    assert "21 min, since 13:41" in text
    assert await page.locator("details[open] .right").count() == 9
    assert not await page.locator("#search-box").is_visible()
    assert await page.locator("noscript meta[http-equiv=refresh]").count() == 1


@renewing
async def test_state_changes_appear_without_losing_place_folds_search_and_focus(
    open_page: Open, service: FakeService
) -> None:
    page = await open_page()
    await page.evaluate("window.stayed = true")
    await page.locator("details summary").first.click()
    await page.fill("#search", "shop")
    link = page.locator("a[href='/status/shop-api']")
    await link.focus()
    service.view = replace(service.view, checks=(*service.view.checks, *gallery.all_down().checks))
    await playwright.expect(page.locator("#main .summary .down b")).to_have_text("14")
    assert await page.evaluate("window.stayed")
    assert await page.title() == "(14 down) eu-west"
    assert str(await page.get_attribute("#icon", "href")).startswith("/icon/")
    assert await page.input_value("#search") == "shop"
    assert await link.evaluate("e => e === document.activeElement")
    assert not await page.locator("[data-search*='service-1']").first.is_visible()


@renewing
async def test_fold_that_the_reader_closed_stays_closed(open_page: Open, service: FakeService) -> None:
    page = await open_page()
    first = page.locator("details").first
    await first.locator("summary").click()
    service.view = replace(service.view, monitor=replace(service.view.monitor, troubles=("disk full",)))
    await playwright.expect(page.locator(".banner")).to_contain_text("disk full")
    assert await first.get_attribute("open") is None


async def test_of_too_many_checks_the_search_and_a_group_fetch_what_they_ask_for(
    open_page: Open, service: FakeService
) -> None:
    service.view = gallery.many(MANY + 1)
    page = await open_page()
    rows = page.locator("[data-search]:not([hidden])")
    await playwright.expect(rows).to_have_count(3)
    await page.fill("#search", "partners node-100 z2")
    await playwright.expect(rows).to_have_count(0)
    await page.fill("#search", "node-0999")
    await playwright.expect(rows).to_have_count(1)
    await page.fill("#search", "")
    await playwright.expect(rows).to_have_count(3)
    await page.click("text=billing")
    await playwright.expect(page.locator("details[open] .right")).to_have_count(125)


@renewing
async def test_failed_fetches_are_said_and_recovered_from(open_page: Open) -> None:
    page = await open_page()
    live = page.locator("#live")
    await playwright.expect(live).to_contain_text("live")
    await page.route("**/status*", lambda route: asyncio.create_task(route.fulfill(status=204)))
    await playwright.expect(live).to_contain_text("updated")
    await playwright.expect(live).to_contain_text("stale")
    assert await page.locator("#main").inner_text()
    await page.unroute("**/status*")
    await playwright.expect(live).to_contain_text("live")


async def test_search_finds_names_groups_and_labels_and_stands_in_the_address(open_page: Open) -> None:
    page = await open_page()
    await page.keyboard.press("/")
    await page.keyboard.type("team=identity")
    rows = page.locator("[data-search]:visible")
    await playwright.expect(rows).to_have_count(1)
    assert page.url.endswith("?q=team%3Didentity")
    await page.fill("#search", "mail")
    await playwright.expect(rows).to_have_count(4)
    await page.reload()
    await playwright.expect(rows).to_have_count(4)
    await page.fill("#search", "nobody has this name")
    await playwright.expect(page.locator("#nothing")).to_be_visible()
    await page.fill("#search", "")
    await playwright.expect(rows).to_have_count(15)
    assert page.url.endswith("/status")


async def test_search_opens_the_folds_it_finds_something_in(open_page: Open, service: FakeService) -> None:
    service.view = gallery.many()
    page = await open_page()
    found = page.locator("[data-search]:visible")
    await page.fill("#search", "billing-node-0005")
    await playwright.expect(found).to_have_count(1)
    await page.fill("#search", "")
    await playwright.expect(found).to_have_count(3)


async def test_times_are_also_said_in_the_readers_zone(open_page: Open) -> None:
    page = await open_page("/status/shop-api", timezone_id="Asia/Tokyo", locale="en-GB")
    since = page.locator(".verdict time")
    await playwright.expect(since).to_have_attribute("title", "13 Nov 2026, 22:41:40 GMT+9")


CONTRAST = """() => {
  const channel = (c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const light = (rgb) => 0.2126 * channel(rgb[0]) + 0.7152 * channel(rgb[1]) + 0.0722 * channel(rgb[2]);
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const found = parts(getComputedStyle(e).backgroundColor);
      if (found.length === 3 || found[3] > 0) return found;
    }
    return [255, 255, 255];
  };
  const poor = new Set();
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || e.closest(".unseen, .skip, svg, script, noscript")) continue;
    const [a, b] = [light(parts(getComputedStyle(e).color)), light(ground(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.add(`${e.className || e.tagName} ${ratio.toFixed(2)}`);
  }
  return [...poor];
}"""


async def assert_contrast(page: playwright.Page) -> None:
    """Every text has enough contrast in both colour schemes."""
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        assert await page.evaluate(CONTRAST) == [], (page.url, scheme)


@pytest.mark.parametrize("path", ["/status", "/status/shop-api", "/status/batch-export"])
async def test_every_text_has_enough_contrast(open_page: Open, service: FakeService, path: str) -> None:
    service.view = gallery.troubled()
    await assert_contrast(await open_page(path))


async def test_script_in_a_name_stays_text(open_page: Open, service: FakeService) -> None:
    service.view = gallery.extremes()
    page = await open_page()
    assert "<script>alert(1)</script>" in await page.inner_text("main")
    assert await page.locator("main script").count() == 0
