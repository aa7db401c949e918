"""Probe workers: whatever becomes of one of them, no target is blamed, no run goes unanswered, and the rest goes on."""

from __future__ import annotations

import asyncio
import math
import os
import resource
import signal
import time
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from monitor.rules.due import fraction_of
from tests.servers.http import Answer, HttpServer, Request, ok
from tests.service.conftest import Serve, Start
from tests.service.daemon import Daemon, Metrics, configuration, eventually, until
from tests.starvation import Starvation

TWO = {"workers": 2}
DIED = "a probe worker died and is started again"
HANGS = "a probe worker hangs and is killed"
SECOND = {"interval": "1s", "timeout": {"connect": "300ms", "read": "500ms", "total": "800ms"}}
SIXTEEN = 16


def workers(daemon: Daemon) -> list[int]:
    """The processes that probe, in the order of their numbers."""
    found = [c for c in psutil.Process(daemon.pid).children() if "monitor.scheduling.workers" in " ".join(c.cmdline())]
    return [c.pid for c in sorted(found, key=lambda c: c.create_time())]


async def probing(start: Start, target: HttpServer, **more: object) -> Daemon:
    """A daemon with two workers and sixteen checks, each of which has run."""
    checks = [{"name": f"c-{n}", "url": target.url(f"/{n}"), **more} for n in range(SIXTEEN)]
    daemon = await start(*checks, monitor=TWO, defaults=SECOND)
    daemon.tolerated |= {DIED, HANGS}
    await daemon.until_all_ran()
    return daemon


class Account:
    """Attempts and due times of all checks, from one scrape on."""

    def __init__(self, daemon: Daemon, scrape: Scrape) -> None:
        self._daemon, self._before = daemon, scrape

    @classmethod
    async def begun(cls, daemon: Daemon) -> Account:
        """Counts from now on."""
        return cls(daemon, await scraped(daemon))

    async def settled(self) -> Metrics:
        """Each due time was answered for: with a result, or with a run that is said to be lost."""
        return (await eventually(lambda: scraped(self._daemon), self._adds_up)).metrics

    def _adds_up(self, after: Scrape) -> bool:
        """Each scrape may meet one run under way, and was made at some time between two that are known."""
        return all(
            self._due(n, self._before.ended, after.began) - 1
            <= attempts(after.metrics, n) - attempts(self._before.metrics, n)
            <= self._due(n, self._before.began, after.ended) + 1 + self._again(n, after.metrics)
            for n in range(SIXTEEN)
        )

    def _again(self, number: int, metrics: Metrics) -> float:
        """The most runs beside the schedule: one after each that was spoiled, one after each death of a worker."""
        lost = metrics.total("probe_inconclusive_total", check=f"c-{number}")
        spoiled = metrics.total("monitor_runs_inconclusive_total", reason="monitor_stalled")
        return min(lost, spoiled + metrics.total("monitor_worker_restarts_total"))

    def _due(self, number: int, after: float, until: float) -> int:
        share = fraction_of(f"c-{number}")
        return math.floor(until - share) - math.floor(after - share)


class Scrape(NamedTuple):
    """One scrape, and the times before its request and after its answer."""

    began: float
    metrics: Metrics
    ended: float


async def scraped(daemon: Daemon) -> Scrape:
    """One scrape, now."""
    return Scrape(time.time(), await daemon.metrics(), time.time())


def attempts(metrics: Metrics, number: int) -> float:
    return metrics.total("probe_attempts_total", check=f"c-{number}")


def blames_nobody(metrics: Metrics) -> None:
    metrics.assert_adds_up()
    assert metrics.total("probe_failures_total") == 0
    assert metrics.total("monitor_checks", state="down") == 0


