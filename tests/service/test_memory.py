"""What a restart, a crash and an update change of what was known: nothing."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.servers.http import Answer, HttpServer, Request, answer, ok
from tests.service.conftest import Serve, Start
from tests.service.daemon import Daemon, configuration, eventually, names_due_in, until

WORKERS = [0, 2]

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
        return any(note == found for (found,) in connection.execute("SELECT acknowledged_note FROM incidents"))
    finally:
        connection.close()


async def test_a_run_that_is_asked_for_is_one_request_and_recorded(start: Start, target: HttpServer) -> None:
    (late,) = names_due_in(50.0, 60.0)
    daemon = await start(
        {"name": late, "url": target.url("/"), "interval": "60s", "timeout": {"total": "2s"}},
        {"name": "off", "url": target.url("/"), "enabled": False},
    )
    before = len(target.requests)
    result = await ask(daemon, f"/api/v1/checks/{late}/run", "POST")
    assert result["outcome"] == "success"
    assert len(target.requests) == before + 1
    assert (await daemon.detail(late))["recent"][0]["started_at"] == result["started_at"]
    status, text = await daemon.get(f"/api/v1/checks/{late}/run", method="POST")
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
    limits = {"connect": "2s", "read": "14s", "total": "15s"}  # a start that is slow misses one due time at most
    daemon = await start({"name": "held", "url": target.url("/"), "interval": "15s", "timeout": limits})
    await until(lambda: len(target.requests) == 1)
    asked = asyncio.create_task(ask(daemon, "/api/v1/checks/held/run", "POST"))
    await ask(daemon, "/status.json")  # so that it has arrived
    go.set()
    assert (await asked)["outcome"] == "success"
    assert len(target.requests) == 1
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


class Ill(HttpServer):
    """A target that fails, hangs while `held`, and is well after that if told so."""

    def __init__(self) -> None:
        super().__init__(self._respond)
        self.held = self.well = False
        self.release = asyncio.Event()

    async def _respond(self, _: Request) -> Answer:
        if self.held:
            await self.release.wait()
        return ok() if self.well else answer(500, b"")


async def test_an_incident_outlives_a_time_in_which_nothing_was_seen(start: Start, serve: Serve) -> None:
    """Each reload cancels the run that hangs, so nothing conclusive is found for three intervals."""
    target = await serve(Ill())
    check = {"name": "ill", "url": target.url("/"), "down_after": 2}
    daemon = await start(check)
    await daemon.until_checks(lambda c: c["ill"]["state"] == "down")
    (incident,) = (await ask(daemon, "/api/v1/incidents"))["incidents"]
    target.held = True
    turn = 0

    async def reloaded() -> bool:
        """Whether the check is logged as unknown; the page may show that a moment earlier."""
        nonlocal turn
        turn += 1
        assert (await daemon.reload(configuration([{**check, "labels": {"turn": str(turn)}}])))[0] == 200
        return bool(daemon.lines("state changed", state="unknown", incident=incident["id"]))

    await eventually(reloaded)
    assert (await ask(daemon, "/api/v1/checks/ill"))["incident"] == incident["id"]
    target.held = False
    target.release.set()
    found = await daemon.until_checks(lambda c: c["ill"]["state"] == "down")
    assert found["ill"]["since"] == incident["started_at"]
    assert [one["id"] for one in (await ask(daemon, "/api/v1/incidents"))["incidents"]] == [incident["id"]]
    target.well = True
    await daemon.until_checks(lambda c: c["ill"]["state"] == "up")
    name = incident["id"]
    await eventually(lambda: ask(daemon, f"/api/v1/incidents/{name}"), lambda one: one["ended_at"] is not None)
    lines = [(line["state"], line["cause"]) for line in daemon.lines("state changed", incident=name)]
    assert lines == [("down", "result"), ("unknown", "age"), ("down", "result"), ("up", "result")]


async def test_the_incident_of_a_removed_check_ends_with_the_reload(
    start: Start, serve: Serve, target: HttpServer
) -> None:
    ill = await serve(Ill())
    good = {"name": "good", "url": target.url("/")}
    daemon = await start({"name": "ill", "url": ill.url("/")}, good)
    await daemon.until_checks(lambda c: c["ill"]["state"] == "down")
    assert (await daemon.reload(configuration([good])))[0] == 200

    async def ongoing() -> list[Any]:
        return [one for one in (await ask(daemon, "/api/v1/incidents"))["incidents"] if one["ended_at"] is None]

    await eventually(ongoing, lambda found: not found)


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
