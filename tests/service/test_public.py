"""The public page of a daemon: switched on and off by a reload, and no burden to its checks."""

from __future__ import annotations

import asyncio
import shutil

import pytest

from tests.servers.http import HttpServer
from tests.service.conftest import Serve, Start
from tests.service.daemon import configuration
from tests.starvation import Starvation

PUBLIC = {"enabled": True, "groups": ["shop"], "title": "Example Shop"}
PATHS = ("/public", "/public.json", "/badge/shop-api.svg")


async def test_a_reload_switches_it_on_and_off(start: Start, serve: Serve) -> None:
    target = await serve(HttpServer())
    checks = [
        {"name": "shop-api", "url": target.url(), "group": "shop"},
        {"name": "ledger", "url": target.url(), "group": "internal"},
    ]
    daemon = await start(*checks, monitor={"access": {"anonymous": ["write"]}})
    for path in PATHS:
        assert (await daemon.get(path))[0] == 404
    opened = {"access": {"anonymous": ["write"]}, "public": PUBLIC}
    assert (await daemon.reload(configuration(checks, opened)))[0] == 200
    for path in PATHS:
        assert (await daemon.get(path))[0] == 200
    assert (await daemon.get("/status"))[0] == 403
    assert (await daemon.get("/badge/ledger.svg"))[0] == 404
    assert "ledger" not in (await daemon.get("/public"))[1]
    shut = {"access": {"anonymous": ["write"]}, "public": PUBLIC | {"enabled": False}}
    assert (await daemon.reload(configuration(checks, shut)))[0] == 200
    for path in PATHS:
        assert (await daemon.get(path))[0] == 404


AB = shutil.which("ab")


@pytest.mark.skipif(AB is None, reason="needs ab, of Debian's apache2-utils")
async def test_a_crowd_of_outsiders_makes_no_check_late(start: Start, serve: Serve) -> None:
    target = await serve(HttpServer())
    checks = [{"name": f"check-{n}", "url": target.url(), "group": "shop", "interval": "1s"} for n in range(20)]
    daemon = await start(*checks, monitor={"public": PUBLIC}, defaults={"timeout": {"total": "1s"}})
    await daemon.until_all_ran()
    assert AB is not None
    address = f"http://{daemon.address}/public"
    command = (AB, "-q", "-k", "-t", "3", "-n", "5000", "-c", "20", address)
    starvation = Starvation(daemon.pid)
    crowd = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    said = (await crowd.communicate())[0].decode()
    assert crowd.returncode == 0, said
    assert "Failed requests:        0" in said
    assert "Non-2xx" not in said
    metrics = await daemon.metrics()
    late = metrics.total("monitor_schedule_lag_seconds_count") - metrics.total(
        "monitor_schedule_lag_seconds_bucket", le="0.5"
    )
    if starvation.seconds < 0.5:  # else it is the machine that had no time for them
        assert late == 0
        assert metrics.total("monitor_runs_skipped_total") == 0
