"""A reload takes over what changed and nothing else; a file with problems changes nothing, and that is seen."""

from __future__ import annotations

import json
import signal
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.servers import certs, tls
from tests.servers.http import HttpServer, answer
from tests.service.conftest import Serve, Start
from tests.service.daemon import Daemon, Metrics, configuration, eventually, running, until

REFUSED = "configuration not reloaded, the old one goes on"
SLOWLY = {"interval": "60s", "timeout": {"connect": "500ms", "read": "500ms", "total": "900ms"}}

LIVE_BLOCKS = Path(__file__).with_name("live_blocks.py")

WORKERS = (0, 2)
"""Each test is run with so many probe workers."""


async def hup(daemon: Daemon, text: str | None = None) -> None:
    """Reload by SIGHUP, and wait until it says that it did."""
    if text is not None:
        daemon.write(text)
    seen = len(daemon.lines("configuration reloaded"))
    daemon.signal(signal.SIGHUP)
    await daemon.logged("configuration reloaded", seen + 1)


def kept(metrics: Metrics, check: str) -> dict[str, float]:
    """The counters of a check."""
    names = ("probe_attempts_total", "probe_latency_seconds_count", "probe_latency_seconds_sum")
    return {name: metrics.total(name, check=check) for name in names}


@pytest.mark.parametrize("way", ["signal", "post"])
async def test_unchanged_checks_do_not_notice(start: Start, target: HttpServer, way: str) -> None:
    same = {"name": "same", "url": target.url("/same"), "labels": {"team": "a"}, **SLOWLY, "interval": "3s"}
    gone = {"name": "gone", "url": target.url("/gone")}
    other = {"name": "other", "url": target.url("/other")}
    daemon = await start(same, gone, other)
    before = (await daemon.until_all_ran())["same"]
    counted = kept(await daemon.metrics(), "same")
    since = before["since"]
    seen = len([r for r in target.requests if r.target == "/same"])

    new = {"name": "new", "url": target.url("/new")}
    text = configuration([new, same, {**other, "url": target.url("/other-now")}])
    await hup(daemon, text) if way == "signal" else await daemon.reload(text)
    checks = await daemon.checks()
    assert list(checks) == ["new", "same", "other"]
    assert checks["same"]["since"] == since
    assert checks["same"]["state"] == "up"
    assert abs(_seconds(checks["same"]["next_run_at"]) - _seconds(before["next_run_at"])) % 3.0 < 0.005
    now = kept(await daemon.metrics(), "same")
    assert now == counted or now["probe_attempts_total"] == counted["probe_attempts_total"] + 1

    checks = await daemon.until_all_ran()
    await until(lambda: any(r.target == "/other-now" for r in target.requests))
    metrics = await daemon.until_metrics(lambda m: m.checks == {"new", "same", "other"})
    assert "gone" not in metrics.text
    assert metrics.value("monitor_config_last_reload_successful") == 1
    metrics.assert_adds_up()
    assert len([r for r in target.requests if r.target == "/same"]) <= seen + 2


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


async def test_a_changed_check_runs_by_its_new_settings(start: Start, target: HttpServer) -> None:
    check: dict[str, Any] = {"name": "one", "url": target.url("/old"), "group": "a"}
    daemon = await start(check)
    await daemon.until_all_ran()
    changed = check | {"url": target.url("/new"), "group": "b", "interval": "2s", "labels": {"x": "y"}}
    assert (await daemon.reload(configuration([changed])))[0] == 200
    count = len(target.requests)
    await until(lambda: len(target.requests) > count + 1)
    assert {r.target for r in target.requests[count + 1 :]} == {"/new"}
    found = (await daemon.checks())["one"]
    assert (found["group"], found["interval_seconds"], found["labels"]) == ("b", 2.0, {"x": "y"})
    metrics = await daemon.metrics()
    assert metrics.value("probe_info", check="one", group="b", x="y") == 1
    assert not metrics.all("probe_success", group="a")


