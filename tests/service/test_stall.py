"""The process stands still (SIGSTOP) for longer than an interval: no target is blamed, and nothing is lost silently."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.servers.http import Answer, HttpServer, Request, ok
from tests.service.conftest import Serve, Start
from tests.service.daemon import Daemon, eventually, until
from tests.starvation import Starvation

STOPPED = 2.6
"""Seconds; with an interval of 1 s at least one run is missed."""


class Held(HttpServer):
    """A target that can be told to keep an answer back; `release` lets those that were kept back go."""

    def __init__(self) -> None:
        super().__init__(self._respond)
        self.hold = False
        self.release = asyncio.Event()
        self.held = 0
        self.times: list[float] = []

    async def _respond(self, request: Request) -> Answer:
        self.times.append(time.monotonic())
        if self.hold:
            self.held += 1
            self._news.set()
            await self.release.wait()
        return ok()


def state_of(pid: int) -> str:
    """The kernel's letter for a process: R, S, T (stopped) …"""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


async def stopped(daemon: Daemon, seconds: float) -> None:
    """Keep the daemon stopped for so long; the wait is what is tested."""
    daemon.signal(signal.SIGSTOP)

    async def state() -> str:
        return state_of(daemon.pid)

    await eventually(state, lambda s: s == "T")
    await asyncio.sleep(seconds)
    daemon.signal(signal.SIGCONT)


async def test_a_run_that_fails_over_a_stop_is_inconclusive_and_run_again_at_once(start: Start, serve: Serve) -> None:
    target = await serve(Held())
    daemon = await start({"name": "held", "url": target.url(), "down_after": 1})
    await daemon.until_checks(lambda c: c["held"]["state"] == "up")
    target.hold = True
    await until(lambda: target.held == 1)
    target.hold = False  # what was held is never answered, what comes is
    before = len(target.times)
    daemon.signal(signal.SIGSTOP)
    await asyncio.sleep(STOPPED)
    starvation = Starvation(daemon.pid)
    daemon.signal(signal.SIGCONT)
    resumed = time.monotonic()

    metrics = await daemon.until_metrics(lambda m: m.total("monitor_runs_skipped_total", reason="stalled") > 0)
    await until(lambda: len(target.times) > before)
    assert target.times[before] - resumed < 0.5 + starvation.seconds, "not run again promptly"
    detail = await eventually(
        lambda: daemon.detail("held"), lambda d: "monitor_stalled" in {r["reason"] for r in d["recent"]}
    )
    assert not {r["outcome"] for r in detail["recent"]} - {"success", "inconclusive"}, detail["recent"]
    assert not detail["incidents"]
    assert not daemon.lines("state changed", state="down")

    skipped = metrics.total("monitor_runs_skipped_total", reason="stalled")
    assert int(STOPPED) - 1 <= skipped <= int(STOPPED) + 1, skipped
    stalled = next(r for r in detail["recent"] if r["reason"] == "monitor_stalled")
    assert "stood still" in stalled["detail"]
    metrics = await daemon.until_metrics(lambda m: m.value("probe_success", check="held") == 1)
    metrics.assert_adds_up()
    assert metrics.value("probe_up", check="held") == 1
    assert metrics.total("probe_failures_total", check="held") == 0
    assert metrics.total("probe_inconclusive_total", check="held") >= skipped + 1
    target.release.set()


async def test_the_loop_lag_metric_knows_of_a_stop(start: Start, target: HttpServer) -> None:
    daemon = await start({"name": "one", "url": target.url()})
    await daemon.until_all_ran()
    await stopped(daemon, 1.5)
    metrics = await daemon.until_metrics(lambda m: m.total("monitor_event_loop_lag_seconds_sum") > 1.2)
    over_one = metrics.total("monitor_event_loop_lag_seconds_count") - metrics.total(
        "monitor_event_loop_lag_seconds_bucket", le="1.0"
    )
    assert over_one >= 1


async def test_the_loop_lag_metric_knows_of_a_stop_in_which_runs_failed(start: Start, serve: Serve) -> None:
    target = await serve(Held())
    daemon = await start(*({"name": f"held-{n}", "url": target.url()} for n in range(8)))
    await daemon.until_all_ran()
    target.hold = True
    await until(lambda: target.held >= 3)
    target.hold = False
    await stopped(daemon, 1.6)
    await daemon.until_metrics(lambda m: m.total("probe_inconclusive_total") > 0)
    metrics = await daemon.until_metrics(lambda m: m.total("monitor_event_loop_lag_seconds_count") > 30)
    assert metrics.total("monitor_event_loop_lag_seconds_sum") > 1.2
    target.release.set()


async def test_an_answer_that_came_during_a_stop_leaves_the_check_up(start: Start, serve: Serve) -> None:
    target = await serve(Held())
    daemon = await start({"name": "late", "url": target.url(), "down_after": 1})
    await daemon.until_all_ran()
    target.hold = True
    await until(lambda: target.held == 1)
    target.hold = False
    daemon.signal(signal.SIGSTOP)
    target.release.set()
    await asyncio.sleep(1.2)
    daemon.signal(signal.SIGCONT)
    seen = len(target.times)
    await until(lambda: len(target.times) >= seen + 2)
    detail = await eventually(lambda: daemon.detail("late"), lambda found: found["state"] == "up")
    assert not detail["incidents"]
    assert not {r["outcome"] for r in detail["recent"]} - {"success", "inconclusive"}
    (await daemon.metrics()).assert_adds_up()


@pytest.mark.parametrize("latency", ["400ms", {"limit": "400ms", "down": True}], ids=["degraded", "down"])
async def test_a_slow_answer_over_a_stop_is_not_the_targets(start: Start, serve: Serve, latency: Any) -> None:
    """The latency that was measured is the monitor's own standing still."""
    target = await serve(Held())
    daemon = await start(
        {
            "name": "slow",
            "url": target.url(),
            "interval": "5s",
            "timeout": {"connect": "3s", "read": "4s", "total": "5s"},
            "expect": {"latency": latency},
        }
    )
    target.hold = True
    await until(lambda: target.held == 1)
    target.hold = False
    daemon.signal(signal.SIGSTOP)
    target.release.set()
    await asyncio.sleep(1.0)
    daemon.signal(signal.SIGCONT)
    await daemon.until_checks(lambda c: c["slow"]["state"] == "up")
    assert not daemon.lines("state changed", state="degraded")
    detail = await daemon.detail("slow")
    assert not {r["outcome"] for r in detail["recent"]} - {"success", "inconclusive"}, detail["recent"]


async def test_other_checks_are_spread_after_a_stop_and_all_run(start: Start, serve: Serve) -> None:
    target = await serve(Held())
    names = [f"many-{n}" for n in range(40)]
    daemon = await start(*({"name": n, "url": target.url(f"/{n}"), "interval": "3s"} for n in names))
    await daemon.until_all_ran()
    await stopped(daemon, 4.0)
    starvation, resumed = Starvation(daemon.pid), time.monotonic()
    count = len(target.times)
    await until(lambda: len({r.target for r in target.requests[count:]}) == len(names))
    assert time.monotonic() - resumed < 3.5 + starvation.seconds
    metrics = await daemon.metrics()
    metrics.assert_adds_up()
    assert metrics.value("monitor_checks", state="up") == len(names)


def test_the_kernel_says_who_is_stopped() -> None:
    assert state_of(os.getpid()) in "RS"