async def test_a_killed_worker_is_started_again_and_its_runs_are_answered_for(start: Start, target: HttpServer) -> None:
    daemon = await probing(start, target)
    account = await Account.begun(daemon)
    first, other = workers(daemon)
    os.kill(first, signal.SIGKILL)
    await daemon.logged(DIED, ended="by signal 9")
    metrics = await daemon.until_metrics(
        lambda m: m.total("monitor_worker_restarts_total") == 1 and m.total("monitor_worker_up") == 2
    )
    await daemon.until_metrics(lambda m: m.total("monitor_runs_skipped_total", reason="worker") > 0)
    assert other in workers(daemon)
    assert first not in workers(daemon)
    starvation, began = Starvation(daemon.pid, *workers(daemon)), time.monotonic()
    before = {n: attempts(metrics, n) for n in range(SIXTEEN)}
    metrics = await daemon.until_metrics(lambda m: all(attempts(m, n) >= before[n] + 2 for n in range(SIXTEEN)))
    assert time.monotonic() - began < 8 + starvation.seconds
    metrics = await account.settled()
    blames_nobody(metrics)
    skipped = metrics.total("monitor_runs_skipped_total")
    spoiled = metrics.total("monitor_runs_inconclusive_total", reason="monitor_stalled")
    assert metrics.total("probe_inconclusive_total") == skipped + spoiled
    assert metrics.total("monitor_runs_inconclusive_total", reason="monitor_overloaded") == skipped
    late = skipped - metrics.total("monitor_runs_skipped_total", reason="worker")
    healthy = [n for n in range(SIXTEEN) if metrics.total("probe_inconclusive_total", check=f"c-{n}") == 0]
    assert len(healthy) >= 4 - spoiled - late, "the other worker's checks do not notice"
    assert not daemon.lines("state changed", state="down")


async def test_a_stopped_worker_is_replaced_and_the_other_goes_on(start: Start, target: HttpServer) -> None:
    daemon = await probing(start, target)
    account = await Account.begun(daemon)
    first, other = workers(daemon)
    os.kill(first, signal.SIGSTOP)
    metrics = await daemon.until_metrics(
        lambda m: m.total("monitor_worker_restarts_total") == 1 and m.total("monitor_worker_up") == 2, within=30
    )
    assert daemon.lines(HANGS)
    assert not psutil.pid_exists(first)
    assert psutil.pid_exists(other)
    metrics = await daemon.until_metrics(lambda m: m.total("monitor_runs_skipped_total", reason="worker") >= 40)
    metrics = await account.settled()
    blames_nobody(metrics)


async def test_health_says_that_a_worker_is_being_started_again(start: Start, target: HttpServer) -> None:
    daemon = await probing(start, target)
    os.kill(workers(daemon)[1], signal.SIGKILL)

    async def health() -> tuple[int, str]:
        return await daemon.get("/-/healthy")

    code, text = await eventually(health, lambda answer: answer[0] == 503)
    assert code == 503
    assert "probe worker" in text
    await eventually(health, lambda answer: answer[0] == 200)


async def test_a_worker_out_of_memory_blames_nobody(start: Start, serve: Serve) -> None:
    """What it can still do it does; what it cannot is inconclusive, or it dies and is started again."""
    big = b"x" * 12_000_000

    async def respond(_: Request) -> Answer:
        return ok(big)

    target = await serve(HttpServer(respond))
    daemon = await start(
        *({"name": f"c-{n}", "url": target.url(f"/{n}")} for n in range(4)),
        monitor=TWO,
        defaults={
            "interval": "2s",
            "timeout": {"connect": "1s", "read": "1s", "total": "2s"},
            "max_body": "50MiB",
            "expect": {"body": {"contains": "x"}},
        },
    )
    daemon.tolerated |= {DIED, HANGS}
    await daemon.until_all_ran()
    for pid in workers(daemon):
        now = psutil.Process(pid).memory_info().vms
        resource.prlimit(pid, resource.RLIMIT_AS, (now + 5_000_000, now + 5_000_000))
    metrics = await daemon.until_metrics(
        lambda m: (
            m.total("monitor_runs_inconclusive_total", reason="local_resources")
            + m.total("monitor_worker_restarts_total")
            >= 1
        )
    )
    metrics.assert_adds_up()
    assert [line["detail"] for line in daemon.lines("state changed", state="down")] == []


async def test_workers_end_with_a_daemon_that_is_killed(start: Start, target: HttpServer) -> None:
    daemon = await probing(start, target)
    pids = workers(daemon)
    daemon.signal(signal.SIGKILL)
    await until(lambda: not any(psutil.pid_exists(pid) for pid in pids))


