"""The life of the installed service, in order: installed, started, reloaded, hung, stopped, rebooted, removed."""

from __future__ import annotations

import json
import re

import pytest

from tests.systemd.conftest import SECRET
from tests.systemd.container import Container, until

UNIT = "monitor.service"
STATE = "/var/lib/private/monitor"
INSTALL = ("env", "PIP_NO_INDEX=1", "PIP_FIND_LINKS=/srv/wheels", "make", "-C", "/srv/monitor")
CONFIG = "/etc/monitor/checks.toml"
PAGE = "http://127.0.0.1:8420"
NEW_ENOUGH = 253

CHECKS = """
[defaults]
interval = "5s"
timeout = { connect = "1s", read = "4s", total = "5s" }

[[checks]]
name = "shop"
url = "http://127.0.0.1:8000/"
interval = "1s"
timeout = { connect = "500ms", read = "500ms", total = "1s" }
auth = { bearer = { file = "%d/shop-token" } }

[[checks]]
name = "echo"
url = "http://127.0.0.1:8000/"
auth = { bearer = { file = "%d/shop-token" } }
expect = { body = { not_contains = "Authorization" } }
down_after = 1

[[checks]]
name = "slow"
url = "http://127.0.0.1:8000/slow"
"""
ONE_MORE = '\n[[checks]]\nname = "more"\nurl = "http://127.0.0.1:8000/slow"\n'


def version(container: Container) -> int:
    return int(container.run("systemctl", "--version").split()[1])


def pid(container: Container) -> str:
    return container.shown(UNIT, "MainPID")


def status(container: Container) -> str:
    return container.shown(UNIT, "StatusText")


def metrics(container: Container) -> str:
    return container.get(f"{PAGE}/metrics")


def events(container: Container, *options: str) -> list[dict[str, object]]:
    """What the daemon itself logged."""
    lines = container.journal(UNIT, "_TRANSPORT=stdout", *options).splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def listing(container: Container) -> set[str]:
    """Every file that an installation could have touched."""
    return set(container.run("find", "/etc", "/usr", "/opt", "/srv/monitor", "-not", "-name", "*cache*").splitlines())


@pytest.fixture(scope="session")
def untouched(container: Container) -> set[str]:
    return listing(container)


def test_make_install_puts_it_where_systemd_finds_it(container: Container, untouched: set[str]) -> None:
    container.run(*INSTALL, "install")
    assert container.run("/usr/local/bin/monitor", "--version").startswith("monitor ")
    assert container.shown(UNIT, "LoadState") == "loaded"
    assert container.shown(UNIT, "Type") == ("notify-reload" if version(container) >= NEW_ENOUGH else "notify")
    made = {path for path in listing(container) - untouched if "/lib/endpoint-monitor/" not in path}
    assert {p for p in made if p.startswith("/srv")} == set(), "the sources are left as they were"
    dropin = {f"/usr/local/lib/systemd/system/{UNIT}.d", f"/usr/local/lib/systemd/system/{UNIT}.d/before-253.conf"}
    assert dropin.issubset(made) == (version(container) < NEW_ENOUGH)


def test_systemd_finds_it_hardened(container: Container) -> None:
    said = container.run("systemd-analyze", "security", "--offline=true", "--threshold=20", UNIT)
    score = re.search(r"exposure level for .*: ([0-9.]+)", said)
    assert score is not None
    assert float(score[1]) <= 2.0


def test_start_ends_when_it_is_ready(container: Container) -> None:
    container.write(CONFIG, CHECKS)
    container.write("/etc/monitor/secrets/shop-token", f"{SECRET}\n", 0o600)
    container.write(
        f"/etc/systemd/system/{UNIT}.d/secrets.conf",
        "[Service]\nLoadCredential=shop-token:/etc/monitor/secrets/shop-token\n",
    )
    container.run("systemctl", "daemon-reload")
    container.run("systemctl", "enable", "-q", "--now", UNIT)
    assert container.shown(UNIT, "ActiveState") == "active"
    assert container.get(f"{PAGE}/-/ready").strip() == "ready"


def test_status_line_counts_the_states(container: Container) -> None:
    until(lambda: status(container) == "3 checks: 2 up, 1 down")
    assert 'Status: "3 checks: 2 up, 1 down"' in container.run("systemctl", "status", UNIT)


