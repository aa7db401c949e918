"""What a check inherits from [defaults], and how its limits are made to fit."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config.limits import Pace, fit
from monitor.config.models import DefaultsTable
from monitor.model.request import BasicAuth, BearerAuth, Rule
from monitor.model.spec import CheckSpec, Limits
from monitor.secrets.secret import Secret

Check = Callable[..., CheckSpec]
Problems = Callable[..., str]


@pytest.mark.parametrize(
    ("keys", "defaults", "interval", "limits"),
    [
        ("", "", 30, Limits(5, 10, 15)),
        ('interval = "5s"', "", 5, Limits(5, 10, 5)),
        ('interval = "2s"', "", 2, Limits(2, 10, 2)),
        ('timeout.total = "3s"', "", 30, Limits(3, 10, 3)),
        ('timeout.connect = "12s"', "", 30, Limits(12, 10, 15)),
        ('timeout.read = "1m"', "", 30, Limits(5, 60, 15)),
        ('interval = "10s"', 'timeout = { connect = "5s", read = "10s", total = "15s" }', 10, Limits(5, 10, 10)),
        ('interval = "1m"', 'timeout = { total = "20s" }', 60, Limits(5, 10, 20)),
        ("", 'interval = "4s"', 4, Limits(4, 10, 4)),
        ('interval = "1m"', 'interval = "4s"', 60, Limits(4, 10, 4)),
    ],
)
def test_an_inherited_limit_is_cut_to_fit(
    check: Check, keys: str, defaults: str, interval: float, limits: Limits
) -> None:
    made = check(keys, defaults)
    assert (made.interval, made.limits) == (interval, limits)


def test_a_stated_limit_that_does_not_fit_an_inherited_one_is_wrong(problems: Problems) -> None:
    assert problems('timeout.total = "40s"').startswith(
        "checks.shop.timeout.total: 40s is longer than the interval, 30s"
    )
    assert problems('timeout.connect = "20s"').startswith("checks.shop.timeout.connect: 20s is longer than the total")


def test_a_limit_is_not_judged_by_one_that_is_wrong_itself(problems: Problems) -> None:
    assert problems('timeout.total = "40s"\ninterval = "often"').count("\n") == 0


SECONDS = st.floats(0.1, 1000)


@given(
    st.fixed_dictionaries({}, optional={"connect": SECONDS, "read": SECONDS, "total": SECONDS}),
    st.fixed_dictionaries({}, optional={"interval": SECONDS}),
)
def test_limits_fit_or_are_found(timeout: dict[str, float], rest: dict[str, float]) -> None:
    own = {"timeout": timeout, **rest}
    pace, found = fit(DefaultsTable.model_validate(own), own, Pace())
    assert found or pace.limits.connect <= pace.limits.total <= pace.interval
    for key, seconds in timeout.items():
        assert getattr(pace.limits, key) == seconds


def test_tables_are_merged_key_by_key_and_the_check_wins(check: Check) -> None:
    made = check(
        'labels = { a = "check" }\ntls.min_version = "1.3"\nexpect.status = [204]',
        'labels = { a = "default", b = "default" }\ntls.server_name = "x.example.com"\nexpect.latency = "1s"',
    )
    assert made.labels == (("a", "check"), ("b", "default"))
    assert (made.route.tls.server_name, made.route.tls.min_version) == ("x.example.com", "1.3")
    assert (made.request.expect.status, made.latency) == (((204, 204),), 1.0)


def test_headers_are_merged_whatever_their_case(check: Check) -> None:
    made = check('headers = { ACCEPT = "a" }', 'headers = { accept = "b", X-Other = "c" }')
    assert made.request.headers == (("X-Other", "c"), ("ACCEPT", "a"))


def test_the_operators_of_one_header_or_path_are_replaced_together(check: Check) -> None:
    made = check(
        'expect.headers = { server = "b" }\nexpect.json = { "$.a" = { at_most = 1 } }\nexpect.body.matches = "c"',
        'expect.headers = { Server = { contains = "a" } }\nexpect.json = { "$.a" = { at_least = 1 }, "$.b" = 2 }\n'
        'expect.body = { matches = "a", contains = "b" }',
    )
    assert made.request.expect.headers == (("server", (Rule("equals", "b"),)),)
    assert made.request.expect.json == (("$.a", (Rule("at_most", 1),)), ("$.b", (Rule("equals", 2),)))
    assert made.request.expect.body == (Rule("contains", "b"), Rule("matches", "c"))


@pytest.mark.parametrize("own", ['body = "own"', 'json = "own"', 'form = { own = "" }'])
@pytest.mark.parametrize("inherited", ['body = "x"', "json = { x = 1 }", 'form = { x = "" }'])
def test_a_body_of_any_kind_replaces_one_of_any_kind(check: Check, own: str, inherited: str) -> None:
    body = check(own, inherited).request.body
    assert body is not None
    assert body.data.strip(b'"=') == b"own"


@pytest.mark.parametrize(
    "inherited",
    ['auth.bearer = "x"', 'headers.Authorization = "x"', 'auth.basic = { username = "x", password = "x" }'],
)
def test_credentials_of_any_kind_replace_those_of_any_kind(check: Check, inherited: str) -> None:
    bearer = check('auth.bearer = "own"', inherited)
    header = check('headers.authorization = "own"', inherited)
    url = check('url = "http://a:b@shop.example.com/"', inherited)
    assert (bearer.request.auth, bearer.request.headers) == (BearerAuth("own"), ())
    assert (header.request.auth, header.request.headers) == (None, (("authorization", "own"),))
    assert (url.request.auth, url.request.headers) == (BasicAuth(Secret("a"), Secret("b")), ())


def test_a_get_may_have_a_body(check: Check) -> None:
    made = check('method = "GET"\nbody = "x"')
    assert (made.request.method, made.request.body is not None) == ("GET", True)


def test_a_limit_in_defaults_is_reported_once_for_all_checks(problems: Problems) -> None:
    text = problems("", 'timeout.total = "1m"')
    assert text.startswith("defaults.timeout.total: 60s is longer than the interval, 30s")
    assert text.count("\n") == 0