async def test_workers_go_on_while_the_daemon_itself_stands_still(start: Start, target: HttpServer) -> None:
    """Its own stop is seen by nobody but those who ask it: the runs happen, on time, and are all told afterwards."""
    daemon = await probing(start, target)
    account = await Account.begun(daemon)
    daemon.signal(signal.SIGSTOP)
    await asyncio.sleep(4)  # what is tested
    daemon.signal(signal.SIGCONT)
    metrics = await daemon.until_metrics(lambda m: m.total("probe_attempts_total") >= SIXTEEN * 4)
    metrics = await account.settled()
    blames_nobody(metrics)
    assert metrics.total("probe_inconclusive_total") == 0
    assert metrics.total("monitor_worker_restarts_total") == 0


async def test_each_run_is_one_request(start: Start, target: HttpServer) -> None:
    daemon = await probing(start, target)
    await daemon.until_metrics(lambda m: m.total("probe_attempts_total") >= SIXTEEN * 4)
    await daemon.stop()
    asked = len(target.requests)
    assert asked == target.connections
    assert asked >= SIXTEEN * 4


async def test_a_changed_check_changes_in_its_worker_and_the_others_do_not_notice(
    start: Start, serve: Serve, target: HttpServer
) -> None:
    other = await serve(HttpServer())
    daemon = await probing(start, target)
    moved = {"name": "c-3", "url": other.url("/new"), "labels": {"team": "new"}}
    stay = [{"name": f"c-{n}", "url": target.url(f"/{n}")} for n in range(SIXTEEN) if n not in (3, 4)]
    assert (await daemon.reload(configuration([*stay, moved], TWO, SECOND)))[0] == 200
    await until(lambda: bool(other.requests))
    metrics = await daemon.until_metrics(lambda m: m.total("probe_attempts_total", check="c-3") >= 3)
    assert "c-4" not in metrics.checks
    assert len(metrics.checks) == SIXTEEN - 1
    assert sum(metrics.total("probe_inconclusive_total", check=f"c-{n}") for n in range(SIXTEEN) if n != 3) == 0
    assert metrics.total("monitor_worker_restarts_total") == 0


async def test_a_bug_in_a_worker_is_logged_with_its_traceback(start: Start, target: HttpServer, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import dataclasses\n"
        "from monitor.model.request import HttpRequest\n"
        "from monitor.protocols import registry\n"
        "async def buggy(run, net):\n"
        "    raise ZeroDivisionError('a bug')\n"
        "registry._OF_REQUEST[HttpRequest] = dataclasses.replace(registry.HTTP, client=lambda: buggy)\n"
    )
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[2])])
    daemon = await start({"name": "buggy", "url": target.url()}, monitor={"workers": 1}, env={"PYTHONPATH": path})
    daemon.tolerated.add("internal error in a check")
    line = await daemon.logged("internal error in a check", check="buggy")
    assert "ZeroDivisionError: a bug" in line["exception"]
    checks = await daemon.until_all_ran()
    assert checks["buggy"]["last"]["reason"] == "internal_error"
    assert checks["buggy"]["state"] == "unknown"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_to_the_whole_group_is_for_the_daemon(start: Start, target: HttpServer, number: int) -> None:
    """As Ctrl-C in a terminal and systemd's stop do it."""
    daemon = await probing(start, target)
    for pid in workers(daemon):
        os.kill(pid, number)
    before = (await daemon.metrics()).total("probe_attempts_total")
    metrics = await daemon.until_metrics(lambda m: m.total("probe_attempts_total") > before + SIXTEEN)
    assert metrics.total("monitor_worker_restarts_total") == 0
    assert await daemon.stop() == 0
    assert daemon.lines("stopped")[0]["cancelled"] == 0


async def test_figures_of_each_worker_are_exposed(start: Start, target: HttpServer) -> None:
    daemon = await probing(start, target)
    metrics = await daemon.until_metrics(lambda m: m.total("monitor_worker_schedule_lag_seconds_count") >= SIXTEEN)
    assert {s.labels["worker"] for s in metrics.all("monitor_worker_up")} == {"0", "1"}
    assert metrics.total("monitor_worker_checks") == SIXTEEN
    assert metrics.total("monitor_worker_cpu_seconds_total") > 0
    assert metrics.total("monitor_worker_resident_memory_bytes") > 10_000_000
    assert metrics.total("monitor_schedule_lag_seconds_count") == metrics.total(
        "monitor_worker_schedule_lag_seconds_count"
    )
