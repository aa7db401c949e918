"""Takes the pictures in docs/images: a real daemon, real servers that misbehave, headless Chromium.

`make screenshots`; it takes a minute and a half, because the page needs a past to show.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import math
import os
import random
import shutil
import ssl
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, async_playwright
from rich.console import Console

from tests.servers import certs, faults
from tests.servers.http import Answer, HttpServer, Request, Responder, answer, as_json, ok
from tests.servers.tcp import Connection, Script, Server, closed_port

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "images"

PAST = 75.0
"""Seconds that the daemon runs for before the pictures are taken."""
TROUBLE = 30.0
"""Seconds after the start at which the first of the troubles begins."""
INTERVAL = 2.5
WIDE, NARROW = (1180, 720), (360, 780)

_console = Console(highlight=False)


@dataclass(frozen=True)
class Target:
    """A check of the picture: its name, group and port, and what else it says."""

    name: str
    group: str
    port: int
    more: str = ""


def main() -> None:
    """Run everything, and write the pictures."""
    asyncio.run(_run())


async def _run() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        async with contextlib.AsyncExitStack() as opened:
            targets = await _targets(opened, time.monotonic())
            config = _configuration(Path(folder), targets)
            page = await opened.enter_async_context(_daemon(config))
            _console.print(f"waiting {PAST:.0f} s for a past to show")
            await asyncio.sleep(PAST)
            await _take(page)


# the targets


async def _targets(opened: contextlib.AsyncExitStack, began: float) -> list[Target]:
    async def https(name: str, group: str, responder: Responder, *, days: float = 61, more: str = "") -> Target:
        server = HttpServer(responder, tls=_tls(name, days))
        return Target(name, group, (await opened.enter_async_context(server)).port, more)

    silent = Server(_silent_from(began + TROUBLE), tls=_tls("mail-in", 61))
    targets = [
        Target("checkout", "shop", opened.enter_context(closed_port()), _RUNBOOK),
        Target("mail-in", "mail", (await opened.enter_async_context(silent)).port, 'timeout = { read = "1s" }'),
        await https("prices", "shop", _answering(0.08, began=began, body=_maintenance), more="expect.status = 200"),
        await https("search", "shop", _answering(0.05, began=began, then=1.1), more='expect.latency = "500ms"'),
        await https("login", "identity", _answering(0.03), days=5.3),
        await https("vpn", "identity", _answering(0.03), days=-1.2),
    ]
    for seed, name in enumerate(("web", "cart", "stock", "images")):
        targets.append(await https(name, "shop", _answering(0.03 + 0.02 * seed, seed=seed)))
    for seed, name in enumerate(("mail-out", "lists", "webmail")):
        targets.append(await https(name, "mail", _answering(0.06 + 0.03 * seed, seed=seed + 7), days=33))
    return targets


_RUNBOOK = 'runbook = "https://runbooks.example.com/checkout"'


def _tls(name: str, days: float) -> ssl.SSLContext:
    """A server's side of TLS, with a certificate of 90 days of which so many are left."""
    host = f"{name}.example.com"
    return certs.server_context(certs.issue(host, days=(days - 90, days), subject=host))


def _silent_from(moment: float) -> Script:
    """Answers until then (steady seconds), and afterwards takes requests without a word."""

    async def script(connection: Connection) -> None:
        if time.monotonic() >= moment:
            await faults.silent(connection)
            return
        await connection.read_head()
        await asyncio.sleep(random.Random(connection.number).uniform(0.02, 0.06))
        await connection.send(ok())

    return script


def _maintenance(passed: float) -> bytes:
    if passed < TROUBLE + 15:
        return as_json({"status": "ok"})
    return answer(503, b"down for maintenance\n", [("Content-Type", "text/plain")])


def _fine(_passed: float) -> bytes:
    return as_json({"status": "ok"})


def _answering(
    base: float,
    *,
    then: float | None = None,
    began: float = 0.0,
    seed: int = 0,
    body: Callable[[float], bytes] = _fine,
) -> Responder:
    """Answers after about `base` seconds, in waves as real services do, and after `then` once the trouble begins."""
    noise = random.Random(seed)
    counted = itertools.count()

    async def respond(_request: Request) -> Answer:
        passed = time.monotonic() - began
        wave = 1 + 0.3 * math.sin(next(counted) / 3 + seed) + noise.uniform(0, 0.3)
        spike = 2.5 if noise.random() < 0.06 else 1.0
        slow = then is not None and passed > TROUBLE - 10
        await asyncio.sleep((then or 0) * wave / 1.2 if slow else base * wave * spike)
        return body(passed)

    return respond


# the daemon


def _configuration(folder: Path, targets: list[Target]) -> Path:
    ca_file = folder / "ca.pem"
    certs.authority().cert_pem.write_to_path(str(ca_file))
    lines = [
        '[monitor]\ntitle = "eu-west"\nlisten = "127.0.0.1:0"\nlog.format = "json"',
        f'[defaults]\ninterval = {INTERVAL}\ntimeout = {{ connect = "1s", read = "2s", total = "2.4s" }}',
        'tls = { ca_file = "ca.pem", expiry_warning = "14d" }',
    ]
    for target in targets:
        url = f"https://{target.name}.example.com/health"
        lines.append(f'[[checks]]\nname = "{target.name}"\ngroup = "{target.group}"\nurl = "{url}"')
        lines.append(f'connect_to = "127.0.0.1:{target.port}"\n{target.more}')
    path = folder / "checks.toml"
    path.write_text("\n".join(lines) + "\n")
    return path


@contextlib.asynccontextmanager
async def _daemon(config: Path) -> AsyncIterator[str]:
    """The daemon on a free port, and its URL."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "monitor", "run", "-c", config.name),
        cwd=config.parent,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    reading = None
    try:
        listen = await _started(process.stderr)
        reading = asyncio.create_task(process.stderr.read())
        yield f"http://{listen}"
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
        if reading is not None:
            await reading


async def _started(stderr: asyncio.StreamReader) -> str:
    said = []
    async for line in stderr:
        said.append(line.decode())
        if '"started"' in said[-1]:
            return str(json.loads(line)["listen"])
    raise RuntimeError("the daemon did not start:\n" + "".join(said))


# the pictures


async def _take(address: str) -> None:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        raise SystemExit("screenshots: there is no Chromium; on Debian: apt install chromium")
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
