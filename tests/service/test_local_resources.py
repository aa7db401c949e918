"""This machine runs short of file descriptors: that is said, nobody else is blamed, and the rest goes on."""

from __future__ import annotations

import asyncio
import contextlib
import resource
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servers.http import Answer, HttpServer, Request, ok
from tests.service.conftest import Serve, Start
from tests.service.daemon import configuration, eventually, until

DESCRIPTORS = 60
Limited = Callable[..., Path]


@pytest.fixture
def few_descriptors(tmp_path: Path) -> Limited:
    """`first=few_descriptors(soft, hard)`: a daemon with so many, and no way to have more."""

    def limited(soft: int = DESCRIPTORS, hard: int | None = None) -> Path:
        code = tmp_path / "sitecustomize.py"
        code.write_text(f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard or soft}))")
        return code

    return limited


class Hogged(HttpServer):
    """A target whose /slow/… answers only once it is released."""

    def __init__(self) -> None:
        super().__init__(self._respond)
        self.release = asyncio.Event()
        self.held = 0

    async def _respond(self, request: Request) -> Answer:
        if request.target.startswith("/slow/"):
            self.held += 1
            self._news.set()
            await self.release.wait()
        return ok()


async def test_without_descriptors_a_run_is_inconclusive_and_the_page_still_answers(
    start: Start, serve: Serve, few_descriptors: Limited
) -> None:
    target = await serve(Hogged())
    slow = {"interval": "4s", "timeout": {"connect": "1s", "read": "3900ms", "total": "3900ms"}}
    hogs = [{"name": f"hog-{n}", "url": target.url(f"/slow/{n}"), **slow} for n in range(DESCRIPTORS + 20)]
    quick = [{"name": f"quick-{n}", "url": target.url("/quick")} for n in range(5)]
    daemon = await start(
        *hogs, *quick, first=few_descriptors(), monitor={"max_concurrency": 1000, "drain_timeout": "100ms"}
    )
    assert (await daemon.get("/-/healthy"))[0] == 200  # a connection that is open before it is short
    checks = await daemon.until_checks(
        lambda found: any(c["last"] and c["last"]["reason"] == "local_resources" for c in found.values())
    )
    short = {name for name, c in checks.items() if c["last"] and c["last"]["reason"] == "local_resources"}
    assert not {checks[name]["state"] for name in short} & {"down"}
    document = await daemon.status()
    assert any("file descriptors" in trouble for trouble in document["monitor"]["troubles"])

    target.release.set()
    checks = await daemon.until_checks(lambda found: all(c["state"] == "up" for c in found.values()))
    metrics = await daemon.metrics()
    metrics.assert_adds_up()
    assert metrics.total("probe_inconclusive_total") > 0
    assert metrics.total("probe_failures_total") == 0


async def test_a_new_visitor_is_answered_while_runs_use_up_the_descriptors(
    start: Start, serve: Serve, few_descriptors: Limited
) -> None:
    """The page is most needed when something is wrong: the runs must leave some descriptors for it."""
    target = await serve(Hogged())
    slow = {"interval": "8s", "timeout": {"connect": "1s", "read": "7900ms", "total": "8s"}}
    hogs = [{"name": f"hog-{n}", "url": target.url(f"/slow/{n}"), **slow} for n in range(DESCRIPTORS + 40)]
    daemon = await start(*hogs, first=few_descriptors(), monitor={"max_concurrency": 1000, "drain_timeout": "100ms"})
    held = 0
    while target.held > held or held < DESCRIPTORS // 2:  # until no more come through: then it is short
        held = target.held
        with_patience = asyncio.create_task(target.until(lambda n=held: target.held > n))
        await asyncio.wait([with_patience], timeout=0.4)
        with_patience.cancel()
        await asyncio.gather(with_patience, return_exceptions=True)
    for path in ("/-/healthy", "/status.json", "/metrics"):
        reader, writer = await asyncio.open_connection(*daemon.address.split(":"))
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        async with asyncio.timeout(3):
            answer = await reader.read()
        writer.close()
        assert answer.startswith(b"HTTP/1.1 200"), (path, held, answer[:100])
    target.release.set()


async def test_the_soft_limit_is_raised_as_far_as_it_may(start: Start, serve: Serve, few_descriptors: Limited) -> None:
    target = await serve(Hogged())
    slow = {"interval": "4s", "timeout": {"connect": "1s", "read": "3900ms", "total": "3900ms"}}
    hogs = [{"name": f"hog-{n}", "url": target.url(f"/slow/{n}"), **slow} for n in range(100)]
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    daemon = await start(*hogs, first=few_descriptors(64, hard), monitor={"drain_timeout": "100ms"})
    await until(lambda: len({request.target for request in target.requests}) == len(hogs))
    target.release.set()
    checks = await daemon.until_all_ran()
    assert "local_resources" not in {c["last"]["reason"] for c in checks.values()}


async def test_a_reload_works_while_it_is_short(start: Start, serve: Serve, few_descriptors: Limited) -> None:
    target = await serve(Hogged())
    slow = {"interval": "4s", "timeout": {"connect": "1s", "read": "3900ms", "total": "3900ms"}}
    hogs = [{"name": f"hog-{n}", "url": target.url(f"/slow/{n}"), **slow} for n in range(DESCRIPTORS + 20)]
    daemon = await start(*hogs, first=few_descriptors(), monitor={"drain_timeout": "100ms"})
    daemon.tolerated.add("configuration not reloaded, the old one goes on")
    assert (await daemon.get("/-/healthy"))[0] == 200
    await daemon.until_metrics(lambda m: m.total("probe_inconclusive_total") > 0)
    status, text = await daemon.reload(configuration(hogs[:5], {"drain_timeout": "100ms"}))
    assert status in (200, 400), text  # it may lack the descriptor to read the file with, and then says so
    target.release.set()
    await eventually(daemon.reload, lambda answer: answer[0] == 200)
    checks = await daemon.until_checks(lambda found: all(c["state"] == "up" for c in found.values()))
    assert len(checks) == 5


async def test_streams_of_events_leave_the_checks_their_descriptors(
    start: Start, serve: Serve, few_descriptors: Limited
) -> None:
    target = await serve(Hogged())
    quick = [{"name": f"quick-{n}", "url": target.url("/quick")} for n in range(5)]
    daemon = await start(*quick, first=few_descriptors(64))
    await daemon.until_all_ran()
    host, _, port = daemon.address.rpartition(":")
    async with contextlib.AsyncExitStack() as opened:
        for _ in range(200):
            _, writer = await asyncio.open_connection(host, int(port))
            opened.callback(writer.close)
            writer.write(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        held = target.connections
        await until(lambda: target.connections > held + 15)  # three more runs of each check
        metrics = await daemon.metrics()
        assert (await daemon.get("/-/healthy"))[0] == 200
    assert metrics.total("probe_inconclusive_total") == 0
    assert metrics.total("probe_failures_total") == 0
