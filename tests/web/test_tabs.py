"""Many tabs of one real browser share a stream of events; a page of another site gets no hold of the monitor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from monitor.live.view import CheckView
from monitor.model.errors import BadTarget
from monitor.model.settings import AccessSpec, MonitorSpec
from monitor.web import Server, pages
from monitor.web.access import Access
from monitor.web.site import Site
from tests.servers.http import HttpServer, answer
from tests.service.daemon import until
from tests.web.conftest import PATIENCE, Begin, FakeService
from tests.web.test_access import rules
from tests.web.test_browser import NEVER, begin, playwright, pytestmark

__all__ = ["begin", "pytestmark"]

TABS = 7
"""One more than the connections that a browser opens to a host."""


def trouble(service: FakeService, words: str) -> None:
    """Something that every page shows, and an event that says that there is something new."""
    service.view = replace(service.view, monitor=replace(service.view.monitor, troubles=(words,)))
    check: CheckView = service.view.checks[0]
    service.publish(check.name, check.standing)


async def open_tabs(context: playwright.BrowserContext, url: str, count: int = TABS) -> list[playwright.Page]:
    tabs = []
    for _ in range(count):
        tabs.append(await context.new_page())
        await tabs[-1].goto(url, timeout=PATIENCE)
    return tabs


async def all_show(tabs: list[playwright.Page], words: str) -> None:
    for tab in tabs:
        await playwright.expect(tab.locator(".banner")).to_contain_text(words)


async def all_hear(service: FakeService, tabs: list[playwright.Page], words: str) -> None:
    """All show what happened, because of an event: the first may come before a page listens for what others tell it."""
    shown = asyncio.create_task(all_show(tabs, words))
    while not shown.done():
        trouble(service, words)
        await asyncio.wait([shown], timeout=3)
    await shown


async def test_seven_tabs_are_current_with_one_stream_of_events(
    browser: playwright.Browser, begin: Begin, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(pages._ENVIRONMENT.globals, "refresh", NEVER)
    server = await begin()
    context = await browser.new_context()
    tabs = await open_tabs(context, f"http://{server.address}/status")
    await until(lambda: service.bus.queues == 1)
    await all_hear(service, tabs, "disk full")
    assert service.bus.queues == 1
    for tab in tabs[:3]:  # the one that listens is among them: another one takes over
        await tab.close()
    await until(lambda: service.bus.queues == 1)
    await all_hear(service, tabs[3:], "disk fuller")
    await tabs[-1].goto(f"http://{server.address}/incidents", timeout=PATIENCE)
    await context.close()
    await until(lambda: service.bus.queues == 0)


HIDE = """(hidden) => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


