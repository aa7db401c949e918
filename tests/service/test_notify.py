"""sd_notify(3) over a real datagram socket: what systemd is told at the start, at a reload and at the end."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.servers.http import HttpServer, Request, ok
from tests.service.conftest import Serve, Start
from tests.service.daemon import Daemon, eventually, until
from tests.starvation import Starvation


class Manager:
    """The other end: keeps every message with the steady time at which it came."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._messages: list[tuple[float, dict[str, str]]] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)
        asyncio.get_running_loop().add_reader(self._socket, self._receive)

    @property
    def messages(self) -> list[tuple[float, dict[str, str]]]:
        """All that was sent until now, also what the loop did not come to read."""
        self._receive()
        return self._messages

    def _receive(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while text := self._socket.recv(65536).decode():
                told = dict(line.partition("=")[::2] for line in text.splitlines())
                self._messages.append((time.monotonic(), told))

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def with_key(self, key: str) -> list[tuple[float, dict[str, str]]]:
        return [(at, message) for at, message in self.messages if key in message]

    async def told(self, key: str, count: int = 1, within: float = 10.0) -> dict[str, str]:
        """The `count`-th message with this key."""

        async def look() -> list[tuple[float, dict[str, str]]]:
            return self.with_key(key)

        found = await eventually(look, lambda messages: len(messages) >= count, within)
        return found[count - 1][1]

    def order(self) -> list[str]:
        """The life of the service as it was told."""
        wanted = ("READY", "RELOADING", "STOPPING")
        return [key for _, message in self.messages for key in wanted if key in message]


@pytest.fixture(params=["path", "abstract"])
async def manager(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Manager]:
    address = str(tmp_path / "notify") if request.param == "path" else f"@monitor-test-{os.getpid()}-{id(request)}"
    found = Manager(address)
    yield found
    found.close()


def told_to(manager: Manager, **more: str) -> dict[str, str]:
    return {"NOTIFY_SOCKET": manager.address, **more}


async def test_the_whole_life_is_told(start: Start, target: HttpServer, manager: Manager) -> None:
    before = time.monotonic_ns() // 1000
    daemon = await start({"name": "one", "url": target.url()}, env=told_to(manager))
    ready = await manager.told("READY")
    assert ready["READY"] == "1"
    assert "1 check" in ready["STATUS"]
    assert (await daemon.get("/-/ready"))[0] == 200

    daemon.signal(signal.SIGHUP)
    reloading = await manager.told("RELOADING")
    assert reloading["RELOADING"] == "1"
    assert before < int(reloading["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000
    await manager.told("READY", 2)

    daemon.write("nonsense")
    daemon.tolerated.add("configuration not reloaded, the old one goes on")
    daemon.signal(signal.SIGHUP)
    await manager.told("READY", 3)

    assert await daemon.stop() == 0
    stopping = await manager.told("STOPPING")
    assert stopping["STOPPING"] == "1"
    assert "STATUS" in stopping
    assert manager.order() == ["READY", "RELOADING", "READY", "RELOADING", "READY", "STOPPING"]
    assert not manager.with_key("WATCHDOG"), "nobody asked for a watchdog"


async def test_the_status_line_says_what_is_down(start: Start, serve: Serve, manager: Manager) -> None:
    target = await serve(HttpServer())
    daemon = await start({"name": "one", "url": target.url()}, env=told_to(manager))
    await daemon.until_all_ran()

    async def statuses() -> str:
        return " | ".join(message["STATUS"] for _, message in manager.with_key("STATUS"))

    await eventually(statuses, lambda said: "1 up" in said)
    target.responder = lambda _: b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
    await eventually(statuses, lambda said: "1 down" in said)
    assert "Busy" not in await statuses()


async def test_the_watchdog_is_fed_while_alive_and_not_while_stopped(
    start: Start, target: HttpServer, manager: Manager
) -> None:
    daemon = await start({"name": "one", "url": target.url()}, env=told_to(manager, WATCHDOG_USEC="6000000"))
    starvation = Starvation(daemon.pid)
    await manager.told("WATCHDOG", 3)
    times = [at for at, _ in manager.with_key("WATCHDOG")]
    assert max(b - a for a, b in itertools.pairwise(times)) < 3.0 + starvation.seconds, (
        "systemd asks for half of the time"
    )
    daemon.signal(signal.SIGSTOP)
    count = await _quiet(manager)
    assert len(manager.with_key("WATCHDOG")) == count
    daemon.signal(signal.SIGCONT)
    await manager.told("WATCHDOG", count + 2)


async def _quiet(manager: Manager, seconds: float = 2.2) -> int:
    """How many there are; and then nothing comes for so long."""
    count = len(manager.with_key("WATCHDOG"))
    quiet_since = time.monotonic()
    while time.monotonic() - quiet_since < seconds:
        await asyncio.sleep(0.05)
        if len(manager.with_key("WATCHDOG")) > count and time.monotonic() - quiet_since < 0.3:
            count = len(manager.with_key("WATCHDOG"))  # was on its way
    return count


async def test_a_short_watchdog_is_fed_in_time(start: Start, target: HttpServer, tmp_path: Path) -> None:
    """sd_watchdog_enabled(3): notify every half of the time."""
    manager = Manager(str(tmp_path / "notify"))
    daemon = await start({"name": "one", "url": target.url()}, env=told_to(manager, WATCHDOG_USEC="1000000"))
    starvation = Starvation(daemon.pid)
    await manager.told("WATCHDOG", 6)
    times = [at for at, _ in manager.with_key("WATCHDOG")]
    gaps = sorted(b - a for a, b in itertools.pairwise(times))
    manager.close()
    assert gaps[len(gaps) // 2] <= 0.55 + starvation.seconds / len(gaps)


async def test_the_watchdog_of_another_process_is_not_fed(start: Start, target: HttpServer, tmp_path: Path) -> None:
    manager = Manager(str(tmp_path / "notify"))
    env = told_to(manager, WATCHDOG_USEC="6000000", WATCHDOG_PID="1")
    daemon = await start({"name": "one", "url": target.url()}, env=env)
    seen = len(target.requests)
    await until(lambda: len(target.requests) >= seen + 3)
    await daemon.stop()
    assert not manager.with_key("WATCHDOG")
    manager.close()


async def test_a_reload_while_draining_is_not_told_as_ready(start: Start, serve: Serve, tmp_path: Path) -> None:
    """READY=1 after STOPPING=1 would tell systemd that the service is up again."""
    manager = Manager(str(tmp_path / "notify"))
    release = asyncio.Event()

    async def answer(_: Request) -> bytes:
        await release.wait()
        return ok()

    target = await serve(HttpServer(answer))
    slow = {"interval": "5s", "timeout": {"connect": "1s", "read": "4s", "total": "4s"}}
    daemon: Daemon = await start({"name": "a-2", "url": target.url(), **slow}, env=told_to(manager))
    await until(lambda: len(target.requests) == 1)
    daemon.signal(signal.SIGTERM)
    await manager.told("STOPPING")
    daemon.signal(signal.SIGHUP)
    status, _ = await daemon.reload()
    assert status in (200, 400, 409, 503)
    release.set()
    assert await daemon.ended() == 0
    assert manager.order()[-1] == "STOPPING", manager.order()
    manager.close()


async def test_a_manager_that_does_not_listen_stops_nothing(start: Start, target: HttpServer, tmp_path: Path) -> None:
    daemon = await start(
        {"name": "one", "url": target.url()}, env={"NOTIFY_SOCKET": str(tmp_path / "nobody"), "WATCHDOG_USEC": "500000"}
    )
    await daemon.until_all_ran()
    assert await daemon.stop() == 0
