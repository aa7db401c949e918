"""What a restart, a crash and an update change of what was known: nothing."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.servers.http import HttpServer, answer, ok
from tests.service.conftest import Serve, Start
from tests.service.daemon import Daemon, eventually, until

WORKERS = [0, 2]

EARLY = "s10"
"""A name whose hash lets its first run be due some three seconds after the start, of a minute."""
LATE = "r21"
"""And one whose first run is due at the end of its interval."""
BROKEN = [("Content-Type", "application/json"), ("Set-Cookie", "session=tell-nobody")]


def known(checks: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {name: (c["state"], c["since"], c["consecutive_failures"] > 0) for name, c in checks.items()}


async def ask(daemon: Daemon, path: str, method: str = "GET", **options: Any) -> Any:
    status, text = await daemon.get(path, method=method, **options)
    assert status < 300, text
    return json.loads(text)


@pytest.mark.timeout(90)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_everything_is_as_it_was(start: Start, serve: Serve, state_directory: Path, number: int) -> None:
    good, bad = await serve(HttpServer()), await serve(HttpServer(lambda _: answer(500, b'{"e": "db"}', BROKEN)))
    checks = (
        {"name": "good", "url": good.url("/")},
        {"name": "bad", "url": bad.url("/"), "down_after": 2},
        {"name": "off", "url": good.url("/"), "enabled": False},
    )
    first = await start(*checks)
    await first.until_checks(lambda c: c["bad"]["state"] == "down" and c["good"]["state"] == "up")
    incident = (await ask(first, "/api/v1/incidents"))["incidents"][0]
    path = f"/api/v1/incidents/{incident['id']}/acknowledgement"
    await ask(first, path, "PUT", json={"note": "on it", "for": "1h"})
    before = known(await first.checks())
    await until(lambda: written(state_directory, "on it"))
    if number == signal.SIGKILL:
        first.signal(number)
        await first.ended()
    else:
        await first.stop()
    asked = len(bad.requests)
    second = await start(*checks)
    assert known(await second.checks()) == before
    assert second.lines("state changed", check="bad") == []
    await until(lambda: len(bad.requests) > asked)
    alone = await ask(second, f"/api/v1/incidents/{incident['id']}")
    assert alone["started_at"] == incident["started_at"]
    assert alone["ended_at"] is None
    assert alone["acknowledged"]["note"] == "on it"
    evidence = alone["first"]["evidence"]
    assert evidence["body"] == '{"e": "db"}'
    assert "tell-nobody" not in json.dumps(alone)
    assert [one["id"] for one in (await ask(second, "/api/v1/incidents"))["incidents"]] == [incident["id"]]
    history = await ask(second, "/api/v1/checks/bad/history?from=-1h&step=60")
    assert sum(slot["failures"]["http_error"] for slot in history["slots"]) >= 2
    await second.stop()


def written(folder: Path, note: str) -> bool:
    """Whether the database has it by now."""
    connection = sqlite3.connect(f"file:{folder / 'monitor.db'}?mode=ro", uri=True)
    try:
        return any(note.encode() in data for (data,) in connection.execute("SELECT data FROM incidents"))
    finally:
        connection.close()


async def test_a_run_that_is_asked_for_is_one_request_and_recorded(start: Start, target: HttpServer) -> None:
    daemon = await start(
        {"name": LATE, "url": target.url("/"), "interval": "60s", "timeout": {"total": "2s"}},
        {"name": "off", "url": target.url("/"), "enabled": False},
    )
    before = len(target.requests)
    result = await ask(daemon, "/api/v1/checks/r21/run", "POST")
    assert result["outcome"] == "success"
    assert len(target.requests) == before + 1
    assert (await daemon.detail(LATE))["recent"][0]["started_at"] == result["started_at"]
    status, text = await daemon.get("/api/v1/checks/r21/run", method="POST")
    assert status == 409
    assert "too often" in text
    status, text = await daemon.get("/api/v1/checks/off/run", method="POST")
    assert (status, "paused" in text) == (409, True)
    assert (await daemon.get("/api/v1/checks/none/run", method="POST"))[0] == 404
    assert len(target.requests) == before + 1


async def test_a_run_that_is_under_way_is_waited_for_and_not_doubled(start: Start, serve: Serve) -> None:
    go = asyncio.Event()

    async def slow(_: object) -> bytes:
        await go.wait()
        return ok()

    target = await serve(HttpServer(slow))
    limits = {"connect": "2s", "read": "20s", "total": "30s"}
    daemon = await start({"name": EARLY, "url": target.url("/"), "interval": "60s", "timeout": limits})
    await until(lambda: len(target.requests) == 1)
    asked = asyncio.create_task(ask(daemon, f"/api/v1/checks/{EARLY}/run", "POST"))
    await ask(daemon, "/status.json")  # so that it has arrived
    go.set()
    assert (await asked)["outcome"] == "success"
    # A worker may get the order when the run has just ended, and then runs it once more.
    assert len(target.requests) <= 2
    await daemon.stop()


async def test_events_reach_who_listens(start: Start, serve: Serve) -> None:
    replies = [ok()]
    target = await serve(HttpServer(lambda _: replies[0]))
    daemon = await start({"name": "a", "url": target.url("/")})
    await daemon.until_all_ran()
    import aiohttp

    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://{daemon.address}/api/v1/events?events=transition") as stream,
    ):
        await stream.content.readuntil(b"\n\n")
        replies[0] = answer(500, b"")

        async def down() -> bytes:
            return await stream.content.readline()

        line = await eventually(down, lambda text: text.startswith(b"data:"))
        assert json.loads(line.removeprefix(b"data: "))["state"] == "down"
        assert await daemon.stop() == 0, "an open stream holds up no end"


async def test_a_database_that_is_locked_at_the_start_is_adopted_later(
    start: Start, serve: Serve, state_directory: Path
) -> None:
    bad = await serve(HttpServer(lambda _: answer(500, b"")))
    check = {"name": "bad", "url": bad.url("/"), "down_after": 2}
    first = await start(check)
    await first.until_checks(lambda c: c["bad"]["state"] == "down")
    (incident,) = (await ask(first, "/api/v1/incidents"))["incidents"]
    await first.stop()
    lock = sqlite3.connect(state_directory / "monitor.db", isolation_level=None)
    lock.execute("PRAGMA locking_mode = EXCLUSIVE")
    lock.execute("BEGIN EXCLUSIVE")
    lock.execute("CREATE TABLE other (id)")
    second = await start(check)
    second.tolerated.add("history is not written")
    await second.until_checks(lambda c: c["bad"]["state"] == "down", 30.0)
    lock.execute("ROLLBACK")
    lock.close()
    await second.logged("history is written again", within=30.0)
    found = (await ask(second, "/api/v1/incidents"))["incidents"]
    assert [(one["id"], one["started_at"], one["ended_at"]) for one in found] == [
        (incident["id"], incident["started_at"], None)
    ]
    await second.stop()
