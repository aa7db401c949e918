"""`monitor demo` as its user meets it: every promise is kept, and nothing is left behind, however it ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import socket
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

from monitor.demo.catalogue import EXAMPLES
from tests.terminal.program import end_of, monitor, start
from tests.web.conftest import CHROMIUM, chromium

PROMISED = 40.0
"""Seconds for all that is promised; the demo says half a minute, and the machine may be busy."""
SOON = 15.0


class Demo:
    """A demo that runs."""

    def __init__(self, process: asyncio.subprocess.Process, said: str) -> None:
        self.process = process
        self.said = said
        found = re.search(r"^The page +(http://\S+)/status", said, re.MULTILINE)
        assert found is not None, said
        self.url = found[1]
        self.targets = psutil.Process(process.pid).children()

    async def end(self, number: int) -> tuple[int, str]:
        """End it by a signal; says its exit code and what was on stderr."""
        self.process.send_signal(number)
        ended = await end_of(self.process)
        return ended.code, ended.err


@contextlib.asynccontextmanager
async def demo(folder: Path, *arguments: str) -> AsyncIterator[Demo]:
    """The demo, once it has said everything; its temporary files are in this folder."""
    process = await start("demo", "--listen", "127.0.0.1:0", *arguments, env={"TMPDIR": str(folder)})
    assert process.stdout is not None
    try:
        async with asyncio.timeout(SOON):
            said = b""
            while b"The page" not in said and (line := await process.stdout.readline()):
                said += line
        yield Demo(process, said.decode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON):
        while True:
            if condition():
                return
            await asyncio.sleep(0.02)


def empty(folder: Path) -> bool:
    return not any(folder.iterdir())


def gone(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE  # ended, and nobody has asked yet how
    except psutil.NoSuchProcess:
        return True


def nothing_is_left(running: Demo, folder: Path) -> bool:
    return all(map(gone, running.targets)) and empty(folder)


@pytest.mark.timeout(90)
async def test_every_check_shows_what_it_promises(tmp_path: Path) -> None:
    seen: dict[str, set[Any]] = defaultdict(set)
    async with demo(tmp_path) as running, aiohttp.ClientSession() as session:
        limit = time.monotonic() + PROMISED
        while (missing := kept_back(seen)) and time.monotonic() < limit:
            async with session.get(f"{running.url}/status.json") as answer:
                for check in (await answer.json())["checks"]:
                    last = check["last"]
                    seen[check["name"]] |= {check["state"], last["reason"] if last else None}
            await asyncio.sleep(0.2)
        assert missing == {}
        async with session.get(f"{running.url}/status/checkout.json") as answer:
            runbook = (await answer.json())["runbook"]
        async with session.get(runbook) as answer:
            assert answer.status == 200
            assert "refused" in await answer.text()
        assert len(running.targets) == 1
        assert await running.end(signal.SIGINT) == (0, "")
        assert nothing_is_left(running, tmp_path)


def kept_back(seen: dict[str, set[Any]]) -> dict[str, set[Any]]:
    """What each check has promised, and was not seen to show yet."""
    promised = {e.name: {*map(str, e.states), e.reason.value if e.reason else None} for e in EXAMPLES}
    return {name: wanted - seen[name] for name, wanted in promised.items() if wanted - seen[name]}


async def test_named_groups_are_all_there_is(tmp_path: Path) -> None:
    async with demo(tmp_path, "mail", "identity") as running, aiohttp.ClientSession() as session:
        async with session.get(f"{running.url}/status.json") as answer:
            checks = (await answer.json())["checks"]
        assert {check["group"] for check in checks} == {"mail", "identity"}
        assert {check["name"] for check in checks} == set(re.findall(r"^([a-z-]+) +[●▼◆○]", running.said, re.MULTILINE))
        assert await running.end(signal.SIGTERM) == (0, "")
        assert nothing_is_left(running, tmp_path)


async def test_a_demo_that_was_killed_leaves_nothing_either(tmp_path: Path) -> None:
    async with demo(tmp_path, "mail") as running:
        assert not empty(tmp_path)
        await running.end(signal.SIGKILL)
        await until(lambda: nothing_is_left(running, tmp_path))


async def test_a_demo_that_is_ended_before_it_is_ready_leaves_nothing(tmp_path: Path) -> None:
    process = await start("demo", "--listen", "127.0.0.1:0", env={"TMPDIR": str(tmp_path)})
    await until(lambda: bool(psutil.Process(process.pid).children()))
    (targets,) = psutil.Process(process.pid).children()
    process.send_signal(signal.SIGINT)
    ended = await end_of(process)
    assert (ended.code, ended.err) == (0, "")
    await until(lambda: gone(targets) and empty(tmp_path))


async def test_output_that_nobody_reads_ends_it(tmp_path: Path) -> None:
    process = await start("demo", "--listen", "127.0.0.1:0", env={"TMPDIR": str(tmp_path)}, stdout=_unread())
    _, err = await process.communicate()
    assert (process.returncode, err) == (141, b"")
    assert empty(tmp_path)


def _unread() -> int:
    reading, writing = os.pipe()
    os.close(reading)
    return writing


async def test_taken_address_is_code_2_and_leaves_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        ended = await monitor("demo", "--listen", address, env={"TMPDIR": str(tmp_path)})
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == f"monitor: cannot listen on {address}: another process listens there already\n"
    assert empty(tmp_path)


async def test_usual_port_is_left_to_whoever_has_it(tmp_path: Path) -> None:
    with socket.socket() as usual:
        usual.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):  # somebody else has it, which will do
            usual.bind(("127.0.0.1", 8420))
            usual.listen()
        process = await start("demo", "mail", env={"TMPDIR": str(tmp_path)})
        assert process.stdout is not None
        said = b""
        while b"The page" not in said and (line := await process.stdout.readline()):
            said += line
        process.send_signal(signal.SIGINT)
        ended = await end_of(process)
    assert ended.code == 0, ended.err
    assert b"The page    http://127.0.0.1:" in said
    assert b":8420/" not in said


@pytest.mark.parametrize(("group", "advice"), [("mial", "did you mean 'mail'?"), ("zebra", "there are shop,")])
async def test_group_that_is_not_there_is_code_2(group: str, advice: str) -> None:
    ended = await monitor("demo", group)
    assert (ended.code, ended.out) == (2, "")
    assert f"monitor: the demo has no group '{group}' ({advice}" in ended.err


@pytest.mark.skipif(chromium() is None and os.environ.get("CI") != "true", reason="needs a chromium on the PATH")
async def test_browser_opens_the_page_without_a_complaint(tmp_path: Path) -> None:
    playwright = pytest.importorskip("playwright.async_api")
    program = chromium()
    assert program, "CI has to have a chromium on the PATH"
    complaints: list[str] = []
    async with demo(tmp_path) as running, playwright.async_playwright() as started:
        browser = await started.chromium.launch(executable_path=program, args=CHROMIUM)
        page = await browser.new_page(viewport={"width": 360, "height": 800})
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto(f"{running.url}/status")
        await playwright.expect(page.locator("a[href='/status/error-500']")).to_be_visible(timeout=20_000)
        await playwright.expect(page.locator("#main")).to_contain_text("500", timeout=20_000)
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert await page.evaluate(wide) == 0
        await page.click("a[href='/status/error-500']")
        await playwright.expect(page.locator("h1")).to_contain_text("error-500")
        await browser.close()
    assert complaints == []
