# ruff: noqa: E501
"""Odd endpoints: what is clear is carried over, the rest is said, no secret gets out."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.migrate import gatus
from monitor.model.request import BearerAuth
from tests.migrate.harness import made, of_endpoint, of_gatus, said, yaml_file


def test_a_pause_is_not_lifted_by_enabled_true(tmp_path: Path) -> None:
    assert not of_endpoint(tmp_path, "client: {oauth2: {token-url: x}}, enabled: true")[0].enabled
    check, found = of_endpoint(tmp_path, 'conditions: ["[CONNECTED] == false"]')
    assert not check.enabled
    assert said(found, "condition [CONNECTED] == false: no check here fails because it can connect")


def test_labels_that_become_one_are_all_kept(tmp_path: Path) -> None:
    check, _ = of_endpoint(tmp_path, "extra-labels: {a-b: x, a_b: y, ä_b: z}")
    assert dict(check.labels) == {"a_b": "x", "a_b_": "y", "a_b__": "z"}


def test_conditions_do_not_tell_secrets(tmp_path: Path) -> None:
    conditions = """["[BODY].token == plain-1", "plain-2 == [BODY].password", "[BODY] == pat(*\\"secret\\": \\"plain-3*)",
        "[BODY].state == authorized", "has([BODY].token) == true", "[BODY].author == sam"]"""
    check, found = of_endpoint(tmp_path, f"conditions: {conditions}")
    assert "plain-" not in found.text
    assert sorted(path for path, _ in check.request.expect.json) == ["$.author", "$.state", "$.token"]
    assert len(found.lost) == 3


def test_the_strictest_of_several_bounds_holds(tmp_path: Path) -> None:
    conditions = """["[RESPONSE_TIME] < 500", "[RESPONSE_TIME] < 2s", "[CERTIFICATE_EXPIRATION] > 240h",
        "[CERTIFICATE_EXPIRATION] > 48h", "len([BODY]) > 0"]"""
    check, found = of_endpoint(tmp_path, f"conditions: {conditions}")
    assert (check.latency, check.route.tls.expiry_warning, check.request.expect.json) == (0.5, 10 * 86400, ())
    assert [(rule.operator, rule.operand.operator, rule.operand.operand) for rule in check.request.expect.body] == [
        ("length", "greater_than", 0)
    ]
    assert "the characters of the body; if it is JSON, Gatus counts its elements" in found.text


def test_conditions_on_every_element(tmp_path: Path) -> None:
    conditions = '["[BODY].items[*].status == UP", "[BODY].items[*].n != 1", "has([BODY].items[*].n) == true"]'
    check, found = of_endpoint(tmp_path, f"conditions: {conditions}, client: {{kerberos: {{principal: me}}}}")
    assert [path for path, _ in check.request.expect.json] == ["$.items[*].status", "$.items", "$.items[*].n"]
    assert said(found, "has([BODY].items[*].n) == true: that every element has a field cannot be expected here")
    assert not check.enabled


def test_variables_are_said_where_they_cannot_stand(tmp_path: Path) -> None:
    text = """
endpoints:
- {name: "it-${REGION}", url: "https://a.example.com", group: $GROUP, method: $METHOD, interval: "${OFTEN}",
   headers: {authorization: "bearer ${T}"}, conditions: ["[BODY] == ${ANSWER}"]}
"""
    found = of_gatus(tmp_path, text, METHOD="PUT")
    check = found.checks["it-REGION"]
    assert (check.group, check.request.method) == ("GROUP", "PUT")
    assert isinstance(check.request.auth, BearerAuth)
    for part in ("name: stands on every page", "group: stands on every page", "interval: is not a duration", "ANSWER"):
        assert said(found, part)


def test_files_of_a_kubernetes_volume_are_read_once(tmp_path: Path) -> None:
    volume, data = tmp_path / "volume", tmp_path / "volume" / "..2026"
    data.mkdir(parents=True)
    yaml_file(data / "a.yaml", "endpoints: [{name: it, url: 'http://a.example.com'}]")
    (volume / "..data").symlink_to("..2026")
    (volume / "a.yaml").symlink_to("..data/a.yaml")
    (volume / "directory.yaml").mkdir()
    assert list(made(gatus.read(volume), tmp_path).checks) == ["it"]


@pytest.mark.parametrize(
    "keys",
    ["client: [x]", "client: {timeout: [x]}", "interval: {a: b}", "interval: -1s", "interval: 99999999999h", "graphql: x",
     "headers: x", "headers: {a: [b]}", "alerts: 7", "alerts: [7]", "alerts: [{failure-threshold: 99999999999999999999999}]",
     "client: {timeout: 1ns}", "client: {dns-resolver: 'tcp://name:53'}", "conditions: {a: b}", "conditions: [[a]]",
     "conditions: ['[STATUS] == 1000']", "conditions: ['[BODY].a == 99999999999999999999']", "new-key: plain-1",
     "conditions: ['[RESPONSE_TIME] < 1e300']", "group: [x]", 'group: "a\\nb"', "extra-labels: {a: [b]}", "client: {tls: 7}",
     "name: [x]", "conditions: ['[BODY].a[0][1] == pat([)']", "conditions: ['[BODY].a == any()']"],
)  # fmt: skip
def test_wrong_values_in_an_endpoint_are_said(keys: str, tmp_path: Path) -> None:
    name = "" if keys.startswith("name") else "name: it, "
    text = f"endpoints: [{{{name}url: 'http://a.example.com', {keys}}}, {{name: b, url: 'http://b.example.com'}}]"
    found = of_gatus(tmp_path, text)
    assert "b" in found.checks
    assert "plain-" not in found.text
    valid = ("\\n", "1ns", "99999999999999999999", "any()")
    assert found.lost or any(part in keys for part in valid), found.text
