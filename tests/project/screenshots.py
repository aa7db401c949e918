"""Takes the pictures in docs/images: the real `monitor demo`, in headless Chromium.

`make screenshots`; it takes half a minute, because the page needs a past to show.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, async_playwright
from rich.console import Console

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "images"

GROUPS = ("shop", "identity", "mail")
"""The part of the demo that looks like somebody's day. The rest is there to be looked up."""
PAST = 26.0
"""Seconds until the pictures are taken: time enough for a past to show, and `reviews` is up just then."""
WIDE, NARROW = (1180, 760), (360, 780)

_console = Console(highlight=False)


def main() -> None:
    """Run the demo, and take its pictures."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        raise SystemExit("screenshots: there is no Chromium; on Debian: apt install chromium")
    asyncio.run(_run(program))


async def _run(program: str) -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    async with _demo() as address:
        _console.print(f"waiting {PAST:.0f} s for a past to show")
        await asyncio.sleep(PAST)
        await _take(address, program)


@contextlib.asynccontextmanager
async def _demo() -> AsyncIterator[str]:
    """The demo on a free port, and its URL."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "monitor", "demo", "--listen", "127.0.0.1:0", *GROUPS),
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async for line in process.stdout:
            if found := re.match(rb"The page +(http://[^/]+)/", line):
                yield found[1].decode()
                return
        raise SystemExit("screenshots: the demo did not start")
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.communicate()


async def _take(address: str, program: str) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            for scheme in ("light", "dark"):
                await _picture(browser, f"{address}/status", f"status-{scheme}", scheme, WIDE)
            await _picture(browser, f"{address}/status", "status-phone", "light", NARROW)
            await _picture(browser, f"{address}/status/mail-in", "check-light", "light", WIDE)
        finally:
            await browser.close()


async def _picture(browser: Browser, url: str, name: str, scheme: Any, size: tuple[int, int]) -> None:
    page = await browser.new_page(
        color_scheme=scheme,
        viewport={"width": size[0], "height": size[1]},
        device_scale_factor=1.5 if size is WIDE else 2,
        reduced_motion="reduce",
    )
    await page.goto(url, wait_until="networkidle")
    path = IMAGES / f"{name}.png"
    await page.screenshot(path=path)
    await page.close()
    _console.print(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
