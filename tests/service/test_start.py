"""The beginning: the address is known, and every check has run once its interval is over, each at its own time."""

from __future__ import annotations

import math
import time
from datetime import datetime
from pathlib import Path

import psutil
import pytest

from monitor.rules.due import fraction_of
from tests.servers.http import HttpServer, Request, ok
from tests.servers.tcp import closed_port
from tests.service.conftest import Serve, Start
from tests.service.daemon import Daemon, configuration, launch, until
from tests.starvation import Starvation

COUNT = 50
INTERVAL = 2.0
NEAR = 0.15
"""Seconds by which a noisy machine may be late."""


class Clocked(HttpServer):
    """A target that knows when each path was asked for, and how many requests were open at once for one path."""

    def __init__(self, delay: float = 0.0) -> None:
        super().__init__(self._respond)
        self.times: dict[str, list[float]] = {}

    def _respond(self, request: Request) -> bytes:
        self.times.setdefault(request.target.strip("/"), []).append(time.monotonic())
        return ok()

    def spread(self) -> float:
        """How far apart the starts of the schedule are that the first runs betray, whole intervals left aside.

        The first offsets may pass while the daemon still reads certificates; those checks begin one interval later.
        """
        starts = [times[0] - fraction_of(name) * INTERVAL for name, times in self.times.items()]
        apart = [(start - starts[0] + INTERVAL / 2) % INTERVAL for start in starts]
        return max(apart) - min(apart)


def many(target: HttpServer) -> list[dict[str, object]]:
    return [
        {"name": f"check-{n}", "url": target.url(f"/check-{n}"), "interval": f"{INTERVAL:g}s"} for n in range(COUNT)
    ]


async def test_every_check_runs_within_its_first_interval_at_a_time_of_its_own(start: Start, serve: Serve) -> None:
    target = await serve(Clocked())
    daemon = await start(*many(target))
    starvation = Starvation(daemon.pid)
    await daemon.until_all_ran()
    elapsed = max(times[0] for times in target.times.values()) - daemon.started
    starved = starvation.seconds
    assert elapsed < INTERVAL + NEAR + 0.2 + starved, (elapsed, starved)
    assert len(target.times) == COUNT
    assert target.spread() < NEAR + starved
    metrics = await daemon.metrics()
    metrics.assert_adds_up()
    assert metrics.value("monitor_checks", state="up") == COUNT


@pytest.mark.parametrize("count", [0, 2])
async def test_due_times_are_the_same_after_a_restart(start: Start, serve: Serve, count: int) -> None:
    """As the daemon says to the millisecond, and as its target sees it, later by what the machine is.

    In Unix time they are multiples of the interval, plus the fraction of it that the name gives.
    """
    for _ in range(2):
        target = await serve(Clocked())
        daemon = await start(*many(target)[:12], monitor={"workers": count})
        starvation = Starvation(daemon.pid, *(child.pid for child in psutil.Process(daemon.pid).children()))
        await until(lambda target=target: len(target.times) == 12)
        assert target.spread() < NEAR + starvation.seconds
        off = [
            math.remainder(
                datetime.fromisoformat(check["next_run_at"]).timestamp() - fraction_of(name) * INTERVAL, INTERVAL
            )
            for name, check in (await daemon.checks()).items()
        ]
        assert max(map(abs, off)) < 0.005, off
        await daemon.stop()


