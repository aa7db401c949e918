"""Checks of several protocols in one daemon: their metrics beside a real blackbox_exporter, their JSON, their pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.protocols.test_tcp import says, starttls
from tests.servers import certs
from tests.servers.http import HttpServer
from tests.servers.tcp import Connection, Server, closed_port
from tests.service.conftest import Serve, Start
from tests.service.prometheus import blackbox

COMPARED = {
    "probe_success", "probe_failed_due_to_regex", "probe_ip_protocol", "probe_ssl_earliest_cert_expiry",
    "probe_ssl_last_chain_expiry_timestamp_seconds", "probe_tls_version_info",
}  # fmt: skip
BANNER = [{"expect": r"^SSH-2\.0-(?P<software>\S+)", "labels": {"software": "${software}"}}]
MAIL = [
    {"expect": "^220 "}, {"send": "STARTTLS\r\n"}, {"expect": "^220 ", "starttls": True}, {"expect": "^250 secure"},
]  # fmt: skip
THEIRS: dict[str, dict[str, Any]] = {
    "connect": {},
    "banner": {"query_response": [{"expect": r"^SSH-2\.0-(?P<software>\S+)"}]},  # labels came with 0.24
    "wrong": {"query_response": [{"expect": "^220 "}]},
    "mail": {
        "query_response": [
            {"expect": "^220 "}, {"send": "STARTTLS\r"}, {"expect": "^220 "},
            {"starttls": True}, {"expect": "^250 secure"},
        ]
    },
    "ldaps": {"tls": True},
    "refused": {},
}  # fmt: skip


async def turns_away(connection: Connection) -> None:
    await connection.send(b"421 busy\r\n")


async def mute(connection: Connection) -> None:
    await connection.hold()


async def test_the_metrics_are_those_of_blackbox_exporter(
    start: Start, serve: Serve, target: HttpServer, ca_path: Path, tmp_path: Path
) -> None:
    context = certs.server_context(certs.issue("127.0.0.1"))
    ssh, busy = await serve(Server(says(b"SSH-2.0-OpenSSH_9.2\r\n"))), await serve(Server(turns_away))
    mail, ldaps = await serve(Server(starttls(context))), await serve(Server(mute, tls=context))
    with closed_port() as closed:
        places = {
            "connect": ssh.address, "banner": ssh.address, "wrong": busy.address, "mail": mail.address,
            "ldaps": ldaps.address, "refused": f"127.0.0.1:{closed}",
        }  # fmt: skip
        steps = {"banner": BANNER, "wrong": [{"expect": "^220 "}], "mail": MAIL}
        checks = [
            {
                "name": name,
                "url": f"{'tls' if name == 'ldaps' else 'tcp'}://{place}",
                "tls": {"ca_file": str(ca_path)},
                **({"tcp": {"dialogue": steps[name]}} if name in steps else {}),
            }
            for name, place in places.items()
        ]
        daemon = await start(*checks, {"name": "web", "url": target.url()})
        found = await daemon.until_checks(
            lambda c: all(one["last"] and one["state"] != "unknown" for one in c.values())
        )
        ours = await daemon.metrics()
        modules = {
            name: {"prober": "tcp", "timeout": "2s", "tcp": {"tls_config": {"ca_file": str(ca_path)}, **keys}}
            for name, keys in THEIRS.items()
        }
        async with blackbox(tmp_path, modules) as exporter:
            theirs = {name: await exporter.probe(place, name) for name, place in places.items()}
    for name, samples in theirs.items():
        mine = {(s.name, *_labels(s.labels), s.value) for s in ours.all_of(name) if s.name in COMPARED}
        other = {(s.name, *_labels(s.labels), s.value) for s in samples.samples if s.name in COMPARED}
        if name == "ldaps":  # theirs has the regex's family for every probe over TCP
            other = {sample for sample in other if sample[0] != "probe_failed_due_to_regex"}
        if name == "refused":
            other = {s for s in other if s[0] != "probe_ip_protocol"}
            mine = {s for s in mine if s[0] != "probe_ip_protocol"}
        assert mine == other, name
        assert not [s for s in ours.all_of(name) if s.name.startswith("probe_http_")], name
    assert ours.value("probe_http_status_code", check="web") == 200
    assert found["wrong"]["last"]["reason"] == "unexpected_data"
    assert (found["mail"]["state"], found["ldaps"]["state"], found["web"]["state"]) == ("up", "up", "up")
    assert ours.value("probe_expect_info", check="banner", software="OpenSSH_9.2") == 1
    assert found["banner"]["last"]["answer"] == {
        "steps": 1, "done": 1, "bytes": 21, "labels": {"software": "OpenSSH_9.2"},
    }  # fmt: skip
    assert (found["banner"]["last"]["status_code"], found["web"]["last"]["answer"]) == (None, None)
    status, page = await daemon.get("/status/wrong", headers={"Accept": "text/html"})
    assert status == 200
    assert "421 busy" in page
    assert "tcp.dialogue 1" in page
    assert (await daemon.get("/status/ldaps", headers={"Accept": "text/html"}))[0] == 200
    assert {o for o in ("http_error",) if ours.all("probe_failures_total", check="wrong", outcome=o)} == set()
    assert ours.value("probe_failures_total", check="wrong", outcome="unexpected_answer") >= 1


def _labels(labels: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((k, v) for k, v in labels.items() if k not in ("check", "group")))
