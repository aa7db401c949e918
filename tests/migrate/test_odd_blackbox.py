# ruff: noqa: E501
"""Odd modules and targets: what is clear is carried over, the rest is said, no secret gets out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from monitor.migrate import blackbox
from monitor.migrate.relabel import Rule, relabelled
from monitor.migrate.scrape_job import nickname
from monitor.model.request import BasicAuth, BearerAuth
from tests.migrate.harness import made, of_module, of_monitor, said, yaml_file


def test_the_timeout_of_a_scrape_is_never_longer_than_its_interval(tmp_path: Path) -> None:
    check, _ = of_module(tmp_path, "", job="  scrape_interval: 5s\n")
    assert (check.interval, check.limits.total) == (5, 4.5)


def test_targets_may_have_an_interval_of_their_own(tmp_path: Path) -> None:
    labels = ", labels: {__scrape_interval__: 15s, __scrape_timeout__: 3s}"
    check, _ = of_module(tmp_path, "", group=labels)
    assert (check.interval, check.limits.total) == (15, 2.5)
    _, found = of_module(tmp_path, "", group=", labels: {__scrape_interval__: often}, lables: {a: b}")
    assert said(found, "scrape_interval is not a duration; Prometheus's 1m is taken")
    assert said(found, "lables: there is no such key known here")


def test_jobs_of_other_exporters_are_left_alone(tmp_path: Path) -> None:
    modules = yaml_file(tmp_path / "b.yml", "modules: {m: {prober: http}}")
    text = """