async def test_runs_are_due_on_a_grid_that_does_not_drift(start: Start, serve: Serve) -> None:
    target = await serve(Clocked())
    names = [f"fast-{n}" for n in range(4)]
    daemon = await start(
        *({"name": n, "url": target.url(f"/{n}"), "interval": "250ms"} for n in names),
        defaults={"timeout": {"connect": "200ms", "read": "200ms", "total": "240ms"}},
    )
    starvation = Starvation(daemon.pid)
    await until(lambda: min((len(t) for t in target.times.values()), default=0) >= 15)
    late = 2 * starvation.seconds / sum(map(len, target.times.values()))
    await daemon.stop()
    for name in names:
        off = [(at - target.times[name][0] + 0.125) % 0.25 - 0.125 for at in target.times[name]]
        middle = sorted(off)[len(off) // 2]
        near = [o for o in off if abs(o - middle) < 0.02 + late]  # a noisy machine delays some
        assert len(near) > len(off) * 0.6, off


async def test_one_request_per_interval_on_a_connection_of_its_own(start: Start, target: HttpServer) -> None:
    daemon = await start({"name": "one", "url": target.url("/")})
    await until(lambda: len(target.requests) >= 4)
    await daemon.stop()
    assert len(target.requests) == target.connections
    assert [r.connection for r in target.requests] == list(range(1, target.connections + 1))
    assert len(daemon.lines("state changed")) == 1


async def test_a_bound_port_of_the_kernels_choice_is_said_everywhere(start: Start, target: HttpServer) -> None:
    daemon = await start({"name": "one", "url": target.url()})
    host, _, port = daemon.address.rpartition(":")
    assert host == "127.0.0.1"
    assert int(port) > 0
    assert (await daemon.status())["monitor"]["listen"] == daemon.address
    for path in ("/-/ready", "/-/healthy"):
        assert (await daemon.get(path))[0] == 200
    (line,) = daemon.lines("started")
    assert (line["checks"], line["config"]) == (1, str(daemon.config))


async def test_listen_of_the_configuration_holds_without_the_option(tmp_path: Path) -> None:
    config = tmp_path / "checks.toml"
    config.write_text(configuration([], {"listen": "127.0.0.1:0"}))
    daemon = await launch(config, listen=None)
    try:
        await daemon.up()
        assert (await daemon.get("/-/ready"))[0] == 200
        assert (await daemon.status())["checks"] == {}
    finally:
        await daemon.close()


async def _refused(config: Path, listen: str = "127.0.0.1:0") -> Daemon:
    daemon = await launch(config, listen=listen)
    assert await daemon.ended() == 2
    assert "Traceback" not in daemon.said
    return daemon


async def test_an_address_in_use_is_a_sentence_and_exit_2(tmp_path: Path, target: HttpServer) -> None:
    config = tmp_path / "checks.toml"
    config.write_text(configuration([]))
    daemon = await _refused(config, target.address)
    assert daemon.noise == [f"monitor: cannot listen on {target.address}: another process listens there already"]


@pytest.mark.parametrize("listen", ["192.0.2.1:0", "127.0.0.1:70000", "nonsense"])
async def test_an_impossible_address_is_a_sentence_and_exit_2(tmp_path: Path, listen: str) -> None:
    config = tmp_path / "checks.toml"
    config.write_text(configuration([]))
    daemon = await _refused(config, listen)
    assert daemon.noise


async def test_a_bad_configuration_is_all_its_problems_and_exit_2(tmp_path: Path) -> None:
    config = tmp_path / "checks.toml"
    config.write_text('[monitor]\ntitel = "x"\n[[checks]]\nname = "a b"\nurl = "ftp://x"\n')
    daemon = await _refused(config)
    said = "\n".join(daemon.noise)
    for line, key in ((2, "titel"), (4, "name"), (5, "url")):
        assert f"{config}:{line}: " in said
        assert key in said


async def test_a_missing_configuration_is_a_sentence_and_exit_2(tmp_path: Path) -> None:
    daemon = await _refused(tmp_path / "none.toml")
    assert "none.toml" in daemon.noise[0]


async def test_a_target_that_refuses_is_refused(start: Start) -> None:
    with closed_port() as port:
        daemon = await start({"name": "gone", "url": f"http://127.0.0.1:{port}/"})
        checks = await daemon.until_all_ran()
    assert checks["gone"]["state"] == "down"
    assert checks["gone"]["last"]["reason"] == "refused"
