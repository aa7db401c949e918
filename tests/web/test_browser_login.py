"""A person logs in with a real browser, and the page that renews itself stays logged in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.web import pages
from monitor.web.access import Access
from tests.web.conftest import Begin, FakeService
from tests.web.test_access import PASSWORD, rules
from tests.web.test_browser import begin, playwright, pytestmark

__all__ = ["begin", "pytestmark"]


async def test_a_page_behind_a_login_goes_on_renewing_itself(
    browser: playwright.Browser, begin: Begin, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(pages._ENVIRONMENT.globals, "refresh", 0.5)
    server = await begin(access=Access(rules()))
    login = {"username": "anna", "password": PASSWORD}
    context = await browser.new_context(http_credentials=login)
    page = await context.new_page()
    await page.goto(f"http://{server.address}/status")
    await playwright.expect(page.locator("main")).to_contain_text("shop-api")
    service.view = replace(service.view, monitor=replace(service.view.monitor, troubles=("disk full",)))
    await playwright.expect(page.locator(".banner")).to_contain_text("disk full")
    stranger = await (await browser.new_context()).new_page()
    answer = await stranger.goto(f"http://{server.address}/-/ready")
    assert answer is not None
    assert answer.status == 200
    for one in (page, stranger):
        await one.context.close()