async def test_a_hidden_tab_holds_no_stream(
    browser: playwright.Browser, begin: Begin, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(pages._ENVIRONMENT.globals, "refresh", NEVER)
    server = await begin()
    context = await browser.new_context()
    tabs = await open_tabs(context, f"http://{server.address}/status", 2)
    await until(lambda: service.bus.queues == 1)
    for tab in tabs:
        await tab.evaluate(HIDE, True)
    await until(lambda: service.bus.queues == 0)
    await tabs[0].evaluate(HIDE, False)
    await until(lambda: service.bus.queues == 1)
    await context.close()


async def test_without_locks_every_tab_looks_at_its_pace(
    browser: playwright.Browser, begin: Begin, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Browsers have locks on https and on this machine only."""
    monkeypatch.setitem(pages._ENVIRONMENT.globals, "refresh", 0.5)
    server = await begin(site=Site(MonitorSpec(allowed_hosts=("two.monitor.test",))))
    context = await browser.new_context()
    port = server.address.rpartition(":")[2]
    tabs = await open_tabs(context, f"http://two.monitor.test:{port}/status", 2)
    assert await tabs[0].evaluate("navigator.locks === undefined")
    trouble(service, "disk full")
    await all_show(tabs, "disk full")
    assert service.bus.queues == 0
    await context.close()


async def test_tabs_below_a_prefix_share_theirs(
    browser: playwright.Browser, begin: Begin, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(pages._ENVIRONMENT.globals, "refresh", NEVER)
    server = await begin(site=Site(MonitorSpec(external_url="http://localhost/ops/monitor")))
    context = await browser.new_context()
    tabs = await open_tabs(context, f"http://{server.address}/ops/monitor/status", 3)
    await until(lambda: service.bus.queues == 1)
    await all_hear(service, tabs, "disk full")
    await tabs[0].click("text=Incidents")
    assert tabs[0].url.endswith("/ops/monitor/incidents")
    await context.close()


Read = Callable[[str, str], Awaitable[str]]

READ = """async ([path, method]) => {
  try {
    const answer = await fetch(path, { method });
    return `${answer.status} ${(await answer.text()).slice(0, 200)}`;
  } catch (problem) {
    return String(problem);
  }
}"""


@asynccontextmanager
async def rebound(browser: playwright.Browser, server: Server) -> AsyncIterator[Read]:
    """Scripts of a page at evil.monitor.test, which resolves to the monitor's address by now."""
    context = await browser.new_context()
    page = await context.new_page()
    port = server.address.rpartition(":")[2]
    await page.goto(f"http://evil.monitor.test:{port}/")  # its document does not matter, its origin does

    async def read(path: str, method: str) -> str:
        return str(await page.evaluate(READ, [path, method]))

    yield read
    await context.close()


async def test_a_page_that_rebinds_its_name_reads_and_changes_nothing(
    browser: playwright.Browser, begin: Begin, service: FakeService
) -> None:
    server = await begin()
    async with rebound(browser, server) as read:
        for path in ("/status.json", "/status", "/api/v1/checks", "/probe?target=shop-api", "/api/v1/events"):
            assert (await read(path, "GET")).startswith("421 this monitor does not answer to the name"), path
        for path in ("/-/reload", "/status/shop-api/run", "/api/v1/checks/shop-api/run"):
            assert (await read(path, "POST")).startswith("421 "), path
    assert (service.reloads, service.ran) == (0, [])


async def test_another_site_cannot_have_anything_probed(
    browser: playwright.Browser, begin: Begin, service: FakeService, caplog: pytest.LogCaptureFixture
) -> None:
    async def probe(_: object) -> None:
        raise BadTarget("it was let through")  # 400, not 403

    service.probe = probe  # type: ignore[assignment, method-assign]
    caplog.set_level("INFO", "monitor.access")
    server = await begin(access_log=True)
    target = f"http://{server.address}/probe?target=http://10.0.0.1/"
    page_of_it = answer(body=f"<img src='{target}'>".encode(), headers=[("Content-Type", "text/html")])
    async with HttpServer(lambda _: page_of_it) as other:
        page = await browser.new_page()
        await page.goto(other.url("/").replace("127.0.0.1", "localhost"))  # its image is loaded, or refused, by then
        await page.close()
    asked = [record.getMessage() for record in caplog.records if "/probe" in record.getMessage()]
    assert len(asked) == 1
    assert asked[0].startswith("GET /probe 403 ")


async def test_a_reader_finds_the_login_and_then_the_buttons(
    browser: playwright.Browser, begin: Begin, service: FakeService
) -> None:
    server = await begin(access=Access(rules(anonymous=("view",))))
    context = await browser.new_context()  # with http_credentials, Chromium may hold up a request for ever
    page = await context.new_page()
    await page.goto(f"http://{server.address}/status/shop-api")
    assert await page.locator("form[method=post]").count() == 0
    login = await page.locator("a.login").get_attribute("href")
    await page.goto(f"http://ops:correct%20horse@{server.address}{login}")
    await playwright.expect(page).to_have_url(f"http://{server.address}/status/shop-api")
    await page.click("text=Run now")
    await until(lambda: service.ran == ["shop-api"])
    await context.close()


async def test_where_nobody_may_write_there_is_neither_button_nor_login(
    browser: playwright.Browser, begin: Begin
) -> None:
    server = await begin(access=Access(AccessSpec(True, frozenset({"view"}))))
    page = await browser.new_page()
    for path in ("/status/shop-api", "/incidents"):
        await page.goto(f"http://{server.address}{path}")
        assert await page.locator("form[method=post], a.login").count() == 0
    await page.close()
