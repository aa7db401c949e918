"""A failure is looked at again before the next run is due, and no due time moves because of that."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from itertools import pairwise

from tests.servers.http import Answer, HttpServer, Request, answer, ok
from tests.service.conftest import Serve, Start
from tests.service.daemon import until
from tests.starvation import Starvation

WORKERS = (0, 2)
INTERVAL, RETRY, TOTAL = 2.0, 0.4, 1.4
SLACK = 0.5
"""Seconds by which a run may be later than it should on a busy machine."""
PACE = {
    "interval": f"{INTERVAL:g}s",
    "retry_interval": "400ms",
    "down_after": 3,
    "timeout": {"connect": "1s", "read": "1.4s", "total": f"{TOTAL:g}s"},
}


class Failing(HttpServer):
    """A target that fails while it is told to, and knows when it was asked."""

    def __init__(self) -> None:
        super().__init__(self._respond)
        self.fails, self.hangs = True, False
        self.times: list[float] = []

    async def _respond(self, request: Request) -> Answer:
        self.times.append(time.monotonic())
        if self.hangs:
            await asyncio.Event().wait()
        return answer(503) if self.fails else ok()


async def test_a_failure_is_looked_at_again_soon_until_it_decides(start: Start, serve: Serve) -> None:
    target = await serve(Failing())
    daemon = await start({"name": "hung", "url": target.url(), **PACE})
    await daemon.until_checks(lambda c: c["hung"]["state"] == "down", within=12)
    first, second, third = target.times[:3]
    for before, after in ((first, second), (second, third)):
        assert RETRY - 0.01 <= after - before <= RETRY + SLACK, target.times
    await until(lambda: len(target.times) >= 5, within=12)
    for number, at in enumerate(target.times[3:5], 1):
        assert abs(at - first - number * INTERVAL) < SLACK, "once it is down, and for ever after, the schedule holds"
    metrics = await daemon.metrics()
    metrics.assert_adds_up()
    assert metrics.total("monitor_runs_skipped_total") == 0


async def test_the_next_run_is_told_truly(start: Start, serve: Serve) -> None:
    target = await serve(Failing())
    check = {"name": "hung", "url": target.url(), **PACE, "interval": "4s", "retry_interval": "1.5s"}
    daemon = await start(check)
    found = await daemon.until_checks(lambda c: c["hung"]["consecutive_failures"] == 1, within=12)
    told = datetime.fromisoformat(found["hung"]["next_run_at"]).timestamp() - time.time() + time.monotonic()
    await until(lambda: len(target.times) >= 2, within=12)
    assert abs(target.times[1] - told) < SLACK
    assert 1.5 - 0.01 <= target.times[1] - target.times[0] <= 1.5 + SLACK


async def test_a_success_ends_the_retries(start: Start, serve: Serve) -> None:
    target = await serve(Failing())
    daemon = await start({"name": "hung", "url": target.url(), **PACE})
    await until(lambda: len(target.times) == 1, within=12)
    target.fails = False
    await daemon.until_checks(lambda c: c["hung"]["state"] == "up", within=12)
    await until(lambda: len(target.times) >= 3, within=12)
    assert abs(target.times[2] - target.times[0] - INTERVAL) < SLACK


async def test_a_retry_that_is_under_way_at_a_due_time_stands_for_that_run(
    start: Start, serve: Serve, starvation: Starvation
) -> None:
    """Each retry lasts over a due time here; nothing is skipped, late or doubled."""
    target = await serve(Failing())
    target.hangs = True
    daemon = await start({"name": "slow", "url": target.url(), **PACE, "down_after": 4})
    await daemon.until_checks(lambda c: c["slow"]["state"] == "down", within=25)
    slack = SLACK + starvation.seconds
    assert all(
        TOTAL + RETRY - 0.05 <= after - before <= TOTAL + RETRY + slack for before, after in pairwise(target.times[:4])
    ), target.times
    metrics = await daemon.metrics()
    metrics.assert_adds_up()
    assert metrics.total("monitor_runs_skipped_total") == 0
    assert metrics.total("monitor_schedule_lag_seconds_sum") < SLACK
    grid = target.times[0]
    await until(lambda: len(target.times) >= 5, within=12)
    elapsed = target.times[4] - grid
    assert abs(elapsed - round(elapsed / INTERVAL) * INTERVAL) < SLACK, "the schedule goes on where it would have been"


async def test_a_reload_that_pauses_a_check_ends_its_retries(start: Start, serve: Serve) -> None:
    target = await serve(Failing())
    other = await serve(HttpServer())
    daemon = await start({"name": "hung", "url": target.url(), **PACE, "retry_interval": "1.5s"})
    await until(lambda: len(target.times) == 1, within=12)
    text = daemon.config.read_text().replace('name = "hung"', 'name = "hung"\nenabled = false')
    beside = f'[[checks]]\nname = "beside"\nurl = "{other.url()}"\ninterval = "1s"\ntimeout.total = "900ms"\n'
    assert (await daemon.reload(f"{text}\n{beside}"))[0] == 200
    assert (await daemon.checks())["hung"]["next_run_at"] is None
    await until(lambda: len(other.requests) >= 4, within=15)
    assert len(target.times) == 1