async def test_a_shorter_interval_does_not_forget_what_is_known(start: Start, serve: Serve) -> None:
    """What was conclusive for an interval of 4 s is not too old because the interval is 400 ms now."""
    target = await serve(HttpServer(lambda _: answer(503)))
    name = "name-for-early-3"
    daemon = await start({"name": name, "url": target.url(), **SLOWLY, "interval": "4s"})
    await daemon.until_checks(lambda c: c[name]["state"] == "down")
    # as long as three of the new intervals, and the next run by the old one is not due yet
    await eventually(lambda: _age(daemon, name), lambda age: age > 1.5)
    brief = {"interval": "400ms", "timeout": {"connect": "200ms", "read": "200ms", "total": "300ms"}}
    assert (await daemon.reload(configuration([{"name": name, "url": target.url(), **brief}])))[0] == 200
    assert (await daemon.checks())[name]["state"] == "down"
    count = len(target.requests)
    await until(lambda: len(target.requests) > count + 2)
    detail = await daemon.detail(name)
    assert len(detail["incidents"]) == 1, "one outage became two incidents"


async def _age(daemon: Daemon, name: str) -> float:
    """Seconds since the last run ended."""
    metrics = await daemon.metrics()
    at = metrics.value("probe_last_run_timestamp_seconds", check=name)
    return 0.0 if at is None else time.time() - at


async def test_pausing_and_resuming(start: Start, target: HttpServer) -> None:
    check = {"name": "one", "url": target.url()}
    daemon = await start(check)
    await daemon.until_all_ran()
    assert (await daemon.reload(configuration([check | {"enabled": False}])))[0] == 200
    found = await daemon.checks()
    assert (found["one"]["state"], found["one"]["next_run_at"]) == ("paused", None)
    metrics = await daemon.metrics()
    assert metrics.value("probe_up", check="one") is None
    assert metrics.value("probe_state", check="one", state="paused") == 1
    assert metrics.value("monitor_checks", state="paused") == 1
    count = len(target.requests)
    assert (await daemon.reload(configuration([check])))[0] == 200
    assert (await daemon.checks())["one"]["state"] == "unknown"
    await daemon.until_checks(lambda c: c["one"]["state"] == "up")
    assert len(target.requests) > count


async def test_a_broken_file_changes_nothing_and_is_seen_everywhere(start: Start, target: HttpServer) -> None:
    check = {"name": "one", "url": target.url()}
    daemon = await start(check)
    daemon.tolerated.add(REFUSED)
    before = (await daemon.until_all_ran())["one"]
    loaded = (await daemon.metrics()).value("monitor_config_last_reload_success_timestamp_seconds")
    status, text = await daemon.reload(
        configuration([check | {"intervall": "3s"}, {"name": "two words", "url": "ftp://x"}])
    )
    assert status == 400
    validate = [line for line in text.splitlines() if str(daemon.config) in line]
    assert len(validate) == 3, text
    assert "intervall" in text
    assert "two words" in text

    daemon.signal(signal.SIGHUP)
    await daemon.logged(REFUSED, 2)
    document = await eventually(daemon.status, lambda found: found["monitor"]["config"]["error"])
    assert "intervall" in document["monitor"]["config"]["error"]
    assert "2 more" in document["monitor"]["config"]["error"]
    assert list(document["checks"]) == ["one"]
    assert document["checks"]["one"]["since"] == before["since"]
    await eventually(daemon.page, lambda page: "intervall" in page)
    metrics = await daemon.metrics()
    assert metrics.value("monitor_config_last_reload_successful") == 0
    assert metrics.value("monitor_config_last_reload_success_timestamp_seconds") == loaded
    count = len(target.requests)
    await until(lambda: len(target.requests) > count + 1)

    assert (await daemon.reload(configuration([check])))[0] == 200
    await eventually(daemon.status, lambda found: found["monitor"]["config"]["error"] is None)
    await eventually(daemon.page, lambda page: "intervall" not in page)
    metrics = await daemon.metrics()
    assert metrics.value("monitor_config_last_reload_successful") == 1
    assert (metrics.value("monitor_config_last_reload_success_timestamp_seconds") or 0) > (loaded or 0)


