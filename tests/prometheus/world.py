"""Series for `promtool test rules`: a monitor with two checks and nothing wrong, to which a scenario does something."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "prometheus"
RULES = sorted(FOLDER.glob("*.rules.yml"))

Labels = dict[str, str]
Series = dict[str, str]
"""Values in promtool's notation, one a minute, by series."""

HERE = 'job="monitor",instance="m:8420"'
FAILURES = ("http_error", "connection_error", "timeout")
BUCKETS = ("0.1", "0.25", "0.5", "1.0", "+Inf")
SPOILT = ("monitor_stalled", "monitor_overloaded", "monitor_offline", "local_resources", "cancelled", "internal_error")
DAY = 1440
"""Minutes."""


def of(name: str, check: str = "api", **more: str) -> str:
    """A series of a check of the group «shop»."""
    labels = "".join(f',{key}="{value}"' for key, value in more.items())
    return f'{name}{{{HERE},check="{check}",group="shop"{labels}}}'


def own(name: str, **more: str) -> str:
    """A series of the monitor itself."""
    labels = "".join(f',{key}="{value}"' for key, value in more.items())
    return f"{name}{{{HERE}{labels}}}"


def histogram(name: str, counts: dict[str, str], total: str) -> Series:
    """A histogram, given as promtool values; `counts` by upper bound, cumulative."""
    head, labels = name.removesuffix("}").split("{")
    buckets = {f'{head}_bucket{{{labels},le="{bound}"}}': values for bound, values in counts.items()}
    return buckets | {f"{head}_sum{{{labels}}}": total, f"{head}_count{{{labels}}}": counts["+Inf"]}


def counting(n: int, each: str, at: str) -> dict[str, str]:
    """Buckets that count `each` (0+2x…) from the bound `at` upwards."""
    first = BUCKETS.index(at)
    return {bound: each if i >= first else f"0x{n}" for i, bound in enumerate(BUCKETS)}


def check(name: str, n: int) -> Series:
    """A check that runs every 30 s, always succeeds in 50 ms, and whose certificate is good for a year."""
    return {
        of("probe_info", name, target=f"https://{name}.example.com/", protocol="https"): f"1x{n}",
        of("probe_up", name): f"1x{n}",
        of("probe_success", name): f"1x{n}",
        of("probe_state", name, state="up"): f"1x{n}",
        of("probe_attempts_total", name): f"0+2x{n}",
        **{of("probe_failures_total", name, outcome=outcome): f"0x{n}" for outcome in FAILURES},
        of("probe_inconclusive_total", name): f"0x{n}",
        **histogram(of("probe_latency_seconds", name), counting(n, f"0+2x{n}", "0.1"), f"0+0.1x{n}"),
        of("probe_ssl_earliest_cert_expiry", name): f"{365 * 86400}x{n}",
    }


def monitor(n: int) -> Series:
    """A monitor that is on time and has nothing to complain about."""
    return {
        own("up"): f"1x{n}",
        own("monitor_build_info", version="1.0.0", python="3.13.0"): f"1x{n}",
        own("process_start_time_seconds"): f"0x{n}",
        own("monitor_config_last_reload_successful"): f"1x{n}",
        own("monitor_checks", state="up"): f"2x{n}",
        own("monitor_checks", state="unknown"): f"0x{n}",
        **histogram(own("monitor_schedule_lag_seconds"), counting(n, f"0+4x{n}", "0.1"), f"0+0.01x{n}"),
        **histogram(own("monitor_event_loop_lag_seconds"), counting(n, f"0+600x{n}", "0.1"), f"0+0.01x{n}"),
        **{own("monitor_runs_skipped_total", reason=r): f"0x{n}" for r in ("overlap", "late", "stalled")},
        **{own("monitor_runs_inconclusive_total", reason=reason): f"0x{n}" for reason in SPOILT},
    }


def healthy(n: int) -> Series:
    """The whole of it, for `n` minutes; series are replaced by name, and left out with the value ''."""
    return monitor(n) | check("api", n) | check("web", n)


def firing(time: str, *alerts: Labels) -> dict[str, object]:
    """At this time these alerts fire and no other, whatever is pending."""
    samples = [{"labels": _firing(alert), "value": 1} for alert in alerts]
    return {"expr": 'ALERTS{alertstate="firing"}', "eval_time": time, "exp_samples": samples}


def _firing(alert: Labels) -> str:
    labels = {"alertstate": "firing"} | alert
    return "ALERTS{" + ",".join(f'{key}="{value}"' for key, value in labels.items()) + "}"


def says(alertname: str, time: str, labels: Labels, **annotations: str) -> dict[str, object]:
    """At this time the alert says this, to the letter."""
    url = f"https://docs.example.com/monitor/runbooks.md#{alertname.lower()}"
    expected = {"exp_labels": labels, "exp_annotations": annotations | {"runbook_url": url}}
    return {"alertname": alertname, "eval_time": time, "exp_alerts": [expected]}


def promtool_says(
    promtool: str,
    folder: Path,
    series: Series,
    *,
    expressions: list[dict[str, object]] | None = None,
    alerts: list[dict[str, object]] | None = None,
    rules: list[Path] = RULES,
    every: str = "1m",
) -> str:
    """What `promtool test rules` has to complain about; nothing if all is as expected.

    It evaluates every rule `every` so often, whatever the interval of its group is.
    """
    case = {
        "rule_files": [str(path) for path in rules],
        "evaluation_interval": every,
        "group_eval_order": ["monitor-runs", "monitor-latency", "slo-objectives", "slo-windows"],
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in series.items() if values],
                "promql_expr_test": expressions or [],
                "alert_rule_test": alerts or [],
            }
        ],
    }
    path = folder / "case.yml"
    path.write_text(json.dumps(case))  # JSON is YAML
    fast = {"GOGC": "400", "GOMAXPROCS": "1"}  # a sixth of the CPU is the collecting of what it evaluates
    ended = subprocess.run(
        [promtool, "test", "rules", path], env=os.environ | fast, capture_output=True, text=True, check=False
    )
    return "" if ended.returncode == 0 else ended.stderr


Stretch = tuple[str, int]
"""A state, and for how many minutes; «gone» is no series at all."""


def lives(name: str, *stretches: Stretch) -> Series:
    """A check that goes through these states, as its gauges tell it."""
    states = {state for state, _ in stretches} - {"gone"}
    up_values = {"up": "1", "degraded": "1", "down": "0"}
    return {
        of("probe_up", name): values(stretches, up_values),
        of("probe_state", name, state="up"): "",
        **{of("probe_state", name, state=state): values(stretches, {state: "1"}) for state in states},
        of("probe_failure_info", name, outcome="timeout", reason="connect_timeout"): values(stretches, {"down": "1"}),
    }


def values(stretches: tuple[Stretch, ...], by_state: dict[str, str]) -> str:
    """One sample a minute where the state has a value; the end of a series is marked as Prometheus does it."""
    written = []
    for state, minutes in stretches:
        if state in by_state:
            written.append(f"{by_state[state]}x{minutes - 1}")
        else:
            written.append("stale" + (f" _x{minutes - 1}" if minutes > 1 else ""))
    return " ".join(written)
