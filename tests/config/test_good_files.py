"""Every file in good/ loads, and each key arrives in the specs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from ipaddress import ip_network
from pathlib import Path

import pytest

from monitor.config import load
from monitor.model.maintenance import MaintenanceSpec, Recurrence
from monitor.model.request import OPTIONAL, BasicAuth, BearerAuth, Expect, Rule
from monitor.model.route import TlsSpec
from monitor.model.settings import (
    RIGHTS,
    AccessSpec,
    Configuration,
    ForwardedSpec,
    LogSpec,
    MonitorSpec,
    PublicSpec,
    TokenSpec,
    UserSpec,
)
from monitor.model.spec import CheckSpec, Limits
from monitor.secrets.secret import Secret
from tests.flat import flat_spec
from tests.servers import certs

GOOD = Path(__file__).parent / "good"


@pytest.fixture
def everything(environ: Mapping[str, str]) -> Configuration:
    return load(GOOD / "everything.toml", environ)


@pytest.mark.parametrize("path", sorted(GOOD.glob("*.toml")), ids=lambda path: path.stem)
def test_a_good_file_loads_the_same_twice(path: Path, environ: Mapping[str, str]) -> None:
    configuration = load(path, environ)
    assert configuration == load(str(path), environ)
    assert configuration.path == str(path)


def test_a_file_without_a_setting_has_the_defaults_of_the_specs(environ: Mapping[str, str]) -> None:
    configuration = load(GOOD / "no_checks.toml", environ)
    assert (configuration.monitor, configuration.checks) == (MonitorSpec(), ())


def test_the_settings_of_the_daemon_arrive(everything: Configuration) -> None:
    assert everything.monitor == MonitorSpec(
        listen=("::1", 0),
        title="Shop",
        deny_addresses=tuple(map(ip_network, ("169.254.0.0/16", "fe80::/10", "192.0.2.66/32"))),
        max_concurrency=100,
        drain_timeout=10.0,
        latency_buckets=(0.05, 0.1, 1.0, 60.0),
        recent_results=50,
        reload_on_change=True,
        log=LogSpec("json", "warning", access=True),
    )


def test_who_may_do_what_arrives(environ: Mapping[str, str]) -> None:
    password = Secret("scrypt:16384:8:1:" + "A" * 22 + ":" + "B" * 42 + "A")
    assert load(GOOD / "access.toml", environ).monitor.access == AccessSpec(
        stated=True,
        anonymous=frozenset({"view"}),
        users=(UserSpec("anna", password, frozenset({"view", "write"})),),
        tokens=(TokenSpec("prometheus", Secret("0123456789abcdef-hunter2"), frozenset({"metrics"})),),
        forwarded=ForwardedSpec(
            "X-Forwarded-User", tuple(map(ip_network, ("192.0.2.7", "2001:db8::/64"))), frozenset({"view"})
        ),
    )


def test_what_everybody_may_see_arrives(environ: Mapping[str, str]) -> None:
    assert load(GOOD / "public.toml", environ).monitor.public == PublicSpec(
        enabled=True,
        groups=("shop", "mail-*"),
        title="Example Shop status",
        history=False,
        descriptions=True,
    )


@pytest.mark.parametrize(
    "text", ["groups = ['shop']", "enabled = true\ngroups = ['*']", "enabled = true\ngroups = ['shop', '*']"]
)
def test_groups_that_everybody_may_see_have_to_be_there_once_it_is_on(
    loading: Callable[[str], Configuration], text: str
) -> None:
    check = "[[checks]]\nname = 'a'\nurl = 'http://a.example.com/'"
    if "'shop', '*'" in text:
        check += "\ngroup = 'shop'"
    assert loading(f"[monitor.public]\n{text}\n{check}").checks


def test_the_certificate_of_the_listener_arrives(loading: Callable[[str], Configuration], tmp_path: Path) -> None:
    certs.issue().write(tmp_path)
    tls = loading('monitor.tls = { cert_file = "cert.pem", key_file = "key.pem", min_version = "1.3" }').monitor.tls
    assert tls is not None
    assert (tls.cert_file.path, tls.min_version) == (str(tmp_path / "cert.pem"), "1.3")


@pytest.mark.parametrize("text", ["", "[monitor.access]", "[monitor]\naccess = {}"])
def test_everything_is_open_as_long_as_nothing_is_said(loading: Callable[[str], Configuration], text: str) -> None:
    access = loading(f"{text}\n[defaults]").monitor.access
    assert (access.stated, access.anonymous) == (False, frozenset(RIGHTS))


@pytest.mark.parametrize("text", ["anonymous = []", "users = []", 'anonymous = ["view", "metrics", "write"]'])
def test_as_soon_as_anything_is_said_the_rest_is_shut(loading: Callable[[str], Configuration], text: str) -> None:
    access = loading(f"[monitor.access]\n{text}").monitor.access
    assert (access.stated, len(access.anonymous)) == (True, 3 if "write" in text else 0)


def test_each_key_of_a_check_arrives(everything: Configuration) -> None:
    check = everything.checks[0]
    assert check.request.body is not None
    assert check.request.body.data == (
        b'{"ping":true,"nested":[{"secret":"hunter2-token"}],"plain":{"env":"x","other":1}}'
    )
    assert (check.request.body.content_type, check.request.body.secret) == ("application/json", True)
    assert check == flat_spec(
        name="shop-api",
        url="https://shop.example.com/health?token=abc",
        target="https://shop.example.com/health?token=***",
        group="shop",
        labels=(("env", "prod"), ("team", "payments")),
        description="The API behind the shop",
        runbook="https://wiki.example.com/shop",
        interval=10.0,
        limits=Limits(5.0, 10.0, 10.0),
        latency=0.8,
        method="POST",
        headers=(
            ("User-Agent", "monitor"),
            ("Accept", "application/json"),
            ("X-Shop-Token", Secret("hunter2-token")),
        ),
        body=check.request.body,
        auth=BasicAuth("u", Secret("hunter2-password")),
        proxy="http://proxy.example.com:3128",
        ip_version=4,
        resolver=("192.0.2.53:53",),
        connect_to=("192.0.2.7", 8443),
        source_address="192.0.2.9",
        follow_redirects=False,
        max_redirects=3,
        allow_downgrade=True,
        max_body=64 << 10,
        tls=TlsSpec(verify=False, server_name="inner.example.com", min_version="1.3", expiry_warning=7 * 86400.0),
        expect=check.request.expect,
        secrets=check.secrets,
    )


def test_what_is_expected_arrives(everything: Configuration) -> None:
    assert everything.checks[0].request.expect == Expect(
        status=((200, 299), (301, 301), (400, 404)),
        headers=(("Server", (Rule("equals", "nginx"),)), ("Content-Type", (Rule("matches", "^application/json"),))),
        body=(
            Rule("contains", "ok"),
            Rule("contains", "fine"),
            Rule("not_contains", "error"),
            Rule("matches", "o+k"),
            Rule("not_matches", "e+r"),
        ),
        json=(
            ("$.status", (Rule("equals", "ok"),)),
            ("$.queue.depth", (Rule("less_than", 100), Rule("at_least", 0))),
            ("$.list", (Rule("equals", [1, 2]),)),
        ),
        http_version=("1.1",),
    )


def test_a_form_is_encoded_and_makes_the_method_post(everything: Configuration) -> None:
    check = everything.checks[1]
    assert check.request.body is not None
    assert (check.request.method, check.request.body.data) == ("POST", b"q=a+b&tag=x&tag=hunter2-token")
    assert (check.request.body.content_type, check.request.body.secret) == ("application/x-www-form-urlencoded", True)


def test_a_userinfo_becomes_auth_and_leaves_the_url(everything: Configuration) -> None:
    check = everything.checks[1]
    assert check.url == "http://[2001:db8::1]:8080/"
    assert check.target == "http://***@[2001:db8::1]:8080/"
    assert check.request.auth == BasicAuth(Secret("user"), Secret("p@ss"))


def test_a_text_body_has_no_content_type(everything: Configuration) -> None:
    check = everything.checks[2]
    assert check.request.body is not None
    assert (check.request.body.data, check.request.body.content_type, check.request.body.secret) == (
        b"ping",
        None,
        False,
    )
    assert check.request.auth == BearerAuth(Secret("hunter2-token"))
    assert check.request.expect.status == ((204, 204),)


def test_a_check_can_take_back_what_it_inherits(environ: Mapping[str, str]) -> None:
    (check,) = load(GOOD / "takes_back_what_it_inherits.toml", environ).checks
    url = "https://shop.example.com/"
    assert check == CheckSpec(name="bare", url=url, target=url)


def test_planned_maintenance_arrives(environ: Mapping[str, str]) -> None:
    def utc(text: str) -> float:
        return datetime.fromisoformat(text).timestamp()

    berlin = "Europe/Berlin"
    configuration = load(GOOD / "maintenance.toml", environ)
    assert configuration.checks[0].was == ("shop", "shop.v1")
    assert configuration.maintenance == (
        MaintenanceSpec("database upgrade", utc("2026-12-01T21:00Z"), 10800.0, checks=("shop-api", "mail-*")),
        # 02:30 comes twice on that day: the first begins it, the last ends it
        MaintenanceSpec("local times", utc("2026-10-25T00:30Z"), 3600.0, groups=("shop",)),
        MaintenanceSpec("started, and so long", utc("2026-12-01T22:00Z"), 5400.0, labels=(("team", "pay*"),)),
        MaintenanceSpec("weekends", Recurrence(berlin, (30,), (2,), weekdays=(5, 6)), 7200.0),
        MaintenanceSpec("one day", Recurrence("UTC", (0,), (3,), weekdays=(1,)), 86400.0),
        MaintenanceSpec("nightly", Recurrence("UTC", (30,), (3,), weekdays=(0, 1, 2, 3, 4)), 2700.0),
    )


def test_history_api_and_public_page_arrive(environ: Mapping[str, str]) -> None:
    monitor = load(GOOD / "history.toml", environ).monitor
    assert monitor.history.location == "sqlite:////var/lib/monitor/history.db"
    assert (monitor.history.minutes, monitor.history.hours, monitor.history.results) == (7200.0, 30 * 86400.0, 50)
    assert monitor.cors_origins == ("https://dash.example.com",)
    assert (monitor.public.enabled, monitor.public.groups, monitor.public.title) == (True, ("sh*",), "Shop")


def test_titles_retries_and_what_makes_a_success_a_failure_arrive(environ: Mapping[str, str]) -> None:
    shop, inherits, fast = load(GOOD / "thresholds.toml", environ).checks
    assert (shop.title, shop.display_name, shop.name) == ("Магазин – API", "Магазин – API", "shop-api")
    assert (shop.retry_interval, shop.degraded_after) == (5.0, 2)
    assert (shop.latency, shop.latency_down) == (0.8, True)
    assert (shop.route.tls.expiry_warning, shop.route.tls.expiry_down) == (3 * 86400.0, True)
    assert (inherits.title, inherits.display_name) == ("", "inherits")
    assert (inherits.retry_interval, inherits.degraded_after) == (20.0, 3)
    assert (inherits.latency, inherits.latency_down) == (2.0, False)
    assert (inherits.route.tls.expiry_warning, inherits.route.tls.expiry_down) == (7 * 86400.0, False)
    assert inherits.request.expect.body == (Rule("length", Rule("equals", 0)),)
    assert fast.retry_interval == fast.interval == 10.0, "an inherited one is cut to fit"
    assert (fast.title, fast.route.tls.expiry_warning, fast.route.tls.expiry_down) == ("متجر", 86400.0, False)
    assert (fast.latency, fast.latency_down) == (1.0, False)


def test_choices_lengths_and_optional_headers_arrive(environ: Mapping[str, str]) -> None:
    expect = load(GOOD / "thresholds.toml", environ).checks[0].request.expect
    token = Secret("hunter2-token")
    assert expect.headers == (
        ("X-Mode", (OPTIONAL, Rule("one_of", ["live", token]))),
        ("Server", (Rule("matches", "x"),)),
    )
    assert expect.body == (
        Rule("contains", "ok"),
        Rule("length", Rule("at_most", 100)),
        Rule("length", Rule("at_least", 2)),
    )
    assert dict(expect.json) == {
        "$.state": (Rule("one_of", [0, 3, "on", token]),),
        "$.items": (Rule("length", Rule("equals", 3)),),
        "$.name": (Rule("length", Rule("less_than", 9)), Rule("length", Rule("greater_than", 1))),
    }