@pytest.mark.parametrize("text", ["nonsense [", "\x00", "[[checks]]\nname = 3\n", "", "[monitor]\n"])
async def test_whatever_the_file_holds_the_daemon_goes_on(start: Start, target: HttpServer, text: str) -> None:
    daemon = await start({"name": "one", "url": target.url()})
    daemon.tolerated.add(REFUSED)
    status, _ = await daemon.reload(text)
    fine = text.startswith("[monitor]")
    assert status == (200 if fine else 400)
    assert (await daemon.get("/-/healthy"))[0] == 200
    await daemon.until_checks(lambda c: len(c) == (0 if fine else 1))


async def test_a_missing_file_is_a_problem_not_an_end(start: Start, target: HttpServer) -> None:
    daemon = await start({"name": "one", "url": target.url()})
    daemon.tolerated.add(REFUSED)
    daemon.config.unlink()
    assert (await daemon.get("/-/reload", method="POST"))[0] == 400
    assert "cannot be read" in (await daemon.status())["monitor"]["config"]["error"]


async def test_json_is_told_in_json(start: Start, target: HttpServer) -> None:
    daemon = await start({"name": "one", "url": target.url()})
    daemon.tolerated.add(REFUSED)
    daemon.write("nonsense [")
    status, text = await daemon.get("/-/reload", method="POST", headers={"Accept": "application/json"})
    assert status == 400
    assert json.loads(text)


