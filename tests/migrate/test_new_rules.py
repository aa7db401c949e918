# ruff: noqa: E501
"""Conditions that fail a check in the other monitor fail it here, against real servers: slow, ending, one of, lengths."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from monitor.migrate import gatus
from monitor.model.outcome import Reason
from monitor.model.spec import CheckSpec
from tests.migrate.harness import made, of_endpoint, of_gatus, of_module, of_monitor, said
from tests.migrate.test_meaning import reason_of
from tests.servers.http import HttpServer, answer


def holds(tmp_path: Path, url: str, condition: str) -> CheckSpec:
    """The check of an endpoint with one condition, of which nothing is lost."""
    text = f"endpoints:\n- name: it\n  url: {url}\n  conditions: [{json.dumps(condition)}]\n"
    found = of_gatus(tmp_path, text)
    assert found.lost == []
    return found.checks["it"]


BODY = {"status": "UP", "code": 3, "items": ["a", "b"], "name": "johnny", "empty": "", "on": True}


@pytest.mark.parametrize(
    ("condition", "good"),
    [
        ("[BODY].status == any(UP, OK)", True),
        ("[BODY].status == any(DOWN, OK)", False),
        ("[BODY].code == any(0, 3)", True),
        ("[BODY].code == any(0, 1)", False),
        ("[BODY].on == any(true, 1)", True),
        ("[BODY].status != any(UP, OK)", False),
        ("[BODY].status != any(DOWN, OK)", True),
        ("len([BODY].items) == 2", True),
        ("len([BODY].items) < 2", False),
        ("2 <= len([BODY].items)", True),
        ("len([BODY].name) > 5", True),
        ("len([BODY].name) > 6", False),
        ("len([BODY].name) <= 6", True),
        ("len([BODY].empty) == 0", True),
        ("len([BODY].name) != 0", True),
        ("len([BODY].empty) != 0", False),
        ("has([BODY]) == true", True),
        ("has([BODY]) == false", False),
        ("has([BODY].nothing) == false", True),
        ("len([BODY]) > 50", True),
        ("len([BODY]) < 50", False),
        ("[BODY].name == pat(john*)", True),
        ("[BODY].name != pat(john*)", False),
        ("[BODY].items[*] != c", True),
        ("[BODY].items[*] != b", False),
        ("[BODY].empty[*] != b", False),
        ("len([BODY].items[*]) == 1", True),
        ("[HEADER].X-Kind == v1", True),
        ("[header].x-kind == any(v0, v2)", False),
        ("[HEADER].x-kind == any(v0, v1)", True),
        ("[HEADER].X-Kind == pat(v*)", True),
        ("[HEADER].X-Kind != v1", False),
        ("[HEADER].X-None != v1", True),
        ("has([HEADER].X-Kind) == true", True),
        ("has([HEADER].X-None) == true", False),
    ],
)
async def test_a_condition_holds_or_fails(condition: str, good: bool, tmp_path: Path) -> None:
    async with HttpServer(lambda _: answer(200, json.dumps(BODY).encode(), [("X-Kind", "v1")])) as server:
        check = holds(tmp_path, server.url(), condition)
        assert (await reason_of(check) is Reason.OK) is good


@pytest.mark.parametrize(("body", "good"), [(b"[1, 2]", True), (b"[1]", False), (b"12345", False)])
async def test_the_length_of_json_is_that_of_its_elements_if_a_condition_reads_it(
    body: bytes, good: bool, tmp_path: Path
) -> None:
    async with HttpServer(lambda _: answer(200, body)) as server:
        text = f"endpoints: [{{name: it, url: '{server.url()}', conditions: ['len([BODY]) == 2', '[BODY][0] == 1']}}]"
        assert (await reason_of(of_gatus(tmp_path, text).checks["it"]) is Reason.OK) is good


def test_slow_and_ending_are_down(tmp_path: Path) -> None:
    conditions = '["[RESPONSE_TIME] < 300", "[RESPONSE_TIME] <= 1s", "[CERTIFICATE_EXPIRATION] > 48h"]'
    check, found = of_endpoint(tmp_path, f"conditions: {conditions}")
    assert (check.latency, check.latency_down) == (0.3, True)
    assert (check.route.tls.expiry_warning, check.route.tls.expiry_down) == (172800, True)
    assert 'expect.latency = { limit = "300ms", down = true }' in found.text
    assert 'tls.expiry_warning = { within = "2d", down = true }' in found.text
    assert found.lost == []


def test_a_certificate_that_must_not_have_ended(tmp_path: Path) -> None:
    check, _ = of_endpoint(tmp_path, 'conditions: ["[CERTIFICATE_EXPIRATION] > 0"], client: {insecure: true}')
    assert (check.route.tls.expiry_warning, check.route.tls.expiry_down) == (1, True)


def test_several_bounds_of_one_length_are_one_table(tmp_path: Path) -> None:
    conditions = '["len([BODY].a) > 1", "len([BODY].a) > 3", "len([BODY].a) < 9", "len([BODY].b) == 2"]'
    _, found = of_endpoint(tmp_path, f"conditions: {conditions}")
    assert 'expect.json."$.a" = { length = { greater_than = 3, less_than = 9 } }' in found.text
    assert 'expect.json."$.b" = { length = 2 }' in found.text


@pytest.mark.parametrize(
    "condition",
    ["len([BODY].a) != 3", "len([BODY].a) == x", "[BODY].a != any(1, 2)", "len([HEADER].A) == 1", "[HEADER].A > 5",
     "age([HEADER].Date) < 10m", "[CERTIFICATE_EXPIRATION] < 48h", "[RESPONSE_TIME] > 5", "[BODY].a[*].b[*] != 1",
     "[BODY].a", "[CONTEXT].a == 1", "has([BODY].a) == 1", "len([BODY]) ==  2 ", "[STATUS] == pat([)", "[]", "len([IP]) == 1"],
)  # fmt: skip
def test_a_condition_without_a_counterpart_is_said_once_with_its_place(condition: str, tmp_path: Path) -> None:
    text = f"endpoints:\n- name: it\n  url: https://a.example.com\n  conditions:\n  - {json.dumps(condition)}\n"
    found = of_gatus(tmp_path, text)
    if condition != "len([BODY]) ==  2 ":
        assert found.lost[0].startswith(f"{tmp_path}/gatus.yml:5: condition {condition}: ")
    assert len(found.lost) <= 1


@pytest.mark.parametrize(("headers", "good"), [([], True), ([("X-Kind", "v1")], True), ([("X-Kind", "w")], False)])
async def test_a_header_that_may_be_missing(headers: list[tuple[str, str]], good: bool, tmp_path: Path) -> None:
    async with HttpServer(lambda _: answer(200, b"", headers)) as server:
        rule = "fail_if_header_not_matches: [{header: X-Kind, regexp: '^v', allow_missing: true}]"
        check, found = of_module(tmp_path, rule, server.url())
        assert found.lost == []
        assert (await reason_of(check) is Reason.OK) is good


def test_a_header_that_may_be_missing_for_one_rule_alone_is_needed(tmp_path: Path) -> None:
    first = "{header: X-Kind, regexp: '^v', allow_missing: true}"
    rules = f"fail_if_header_not_matches: [{first}], fail_if_header_matches: [{{header: x-kind, regexp: beta}}]"
    check, found = of_module(tmp_path, rules)
    assert sorted(rule.operator for rule in dict(check.request.expect.headers)["X-Kind"]) == [
        "exists",
        "matches",
        "not_matches",
    ]
    assert found.lost == []


def test_retries_keep_their_own_pace(tmp_path: Path) -> None:
    check, found = of_monitor(tmp_path, interval=60, retryInterval=20, maxretries=2)
    assert (check.retry_interval, check.down_after, found.lost) == (20, 3, [])
    check, found = of_monitor(tmp_path, interval=30, retryInterval=60, maxretries=2)
    assert check.retry_interval is None
    assert said(found, "retries came every 60 s; here they come at the interval")


@pytest.mark.parametrize(
    ("name", "made_of_it"),
    [("Магазин – API", "API"), ("監視", "a.example.com"), ("a - b", "a-b"), ("  a///b  ", "a-b"), ("👩‍💻 ok", "ok"), ("---", "a.example.com"),
     ("x" * 300, "x" * 100), ("a\nb\x00c", "a-b-c"), (".", "a.example.com"), ("plain", "plain")],
)  # fmt: skip
def test_names_in_any_script_are_kept_as_titles(name: str, made_of_it: str, tmp_path: Path) -> None:
    path = tmp_path / "gatus.yml"
    path.write_text(json.dumps({"endpoints": [{"name": name, "url": "https://a.example.com/x"}] * 2}))
    found = made(gatus.read(path), tmp_path)
    first, second = found.checks.values()
    assert first.name == made_of_it
    assert second.name.endswith("-2")
    shown = " ".join(name.replace("\x00", " ").split())
    assert first.title == ("" if shown == made_of_it else shown if len(shown) <= 200 else f"{shown[:199]}…")


def test_maintenance_is_carried_over(tmp_path: Path) -> None:
    text = """
maintenance: {start: "23:00", duration: 1h, timezone: Europe/Berlin, every: [Monday, Thursday]}
endpoints:
- {name: it, url: "https://a.example.com", maintenance-windows: [{start: "02:30", duration: 90m}, {start: "x", duration: 1h}]}
- {name: gone, url: "http://a b", maintenance-windows: [{start: "02:30", duration: 90m}]}
- {name: day, url: "https://a.example.com", maintenance-windows: [{start: "00:00", duration: 24h}, {enabled: false}, {}]}
"""
    found = of_gatus(tmp_path, text)
    everywhere, one = found.maintenance
    assert (everywhere.duration, everywhere.checks, everywhere.starts.weekdays) == (3600, (), (0, 3))
    assert (one.duration, one.checks, one.starts.minutes) == (5400, ("it",), (30,))
    for part in ("maintenance: at: ", "maintenance: duration: ", "needs a start and a duration"):
        assert said(found, part)