def test_secret_reaches_the_check_and_is_shown_nowhere(container: Container) -> None:
    """The check is up, so the server was sent the secret; another one complains of a body that echoes it."""
    pages = [container.get(PAGE + path) for path in ("/status", "/status.json", "/status/echo", "/metrics")]
    assert all(pages)
    assert {c["name"]: c["state"] for c in json.loads(pages[1])["checks"]}["shop"] == "up"
    told = [container.journal(UNIT), *(container.run("systemctl", verb, UNIT) for verb in ("show", "status"))]
    assert not [text for text in (*pages, *told) if SECRET in text]


def test_an_event_is_one_json_object_on_one_line(container: Container) -> None:
    lines = container.journal(UNIT, "_TRANSPORT=stdout").splitlines()
    assert [line for line in lines if not line.startswith("{")] == []
    found = [json.loads(line)["event"] for line in lines]
    assert found.count("started") == 1
    assert found.count("state changed") == 3


def test_only_its_state_directory_can_be_written(container: Container) -> None:
    main = pid(container)
    user = container.run("stat", "-c", "%u", f"/proc/{main}").strip()
    assert int(user) >= 61184, "a dynamic user"
    inside = ("nsenter", "-t", main, "-m", "-S", user, "-G", user)
    kernel = ["-path", "/proc", "-prune", "-o", "-path", "/sys", "-prune", "-o"]
    found = container.run(*inside, "find", "/", *kernel, "-writable", "-type", "d,f", "-print", ok=False)
    history = {f"{STATE}/monitor.db{ending}" for ending in ("", "-wal", "-shm")}
    assert set(found.splitlines()) - history <= {"/tmp", "/var/tmp", STATE}
    assert f"{STATE}/monitor.db" in found
    container.run(*inside, "touch", "/var/lib/monitor/kept")


def test_its_start_time_is_the_true_one(container: Container) -> None:
    """The hardening hides much of /proc, but not what its own metrics need."""
    (started,) = re.findall(r"^process_start_time_seconds (\S+)", metrics(container), re.MULTILINE)
    now = float(container.run("date", "+%s"))
    assert now - 600 < float(started) <= now + 1


def test_reload_takes_a_good_file(container: Container) -> None:
    before = pid(container)
    container.write(CONFIG, CHECKS + ONE_MORE)
    container.run("systemctl", "reload", UNIT)
    until(lambda: status(container).startswith("4 checks"))
    assert pid(container) == before
    assert container.shown(UNIT, "ActiveState") == "active"


def test_reload_refuses_a_bad_file_and_the_old_one_goes_on(container: Container) -> None:
    before = pid(container)
    container.write(CONFIG, CHECKS.replace('url = "http://127.0.0.1:8000/slow"', 'ulr = "http://127.0.0.1:8000/slow"'))
    container.run("systemctl", "reload", UNIT)
    until(lambda: "configuration not reloaded: " in status(container))
    assert f"{CONFIG}:" in status(container)
    assert status(container).startswith("4 checks")
    assert pid(container) == before
    assert container.shown(UNIT, "ActiveState") == "active"
    assert "ulr" in str(events(container)[-1]["problems"])
    container.write(CONFIG, CHECKS)
    container.run("systemctl", "reload", UNIT)
    until(lambda: status(container).startswith("3 checks") and "not reloaded" not in status(container))


def test_hung_daemon_is_killed_by_the_watchdog_and_started_again(container: Container) -> None:
    before = pid(container)
    container.run("sh", "-c", f"kill -STOP {before}")
    until(lambda: container.shown(UNIT, "NRestarts") == "1" and container.shown(UNIT, "ActiveState") == "active", 90)
    assert pid(container) != before
    journal = container.journal(UNIT)
    assert "Watchdog timeout" in journal
    assert "Fatal Python error: Aborted" in journal, "it says where it hung"
    until(lambda: status(container) == "3 checks: 2 up, 1 down")


def test_stop_lets_runs_end(container: Container) -> None:
    until(lambda: re.search(r"^monitor_checks_in_flight [1-9]", metrics(container), re.MULTILINE))
    container.run("systemctl", "stop", UNIT)
    assert container.shown(UNIT, "Result") == "success"
    assert container.shown(UNIT, "ExecMainStatus") == "0"
    last = events(container)[-1]
    assert last["event"] == "stopped"
    assert last["cancelled"] == 0


