#!/usr/bin/env python3
"""Writes dashboard.json, the dashboard for Grafana 10 or newer; a test compares the file with what this would write."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

TARGET = Path(__file__).with_name("dashboard.json")
WIDTH = 24
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
GROUP, ONE = 'group=~"$group"', 'check="$check"'
SAME_CHECK, SAME_MONITOR = "on (job, instance, check, group)", "on (job, instance)"

GREEN, YELLOW, RED, GREY, BLUE, PURPLE, ORANGE = "green", "yellow", "red", "#808080", "blue", "purple", "orange"
STATES = {"up": GREEN, "degraded": YELLOW, "down": RED, "unknown": GREY, "paused": BLUE, "maintenance": PURPLE}
PHASES = ("resolve", "connect", "tls", "processing", "transfer")

Json = dict[str, Any]


def query(expr: str, legend: str = "", *, table: bool = False, ref: str = "A") -> Json:
    """One query of a panel: a line over time, or the rows of a table as they are now."""
    asked: Json = {"refId": ref, "datasource": SOURCE, "expr": expr, "legendFormat": legend or "__auto"}
    return asked | ({"format": "table", "instant": True, "range": False} if table else {"range": True})


def panel(
    kind: str,
    title: str,
    size: tuple[int, int],
    queries: Iterable[Json],
    *,
    about: str = "",
    unit: str = "",
    custom: Json | None = None,
    options: Json | None = None,
    more: Json | None = None,
    overrides: Iterable[Json] = (),
    transformations: Iterable[Json] = (),
) -> Json:
    """A panel of so many columns and rows; `more` goes into the defaults of its fields."""
    defaults: Json = {"custom": custom or {}} | ({"unit": unit} if unit else {}) | (more or {})
    made: Json = {
        "type": kind,
        "title": title,
        "datasource": SOURCE,
        "gridPos": {"w": size[0], "h": size[1]},
        "targets": [asked | {"refId": chr(ord("A") + n)} for n, asked in enumerate(queries)],
        "fieldConfig": {"defaults": defaults, "overrides": list(overrides)},
        "options": options or {},
    }
    if about:
        made["description"] = about
    if changed := list(transformations):
        made["transformations"] = changed
    return made


def lines(title: str, size: tuple[int, int], queries: Iterable[Json], *, stacked: bool = False, **rest: Any) -> Json:
    """Lines over time, or areas on top of each other."""
    custom: Json = {"lineWidth": 1, "fillOpacity": 60 if stacked else 5, "showPoints": "never", "spanNulls": False}
    if stacked:
        custom["stacking"] = {"mode": "normal", "group": "A"}
    options = {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    more = {"min": 0} | rest.pop("more", {})
    return panel("timeseries", title, size, queries, custom=custom, options=options, more=more, **rest)


def figure(title: str, size: tuple[int, int], queries: Iterable[Json], *, text: str = "auto", **rest: Any) -> Json:
    """Large figures of now, on a coloured ground."""
    options = {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "colorMode": "background",
        "graphMode": "none",
        "textMode": text,
        "justifyMode": "center",
        "orientation": "auto",
    }
    return panel("stat", title, size, queries, options=options, **rest)


def table(
    title: str,
    size: tuple[int, int],
    queries: Iterable[Json],
    hidden: Iterable[str],
    names: dict[str, str],
    **rest: Any,
) -> Json:
    """A table of now: one row for each set of labels, one column for each label and query."""
    organized = {"excludeByName": dict.fromkeys(("Time", *hidden), True), "renameByName": names}
    steps = [{"id": "merge", "options": {}}, {"id": "organize", "options": organized}]
    return panel("table", title, size, queries, transformations=steps, options={"showHeader": True}, **rest)


def thresholds(*steps: tuple[float | None, str]) -> Json:
    """From each value on, this colour; None is from the beginning."""
    return {
        "thresholds": {"mode": "absolute", "steps": [{"value": value, "color": color} for value, color in steps]},
        "color": {"mode": "thresholds"},
    }


def override(name: str, **properties: Any) -> Json:
    """Properties of the one field with this name."""
    set_ = [{"id": key.replace("__", "."), "value": value} for key, value in properties.items()]
    return {"matcher": {"id": "byName", "options": name}, "properties": set_}


def colored(names: dict[str, str]) -> list[Json]:
    """A fixed colour for each of these series."""
    return [override(name, color={"mode": "fixed", "fixedColor": color}) for name, color in names.items()]


def words(by_value: dict[int, tuple[str, str]]) -> Json:
    """Values shown as words in colours."""
    shown = {
        str(value): {"index": n, "text": text, "color": color}
        for n, (value, (text, color)) in enumerate(by_value.items())
    }
    return {"mappings": [{"type": "value", "options": shown}]}


NUMBERED = {n: (state, color) for n, (state, color) in enumerate(STATES.items(), start=1)}


def state_number(selector: str) -> str:
    """The state of each check as a number, as `NUMBERED` has it."""
    return " or ".join(f'{n} * probe_state{{state="{state}",{selector}}}' for n, (state, _) in NUMBERED.items())


def quantile(share: float, metric: str, selector: str, by: str) -> str:
    """A quantile of a histogram, over the time between two points of the graph."""
    return f"histogram_quantile({share}, sum by ({by}, le) (rate({metric}_bucket{{{selector}}}[$__rate_interval])))"


def overview() -> list[Json]:
    """What is down, why, and how things were."""
    is_down = f"probe_up{{{GROUP}}} == 0"
    reason = f"({is_down}) * {SAME_CHECK} group_right () probe_failure_info"
    ends = f"probe_ssl_earliest_cert_expiry{{{GROUP}}} - time()"
    return [
        figure(
            "Checks",
            (24, 4),
            [query(f'sum(probe_state{{state="{state}",{GROUP}}}) or vector(0)', state) for state in STATES],
            overrides=colored(STATES),
            text="value_and_name",
        ),
        table(
            "Down",
            (24, 7),
            [
                query(f"{reason} or {SAME_CHECK} ({is_down})", table=True),
                query(
                    f"probe_last_success_timestamp_seconds{{{GROUP}}} * 1000 and {SAME_CHECK} ({is_down})", table=True
                ),
            ],
            ("Value #A", "job", "__name__"),
            {
                "check": "Check",
                "group": "Group",
                "reason": "Reason",
                "outcome": "Outcome",
                "instance": "Says",
                "Value #B": "Last success",
            },
            about="What failed as often in a row as its check allows. No last success: none since the monitor started.",
            overrides=[override("Last success", unit="dateTimeFromNow"), override("Value #B", unit="dateTimeFromNow")],
        ),
        panel(
            "state-timeline",
            "States",
            (24, 9),
            [query(f"max by (check) ({state_number(GROUP)})", "{{check}}")],
            custom={"lineWidth": 0, "fillOpacity": 80},
            options={
                "mergeValues": True,
                "showValue": "never",
                "rowHeight": 0.9,
                "legend": {"showLegend": True, "placement": "bottom"},
            },
            more=words(NUMBERED) | {"color": {"mode": "thresholds"}},
        ),
        lines(
            "Failed runs by outcome",
            (12, 8),
            [query(f"sum by (outcome) (rate(probe_failures_total{{{GROUP}}}[$__rate_interval]))", "{{outcome}}")],
            unit="reqps",
            stacked=True,
        ),
        lines(
            "Slowest, 95th percentile",
            (12, 8),
            [query(f"topk(10, {quantile(0.95, 'probe_latency_seconds', GROUP, 'check')})", "{{check}}")],
            unit="s",
        ),
        table(
            "Availability in the time shown",
            (12, 8),
            [query(f"sort(avg by (check, group) (avg_over_time(probe_success{{{GROUP}}}[$__range])))", table=True)],
            (),
            {"check": "Check", "group": "Group", "Value": "Succeeded"},
            overrides=[override("Succeeded", unit="percentunit", decimals=3)],
            about="The share of scrapes at which the last conclusive run had succeeded.",
        ),
        table(
            "Certificates, the first to end",
            (12, 8),
            [query(f"sort(min by (check, group) (bottomk(20, {ends})))", table=True)],
            (),
            {"check": "Check", "group": "Group", "Value": "Ends in"},
            overrides=[override("Ends in", unit="s", custom__cellOptions={"type": "color-text"}, **expiring(86400))],
        ),
    ]


def expiring(day: float) -> Json:
    """Colours of the time that a certificate is good for, in units of which a day has so many."""
    return thresholds((None, RED), (7 * day, YELLOW), (14 * day, GREEN))


def one_check() -> list[Json]:
    """All about the check of the variable."""
    latency = "probe_latency_seconds"
    conclusive = f"sum(rate(probe_attempts_total{{{ONE}}}[$__rate_interval]))"
    failed = f"sum(rate(probe_failures_total{{{ONE}}}[$__rate_interval]))"
    no_failure = f'label_replace(max(probe_success{{{ONE}}}), "reason", "ok", "", "")'
    sums, counts = (f"sum(rate({latency}_{part}{{{ONE}}}[$__rate_interval]))" for part in ("sum", "count"))
    spoilt = f"sum(rate(probe_inconclusive_total{{{ONE}}}[$__rate_interval]))"
    return [
        figure(
            "State",
            (4, 4),
            [query(f"max({state_number(ONE)})")],
            more=words(NUMBERED) | {"color": {"mode": "thresholds"}},
        ),
        figure(
            "Last failure, if it is one",
            (6, 4),
            [
                query(
                    f"max by (reason) (probe_failure_info{{{ONE}}}) or on () {no_failure}",
                    "{{reason}}",
                )
            ],
            text="name",
            more={"color": {"mode": "fixed", "fixedColor": GREY}},
        ),
        figure(
            "Succeeded in the time shown",
            (5, 4),
            [query(f"avg(avg_over_time(probe_success{{{ONE}}}[$__range]))")],
            unit="percentunit",
            more={"decimals": 3} | thresholds((None, RED), (0.99, YELLOW), (0.999, GREEN)),
        ),
        figure(
            "Certificate ends in",
            (5, 4),
            [query(f"(min(probe_ssl_earliest_cert_expiry{{{ONE}}}) - time()) / 86400")],
            unit="d",
            more={"decimals": 0, "noValue": "none seen"} | expiring(1),
        ),
        figure(
            "Status code",
            (4, 4),
            [query(f"max(probe_http_status_code{{{ONE}}})")],
            more=thresholds((None, RED), (100, GREEN), (400, YELLOW), (500, RED)),
        ),
        lines(
            "Latency of successes",
            (12, 8),
            [
                *(query(quantile(share, latency, ONE, "check"), f"p{100 * share:g}") for share in (0.5, 0.95, 0.99)),
                query(
                    f"{sums} / {counts}",
                    "mean",
                ),
            ],
            unit="s",
        ),
        lines(
            "Phases of the last conclusive run",
            (12, 8),
            [query(f'avg(probe_http_duration_seconds{{{ONE},phase="{phase}"}})', phase) for phase in PHASES],
            unit="s",
            stacked=True,
        ),
        lines(
            "Runs by outcome",
            (12, 8),
            [
                query(f"clamp_min({conclusive} - {failed} - {spoilt}, 0)", "success"),
                query(f"sum by (outcome) (rate(probe_failures_total{{{ONE}}}[$__rate_interval]))", "{{outcome}}"),
                query(spoilt, "inconclusive"),
            ],
            unit="reqps",
            stacked=True,
            overrides=colored(
                {
                    "success": GREEN,
                    "http_error": YELLOW,
                    "connection_error": RED,
                    "timeout": PURPLE,
                    "unexpected_answer": ORANGE,
                    "inconclusive": GREY,
                }
            ),
        ),
        panel(
            "heatmap",
            "Latency of successes, all of them",
            (12, 8),
            [
                query(f"sum by (le) (increase({latency}_bucket{{{ONE}}}[$__rate_interval]))", "{{le}}")
                | {"format": "heatmap"}
            ],
            options={
                "calculate": False,
                "yAxis": {"unit": "s"},
                "color": {"mode": "scheme", "scheme": "Oranges"},
                "cellGap": 1,
            },
        ),
        table(
            "What it asks",
            (24, 4),
            [query(f"probe_info{{{ONE}}}", table=True)],
            ("Value", "__name__", "job", "check", "group"),
            {"target": "Target", "protocol": "Protocol", "instance": "Asked by"},
        ),
    ]


def itself() -> list[Json]:
    """Whether the figures above can be trusted."""
    ours = f"and {SAME_MONITOR} monitor_build_info"
    ok = {0: ("refused", RED), 1: ("in force", GREEN)}
    return [
        figure(
            "Configuration",
            (6, 4),
            [query("monitor_config_last_reload_successful", "{{instance}}")],
            more=words(ok) | {"color": {"mode": "thresholds"}},
        ),
        figure(
            "Running for",
            (6, 4),
            [query(f"time() - process_start_time_seconds {ours}", "{{instance}}")],
            unit="s",
            more=thresholds((None, RED), (900, GREEN)),
        ),
        figure(
            "Version",
            (6, 4),
            [query("max by (version, instance) (monitor_build_info)", "{{version}}")],
            text="name",
            more={"color": {"mode": "fixed", "fixedColor": GREY}},
        ),
        figure(
            "File descriptors in use",
            (6, 4),
            [query(f"process_open_fds / process_max_fds {ours}", "{{instance}}")],
            unit="percentunit",
            more=thresholds((None, GREEN), (0.7, YELLOW), (0.9, RED)),
        ),
        lines(
            "How late runs start",
            (12, 8),
            [
                query(
                    quantile(share, "monitor_schedule_lag_seconds", "", "instance"),
                    f"p{100 * share:g} {{{{instance}}}}",
                )
                for share in (0.5, 0.99)
            ],
            unit="s",
            about="Above half a second the machine is too small, or max_concurrency too low.",
        ),
        lines(
            "How late the event loop wakes up",
            (12, 8),
            [query(quantile(0.99, "monitor_event_loop_lag_seconds", "", "instance"), "p99 {{instance}}")],
            unit="s",
            about="The measured latencies contain this delay; above 0.1 s there is an alert.",
        ),
        lines(
            "Runs that did not happen",
            (12, 8),
            [
                query(
                    "sum by (instance, reason) (rate(monitor_runs_skipped_total[$__rate_interval]))",
                    "{{reason}} {{instance}}",
                )
            ],
            unit="reqps",
        ),
        lines(
            "Runs that found nothing out",
            (12, 8),
            [
                query(
                    "sum by (instance, reason) (rate(monitor_runs_inconclusive_total[$__rate_interval]))",
                    "{{reason}} {{instance}}",
                )
            ],
            unit="reqps",
        ),
        lines(
            "Runs",
            (8, 8),
            [
                query("monitor_checks_in_flight", "under way {{instance}}"),
                query(
                    "sum by (instance) (rate(monitor_schedule_lag_seconds_count[$__rate_interval]))",
                    "started per second {{instance}}",
                ),
            ],
        ),
        lines(
            "CPU",
            (8, 8),
            [query(f"rate(process_cpu_seconds_total[$__rate_interval]) {ours}", "{{instance}}")],
            unit="percentunit",
            about="One process uses one core at most.",
        ),
        lines("Memory", (8, 8), [query(f"process_resident_memory_bytes {ours}", "{{instance}}")], unit="bytes"),
    ]


def placed(rows: dict[str, list[Json]]) -> list[Json]:
    """Rows with their panels from left to right, line by line, each with an id."""
    panels: list[Json] = []
    y = 0
    for title, members in rows.items():
        panels.append(
            {
                "type": "row",
                "title": title,
                "collapsed": False,
                "panels": [],
                "gridPos": {"x": 0, "y": y, "w": WIDTH, "h": 1},
            }
        )
        x, y, height = 0, y + 1, 0
        for member in members:
            width = member["gridPos"]["w"]
            if x + width > WIDTH:
                x, y, height = 0, y + height, 0
            member["gridPos"] |= {"x": x, "y": y}
            x, height = x + width, max(height, member["gridPos"]["h"])
            panels.append(member)
        y += height
    return [member | {"id": n} for n, member in enumerate(panels, start=1)]


def variable(name: str, asked: str, *, many: bool) -> Json:
    """A variable whose values Prometheus has; with `many`, more than one may be chosen, or all."""
    return {
        "name": name,
        "label": name.capitalize(),
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": asked, "refId": name},
        "definition": asked,
        "refresh": 2,
        "sort": 1,
        "multi": many,
        "includeAll": many,
        **({"allValue": ".*", "current": {"text": ["All"], "value": ["$__all"]}} if many else {}),
    }


def dashboard() -> Json:
    """The whole of it; schema 38 is that of Grafana 10.0."""
    return {
        "uid": "endpoint-monitor",
        "title": "Endpoint monitor",
        "tags": ["monitor", "prometheus"],
        "schemaVersion": 38,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "",
        "annotations": {"list": []},
        "templating": {
            "list": [
                {
                    "name": "datasource",
                    "label": "Data source",
                    "type": "datasource",
                    "query": "prometheus",
                    "refresh": 1,
                },
                variable("group", "label_values(probe_info, group)", many=True),
                variable("check", f"label_values(probe_info{{{GROUP}}}, check)", many=False),
            ]
        },
        "panels": placed({"Overview": overview(), "One check: $check": one_check(), "The monitor itself": itself()}),
    }


def text() -> str:
    """The file as it should be."""
    return json.dumps(dashboard(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    TARGET.write_text(text())
    sys.stdout.write(f"{TARGET}\n")
