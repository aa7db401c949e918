"""The pages of the past in a real browser: on every screen, without scripts, by keyboard, and for everybody."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from monitor.history.archive import Announcement, Outage
from monitor.model.incident import Acknowledgement
from monitor.model.result import Evidence
from monitor.model.settings import MonitorSpec, PublicSpec
from monitor.web.site import Site
from tests.web import gallery
from tests.web.conftest import Begin, FakeService
from tests.web.past import quarter
from tests.web.test_browser import (
    LONG_NAME,
    Open,
    assert_fits,
    begin,
    open_page,
    overflow,
    playwright,
    pytestmark,
    refresh,
)

__all__ = ["begin", "open_page", "pytestmark", "refresh"]

AXE = Path(__file__).parents[1] / ".node/node_modules/axe-core/axe.min.js"
NOW = gallery.NOW.wall
PATHS = ("/status", "/status/shop-api", "/status/shop-web?range=90d", "/incidents", "/report", "/wall", "/public")


@pytest.fixture
def night(service: FakeService) -> FakeService:
    """A bad night with everything that can be on a page."""
    logged, checks = [], []
    for n, check in enumerate(service.view.checks):
        service.archive.minutes[check.name] = quarter(check, ((9 + n, 0.5), (300, 2)), slots=1000)
        service.archive.found[check.name] = list(check.recent)
        incident = check.standing.incident
        if incident is not None:
            first = structs.replace(
                gallery.wrong(check.spec, incident.started_at),
                evidence=Evidence((("Content-Type", "text/html"), ("X" * 60, "y" * 300)), "z" * 900, cut=True),
            )
            said = Acknowledgement("ana", "the switch died; " * 9, NOW - 60, NOW + 3600) if n else None
            incident = structs.replace(incident, first=first, acknowledged=said)
            check = replace(check, standing=structs.replace(check.standing, incident=incident))  # noqa: PLW2901
            logged.append(incident)
        logged.append(structs.replace(gallery_incident(check.name), id=f"{n:04x}"))
        checks.append(check)
    service.view = replace(service.view, checks=tuple(checks))
    service.archive.logged = logged
    service.archive.missed = [Outage(NOW - 5000, NOW - 4000)]
    service.archive.said = [Announcement("a", "The network is slow.\n" + "w" * 200, "ana", NOW - 9, NOW + 900)]
    service.shown = PublicSpec(True, ("*",), "Our services")
    return service


def gallery_incident(check: str) -> Any:
    from monitor.model.incident import Incident
    from monitor.model.outcome import Reason

    return Incident("x", check, NOW - 7200, Reason.REFUSED, "refused", NOW - 7000)


@pytest.mark.usefixtures("night")
@pytest.mark.parametrize("path", PATHS)
async def test_nothing_is_cut_off_on_any_screen(open_page: Open, path: str) -> None:
    await assert_fits(await open_page(path), 360, 1280, 3840)


async def test_the_longest_names_fit_everywhere(open_page: Open, service: FakeService) -> None:
    service.view = gallery.extremes()
    service.shown = PublicSpec(True, ("*",))
    service.archive.logged = [gallery_incident(LONG_NAME)]
    for path in ("/status", "/incidents", "/report", "/wall", "/public", "/incidents/x"):
        page = await open_page(path, width=360)
        assert await overflow(page) == 0, path


WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
FOUND = """async ([scheme, rules]) => (await axe.run({ runOnly: rules, resultTypes: ["violations"] })).violations
  .filter((v) => ["serious", "critical"].includes(v.impact))
  .map((v) => [scheme, v.id, v.nodes.slice(0, 2).map((n) => [n.html.slice(0, 160), n.failureSummary.slice(0, 300)])])"""


@pytest.mark.usefixtures("night")
@pytest.mark.parametrize("path", PATHS)
async def test_axe_finds_nothing_serious(open_page: Open, path: str) -> None:
    if not AXE.exists() and os.environ.get("CI") != "true":
        pytest.skip("needs axe-core: npm install --prefix tests/.node --no-save axe-core@4.11.0")
    page = await open_page(path, bypass_csp=True)
    await page.evaluate(AXE.read_text())
    assert await page.evaluate(FOUND, ["light", WCAG]) == []
    await page.emulate_media(color_scheme="dark")
    assert await page.evaluate(FOUND, ["dark", ["color-contrast"]]) == []  # all that a scheme changes


async def test_what_is_asked_for_is_in_the_address_without_scripts_too(open_page: Open, night: FakeService) -> None:
    page = await open_page("/status?state=down&label=team%3Dpayments", java_script_enabled=False)
    assert await page.locator("a.go").all_inner_texts() == ["shop-api"]
    await page.locator(".chip", has_text="team=payments").click()
    assert await page.locator("a.go").all_inner_texts() == ["shop-api", "mail-in"]
    await page.fill("#search", "mail")
    await page.click("#find")
    assert await page.locator("a.go").all_inner_texts() == ["mail-in"]
    assert "q=mail" in page.url
    assert "state=down" in page.url
    await page.goto(page.url.split("/status")[0] + "/status/shop-api?range=30d")
    assert (await page.locator(".ranges a[aria-current]").inner_text()).startswith("30 d")
    await page.get_by_role("button", name="Run now").click()
    assert night.ran == ["shop-api"]


@pytest.mark.usefixtures("night")
async def test_keys_lead_through_the_page(open_page: Open) -> None:
    page = await open_page("/status")
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    assert await page.evaluate("document.activeElement.textContent") == "mail-in"
    await page.keyboard.press("k")
    await page.keyboard.press("?")
    assert await page.locator("#keys").is_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("/")
    await page.keyboard.type("lists")
    await playwright.expect(page.locator("a.go:visible")).to_have_text(["mail-lists"])
    assert page.url.endswith("q=lists")
    await page.keyboard.press("Escape")
    await playwright.expect(page.locator("a.go:visible").first).to_have_text("shop-api")
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/status/shop-api")


SHIFTS = """() => {
  window.shift = 0;
  new PerformanceObserver((list) => { for (const e of list.getEntries()) window.shift += e.value; })
    .observe({ type: "layout-shift" });
}"""


async def test_a_change_is_shown_at_once_and_nothing_jumps(open_page: Open, night: FakeService) -> None:
    page = await open_page("/status")
    await page.evaluate("document.getElementById('main').dataset.refresh = 600")  # it is the event that brings it
    await page.evaluate(SHIFTS)
    standing = night.view.checks[0].standing
    async with page.expect_response("**/status"):
        night.publish("shop-web", standing)
    await page.evaluate("new Promise((done) => setTimeout(done, 500 - performance.now()))")  # shifts are noted by then
    assert await page.evaluate("window.shift") == 0, "nothing changed, so nothing moves"
    view = night.check("shop-web")
    assert view is not None
    down = replace(
        view, reading="refused the connection", standing=structs.replace(view.standing, consecutive_failures=3)
    )
    checks = tuple(down if c.name == "shop-web" else c for c in night.view.checks)
    night.view = replace(night.view, checks=checks)
    night.publish("shop-web", down.standing)
    await playwright.expect(page.locator("main")).to_contain_text("refused the connection")
    assert await page.title() == "(2 down) eu-west"
    assert "/icon/2.svg" in str(await page.get_attribute("#icon", "href"))


async def test_what_somebody_types_is_not_taken_away(open_page: Open, night: FakeService) -> None:
    page = await open_page("/incidents")
    await page.fill('input[name="text"]', "half a sen")
    night.publish("shop-web", night.view.checks[0].standing)
    await page.wait_for_timeout(1500)
    assert await page.input_value('input[name="text"]') == "half a sen"
    await page.get_by_role("button", name="Announce").click()
    assert night.archive.said[0].text == "half a sen"


async def test_an_incident_is_acknowledged_on_the_page(open_page: Open, night: FakeService) -> None:
    page = await open_page("/status/shop-api")
    await page.locator("#acknowledge summary").click()
    await page.fill('#acknowledge input[name="note"]', "on it")
    await page.get_by_role("button", name="Acknowledge", exact=True).click()
    await page.wait_for_url("**/status/shop-api")
    lasting = next(one for one in night.archive.logged if one.check == "shop-api" and one.ended_at is None)
    assert lasting.acknowledged is not None
    assert lasting.acknowledged.note == "on it"


async def test_colours_are_chosen_and_remembered(open_page: Open) -> None:
    page = await open_page("/status", color_scheme="light")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = await page.evaluate(paper)
    await page.click("#theme")
    await page.click("#theme")
    assert await page.get_attribute("#theme", "aria-label") == "Colours: dark"
    dark = await page.evaluate(paper)
    assert dark != light
    await page.reload()
    assert await page.evaluate(paper) == dark


async def test_forms_work_over_plain_http_on_a_name(
    browser: playwright.Browser, begin: Begin, service: FakeService
) -> None:
    """There browsers send no Sec-Fetch-Site, so the origin alone says that the form is ours."""
    server = await begin(site=Site(MonitorSpec(allowed_hosts=("box.monitor.test",))))
    page = await browser.new_page()
    await page.goto(f"http://box.monitor.test:{server.address.rpartition(':')[2]}/status/shop-api")
    await page.get_by_role("button", name="Run now").click()
    await page.wait_for_load_state()
    assert service.ran == ["shop-api"]
    await page.close()
