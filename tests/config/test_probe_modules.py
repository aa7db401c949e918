"""The modules of /probe and whom it may ask, as the configuration says them."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path

import pytest

from monitor.config import load
from monitor.config.target import aimed, target_url
from monitor.model.request import BasicAuth, Expect
from monitor.model.settings import Configuration, ProbeSpec
from monitor.model.spec import CheckSpec, Limits
from monitor.secrets.secret import Secret

GOOD = Path(__file__).parent / "good"


@pytest.fixture
def probing(environ: Mapping[str, str]) -> Configuration:
    return load(GOOD / "probe.toml", environ)


def module(configuration: Configuration, name: str) -> CheckSpec:
    return next(found for found in configuration.probe_modules if found.name == name)


def test_who_is_allowed_arrives(probing: Configuration) -> None:
    assert probing.monitor.probe == ProbeSpec(
        hosts=("shop.example.com", "*.below.example.com", "bücher.example.com"),
        networks=(ip_network("10.0.0.0/8"), ip_network("2001:db8::7")),
        max_requests=3,
        timeout_offset=0.25,
    )


def test_a_module_is_a_check_without_a_target_and_inherits(probing: Configuration) -> None:
    own = module(probing, "own")
    assert (own.request.method, own.request.headers) == ("POST", (("X-All", "all"),))
    assert own.request.body is not None
    assert own.request.body.data == b'{"ping":"hunter2-token"}'
    assert "hunter2-token" in own.secrets


def test_no_interval_bounds_the_limits_of_a_module(probing: Configuration) -> None:
    assert module(probing, "own").limits == Limits(5, 20, 15)
    assert module(probing, "long").limits == Limits(10, 10, 50)


def test_http_2xx_is_built_in_and_takes_nothing_from_defaults(probing: Configuration) -> None:
    built_in = module(probing, "http_2xx")
    assert (built_in.request.method, built_in.request.headers, built_in.limits) == ("GET", (), Limits())
    assert built_in.request.expect == Expect(status=((200, 299),))


def test_what_a_target_holds_of_credentials_is_secret(probing: Configuration) -> None:
    made = aimed(module(probing, "own"), target_url("http://us%65r:p%40ss@shop.example.com/a?k=query-value"))
    assert made.url == "http://shop.example.com/a?k=query-value"
    assert made.target == "http://***@shop.example.com/a?k=***"
    assert made.request.auth == BasicAuth(Secret("user"), Secret("p@ss"))
    assert {"p@ss", "query-value", "hunter2-token"} <= made.secrets


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("shop", "http://shop"),
        ("shop:80/x?u=http://y", "http://shop:80/x?u=http://y"),
        ("HTTPS://shop", "HTTPS://shop"),
        ("[::1]:80", "http://[::1]:80"),
    ],
)
def test_a_target_without_a_scheme_is_http(written: str, meant: str) -> None:
    assert target_url(written) == meant
