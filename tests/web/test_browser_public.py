"""The page for outsiders and the badges in a real browser, always without scripts: there are none."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio
from aiohttp import web

from monitor.web import public
from monitor.web.access import Access
from tests.web import gallery, public_scenes
from tests.web.conftest import Begin, FakeService
from tests.web.test_access import rules
from tests.web.test_browser import (
    Open,
    assert_contrast,
    assert_fits,
    begin,
    open_page,
    overflow,
    playwright,
    pytestmark,
    refresh,
)

__all__ = ["begin", "open_page", "pytestmark", "refresh"]

LONGEST = "w" * 100


@pytest.fixture
def service() -> FakeService:
    return public_scenes.night()


def become(service: FakeService, scene: str) -> None:
    other = public_scenes.SCENES[scene]()
    service.view, service.archive, service.shown = other.view, other.archive, other.shown


@pytest.mark.parametrize("scene", sorted(public_scenes.SCENES))
async def test_nothing_is_cut_off(open_page: Open, service: FakeService, scene: str) -> None:
    become(service, scene)
    await assert_fits(await open_page("/public"), 360, 1280, 3840)


@pytest.mark.parametrize("scene", ["night", "announced", "away"])
async def test_every_text_has_enough_contrast(open_page: Open, service: FakeService, scene: str) -> None:
    become(service, scene)
    await assert_contrast(await open_page("/public"))


async def test_the_first_screen_of_a_phone_says_what_is_down_and_since_when(open_page: Open) -> None:
    page = await open_page("/public", width=360, java_script_enabled=False)
    first = page.locator("section.overall")
    said = await first.inner_text()
    for words in ("2 of 7 services are down, 1 is slow", "shop-api down for 21 min, since 13:41 UTC", "mail-in"):
        assert words in said.replace("\n", "")
    box = await first.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 480


async def test_an_open_page_renews_itself_without_a_script(
    open_page: Open, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(public, "_REFRESH", 1)
    page = await open_page("/public", java_script_enabled=False)
    assert await page.locator("script").count() == 0
    service.view = public_scenes.quiet().view
    service.shown = replace(service.shown, title="Another title")
    await playwright.expect(page.locator("h1")).to_have_text("All 7 services are up")


async def test_a_printed_page_is_one_page(open_page: Open, service: FakeService) -> None:
    page = await open_page("/public")
    await page.emulate_media(media="print")
    assert await overflow(page) == 0
    printed = await page.pdf(format="A4")
    assert printed.count(b"/Type /Page\n") == 1


@pytest_asyncio.fixture(loop_scope="session")
async def wiki() -> AsyncIterator[tuple[str, list[str]]]:
    """A page of another site that shows the badges whose addresses are in the list."""
    shown: list[str] = []

    async def page(_request: web.Request) -> web.Response:
        images = "".join(f'<p><img src="{source}" alt="badge"></p>' for source in shown)
        return web.Response(text=f"<!doctype html>{images}", content_type="text/html")

    app = web.Application()
    app.router.add_get("/", page)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "localhost", 0)
    await site.start()
    port = runner.addresses[0][1]
    yield f"http://localhost:{port}/", shown
    await runner.cleanup()


async def test_badges_are_images_on_pages_of_other_sites(
    browser: playwright.Browser, begin: Begin, service: FakeService, wiki: tuple[str, list[str]]
) -> None:
    service.rename("shop-cart", LONGEST)
    server = await begin(access=Access(rules()))
    address, shown = wiki
    names = ("shop-api.svg", "shop-web.svg?show=uptime&days=90", f"{LONGEST}.svg", "shop-api.svg?label=%E6%97%A5%D7%A2")
    shown += [f"http://{server.address}/badge/{name}" for name in (*names, "ledger-db.svg")]
    page = await browser.new_page()
    await page.goto(address, wait_until="load")
    sizes = await page.evaluate("[...document.images].map((i) => [i.naturalWidth, i.naturalHeight])")
    assert [height for _, height in sizes] == [20, 20, 20, 20, 0]
    assert sizes[2][0] > 800 > sizes[0][0] > 80
    await page.close()


@pytest.mark.parametrize("name", ["shop-api", LONGEST, "iiiiiiii", "strange.name_0-9"])
async def test_the_words_of_a_badge_fit_in(open_page: Open, service: FakeService, name: str) -> None:
    service.view = gallery.viewed(gallery.begun(gallery.spec(name, "shop")))
    page = await open_page(f"/badge/{name}.svg")
    boxes = await page.evaluate(
        "[...document.querySelectorAll('text')].map((t) => [t.getBBox().x, t.getBBox().x + t.getBBox().width])"
    )
    whole = await page.evaluate("document.documentElement.width.baseVal.value")
    middle = await page.evaluate("document.querySelectorAll('path')[1].getBBox().x")
    (begin, end), (then, last) = boxes
    assert 4 <= begin < end <= middle - 4
    assert middle + 4 <= then < last <= whole - 4
