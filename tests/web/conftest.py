"""A real server over a served monitor whose answers a test can change."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from msgspec import structs

from monitor.history.archive import Announcement
from monitor.live.events import EventBus
from monitor.live.view import CheckView, MonitorView, Overview
from monitor.metrics import CheckCollector, Registry
from monitor.model.clock import Clock
from monitor.model.errors import ForbiddenTarget, NoRunNow, Problem
from monitor.model.incident import Acknowledgement, Incident
from monitor.model.outcome import State
from monitor.model.probe import ProbeAnswer, ProbeRequest
from monitor.model.result import Result
from monitor.model.settings import PublicSpec
from monitor.model.transition import Cause, Standing, Transition
from monitor.web import Limits, Server, build_app, serve
from monitor.web.access import Access
from monitor.web.limits import DEFAULT_LIMITS
from monitor.web.site import Site
from monitor.web.tls import Tls
from tests.web import gallery
from tests.web.past import LaidOut

PATIENCE = 60_000
"""Milliseconds that a page may take to show something: far more than it does on a machine that has time."""
CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP *.monitor.test 127.0.0.1",
    "--disable-extensions",
    "--disable-dev-shm-usage",
    "--num-raster-threads=1",  # with one process for all pages, it saves a third of what a page costs
    "--renderer-process-limit=1",
    # The window of each tab loads two pages for suggestions in its address line, which nobody sees: half of what a tab
    # costs. Playwright turns features off as well, and only the last list counts: those of HTTPS are of its own.
    "--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,WebUIOmniboxPopup,WebUIOmniboxAimPopup",
]


def chromium() -> str | None:
    """The browser: the one without windows where it is installed, as a page costs it half."""
    return next(filter(None, map(shutil.which, ("chromium-headless-shell", "chromium", "chromium-browser"))), None)


@dataclass
class FakeService:
    """What the pages are served from: an overview, and what the service says about itself."""

    view: Overview
    sick: str | None = None
    waiting: str | None = None
    problems: list[Problem] = field(default_factory=list)
    reloads: int = 0
    broken: bool = False
    archive: LaidOut = field(default_factory=LaidOut)
    bus: EventBus = field(default_factory=EventBus)
    now: Clock = field(default=lambda: gallery.NOW)
    refuse_run: str | None = None
    """The sentence with which no check is run now."""
    ran: list[str] = field(default_factory=list)

    shown: PublicSpec = field(default_factory=PublicSpec)
    origins: tuple[str, ...] = ()

    def public(self) -> PublicSpec:
        return self.shown

    def cors_origins(self) -> tuple[str, ...]:
        return self.origins

    def announcements(self) -> tuple[Announcement, ...]:
        return tuple(one for one in self.archive.said if one.shown(gallery.NOW.wall))

    async def announce(self, said: Announcement) -> None:
        self.archive.said = [said, *(one for one in self.archive.said if one.id != said.id)]

    async def withdraw(self, announcement: str) -> bool:
        before = len(self.archive.said)
        self.archive.said = [one for one in self.archive.said if one.id != announcement]
        return len(self.archive.said) < before

    async def acknowledge(self, incident: str, said: Acknowledgement | None) -> Incident | None:
        one = await self.archive.incident(incident)
        if one is None or one.ended_at is not None:
            return None
        noted = structs.replace(one, acknowledged=said)
        self.archive.logged = [noted if other is one else other for other in self.archive.logged]
        return noted

    async def run_now(self, check: str) -> Result | None:
        if self.refuse_run is not None:
            raise NoRunNow(self.refuse_run)
        view = self.check(check)
        if view is None:
            return None
        self.ran.append(check)
        return view.last

    async def overview(self) -> Overview:
        if self.broken:
            raise RuntimeError("the secret inside of the monitor")
        return self.view

    def check(self, name: str) -> CheckView | None:
        return next((c for c in self.view.checks if c.name == name), None)

    def monitor(self) -> MonitorView:
        return self.view.monitor

    def unhealthy(self) -> str | None:
        return self.sick

    def unready(self) -> str | None:
        return self.waiting

    async def probe(self, request: ProbeRequest) -> ProbeAnswer:
        raise ForbiddenTarget("the target is not allowed")

    async def reload(self) -> list[Problem]:
        self.reloads += 1
        return self.problems

    def publish(self, check: str, standing: Standing) -> None:
        """A transition to this standing, which a result has brought about."""
        before = structs.replace(standing, state=State.UNKNOWN)
        self.bus.transition(Transition(check, before, standing, gallery.NOW.wall, Cause.RESULT, standing.incident))

    def rename(self, old: str, new: str) -> None:
        """Give a check another name, as a reload would."""
        checks = (replace(c, spec=replace(c.spec, name=new)) if c.name == old else c for c in self.view.checks)
        self.view = replace(self.view, checks=tuple(checks))


Begin = Callable[..., Awaitable[Server]]


@pytest.fixture
def service() -> FakeService:
    return FakeService(gallery.evening())


async def begun(service: FakeService) -> AsyncIterator[Begin]:
    """Starts servers, with any limits, and closes them after the test."""
    servers: list[Server] = []

    async def started(
        limits: Limits | None = None,
        access_log: bool = False,
        access: Access | None = None,
        tls: Tls | None = None,
        host: str = "127.0.0.1",
        site: Site | None = None,
    ) -> Server:
        registry = Registry(CheckCollector(gallery.begun(), lambda: gallery.NOW))
        app = build_app(service, registry, access_log, access, site)
        server = await serve(app, host, 0, limits or DEFAULT_LIMITS, tls)
        servers.append(server)
        return server

    yield started
    service.bus.close()  # as the service does; a page's event stream would else hold up the end for seconds
    for server in servers:
        await server.close()


begin = pytest_asyncio.fixture(begun)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Any]:
    """One Chromium for all tests of a process: a start takes longer than most tests. Each opens its own context."""
    program = chromium()
    if program is None and os.environ.get("CI") != "true":
        pytest.skip("needs a chromium on the PATH")
    assert program, "CI has to have a chromium on the PATH"
    playwright = pytest.importorskip("playwright.async_api")
    async with playwright.async_playwright() as started:
        playwright.expect.set_options(timeout=PATIENCE)
        browser = await started.chromium.launch(executable_path=program, args=CHROMIUM)
        yield browser
        await browser.close()


class Tabs:
    """Tabs of one browser that tests take one after the other: a new one costs three times what a page does."""

    def __init__(self, browser: Any) -> None:
        self._browser = browser
        self._free: dict[str, list[Any]] = {}

    @asynccontextmanager
    async def lent(self, **options: Any) -> AsyncIterator[Any]:
        """A tab of a context with these options, without cookies and at no page; the next test gets it again."""
        free = self._free.setdefault(repr(sorted(options.items())), [])
        page = free.pop() if free else await (await self._browser.new_context(**options)).new_page()
        yield page
        await page.unroute_all()
        await page.emulate_media(color_scheme="null", media="null")
        await page.goto("about:blank")
        await page.context.clear_cookies()
        free.append(page)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def tabs(browser: Any) -> Tabs:
    """The tabs of this process."""
    return Tabs(browser)


@pytest.fixture
async def http(begin: Begin) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of a fresh server."""
    server = await begin()
    async with aiohttp.ClientSession(f"http://{server.address}/") as session:
        yield session
