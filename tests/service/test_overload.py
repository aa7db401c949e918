"""More runs are due than the limit on concurrency lets happen: the waiting is seen, and what cannot run is counted."""

from __future__ import annotations

import asyncio
from typing import Any

from monitor.rules.due import fraction_of
from tests.servers.http import Answer, HttpServer, Request, ok
from tests.service.conftest import Serve, Start
from tests.service.daemon import configuration, until


class Slow(HttpServer):
    """A target that takes its time, and knows how many requests it had at once, in all and by path."""

    def __init__(self, delay: float) -> None:
        super().__init__(self._respond)
        self._delay = delay
        self._now: dict[str, int] = {}
        self.most = 0
        self.most_of_one = 0

    async def _respond(self, request: Request) -> Answer:
        path = request.target
        self._now[path] = self._now.get(path, 0) + 1
        self.most = max(self.most, sum(self._now.values()))
        self.most_of_one = max(self.most_of_one, *self._now.values())
        try:
            await asyncio.sleep(self._delay)
        finally:
            self._now[path] -= 1
        return ok()


def crowd(target: Slow, count: int) -> list[dict[str, Any]]:
    return [{"name": f"check-{n}", "url": target.url(f"/{n}")} for n in range(count)]


async def test_waiting_for_a_slot_is_lag_and_what_waits_too_long_is_recorded(start: Start, serve: Serve) -> None:
    target = await serve(Slow(0.5))  # which this process, if it gets no processor, answers up to 1.4 s later
    calm = {"interval": "2s", "timeout": {"connect": "1900ms", "read": "1900ms", "total": "1900ms"}}
    daemon = await start(*crowd(target, 14), defaults=calm, monitor={"max_concurrency": 1})
    metrics = await daemon.until_metrics(
        lambda m: (
            m.total("monitor_runs_skipped_total", reason="late") >= 2
            and m.total("monitor_runs_skipped_total", reason="overlap") >= 2
        )
    )
    assert target.most == 1
    lag = metrics.total("monitor_schedule_lag_seconds_count") - metrics.total(
        "monitor_schedule_lag_seconds_bucket", le="0.25"
    )
    assert lag >= 1
    metrics.assert_adds_up()
    ahead = metrics.total("monitor_runs_skipped_total") - metrics.total("probe_inconclusive_total")
    assert 0 <= ahead <= 3, "a scrape reads the checks some milliseconds before the rest"
    assert metrics.total("probe_failures_total") == 0
    checks = await daemon.checks()
    assert not {c["state"] for c in checks.values()} - {"up", "unknown"}
    found = [r for name in checks for r in (await daemon.detail(name))["recent"]]
    assert "monitor_overloaded" in {r["reason"] for r in found}
    troubles = (await daemon.status())["monitor"]["troubles"]
    assert any("overloaded" in t and "add probe workers" in t for t in troubles), troubles
    assert "the monitor is overloaded" in await daemon.page()
    assert not {r["reason"] for r in found} - {"ok", "monitor_overloaded"}


async def test_a_check_that_gets_no_slot_becomes_unknown_and_says_why(
    start: Start, serve: Serve, target: HttpServer
) -> None:
    slow = await serve(Slow(60.0))
    name = min((f"hog-{n}" for n in range(100)), key=fraction_of)
    daemon = await start(
        {"name": name, "url": slow.url(), "interval": "5s", "timeout": {"read": "5s", "total": "5s"}},
        {"name": "starved", "url": target.url("/starved")},
        monitor={"max_concurrency": 1, "drain_timeout": "100ms"},
    )
    checks = await daemon.until_checks(
        lambda c: (
            c["starved"]["last"]
            and c["starved"]["last"]["reason"] == "monitor_overloaded"
            and c["starved"]["state"] == "unknown"
        )
    )
    assert checks["starved"]["state"] != "down"
    document = await daemon.status()
    assert any("could not start in time" in trouble for trouble in document["monitor"]["troubles"])
    assert "could not start in time" in await daemon.page()


async def test_a_check_never_overlaps_itself(start: Start, serve: Serve) -> None:
    target = await serve(Slow(0.7))
    daemon = await start(*crowd(target, 5), defaults={"timeout": {"connect": "500ms", "read": "900ms", "total": "1s"}})
    await until(lambda: len(target.requests) >= 18)
    assert target.most_of_one == 1
    assert target.most > 1
    (await daemon.metrics()).assert_adds_up()


async def test_a_reload_does_not_lift_the_limit(start: Start, serve: Serve) -> None:
    target = await serve(Slow(0.5))
    checks = crowd(target, 6)
    patient = {
        "interval": "3s",
        "timeout": {"connect": "1s", "read": "3s", "total": "3s"},
    }  # none gives up on the target
    daemon = await start(*checks, monitor={"max_concurrency": 1}, defaults=patient)
    for turn in range(4):
        seen = len(target.requests)
        await until(lambda n=seen: len(target.requests) > n)
        title = {"max_concurrency": 1, "title": f"turn {turn}"}
        assert (await daemon.reload(configuration(checks, title, patient)))[0] == 200
    assert target.most == 1
