"""A real daemon that watches good and bad targets, and a real Prometheus that scrapes it with the rules of deploy/."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp

from tests.prometheus.world import FOLDER, ROOT
from tests.servers import certs, tls
from tests.servers.http import HttpServer, Request, answer, ok
from tests.servers.tcp import closed_port, free_port
from tests.terminal.program import start

PATIENCE = 60.0


async def slow(_: Request) -> bytes:
    """200 after a while."""
    await asyncio.sleep(0.15)
    return ok()


def breaking() -> Callable[[Request], bytes]:
    """200 to the first request, 500 to the others."""
    answers = iter([ok()])
    return lambda _: next(answers, answer(500))


def check(name: str, url: str, more: str = "") -> str:
    """A check of the group «shop» that runs every second."""
    return f'[[checks]]\nname = "{name}"\ngroup = "shop"\nurl = "{url}"\n{more}\n'


@contextlib.asynccontextmanager
async def targets(folder: Path) -> AsyncIterator[str]:
    """Targets that are healthy, slow, failing, refusing, over TLS and with an ended certificate; their checks.toml."""
    ca = folder / "ca.pem"
    ca.write_bytes(certs.authority().cert_pem.bytes())
    async with (
        HttpServer() as good,
        HttpServer(slow) as late,
        HttpServer(breaking()) as bad,
        tls.https() as secure,
        tls.expired() as expired,
    ):
        with closed_port() as refusing:
            yield "".join(
                [
                    '[defaults]\ninterval = "1s"\ndown_after = 2\n',
                    f'timeout = {{ connect = "0.5s", read = "0.6s", total = "0.9s" }}\ntls.ca_file = "{ca}"\n',
                    check("healthy", good.url(), 'labels = { team = "web" }'),
                    check("slow", late.url(), 'expect.latency = "50ms"'),
                    check("failing", bad.url()),
                    check("refusing", f"http://127.0.0.1:{refusing}/"),
                    check("secure", secure.url()),
                    check("expired", expired.url()),
                    check("paused", good.url(), "enabled = false"),
                ]
            )


@contextlib.asynccontextmanager
async def daemon(folder: Path, checks: str) -> AsyncIterator[str]:
    """A daemon of these checks; its address."""
    (folder / "checks.toml").write_text(checks)
    process = await start(
        "run", "-c", folder / "checks.toml", "--listen", "127.0.0.1:0", stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    reading: asyncio.Task[bytes] | None = None
    try:
        async with asyncio.timeout(PATIENCE):
            async for line in process.stderr:
                event = json.loads(line)
                if event["event"] == "started":
                    break
            else:
                raise AssertionError("the daemon did not start")
        reading = asyncio.create_task(process.stderr.read())
        yield event["listen"]
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE):
            await process.wait()
            if reading is not None:
                await reading


class Prometheus:
    """What a running Prometheus answers."""

    def __init__(self, base: str, session: aiohttp.ClientSession) -> None:
        self._base = base
        self._session = session

    async def api(self, path: str, **params: str) -> Any:
        """The data of an answer; an error is one here."""
        async with self._session.get(f"{self._base}/api/v1/{path}", params=params) as response:
            document = await response.json()
        assert document["status"] == "success", f"{document.get('error')}: {params}"
        return document["data"]

    async def query(self, expr: str) -> list[dict[str, Any]]:
        """The series of an expression, now."""
        return list((await self.api("query", query=expr))["result"])

    async def until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        """Return once it holds; looked at five times a second."""
        async with asyncio.timeout(PATIENCE):
            while not await _holds(condition):  # noqa: ASYNC110 - another process sets no event of ours
                await asyncio.sleep(0.2)


async def _holds(condition: Callable[[], Awaitable[bool]]) -> bool:
    try:
        return await condition()
    except (aiohttp.ClientError, AssertionError):  # it is starting
        return False


@contextlib.asynccontextmanager
async def scraping(
    program: str, folder: Path, config: str, monitor: str, *, alertmanager: str = "127.0.0.1:9"
) -> AsyncIterator[Prometheus]:
    """Prometheus with this configuration of deploy/, with our addresses put in and everything much faster."""
    text = (FOLDER / config).read_text().replace("127.0.0.1:8420", monitor)
    assert monitor in text
    text = text.replace("127.0.0.1:9093", alertmanager)  # never that of the machine
    text = text.replace("scrape_interval: 15s", "").replace("evaluation_interval: 15s", "").replace("global:", "")
    (folder / config).write_text("global: { scrape_interval: 500ms, evaluation_interval: 500ms }\n" + text)
    for rules in FOLDER.glob("*.rules.yml"):
        faster = rules.read_text().replace("interval: 1m", "interval: 1s").replace("interval: 4m", "interval: 1s")
        (folder / rules.name).write_text(faster)
    port = free_port()
    arguments = [f"--config.file={folder / config}", f"--web.listen-address=127.0.0.1:{port}"]
    arguments += [f"--storage.tsdb.path={folder / 'data'}", "--log.level=warn"]
    with (folder / "prometheus.log").open("w") as log:
        process = await asyncio.create_subprocess_exec(program, *arguments, stdout=log, stderr=log)
    try:
        async with aiohttp.ClientSession() as session:
            yield Prometheus(f"http://127.0.0.1:{port}", session)
    finally:
        if process.returncode is None:
            process.terminate()
        async with asyncio.timeout(PATIENCE):
            await process.wait()


@contextlib.asynccontextmanager
async def alerting(program: str, folder: Path, receiver: str) -> AsyncIterator[str]:
    """Alertmanager with the example of deploy/, the receivers put in, and nothing waited for; its address."""
    text = (ROOT / "deploy" / "alertmanager" / "alertmanager.yml").read_text()
    text = text.replace("http://127.0.0.1:9", receiver).replace("group_wait: 30s", "group_wait: 0s")
    (folder / "alertmanager.yml").write_text(text)
    address = f"127.0.0.1:{free_port()}"
    arguments = [f"--config.file={folder / 'alertmanager.yml'}", f"--storage.path={folder / 'alertmanager'}"]
    arguments += [f"--web.listen-address={address}", "--cluster.listen-address="]
    with (folder / "alertmanager.log").open("w") as log:
        process = await asyncio.create_subprocess_exec(program, *arguments, stdout=log, stderr=log)
    try:
        yield address
    finally:
        if process.returncode is None:
            process.terminate()
        async with asyncio.timeout(PATIENCE):
            await process.wait()