async def test_a_changed_secret_file_is_a_change(start: Start, target: HttpServer, tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("first-token\n")
    check = {"name": "one", "url": target.url(), "auth": {"bearer": {"file": str(secret)}}}
    other = {"name": "two", "url": target.url("/two")}
    daemon = await start(check, other)
    await daemon.until_all_ran()
    secret.write_text("second-token\n")
    await hup(daemon)
    assert daemon.lines("configuration reloaded")[-1]["changed"] == 1
    count = len(target.requests)
    await until(lambda: len([r for r in target.requests[count:] if r.target == "/"]) >= 2)
    assert target.requests[-1].target in ("/", "/two")
    last = [r for r in target.requests if r.target == "/"][-1]
    assert last.header("Authorization") == "Bearer second-token"
    secret.unlink()
    daemon.tolerated.add(REFUSED)
    assert (await daemon.reload())[0] == 400
    for said in (daemon.said, await daemon.page(), json.dumps(await daemon.status()), (await daemon.metrics()).text):
        assert "first-token" not in said
        assert "second-token" not in said


async def test_an_env_value_is_the_one_of_the_start(start: Start, target: HttpServer) -> None:
    """No process can change another's environment: a secret that changes while the daemon runs belongs in a file."""
    check = {"name": "one", "url": target.url(), "headers": {"X-Key": {"env": "THE_KEY"}}}
    daemon = await start(check, env={"THE_KEY": "key-of-the-start"})
    await daemon.until_all_ran()
    await hup(daemon)
    assert daemon.lines("configuration reloaded")[-1]["changed"] == 0
    assert target.requests[-1].header("X-Key") == "key-of-the-start"
    assert "key-of-the-start" not in daemon.said + await daemon.page()


async def test_a_changed_authority_file_is_a_change(start: Start, serve: Serve, tmp_path: Path) -> None:
    target = await serve(tls.https())
    ca = tmp_path / "ca.pem"
    ca.write_bytes(certs.stranger().cert_pem.bytes())
    check = {"name": "one", "url": target.url(), "tls": {"ca_file": str(ca)}}
    daemon = await start(check, defaults={"timeout": {"connect": "900ms", "read": "900ms", "total": "900ms"}})
    checks = await daemon.until_checks(lambda c: c["one"]["state"] == "down")
    assert checks["one"]["last"]["reason"] == "tls_untrusted"
    ca.write_bytes(certs.authority().cert_pem.bytes())
    await hup(daemon)
    assert daemon.lines("configuration reloaded")[-1]["changed"] == 1
    await daemon.until_checks(lambda c: c["one"]["state"] == "up")


async def test_settings_of_the_daemon_change_too(start: Start, target: HttpServer) -> None:
    check = {"name": "one", "url": target.url()}
    daemon = await start(check, monitor={"title": "before"})
    await daemon.until_all_ran()
    assert "before" in await daemon.page()
    again = {"title": "after", "latency_buckets": [0.1, 9], "recent_results": 2, "deny_addresses": ["127.0.0.0/8"]}
    assert (await daemon.reload(configuration([check], again)))[0] == 200
    await eventually(daemon.page, lambda page: "after" in page)
    await daemon.until_checks(lambda c: c["one"]["state"] == "down")
    detail = await daemon.detail("one")
    assert detail["last"]["reason"] == "address_denied"
    assert len(detail["recent"]) == 2
    metrics = await daemon.metrics()
    assert {s.labels["le"] for s in metrics.all("probe_latency_seconds_bucket")} == {"0.1", "9.0", "+Inf"}


async def test_a_changed_listen_is_said_to_wait_for_a_restart(tmp_path: Path, target: HttpServer) -> None:
    config = tmp_path / "checks.toml"
    config.write_text(configuration([], {"listen": "127.0.0.1:0"}))
    async with running(config, listen=None) as daemon:
        assert (await daemon.reload(configuration([], {"listen": "127.0.0.2:0"})))[0] == 200
        await daemon.logged("a changed listen takes effect at the next restart")
        assert (await daemon.get("/-/ready"))[0] == 200


async def test_a_hundred_reloads_leak_nothing(start: Start, serve: Serve, ca_path: Path) -> None:
    target = await serve(HttpServer())

    def version(turn: int) -> str:
        checks = [
            {
                "name": f"check-{n}",
                "url": target.url(f"/{n}/{turn}"),  # every check changes every time
                "interval": "5s",
                "expect": {"body": {"contains": "fine"}, "headers": {"Content-Type": {"matches": f"text|{turn}"}}},
            }
            for n in range(25)
        ]
        checks += [{"name": f"only-{turn}-{n}", "url": target.url("/x"), "interval": "5s"} for n in range(5)]
        return configuration(checks)

    few = {"SSL_CERT_FILE": str(ca_path)}  # reading the hundred and more of the system takes longer than all else
    daemon = await start({"name": "first", "url": target.url()}, env=few, first=LIVE_BLOCKS)
    process = psutil.Process(daemon.pid)
    for turn in range(20):
        assert (await daemon.reload(version(turn)))[0] == 200
    blocks, threads, descriptors = await _live_blocks(daemon), process.num_threads(), process.num_fds()
    for turn in range(20, 120):
        assert (await daemon.reload(version(turn)))[0] == 200
    # Checks that are gone stay until the next checkpoint has written their past; each is 50 blocks.
    await eventually(lambda: _live_blocks(daemon), lambda now: now < blocks + 100 * 40, within=20)
    assert process.num_threads() <= threads + 1
    await eventually(lambda: _descriptors(process), lambda n: n <= descriptors + 25)
    metrics = await daemon.metrics()
    assert len(metrics.checks) == 30
    metrics.assert_adds_up()
    await daemon.until_checks(lambda c: all(x["state"] == "up" for x in c.values()))


async def _live_blocks(daemon: Daemon) -> int:
    seen = len(daemon.lines("live blocks"))
    daemon.signal(signal.SIGUSR2)
    return int((await daemon.logged("live blocks", seen + 1))["blocks"])


async def _descriptors(process: psutil.Process) -> int:
    return process.num_fds()


async def test_reloads_that_come_together_are_all_done(start: Start, target: HttpServer) -> None:
    daemon = await start({"name": "one", "url": target.url()})
    for _ in range(20):
        daemon.signal(signal.SIGHUP)
    daemon.write(configuration([{"name": "two", "url": target.url()}]))
    daemon.signal(signal.SIGHUP)
    await daemon.until_checks(lambda c: list(c) == ["two"])
    assert (await daemon.get("/-/healthy"))[0] == 200
