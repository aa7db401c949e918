"""The end: what runs may finish within its limits, the rest is cancelled, and a second signal waits for nothing."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path

import aiohttp
import pytest

from tests.servers.http import Answer, HttpServer, Request, ok
from tests.servers.tcp import free_port
from tests.service.conftest import Serve, Start
from tests.service.daemon import Daemon, configuration, eventually, launch, names_due_in, until
from tests.starvation import Starvation

PATIENT = {"interval": "10s", "timeout": {"connect": "1s", "read": "9s", "total": "10s"}}
WAIT_OF_SQLITE = 2
"""Seconds for which a thread waits for a lock of another process; nothing can end that wait."""

WORKERS = (0, 2)
"""Each test is run with so many probe workers."""


class Held(HttpServer):
    """A target that answers only once it is released, but for /quick."""

    def __init__(self) -> None:
        super().__init__(self._respond)
        self.release = asyncio.Event()
        self.held = 0
        self.answered = 0

    async def _respond(self, request: Request) -> Answer:
        if request.target == "/quick":
            return ok()
        self.held += 1
        self._news.set()
        await self.release.wait()
        self.answered += 1
        return ok()


async def held(start: Start, target: Held, count: int = 3, **monitor: object) -> Daemon:
    """A daemon with runs in flight that wait for the target."""
    names = names_due_in(4.0, 10.0, count)
    checks = [{"name": name, "url": target.url(f"/{name}"), **PATIENT} for name in names]
    quick = {"name": "quick", "url": target.url("/quick")}
    daemon = await start(*checks, quick, monitor=monitor, defaults={})
    await until(lambda: target.held == count)
    return daemon


async def settled(target: Held) -> None:
    """Return once no request comes for longer than `quick` takes to be due again.

    A worker hears of the drain later than visitors do, and a request may be on its way.
    """
    for _ in range(4):
        count = len(target.requests)
        try:
            async with asyncio.timeout(1.3):
                await target.until(lambda count=count: len(target.requests) > count)
        except TimeoutError:
            return
    raise AssertionError("runs are started while draining")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_lets_runs_in_flight_end_and_exits_0(start: Start, serve: Serve, number: int) -> None:
    target = await serve(Held())
    daemon = await held(start, target)
    assert (await daemon.get("/-/ready"))[0] == 200
    daemon.signal(number)

    async def ready() -> int:
        return (await daemon.get("/-/ready"))[0]

    await eventually(ready, lambda code: code == 503)
    assert "draining" in (await daemon.get("/-/ready"))[1]
    assert (await daemon.get("/-/healthy"))[0] == 200
    assert (await daemon.get("/status.json"))[0] == 200
    await settled(target)
    target.release.set()
    assert await daemon.ended() == 0
    assert target.answered == target.held == 3
    (line,) = daemon.lines("stopped")
    assert line["cancelled"] == 0
    assert line["drained"] >= 1


async def test_what_outlasts_drain_timeout_is_cancelled_and_blames_nobody(start: Start, serve: Serve) -> None:
    target = await serve(Held())
    daemon = await held(start, target, drain_timeout="300ms")
    starvation, began = Starvation(daemon.pid), time.monotonic()
    daemon.signal(signal.SIGTERM)
    assert await daemon.ended() == 0
    assert 0.25 < time.monotonic() - began < 2 + starvation.seconds
    (line,) = daemon.lines("stopped")
    assert line["cancelled"] >= 1
    assert not daemon.lines("state changed", state="down")


@pytest.mark.parametrize("numbers", [(signal.SIGTERM, signal.SIGTERM), (signal.SIGINT, signal.SIGINT)])
async def test_a_second_signal_ends_at_once(start: Start, serve: Serve, numbers: tuple[int, int]) -> None:
    target = await serve(Held())
    daemon = await held(start, target)
    daemon.signal(numbers[0])

    async def ready() -> int:
        return (await daemon.get("/-/ready"))[0]

    await eventually(ready, lambda code: code == 503)
    starvation, began = Starvation(daemon.pid), time.monotonic()
    daemon.signal(numbers[1])
    assert await daemon.ended() != 0
    assert time.monotonic() - began < 1 + starvation.seconds
    assert daemon.lines("ended at once by a second signal")


async def test_an_idle_visitor_does_not_hold_up_the_end(start: Start, target: HttpServer) -> None:
    daemon = await start({"name": "one", "url": target.url()})
    await daemon.until_all_ran()  # over a connection that is kept alive
    silent = await asyncio.open_connection(*daemon.address.split(":"))
    starvation, began = Starvation(daemon.pid), time.monotonic()
    daemon.signal(signal.SIGTERM)
    assert await daemon.ended() == 0
    assert time.monotonic() - began < 2 + starvation.seconds
    silent[1].close()


async def test_a_signal_during_the_start_ends_it_too(start: Start, target: HttpServer) -> None:
    daemon = await start(*({"name": f"c-{n}", "url": target.url()} for n in range(20)))
    daemon.signal(signal.SIGTERM)
    assert await daemon.ended() == 0


async def test_a_signal_ends_a_start_that_waits_for_its_database(tmp_path: Path, state_directory: Path) -> None:
    with closing(sqlite3.connect(state_directory / "monitor.db", isolation_level=None)) as lock:
        lock.execute("PRAGMA locking_mode = EXCLUSIVE")
        lock.execute("BEGIN EXCLUSIVE")
        lock.execute("CREATE TABLE other (id)")
        config = tmp_path / "checks.toml"
        config.write_text(configuration([{"name": "one", "url": "http://127.0.0.1:1/"}]))
        daemon = await launch(config, listen=f"127.0.0.1:{(port := free_port())}")
        daemon.address = f"127.0.0.1:{port}"

        async def starting() -> bool:
            with suppress(aiohttp.ClientError):
                return (await daemon.get("/-/ready"))[0] == 503
            return False

        await eventually(starting)
        starvation, began = Starvation(daemon.pid), time.monotonic()
        assert await daemon.stop() == 0
        assert time.monotonic() - began < WAIT_OF_SQLITE + 1 + starvation.seconds
    assert daemon.lines("stopped before everything was up")
    assert not daemon.lines("started")
    await daemon.close()


async def test_a_reload_while_draining_starts_nothing(start: Start, serve: Serve) -> None:
    target = await serve(Held())
    daemon = await held(start, target)
    daemon.signal(signal.SIGTERM)

    async def ready() -> int:
        return (await daemon.get("/-/ready"))[0]

    await eventually(ready, lambda code: code == 503)
    await settled(target)
    daemon.write(configuration([{"name": f"new-{n}", "url": target.url("/new")} for n in range(5)]))
    daemon.signal(signal.SIGHUP)
    await eventually(ready, lambda code: code == 503)
    target.release.set()
    assert await daemon.ended() == 0
    assert not [r for r in target.requests if r.target == "/new"]
    assert target.answered == 3, "the reload cancelled runs that were to be drained"
