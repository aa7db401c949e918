"""Somebody sets the clock of the machine: no due time moves, no duration is wrong, and only what is shown follows."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from tests.servers.http import HttpServer, Request, ok
from tests.service.conftest import Serve, Start
from tests.service.daemon import Daemon, eventually, until
from tests.starvation import Starvation

Step = Callable[[float], None]
INTERVAL = 0.5


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library that steps the wall clock of one process."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        if os.environ.get("CI"):
            pytest.fail("in CI nothing may be missing: a C compiler")
        pytest.skip("no C compiler for the library that steps the clock")
    made = tmp_path_factory.mktemp("clock") / "stepped_clock.so"
    source = Path(__file__).with_name("stepped_clock.c")
    subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", made, source, "-ldl", "-lm"], check=True)
    return made


class Clocked(HttpServer):
    """A target that knows when it was asked."""

    def __init__(self) -> None:
        super().__init__(self._respond)
        self.times: list[float] = []

    def _respond(self, request: Request) -> bytes:
        self.times.append(time.monotonic())
        return ok()


async def planned(daemon: Daemon) -> tuple[float, float]:
    """When the check is due next, as the daemon's wall clock has it, and its attempts until then."""

    async def look() -> tuple[str, float, str]:
        due = (await daemon.checks())["one"]["next_run_at"]
        attempts = (await daemon.metrics()).total("probe_attempts_total")
        return due, attempts, (await daemon.checks())["one"]["next_run_at"]

    due, attempts, _ = await eventually(look, lambda found: found[0] == found[2])
    return datetime.fromisoformat(due).timestamp(), attempts


@pytest.mark.parametrize("by", [-7200.0, 86_400.0, -0.7])
async def test_a_step_moves_no_due_time(start: Start, serve: Serve, library: Path, tmp_path: Path, by: float) -> None:
    ahead = tmp_path / "ahead"
    ahead.write_bytes(struct.pack("d", 0.0))
    target = await serve(Clocked())
    brief = {"interval": f"{INTERVAL:g}s", "timeout": {"connect": "300ms", "read": "300ms", "total": "400ms"}}
    daemon = await start(
        {"name": "one", "url": target.url(), **brief},
        env={"LD_PRELOAD": str(library), "STEPPED_CLOCK": str(ahead)},
    )
    starvation = Starvation(daemon.pid)
    await until(lambda: len(target.times) >= 4)
    before, attempts_before = await planned(daemon)
    before -= time.time() - time.monotonic()  # the daemon's clock is ours so far
    with ahead.open("r+b") as file:  # in place: the daemon has it mapped
        file.write(struct.pack("d", by))
    stepped_at = len(target.times)

    async def wall() -> float:
        checks = await daemon.checks()
        return datetime.fromisoformat(checks["one"]["last"]["started_at"]).timestamp() - time.time()

    shown = await eventually(wall, lambda apart: abs(apart - by) < 3)
    assert abs(shown - by) < 3, "what is shown is the machine's wall time"
    await until(lambda: len(target.times) >= stepped_at + 6)

    after, attempts = await planned(daemon)
    after -= time.time() - time.monotonic() + by
    runs = (after - before) / INTERVAL
    assert abs(runs - round(runs)) < 0.02, "a due time has moved"
    repeated = (await daemon.metrics()).total("probe_inconclusive_total")  # at once, after a stall of the machine
    assert abs(attempts - attempts_before - runs) <= 1 + repeated, "a run was lost or made twice"
    off = [(at - before + 0.01) % INTERVAL for at in target.times]
    late = [o for o in off if o > 0.04]
    assert len(late) <= 2 + starvation.seconds / 0.03, (starvation.seconds, off)

    asked = time.time()
    checks = await daemon.checks()
    assert checks["one"]["state"] == "up"
    assert 0 <= checks["one"]["last"]["duration_seconds"] <= 0.4 + starvation.seconds
    due = datetime.fromisoformat(checks["one"]["next_run_at"]).timestamp() - by
    assert asked - 0.3 - starvation.seconds < due < time.time() + INTERVAL + 0.1
    assert (await daemon.get("/-/healthy"))[0] == 200
    detail = await daemon.detail("one")
    assert {r["reason"] for r in detail["recent"]} <= {"ok", "monitor_overloaded", "monitor_stalled"}
    assert not daemon.lines("state changed", state="down")
    metrics = await daemon.metrics()
    metrics.assert_adds_up()
    assert metrics.total("monitor_schedule_lag_seconds_sum") < 2 + starvation.seconds
