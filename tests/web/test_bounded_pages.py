"""However many checks there are and whatever is searched for, a page stays small and its making lets the loop go on."""

from __future__ import annotations

import asyncio
import functools
import time
from dataclasses import replace
from urllib.parse import urlencode

import aiohttp
import pytest

from monitor.live.view import Overview
from monitor.web.rows import MOST
from tests.web import gallery
from tests.web.conftest import FakeService

CHECKS = gallery.CROWD
SEARCHES = [
    "q=node",
    "q=n",
    "group=billing",
    "state=up",
    "q=node&sort=availability",
    "q=node&sort=latency",
    "sort=name",
]


@functools.cache
def overview() -> Overview:
    return gallery.many(CHECKS)


@pytest.fixture
def many(service: FakeService) -> FakeService:
    service.view = overview()
    return service


@pytest.mark.parametrize("query", SEARCHES)
async def test_a_search_lists_a_bounded_number_of_rows(
    http: aiohttp.ClientSession, many: FakeService, query: str
) -> None:
    async with http.get(f"/status?{query}", headers={"Accept": "text/html"}) as answer:
        text = await answer.text()
    assert text.count('data-search="') <= MOST
    assert len(text) < 1_000_000
    if query == "q=node":
        found = text.count('data-search="')
        assert found == MOST
        assert f"{MOST} of " in text
        assert "are listed: refine the search" in text


async def test_a_page_that_takes_long_to_make_is_made_anew_after_a_change(
    http: aiohttp.ClientSession, many: FakeService
) -> None:
    async def page() -> str:
        async with http.get("/status", headers={"Accept": "text/html"}) as answer:
            return await answer.text()

    before = await page()
    assert "now refuses" not in before
    down = next(check for check in many.view.checks if check.state.value == "down")
    changed = replace(down, reading="now refuses the connection")
    many.view = replace(many.view, checks=tuple(changed if one is down else one for one in many.view.checks))
    many.publish(down.name, down.standing)
    assert "now refuses" in await page()


async def test_what_is_down_is_listed_up_to_the_same_number(http: aiohttp.ClientSession, many: FakeService) -> None:
    down = next(check for check in many.view.checks if check.state.value == "down")
    named = [replace(down, spec=replace(down.spec, name=f"node-{n}")) for n in range(CHECKS)]
    many.view = replace(many.view, checks=tuple(named))
    async with http.get("/status", headers={"Accept": "text/html"}) as answer:
        text = await answer.text()
    assert text.count('data-search="') == MOST
    assert f'<span class="number">{CHECKS}</span>' in text


async def test_a_search_of_many_words_holds_nothing_up(http: aiohttp.ClientSession, many: FakeService) -> None:
    """Nothing on the loop takes much longer than a turn, or checks would run late."""
    words = urlencode({"q": " ".join(f"{'n' * (n % 7 + 1)}" for n in range(700)), "sort": "availability"})
    labels = "&".join(["label=team=*"] * 200)
    longest, over = 0.0, asyncio.Event()

    async def tick() -> None:
        nonlocal longest
        while not over.is_set():
            began = time.thread_time()  # of this thread's work, not of others on this machine
            await asyncio.sleep(0)
            longest = max(longest, time.thread_time() - began)

    ticking = asyncio.create_task(tick())
    async with http.get(f"/status?{words}&{labels}", headers={"Accept": "text/html"}) as answer:
        assert answer.status == 200
    over.set()
    await ticking
    assert longest < 0.1
