"""Gatus's alerts: a provider's default-alert gives the thresholds that its alerts do not give themselves."""

from __future__ import annotations

from pathlib import Path

import hypothesis.strategies as st
import pytest
import yaml
from hypothesis import given

from monitor.migrate.draft import Draft, ImportResult
from monitor.migrate.gatus_alerts import alerting
from monitor.migrate.source import parse
from tests.migrate.harness import of_gatus, said

DEFAULTS = """
alerting:
  slack:
    webhook-url: ${SLACK}
    default-alert: {enabled: true, failure-threshold: 7, success-threshold: 5, send-on-resolved: true}
  email:
    from: a@example.com
    default-alert: {enabled: false, failure-threshold: 2}
  discord:
    webhook-url: x
    overrides: [{group: core, webhook-url: y}]
"""


@pytest.mark.parametrize(
    ("alerts", "down", "up"),
    [
        ("[{type: slack}]", 7, 5),
        ("[{type: slack, failure-threshold: 4}]", 4, 5),
        ("[{type: slack, success-threshold: 1}]", 7, 1),
        ("[{type: slack, failure-threshold: 0, success-threshold: 0}]", 7, 5),
        ("[{type: slack, failure-threshold: -1}]", 3, 5),
        ("[{type: discord}]", 3, 2),
        ("[{type: pagerduty, failure-threshold: 9}]", 9, 2),
        ("[{type: email}]", 1, 1),  # switched off by its default: no alert, so down at once
        ("[{type: email, enabled: true}]", 2, 2),
        ("[{type: slack, enabled: false}]", 1, 1),
        ("[{type: slack}, {type: discord}]", 3, 2),
        ("[{type: slack, failure-threshold: 2, success-threshold: 6}, {type: discord, success-threshold: 1}]", 2, 6),
        ("[{type: slack}, {type: email}]", 7, 5),
        ('[{type: slack, failure-threshold: "${N}"}]', 7, 5),
        ("[7, {type: slack}]", 7, 5),
        ("[]", 1, 1),
    ],
)
def test_thresholds_are_merged(alerts: str, down: int, up: int, tmp_path: Path) -> None:
    text = f"{DEFAULTS}\nendpoints: [{{name: it, url: 'https://a.example.com', alerts: {alerts}}}]\n"
    check = of_gatus(tmp_path, text).checks["it"]
    assert (check.down_after, check.up_after) == (down, up)


def test_defaults_of_another_file_and_through_an_anchor_hold_too(tmp_path: Path) -> None:
    text = """
x-alerts: &alerts
- type: slack
- type: teams
  failure-threshold: 8
---
endpoints: []
---
alerting: {slack: {default-alert: &a {failure-threshold: 6}}, teams: {default-alert: {<<: *a}}}
"""
    text = text.replace("endpoints: []\n", "")
    endpoints = "endpoints: [{name: it, url: 'https://a.example.com', alerts: *alerts}]\n"
    found = of_gatus(tmp_path, text.replace("---\n", f"{endpoints}---\n", 1))
    assert (found.checks["it"].down_after, found.checks["it"].up_after) == (6, 2)
    assert "of 2 alerts with different thresholds, those of slack, which fires first" in found.text


def test_an_alert_without_its_provider_counts_and_is_said(tmp_path: Path) -> None:
    text = f"{DEFAULTS}\nendpoints: [{{name: it, url: 'https://a.example.com', alerts: [{{type: teams}}]}}]\n"
    found = of_gatus(tmp_path, text)
    assert "alerting.teams is not configured, so Gatus sends no message" in found.text
    assert said(found, "alert teams: this monitor sends no messages itself")


THRESHOLD = st.none() | st.integers(-2, 9)
ALERT = st.fixed_dictionaries(
    {"type": st.sampled_from(["slack", "email", "teams"])},
    optional={
        "enabled": st.booleans(),
        "failure-threshold": st.integers(-2, 9),
        "success-threshold": st.integers(-2, 9),
    },
)
DEFAULT = st.fixed_dictionaries(
    {}, optional={"enabled": st.booleans(), "failure-threshold": THRESHOLD, "success-threshold": THRESHOLD}
)


@given(st.lists(ALERT, max_size=4), st.dictionaries(st.sampled_from(["slack", "email"]), DEFAULT))
def test_merging_is_that_of_gatus(alerts: list[dict[str, object]], defaults: dict[str, dict[str, object]]) -> None:
    """A model of Gatus: nil and 0 take the default's value, then what is not above 0 becomes 3 or 2."""
    firing = []
    for alert in alerts:
        default = defaults.get(str(alert["type"]), {})
        enabled = alert.get("enabled", default.get("enabled"))
        failures = alert.get("failure-threshold") or default.get("failure-threshold") or 0
        successes = alert.get("success-threshold") or default.get("success-threshold") or 0
        assert isinstance(failures, int)
        assert isinstance(successes, int)
        if enabled is not False:
            firing.append((failures if failures > 0 else 3, successes if successes > 0 else 2))
    providers = {kind: {"default-alert": default} for kind, default in defaults.items()}
    (document,) = parse(yaml.safe_dump({"alerting": providers, "alerts": alerts}), "it.yml")
    draft = Draft("here", {"name": "it", "down_after": 1})
    item = document.entries()["alerts"]
    alerting([document], ImportResult("", [], [])).thresholds(draft, item)
    expected = min(firing) if firing else (1, None)
    assert (draft.keys["down_after"], draft.keys.get("up_after")) == expected
