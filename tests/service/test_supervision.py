"""A bug in any loop that supervises: it is said and counted, and the monitor goes on as if nothing had been."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
from pathlib import Path

import psutil
import pytest

from tests.servers.http import Answer, HttpServer, Request, ok
from tests.service.conftest import Serve, Start
from tests.service.daemon import Daemon, Metrics, configuration, eventually
from tests.service.test_workers import workers

EVENT = "internal error, the loop goes on"
DIED = "a probe worker died and is started again"
NOT_STARTED = "a probe worker cannot be started"
_THROWING = '''
import os
from importlib import import_module

def throwing(owner, name, works):
    """What is called by this name works so many times, raises twice, and works again."""
    whole = getattr(owner, name)
    calls = []

    def called(*args, **options):
        calls.append(name)
        if works < len(calls) <= works + 2:
            raise ImportError("a module that an upgrade took away")
        return whole(*args, **options)

    setattr(owner, name, called)

module, owner, name, *works = os.environ["THROWING"].split(":")
throwing(getattr(import_module(module), owner), name, *map(int, works or [0]))
'''
THROWN = (
    ("worker", "monitor.scheduling.workers.worker:Worker:_life"),
    ("worker", "monitor.scheduling.workers.worker:Worker:_talk"),
    ("worker", "monitor.scheduling.workers.worker:Worker:_listen"),
    ("worker", "monitor.scheduling.workers.worker:Worker:_note"),
    ("worker", "monitor.scheduling.workers.pool:Pool:all_orders"),
    ("worker", "monitor.scheduling.workers.pool:Pool:heard"),
    ("worker", "monitor.scheduling.workers.pool:Pool:beat"),
    ("result", "monitor.scheduling.workers.pool:Pool:_take"),
    ("result", "monitor.scheduling.workers.child:Outbox:add"),
    ("beat", "monitor.scheduling.workers.child:Worker:_beat"),
    ("schedule", "monitor.scheduling.runner:Runner:due"),
    ("schedule", "monitor.scheduling.schedule:Schedule:_arm:1"),
    ("watchdog", "monitor.scheduling.stall:Watchdog:_look"),
    ("beat", "monitor.service:Service:_beat"),
    ("beat", "monitor.metrics:Overload:look"),
    ("aging", "monitor.live.staleness:Aging:beat"),
    ("aging", "monitor.live.ledger:Record:age"),
    ("notify", "monitor.system.systemd:Notifier:status"),
    ("configuration", "monitor.system.file_watch:Watch:_look"),
    ("history", "monitor.history.keeper:Keeper:_turn"),
    ("history", "monitor.history.keeper:Keeper:on_result"),
    ("live_feed", "monitor.live.events:EventBus:_enqueue"),
    ("log", "monitor.live.transition_log:TransitionLog:on_transition"),
    ("retry", "monitor.live.retries:Retries:on_result"),
    ("accept", "monitor.web.listener:Listener:_admit"),
    ("reload", "monitor.service:Service:reload"),
)


async def scraped(daemon: Daemon) -> Metrics | None:
    """The metrics; None if the connection was that of a client whom a bug hit."""
    with contextlib.suppress(OSError, asyncio.TimeoutError):
        return await daemon.metrics()
    return None


@pytest.mark.parametrize(("loop", "what"), THROWN, ids=[what.partition(":")[2] for _, what in THROWN])
async def test_a_loop_that_throws_goes_on(
    start: Start, target: HttpServer, tmp_path: Path, loop: str, what: str
) -> None:
    """Also with the errors of an upgrade under a running daemon, which imports lazily what is not there any more."""
    throwing = tmp_path / "sitecustomize.py"
    throwing.write_text(_THROWING)
    env = {"THROWING": what, "NOTIFY_SOCKET": "/nobody"}
    monitor = {"workers": int("workers" in what), "reload_on_change": True}
    brief = {"interval": "500ms", "timeout": {"connect": "300ms", "read": "300ms", "total": "400ms"}}
    daemon = await start(
        {"name": "one", "url": target.url(), **brief}, monitor=monitor, env=env, first=throwing, fork_workers=True
    )
    daemon.tolerated |= {EVENT, DIED}
    if loop == "reload":
        daemon.signal(signal.SIGHUP)
        await daemon.logged(EVENT, loop=loop)
        daemon.signal(signal.SIGHUP)

    async def failures() -> float:
        metrics = await scraped(daemon)
        return metrics.total("monitor_supervision_failures_total", loop=loop) if metrics else 0

    await scraped(daemon)  # whose connection is one to accept
    line = await daemon.logged(EVENT, loop=loop)
    await eventually(failures, within=40)
    assert "ImportError: a module that an upgrade took away" in line["exception"]
    before = await eventually(lambda: scraped(daemon), bool, within=40)
    assert before is not None
    attempts = before.total("probe_latency_seconds_count")
    await daemon.until_metrics(lambda m: m.total("probe_latency_seconds_count") >= attempts + 3)
    await eventually(lambda: daemon.get("/-/healthy"), lambda answer: answer[0] == 200)
    checks = await daemon.checks()
    assert checks["one"]["state"] == "up"
    if loop == "reload":
        daemon.signal(signal.SIGHUP)
        await daemon.logged("configuration reloaded")


async def test_a_worker_that_dies_while_no_descriptor_is_free_comes_back(start: Start, target: HttpServer) -> None:
    brief = {"interval": "500ms", "timeout": {"connect": "300ms", "read": "300ms", "total": "400ms"}}
    daemon = await start({"name": "one", "url": target.url(), **brief}, monitor={"workers": 1})
    daemon.tolerated |= {NOT_STARTED, DIED}
    await daemon.until_all_ran()
    (worker,) = workers(daemon)
    soft, hard = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
    for free in (0, 1, 2):  # for neither end of the socket pair, for one, for both and nothing else
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (_lowest_free(daemon.pid) + free, hard))
        said = len(daemon.lines(NOT_STARTED))
        os.kill(worker, signal.SIGKILL)
        await eventually(lambda said=said: _said(daemon, said), bool)
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (soft, hard))
        metrics = await daemon.until_metrics(lambda m: m.total("monitor_worker_up") == 1)
        attempts = metrics.total("probe_latency_seconds_count")
        await daemon.until_metrics(lambda m, n=attempts: m.total("probe_latency_seconds_count") >= n + 2)
        (worker,) = workers(daemon)
    assert psutil.pid_exists(worker)
    assert (await daemon.get("/-/healthy"))[0] == 200


def _lowest_free(pid: int) -> int:
    """The descriptor that the process gets next."""
    fds = {int(fd.name) for fd in Path(f"/proc/{pid}/fd").iterdir()}
    return next(n for n in range(len(fds) + 1) if n not in fds)


async def _said(daemon: Daemon, before: int) -> bool:
    return len(daemon.lines(NOT_STARTED)) > before


class Hanging(HttpServer):
    """A good target, until it hangs."""

    def __init__(self) -> None:
        super().__init__(self._respond)
        self.hangs = False
        self.released = asyncio.Event()

    async def _respond(self, _: Request) -> Answer:
        if self.hangs:
            await self.released.wait()
        return ok()


@pytest.mark.parametrize("count", [0, 1])
async def test_reloads_that_keep_changing_a_check_do_not_keep_it_up(start: Start, serve: Serve, count: int) -> None:
    """Each of them cancels the run that hangs, so nothing conclusive is ever found."""
    target = await serve(Hanging())
    check = {"name": "one", "url": target.url()}
    monitor = {"workers": count}
    daemon = await start(check, monitor=monitor)
    await daemon.until_checks(lambda found: found["one"]["state"] == "up")
    target.hangs = True
    turn = 0

    async def reloaded() -> str:
        nonlocal turn
        turn += 1
        changed = configuration([{**check, "labels": {"turn": str(turn)}}], monitor)
        assert (await daemon.reload(changed))[0] == 200
        return str((await daemon.checks())["one"]["state"])

    assert await eventually(reloaded, lambda state: state != "up") == "unknown"
    metrics = await daemon.metrics()
    assert metrics.total("probe_failures_total") == 0
    target.released.set()
    target.hangs = False
    await daemon.until_checks(lambda found: found["one"]["state"] == "up")