scrape_config_files: [more.yml]
scrape_configs: [{job_name: snmp, metrics_path: /snmp, params: {module: [if_mib]}, static_configs: [{targets: [a]}]}]
"""
    found = made(blackbox.read(modules, [yaml_file(tmp_path / "p.yml", text)]), tmp_path)
    assert "the job snmp does not go to a blackbox_exporter" in found.text
    assert said(found, "p.yml:2: scrape_config_files: are not opened; name each of them with --targets, too")
    assert not said(found, "if_mib")


def test_relabelling_that_prometheus_would_not_do() -> None:
    labels = {"a": "one"}
    assert relabelled(labels, [Rule(["a"], target="$1 ", replacement="x")]) == labels
    assert relabelled(labels, [Rule(["a"], target="b", replacement="${99999999999999999999}")]) == labels


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://user:plain@host/path?q=1", "host/path"),
        ("https://user:pl#ain@host/path", "host/path"),
        ("https://user:pl/ain@host/", "host"),
        ("host:8080/a@b", "host:8080/a@b"),
        ("http://[2001:db8::1]:80/a@b", "[2001:db8::1]:80/a@b"),
    ],
)
def test_a_target_is_called_by_its_address_without_its_password(address: str, name: str) -> None:
    assert nickname(address) == name


def test_keys_inside_of_credentials_are_said_too(tmp_path: Path) -> None:
    http = """basic_auth: {username: u, password_ref: r}, http_headers: {X-A: {values: [a], vault: [b]}},
        fail_if_header_matches: [{header: A, regexp: b, negate: true}], tls_config: {cert: plain-inline}"""
    check, found = of_module(tmp_path, http)
    for key in ("basic_auth.password_ref", "http_headers.X-A.vault", "fail_if_header_matches[0].negate"):
        assert said(found, f": {key}: there is no such key known here")
    assert said(found, "tls_config.cert: write it into a file")
    assert not check.enabled
    assert "plain-" not in found.text


def test_of_several_ways_to_authenticate_the_one_that_wins_there_wins(tmp_path: Path) -> None:
    http = "basic_auth: {username: m, password: plain-1}, headers: {authorization: Bearer plain-2}"
    check, found = of_module(tmp_path, http, "https://user:plain-3@a.example.com")
    assert isinstance(check.request.auth, BearerAuth)
    assert sum("a second way to authenticate" in line for line in found.lost) == 2
    check, found = of_module(tmp_path, "bearer_token: plain-2", "https://user:plain-3@a.example.com")
    assert isinstance(check.request.auth, BasicAuth)
    assert "M_TOKEN" not in found.text


@pytest.mark.parametrize("proxy", ["user:plain-proxy@proxy:3128", "socks5://user:plain-proxy@proxy"])
def test_a_proxy_that_is_refused_is_not_quoted(proxy: str, tmp_path: Path) -> None:
    check, found = of_module(tmp_path, f"proxy_url: '{proxy}'")
    assert not check.enabled
    assert "plain-" not in found.text


def test_the_variable_of_a_proxy_sends_no_other_program_through_it(tmp_path: Path) -> None:
    _, found = of_module(tmp_path, "proxy_url: 'http://u:p@proxy:3128'", name="http")
    assert re.findall(r'env = "(\w+)"', found.text) == ["HTTP_PROXY_2"]


def test_compression_that_is_not_understood_is_not_asked_for(tmp_path: Path) -> None:
    check, found = of_module(tmp_path, "compression: snappy")
    assert "Accept-Encoding" not in dict(check.request.headers)
    assert said(found, "compression: this coding is unknown here")


def test_compression_by_a_library_of_its_own_is_asked_for_and_the_extra_is_named(tmp_path: Path) -> None:
    check, found = of_module(tmp_path, "compression: br")
    assert dict(check.request.headers)["Accept-Encoding"] == "br"
    assert "the extra `codings`" in found.text


def test_a_secret_in_an_https_url_leaves_it_an_https_url(tmp_path: Path) -> None:
    target = "https://a.example.com/?token=plain-1"
    check, found = of_module(tmp_path, "fail_if_not_ssl: true, headers: {Host: b.example.com}", target)
    assert found.lost == []
    assert check.route.tls.server_name == "b.example.com"
    assert not of_module(tmp_path, "fail_if_ssl: true", target)[0].enabled
    assert of_monitor(tmp_path, url=target, expiryNotification=True)[0].route.tls.expiry_warning == 21 * 86400


def test_a_check_without_its_certificate_authority_is_paused(tmp_path: Path) -> None:
    check, found = of_module(tmp_path, "tls_config: {ca_file: /no/such.pem}, source_ip_address: 127.0.0.1")
    assert (check.enabled, check.route.source_address) == (False, "127.0.0.1")
    assert said(found, "blackbox.yml:1: tls.ca_file: ")
    assert said(found, "no such file or directory; so the check is written with enabled = false")


def test_of_a_target_without_a_check_only_the_reason_is_said(tmp_path: Path) -> None:
    modules = yaml_file(tmp_path / "b.yml", "modules: {m: {prober: http, http: {bearer_token: plain-1, no_proxy: x}}}")
    text = "scrape_configs: [{params: {module: [m], target: ['https://a b']}, static_configs: [{targets: [x]}]}]"
    found = made(blackbox.read(modules, [yaml_file(tmp_path / "p.yml", text)]), tmp_path)
    assert found.checks == {}
    assert len(found.lost) == 1
    assert "M_TOKEN" not in found.text


@pytest.mark.parametrize(
    "http",
    [
        "[1]", "7", "{a: b}", "{valid_status_codes: 7}", "{valid_status_codes: [x]}", "{valid_status_codes: [99999999999999999]}",
        "{headers: [a]}", "{headers: {A: [b]}}", "{http_headers: {A: b}}", "{http_headers: {A: {values: {a: b}}}}",
        "{basic_auth: x}", "{fail_if_header_matches: {a: b}}", "{fail_if_header_matches: [7]}", "{tls_config: 7}",
        "{fail_if_body_matches_regexp: [[a]]}", "{fail_if_body_matches_regexp: ['(']}", "{body_size_limit: -1}",
        "{body_size_limit: 999999999999999PB}", "{fail_if_ssl: maybe}", "{ip_protocol_fallback: [x]}", "{method: 'GE T'}",
        "{headers: {'A B': c}}", "{headers: {'': x}}", "{headers: {A: 1, a: 2}}", "{proxy_url: 'http://'}",
        '{headers: {A: "b\\r\\nC: d"}}', "{preferred_ip_protocol: ip4, ip_protocol_fallback: false, source_ip_address: '::1'}",
    ],
)  # fmt: skip
def test_wrong_values_in_a_module_are_said(http: str, tmp_path: Path) -> None:
    modules = yaml_file(tmp_path / "b.yml", f"modules:\n  m: {{prober: http, http: {http}}}\n")
    text = (
        "scrape_configs: [{params: {module: [m], target: ['https://a.example.com']}, static_configs: [{targets: [x]}]}]"
    )
    found = made(blackbox.read(modules, [yaml_file(tmp_path / "p.yml", text)]), tmp_path)
    assert "plain-" not in found.text
    assert found.lost