def test_start_with_a_bad_file_fails_once_and_says_why(container: Container) -> None:
    container.write(CONFIG, CHECKS + '[[checks]]\nname = "shop"\nurl = "http://127.0.0.1:8000/"\n')
    assert container.ended("systemctl", "start", UNIT).returncode != 0
    assert container.shown(UNIT, "ActiveState") == "failed"
    assert container.shown(UNIT, "ExecMainStatus") == "2"
    assert container.shown(UNIT, "NRestarts") == "0"
    assert f"{CONFIG}:" in container.journal(UNIT, "-n", "20")
    container.write(CONFIG, CHECKS)
    container.run("systemctl", "start", UNIT)


def test_killed_daemon_is_started_again(container: Container) -> None:
    before = pid(container)
    container.run("sh", "-c", f"kill -KILL {before}")
    until(lambda: pid(container) not in (before, "0") and container.shown(UNIT, "ActiveState") == "active")


def test_probe_workers_live_under_the_hardening(container: Container) -> None:
    container.write(CONFIG, f"[monitor]\nworkers = 2\n{CHECKS}")
    container.run("systemctl", "restart", UNIT)
    until(lambda: status(container) == "3 checks: 2 up, 1 down")
    main = pid(container)
    killed, other = container.run("cat", f"/proc/{main}/task/{main}/children").split()
    container.run("sh", "-c", f"kill -KILL {killed}")
    until(lambda: re.search(r"^monitor_worker_restarts_total\{.*\} 1\.0$", metrics(container), re.MULTILINE))
    until(lambda: len(re.findall(r"^monitor_worker_up\{.*\} 1\.0$", metrics(container), re.MULTILINE)) == 2)
    container.run("systemctl", "stop", UNIT)
    assert container.shown(UNIT, "Result") == "success"
    assert container.ended("sh", "-c", f"kill -0 {other}").returncode != 0
    container.write(CONFIG, CHECKS)
    container.run("systemctl", "start", UNIT)


def test_upgrade_keeps_the_configuration(container: Container) -> None:
    container.run(*INSTALL, "install")
    assert (container.root / CONFIG.lstrip("/")).read_text() == CHECKS
    container.run("systemctl", "restart", UNIT)
    until(lambda: status(container) == "3 checks: 2 up, 1 down")


def test_reboot_starts_it_again(container: Container) -> None:
    container.reboot()
    until(lambda: status(container) == "3 checks: 2 up, 1 down", 60)
    assert (container.root / "var/lib/private/monitor/kept").exists()


def test_uninstall_leaves_what_the_operator_wrote(container: Container, untouched: set[str]) -> None:
    said = container.ended(*INSTALL, "uninstall")
    assert said.returncode == 0, said.stderr
    assert f"Kept, as you changed it: {CONFIG}" in said.stderr
    assert container.shown(UNIT, "LoadState") != "loaded"
    secrets = {f"/etc/systemd/system/{UNIT}.d", f"/etc/systemd/system/{UNIT}.d/secrets.conf"}
    own = {"/etc/monitor", CONFIG, "/etc/monitor/secrets", "/etc/monitor/secrets/shop-token"}
    assert listing(container) - untouched == secrets | own
    assert untouched - listing(container) == set()


def test_package_made_with_destdir_runs_at_its_final_place(container: Container) -> None:
    """As a packager does it: nothing of the staging place is written into the files, and none of them is elsewhere."""
    before = listing(container)
    newest = f"SYSTEMD_VERSION={version(container)}"
    container.run(*INSTALL, "install", "DESTDIR=/tmp/stage", "PREFIX=/usr", newest)
    assert listing(container) == before
    assert container.ended("grep", "-rl", "/tmp/", "/tmp/stage/usr/lib/endpoint-monitor/bin").stdout == ""
    assert container.ended("grep", "-rlE", "/tmp/(stage|tmp)", "/tmp/stage").stdout == ""
    container.run("cp", "-a", "/tmp/stage/usr", "/")
    container.run("rm", "-r", "/tmp/stage")
    container.run("systemctl", "daemon-reload")
    container.run("systemctl", "start", UNIT)
    until(lambda: status(container) == "3 checks: 2 up, 1 down")
    container.run(*INSTALL, "uninstall", "PREFIX=/usr")
    assert listing(container) == before
