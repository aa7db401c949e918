"""«Copy as command»: what is copied repeats the check, and holds nothing secret."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from monitor.cli import commands
from monitor.config import parse_check
from monitor.model.spec import CheckSpec
from monitor.protocols.http.words import unsaid
from monitor.terminal.request import check_of
from monitor.web.commands import curl_command, probe_command

CHECKS: dict[str, dict[str, Any]] = {
    "plain": {"url": "https://shop.test/health"},
    "request": {
        "url": "https://shop.test/it's",
        "method": "PUT",
        "headers": {"Accept": "application/json", "X-Mode": "a b; $c"},
        "body": "it's a body",
    },
    "limits": {"url": "http://shop.test/", "timeout": {"connect": 1.5, "read": 2, "total": 9}},
    "answer": {
        "url": "http://shop.test/",
        "expect": {"status": ["2xx", 404], "body": {"contains": "fine"}},
        "max_redirects": 3,
    },
    "no redirects": {"url": "http://shop.test/", "follow_redirects": False},
    "TLS": {
        "url": "https://shop.test/",
        "tls": {"verify": False, "server_name": "inner.test", "min_version": "1.3"},
    },
    "TLS, older": {"url": "https://shop.test/", "tls": {"max_version": "1.2", "ciphers": "ECDHE+AESGCM"}},
    "way": {
        "url": "https://shop.test/",
        "ip_version": 4,
        "resolver": ["192.0.2.53:53", "192.0.2.54"],
        "connect_to": "192.0.2.7:8443",
        "source_address": "192.0.2.9",
        "proxy": "http://proxy.test:3128",
    },
    "IPv6": {"url": "https://shop.test/", "connect_to": "[2001:db8::7]:8443"},
}


def repeated(command: str) -> CheckSpec:
    """The check that `monitor probe` makes of the command."""
    words = shlex.split(command)
    assert words[:2] == ["monitor", "probe"]
    probe = commands.commands["probe"]
    options = probe.make_context("probe", words[2:]).params
    url = options.pop("url")
    for name in ("config", "as_json"):
        options.pop(name)
    return check_of(url, options, probe)


@pytest.mark.parametrize("name", CHECKS)
def test_command_repeats_the_check(name: str) -> None:
    spec = parse_check({"timeout": {"connect": 5, "read": 10, "total": 15}, **CHECKS[name]}, "test")
    assert repeated(probe_command(spec)) == spec
    assert unsaid(spec) == []
    assert shlex.split(curl_command(spec))[-1] == spec.target


def test_nothing_secret_is_in_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "hunter2-token")
    secret = {"env": "TOKEN"}
    for raw in (
        {"auth": {"bearer": secret}},
        {"auth": {"basic": {"username": "anna", "password": "hunter2-token"}}},
        {"headers": {"X-Key": secret}},
        {"body": secret},
        {"url": "https://anna:hunter2-token@shop.test/?key=hunter2-token"},
        {"proxy": "http://anna:hunter2-token@proxy.test:3128"},
        {"expect": {"body": {"contains": secret}}},
    ):
        spec = parse_check({"url": "https://shop.test/hunter2-token", **raw}, "test")
        for command in (probe_command(spec), curl_command(spec)):
            assert "hunter2" not in command.replace("/hunter2-token", "")
            assert "***" in command or "contains" in str(raw)


def test_what_probe_has_no_option_for_is_said() -> None:
    spec = parse_check({"url": "http://shop.test/", "expect": {"json": {"$.a": 1}, "latency": "1s"}}, "test")
    assert unsaid(spec) == ["expect.json", "expect.latency"]
