"""The whole daemon behind TLS and logins: over its life, with a real Prometheus, and without a secret to be seen."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import encode_basic_auth

from tests.project.conftest import promtool
from tests.project.markdown import blocks
from tests.servers import certs
from tests.servers.http import HttpServer
from tests.service.conftest import Start
from tests.service.daemon import ROOT, RUN, Daemon, configuration, environment, eventually, launch
from tests.service.prometheus import Web, prometheus_of
from tests.terminal.program import monitor

__all__ = ["promtool"]

PASSWORD, TOKEN = "correct horse battery", "7e1cd3a4f0b84c2f9a6d5e8b1c3f7a90"
HASH = "scrypt:16384:8:1:jACyu_2hwLmygxLy4aFJnA:SNDO-e-oBLDAccxgXDheQWdLoeb6WEmuP8iN9QCrY7o"
ACCESS = {
    "users": [{"name": "anna", "password": HASH, "may": ["view", "write"]}],
    "tokens": [{"name": "prometheus", "token": {"env": "METRICS_TOKEN"}, "may": ["metrics"]}],
}
ENV = {"METRICS_TOKEN": TOKEN}
ANNA = {"Authorization": encode_basic_auth("anna", PASSWORD)}
BEARER = {"Authorization": f"Bearer {TOKEN}"}
PAGE = ROOT / "docs" / "access.md"
JOBS = [block for block in blocks(PAGE, "yaml") if "scrape_configs" in block.text]
REFUSED = "certificate not reloaded, the old one goes on"


def certificate(folder: Path, subject: str) -> dict[str, str]:
    """Write a pair, and say where, as [monitor.tls] wants it."""
    folder.mkdir(exist_ok=True)
    cert, key = certs.issue(subject=subject).write(folder)
    return {"cert_file": str(cert), "key_file": str(key)}


def mismatched(pair: dict[str, str], subject: str) -> None:
    """Leave the certificate, and give it the key of another one."""
    Path(pair["key_file"]).write_bytes(certs.issue(subject=subject).key)


def trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    certs.authority().configure_trust(context)
    return context


async def get(daemon: Daemon, path: str, method: str = "GET", **headers: str) -> tuple[int, str]:
    """Status and body over TLS; 0 if there is no answer."""
    url = f"https://{daemon.address}{path}"
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session,
            session.request(method, url, headers=headers, ssl=trusting()) as answer,
        ):
            return answer.status, await answer.text()
    except aiohttp.ClientConnectionError as error:
        return 0, str(error)


async def shown(daemon: Daemon) -> str:
    host, _, port = daemon.address.rpartition(":")
    _, writer = await asyncio.open_connection(host, int(port), ssl=trusting())
    subject = writer.get_extra_info("peercert")["subject"]
    writer.close()
    return str(dict(pair for (pair,) in subject)["commonName"])


def scraping(folder: Path, daemon: Daemon) -> contextlib.AbstractAsyncContextManager[Web]:
    """A Prometheus with both jobs of the documentation, at a quicker pace."""
    first, second = JOBS
    job = first.text + second.text.replace("job_name: monitor", "job_name: second").replace("scrape_configs:\n", "")
    (folder / "token").write_text(TOKEN)
    (folder / "password").write_text(PASSWORD)
    (folder / "ca.pem").write_bytes(certs.authority().cert_pem.bytes())
    job = job.replace("monitor.example.com:8420", daemon.address).replace("/etc/prometheus/", f"{folder}/")
    assert daemon.address in job
    return prometheus_of(folder, "global: { scrape_interval: 1s, scrape_timeout: 1s }\n" + job)


@pytest.fixture
def brisk(tmp_path: Path) -> Path:
    """The daemon looks at files ten times a second."""
    code = tmp_path / "sitecustomize.py"
    code.write_text("from monitor.system import file_watch; file_watch.PERIOD = 0.1")
    return code


async def test_a_daemon_behind_tls_and_logins_from_its_start_to_its_end(
    start: Start, target: HttpServer, tmp_path: Path, brisk: Path
) -> None:
    tls = certificate(tmp_path / "pair", "first")
    daemon = await start(
        {"name": "shop", "url": f"http://127.0.0.1:{target.port}/"},
        monitor={"access": ACCESS, "tls": tls},
        env=ENV,
        first=brisk,
    )
    assert daemon.address.startswith("127.0.0.1:")
    assert not daemon.address.endswith(":0")
    assert (await get(daemon, "/-/ready"))[0] == 200
    assert (await get(daemon, "/status"))[0] == 401
    assert (await get(daemon, "/metrics", **BEARER))[0] == 200
    assert (await get(daemon, "/status", **BEARER))[0] == 403

    async def result() -> str:
        return (await get(daemon, "/status.json", **ANNA))[1]

    await eventually(result, lambda text: '"state":"up"' in text)
    certificate(tmp_path / "pair", "second")
    await eventually(lambda: shown(daemon), lambda name: name == "second")
    await daemon.logged("certificate reloaded")
    mismatched(tls, "third")
    daemon.tolerated.add(REFUSED)
    assert "does not belong to the certificate" in (await daemon.logged(REFUSED))["problem"]
    assert await shown(daemon) == "second"
    assert "the new certificate of this listener is not in force" in (await get(daemon, "/status", **ANNA))[1]
    assert (await get(daemon, "/-/reload", "POST", **ANNA))[0] == 400
    daemon.tolerated.add("configuration not reloaded, the old one goes on")
    certificate(tmp_path / "pair", "third")
    await eventually(lambda: shown(daemon), lambda name: name == "third")
    assert (await get(daemon, "/-/reload", "POST", **ANNA))[0] == 200
    assert await daemon.stop() == 0


async def test_a_reload_takes_over_logins_and_other_files_but_not_tls_itself(start: Start, tmp_path: Path) -> None:
    tls = certificate(tmp_path / "one", "first")
    daemon = await start(monitor={"access": ACCESS, "tls": tls}, env=ENV)
    other = certificate(tmp_path / "two", "second")
    daemon.write(configuration([], {"access": {"anonymous": ["view"]}, "tls": other}))
    daemon.signal(signal.SIGHUP)
    await daemon.logged("configuration reloaded")
    assert await shown(daemon) == "second"
    assert (await get(daemon, "/status"))[0] == 200
    assert (await get(daemon, "/metrics", **BEARER))[0] == 403
    daemon.write(configuration([], {}))
    daemon.signal(signal.SIGHUP)
    await daemon.logged("TLS is switched on or off at the next restart")
    assert (await get(daemon, "/-/healthy"))[0] == 200


async def test_a_watched_certificate_is_loaded_once_where_the_configuration_is_watched_too(
    start: Start, tmp_path: Path, brisk: Path
) -> None:
    tls = certificate(tmp_path / "pair", "first")
    daemon = await start(monitor={"tls": tls, "reload_on_change": True}, first=brisk)
    certificate(tmp_path / "pair", "second")
    await daemon.logged("configuration reloaded")
    await daemon.logged("certificate reloaded")
    assert await shown(daemon) == "second"
    assert (await get(daemon, "/-/reload", "POST"))[0] == 200
    assert len(daemon.lines("certificate reloaded")) == 1


async def test_a_pair_that_does_not_fit_is_a_problem_of_the_configuration(tmp_path: Path) -> None:
    tls = certificate(tmp_path / "pair", "first")
    mismatched(tls, "second")
    config = tmp_path / "checks.toml"
    config.write_text(configuration([], {"tls": tls}))
    daemon = await launch(config)
    assert await daemon.ended() == 2
    assert daemon.noise[0].endswith("checks.toml:2: monitor.tls.key_file: the key does not belong to the certificate")


@pytest.mark.parametrize(("listen", "warned"), [("127.0.0.1:0", False), ("0.0.0.0:0", True), ("[::]:0", True)])
async def test_listening_beyond_loopback_without_access_control_is_warned_of(
    start: Start, listen: str, warned: bool
) -> None:
    if listen.startswith("[") and not ipv6():
        pytest.skip("this machine has no IPv6")
    daemon = await start(listen=listen)
    lines = daemon.lines("listening beyond loopback without access control", level="warning")
    assert [line["listen"] for line in lines] == ([daemon.address] if warned else [])
    daemon.address = daemon.address.replace("0.0.0.0", "127.0.0.1").replace("[::]", "[::1]")
    assert bool((await daemon.status())["monitor"]["troubles"]) is warned
    assert (await daemon.reload(configuration([], {"access": {"anonymous": ["view", "metrics"]}})))[0] == 200
    assert (await daemon.status())["monitor"]["troubles"] == []


def ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


async def test_no_secret_is_seen_anywhere(start: Start, target: HttpServer, tmp_path: Path) -> None:
    """Not where they are configured, nor where a target or a client sends them."""
    leaky = f"http://127.0.0.1:{target.port}/{TOKEN}/{HASH.rsplit(':', maxsplit=1)[-1]}"
    daemon = await start(
        {"name": "shop", "url": f"http://127.0.0.1:{target.port}/"},
        monitor={
            "access": ACCESS | {"anonymous": ["view", "metrics", "write"]},
            "log": {"access": True, "level": "debug"},
        },
        env=ENV,
    )
    await daemon.until_all_ran()
    seen = [
        (await daemon.get(path, headers=ANNA))[1] for path in ("/status", "/status.json", "/status/shop", "/metrics")
    ]
    await daemon.get(f"/{TOKEN}", headers=BEARER)
    daemon.tolerated.add("configuration not reloaded, the old one goes on")
    wrong = ACCESS | {"users": [{"name": "b", "password": PASSWORD, "may": ["view"]}]}
    seen.append((await daemon.reload(configuration([], {"access": wrong})))[1])
    daemon.write(configuration([{"name": "other", "url": leaky}], {"access": ACCESS, "x": TOKEN}))
    seen.append((await daemon.get("/-/reload", method="POST"))[1])
    validated = await monitor("validate", "-c", daemon.config, env=ENV)
    assert validated.code == 2
    everything = "\n".join([*seen, daemon.said, validated.out, validated.err])
    for secret in (PASSWORD, TOKEN, HASH, HASH.rsplit(":", maxsplit=1)[-1], ANNA["Authorization"].split()[1]):
        assert secret not in everything


async def test_a_real_prometheus_scrapes_by_the_documented_jobs(start: Start, tmp_path: Path) -> None:
    users = [{"name": "prometheus-login", "password": HASH, "may": ["metrics"]}]
    tls = certificate(tmp_path / "pair", "first")
    daemon = await start(monitor={"access": ACCESS | {"users": users}, "tls": tls}, env=ENV)
    async with scraping(tmp_path, daemon) as prometheus:
        found = await eventually(lambda: prometheus.query("up == 1"), lambda found: len(found) == 2)
    assert {series["metric"]["job"] for series in found} == {"monitor", "second"}


@pytest.mark.parametrize("block", JOBS, ids=lambda block: block.place)
def test_prometheus_takes_the_documented_jobs(block: Any, tmp_path: Path, promtool: str) -> None:
    for name in ("token", "password", "ca.pem"):
        (tmp_path / name).write_text("x")
    path = tmp_path / "prometheus.yml"
    path.write_text(block.text.replace("/etc/prometheus/", f"{tmp_path}/"))
    ended = subprocess.run(
        [promtool, "check", "config", "--syntax-only", path], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("block", list(blocks(PAGE, "toml")), ids=lambda block: block.place)
async def test_the_documented_configurations_are_valid(block: Any, tmp_path: Path) -> None:
    for name in ("monitor.pem", "monitor.key"):
        cert, key = certs.issue().write(tmp_path)
        (tmp_path / name).write_bytes((cert if name.endswith("pem") else key).read_bytes())
    (tmp_path / "checks.toml").write_text(block.text.replace("/etc/monitor/tls/", ""))
    hashes = dict.fromkeys(("ANNA_HASH", "OPS_HASH"), HASH)
    env = hashes | {"METRICS_TOKEN": TOKEN, "DEPLOY_TOKEN": TOKEN}
    ended = await monitor("validate", "-c", tmp_path / "checks.toml", env=env)
    assert ended.code == 0, ended.out


# hash-password


def ask(given: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "monitor", "hash-password"],
        env=environment(),
        input=given,
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize(
    "given",
    [b"caf\xc3\xa9 \xf0\x9f\x90\x8e\n", b"caf\xc3\xa9 \xf0\x9f\x90\x8e", b"caf\xc3\xa9 \xf0\x9f\x90\x8e\r\nmore\n"],
)
def test_a_password_on_standard_input_is_hashed(given: bytes) -> None:
    from monitor.secrets.passwords import parse

    done = ask(given)
    assert (done.returncode, done.stderr) == (0, b"")
    kept = parse(done.stdout.decode().strip())
    assert kept is not None
    assert kept.matches("caf\u00e9 \U0001f40e")


@pytest.mark.parametrize("given", [b"", b"\n"])
def test_no_password_is_bad_usage(given: bytes) -> None:
    done = ask(given)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"there is no password on standard input" in done.stderr


def test_a_password_is_no_argument() -> None:
    done = subprocess.run(
        [*RUN, "hash-password", "secret"], env=environment(), input=b"", capture_output=True, check=False
    )
    assert done.returncode == 2


def test_at_a_terminal_it_is_asked_for_twice_and_not_shown() -> None:
    import os
    import pty

    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(sys.executable, [sys.executable, "-m", "monitor", "hash-password"], environment())
    shown_there = b""
    try:
        for prompt in (b"Password: ", b"Once more: "):
            while prompt not in shown_there:
                shown_there += os.read(terminal, 1024)
            os.write(terminal, b"correct horse\n")
        with contextlib.suppress(OSError):  # EIO: the other end is closed
            while more := os.read(terminal, 1024):
                shown_there += more
    finally:
        os.close(terminal)
        _, code = os.waitpid(pid, 0)
    assert code == 0
    assert b"correct horse" not in shown_there
    assert b"$scrypt$ln=14,r=8,p=1$" in shown_there
