"""Planned maintenance in a daemon: it begins and ends on time, without a result and at a reload; and renamed checks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.servers.http import HttpServer
from tests.servers.tcp import closed_port
from tests.service.daemon import configuration, running

SELDOM = {"interval": "1h"}
EDGE = 5.0
"""Seconds within which an edge is noticed: a beat comes every second, and this machine may be busy."""


def window(begin: float, end: float, more: str = "") -> str:
    """A table of planned maintenance, between two Unix times."""
    starts, ends = (datetime.fromtimestamp(at, UTC).isoformat() for at in (begin, end))
    return f'\n[[maintenance]]\nname = "upgrade"\nstarts = {starts}\nends = {ends}\n{more}\n'


def unix(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.fixture
def nowhere() -> Iterator[str]:
    """A URL at which nobody listens."""
    with closed_port() as port:
        yield f"http://127.0.0.1:{port}/"


def states(*wanted: str) -> Any:
    return lambda checks: {check["state"] for check in checks.values()} == set(wanted)


async def test_failures_in_maintenance_are_shown_and_held_against_nobody(
    tmp_path: Path, target: HttpServer, nowhere: str
) -> None:
    good = {"name": "good", "url": target.url(), "down_after": 2}
    broken = {"name": "broken", "url": nowhere, "down_after": 2}
    config = tmp_path / "checks.toml"
    now = time.time()
    plain, ends = configuration([good, broken]), now + 600
    config.write_text(plain + window(now - 60, ends))
    async with running(config) as daemon:
        await daemon.until_checks(lambda checks: all(check["last"] for check in checks.values()))
        status = await daemon.status()
        assert status["summary"]["maintenance"] == 2
        assert status["checks"]["broken"]["last"]["reason"] == "refused"
        assert status["checks"]["broken"]["consecutive_failures"] == 0
        metrics = await daemon.metrics()
        assert not metrics.all("probe_up")
        assert {s.labels["state"] for s in metrics.all("probe_state")} == {"maintenance"}
        assert metrics.value("monitor_checks", state="maintenance") == 2
        assert metrics.total("probe_failures_total", check="broken") >= 1
        detail = await daemon.detail("broken")
        assert detail["maintenance"]["name"] == "upgrade"
        assert abs(unix(detail["maintenance"]["ends_at"]) - ends) < 1
        code, page = await daemon.get("/status/broken", headers={"Accept": "text/html"})
        assert code == 200
        assert "planned maintenance «upgrade» until " in page
        ends = time.time() + 2
        assert (await daemon.reload(plain + window(now - 60, ends)))[0] == 200  # over sooner than was thought
        assert (await daemon.status())["summary"]["maintenance"] == 2
        assert not daemon.lines("state changed", state="down")
        checks = await daemon.until_checks(lambda c: (c["good"]["state"], c["broken"]["state"]) == ("up", "down"))
        assert ends <= unix(checks["good"]["since"]) < ends + EDGE
        assert checks["broken"]["consecutive_failures"] >= 2
        assert [line["state"] for line in daemon.lines("state changed", check="broken")] == ["unknown", "down"]
        assert [line["state"] for line in daemon.lines("state changed", check="good")] == ["up"]


async def test_windows_begin_and_end_for_many_checks_without_any_result(tmp_path: Path, target: HttpServer) -> None:
    checks = [{"name": f"check-{n}", "url": target.url(), **SELDOM} for n in range(500)]
    config = tmp_path / "checks.toml"
    config.write_text(configuration(checks))
    async with running(config) as daemon:
        starts = time.time() + 4
        ends = starts + 3
        assert (await daemon.reload(configuration(checks) + window(starts, ends, 'checks = ["check-*"]')))[0] == 200
        found = await daemon.until_checks(states("maintenance"))
        since = [unix(check["since"]) for check in found.values()]
        assert starts <= min(since) + 0.001
        assert max(since) < starts + EDGE
        found = await daemon.until_checks(lambda c: "maintenance" not in {check["state"] for check in c.values()})
        since = [unix(check["since"]) for check in found.values() if check["state"] == "unknown"]
        assert ends <= min(since) + 0.001
        assert max(since) < ends + EDGE
        assert not daemon.lines("state changed", state="down")


async def test_a_reload_begins_and_ends_maintenance_and_touches_nobody_else(tmp_path: Path, target: HttpServer) -> None:
    one = {"name": "one", "url": target.url(), "group": "shop"}
    two = {"name": "two", "url": target.url(), "group": "mail"}
    plain = configuration([one, two])
    now = time.time()
    config = tmp_path / "checks.toml"
    config.write_text(plain)
    async with running(config) as daemon:
        before = await daemon.until_checks(states("up"))
        assert (await daemon.reload(plain + window(now - 60, now + 600, 'groups = ["shop"]')))[0] == 200
        assert daemon.lines("configuration reloaded")[-1]["changed"] == 0
        checks = await daemon.checks()
        assert [checks[name]["state"] for name in ("one", "two")] == ["maintenance", "up"]
        assert checks["two"]["since"] == before["two"]["since"]
        assert (await daemon.reload(plain))[0] == 200
        checks = await daemon.checks()
        assert [checks[name]["state"] for name in ("one", "two")] == ["up", "up"]
        code, said = await daemon.reload(plain + window(now - 60, now + 600, 'groups = ["shopp"]'))
        assert code == 400
        assert "there is no group" in said
        daemon.tolerated.add("configuration not reloaded, the old one goes on")
        assert (await daemon.checks())["one"]["state"] == "up"


async def test_a_renamed_check_keeps_its_state_and_counters(tmp_path: Path, nowhere: str) -> None:
    broken = {"name": "old", "url": nowhere}
    config = tmp_path / "checks.toml"
    config.write_text(configuration([broken]))
    async with running(config) as daemon:
        before = (await daemon.until_checks(states("down")))["old"]
        assert (await daemon.reload(configuration([{**broken, "name": "new", "was": ["old"]}])))[0] == 200
        after = await daemon.checks()
        assert list(after) == ["new"]
        assert (after["new"]["state"], after["new"]["since"]) == ("down", before["since"])
        metrics = await daemon.metrics()
        assert metrics.checks == {"new"}
        assert metrics.total("probe_attempts_total", check="new") >= 1
        assert len((await daemon.detail("new"))["incidents"]) == 1
        await daemon.until_checks(lambda c: c["new"]["consecutive_failures"] > before["consecutive_failures"] + 1)
        assert [line["state"] for line in daemon.lines("state changed")] == ["down"]
