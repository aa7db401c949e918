"""The rules about the monitor itself, and about its service level objectives."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.prometheus.world import (
    BUCKETS,
    RULES,
    Labels,
    Series,
    counting,
    firing,
    healthy,
    histogram,
    lives,
    of,
    own,
    promtool_says,
    says,
)

HERE: Labels = {"job": "monitor", "instance": "m:8420"}
PAGE, TICKET = {"severity": "page"}, {"severity": "ticket"}


def alert(name: str, severity: str = "ticket", labels: Labels = HERE, **more: str) -> Labels:
    return {"alertname": name, "severity": severity, **labels, **more}


ABSENT = alert("MonitorAbsent", "page")


def stopped(at: int, rest: int) -> Series:
    """The series of a monitor that does not answer any more."""
    gone = {name: _ended(text, at) for name, text in healthy(at + rest).items()}
    return gone | {own("up"): f"1x{at - 1} 0x{rest}"}


def _ended(text: str, at: int) -> str:
    return f"{text.split('x', maxsplit=1)[0]}x{at - 1} stale"


def test_monitor_that_does_not_answer_is_absent(promtool: str, tmp_path: Path) -> None:
    told = says(
        "MonitorAbsent",
        "20m",
        PAGE | HERE,
        summary="The monitor m:8420 does not answer: nobody is watching",
        description="Prometheus has had no metrics of m:8420 for two minutes or more.",
    )
    expressions = [firing("9m"), firing("11m"), firing("12m", ABSENT), firing("60m", ABSENT)]
    assert promtool_says(promtool, tmp_path, stopped(10, 60), expressions=expressions, alerts=[told]) == ""


def test_monitor_that_prometheus_does_not_know_is_absent(promtool: str, tmp_path: Path) -> None:
    other = {'up{job="node",instance="n:9100"}': "0x30"}
    told = says(
        "MonitorAbsent",
        "20m",
        PAGE,
        summary="The monitor does not answer: nobody is watching",
        description="Prometheus has had no metrics of any monitor for two minutes or more.",
    )
    expressions = [firing("1m"), firing("5m", alert("MonitorAbsent", "page", {}))]
    assert promtool_says(promtool, tmp_path, other, expressions=expressions, alerts=[told]) == ""


def test_restarts_one_after_the_other_are_told(promtool: str, tmp_path: Path) -> None:
    series = healthy(120) | {own("process_start_time_seconds"): "0x10 660x10 1320x10 1980x90"}
    told = says(
        "MonitorRestarting",
        "40m",
        TICKET | HERE,
        summary="The monitor m:8420 was restarted 3 times within an hour",
        description="The monitor m:8420 was started 3 times within an hour. All states begin anew each time.",
    )
    expressions = [firing("32m"), firing("40m", alert("MonitorRestarting")), firing("80m")]
    assert promtool_says(promtool, tmp_path, series, expressions=expressions, alerts=[told]) == ""


LAG = own("monitor_schedule_lag_seconds")
NOT_SCHEDULING = alert("MonitorNotScheduling", "page")


def standing(minutes: int, after: int) -> Series:
    """No run starts any more after so many minutes."""
    counts = dict.fromkeys(BUCKETS, f"0+4x{minutes} {4 * minutes}x{after}")
    return histogram(LAG, counts, f"0x{minutes + after}")


def test_monitor_that_runs_nothing_is_not_scheduling(promtool: str, tmp_path: Path) -> None:
    series = healthy(90) | standing(20, 70) | {own("monitor_checks", state="unknown"): "0x22 2x68"}
    told = says(
        "MonitorNotScheduling",
        "50m",
        PAGE | HERE,
        summary="The monitor m:8420 runs no checks",
        description="No run of any check was started within 15 minutes on m:8420, and checks are unknown.",
    )
    expressions = [firing("30m"), firing("45m", NOT_SCHEDULING), firing("89m", NOT_SCHEDULING)]
    assert promtool_says(promtool, tmp_path, series, expressions=expressions, alerts=[told]) == ""


def test_checks_that_are_due_once_an_hour_are_no_standstill(promtool: str, tmp_path: Path) -> None:
    series = healthy(90) | standing(20, 70)
    assert promtool_says(promtool, tmp_path, series, expressions=[firing("45m"), firing("89m")]) == ""


def test_paused_checks_are_no_standstill(promtool: str, tmp_path: Path) -> None:
    series = healthy(90) | standing(20, 70) | lives("api", ("up", 20), ("paused", 70)) | lives("web", ("paused", 90))
    series |= {own("monitor_checks", state="paused"): "2x90"}
    assert promtool_says(promtool, tmp_path, series, expressions=[firing("45m"), firing("89m")]) == ""


def test_late_runs_are_lag(promtool: str, tmp_path: Path) -> None:
    series = healthy(90) | histogram(LAG, counting(90, "0+4x90", "1.0"), "0+3x90")
    told = says(
        "MonitorLagging",
        "30m",
        TICKET | HERE,
        summary="The monitor m:8420 starts its runs late",
        description="One run in a hundred starts 995ms late or later on m:8420.",
    )
    expressions = [firing("9m"), firing("30m", alert("MonitorLagging"))]
    assert promtool_says(promtool, tmp_path, series, expressions=expressions, alerts=[told]) == ""


def test_one_late_stretch_is_no_lag(promtool: str, tmp_path: Path) -> None:
    late = {bound: "0+4x90" if bound in ("1.0", "+Inf") else "0+4x30 120x1 124+4x57" for bound in BUCKETS}
    series = healthy(90) | histogram(LAG, late, "0+0.1x90")
    assert promtool_says(promtool, tmp_path, series, expressions=[firing(f"{m}m") for m in (31, 36, 40, 45)]) == ""


def test_loop_that_wakes_up_late_is_told(promtool: str, tmp_path: Path) -> None:
    series = healthy(90) | histogram(own("monitor_event_loop_lag_seconds"), counting(90, "0+600x90", "0.25"), "0+60x90")
    told = says(
        "MonitorEventLoopLag",
        "30m",
        TICKET | HERE,
        summary="The latencies that m:8420 measures contain its own delays",
        description="The event loop of m:8420 wakes up 248.5ms late or later once in a hundred times.",
    )
    expressions = [firing("10m"), firing("30m", alert("MonitorEventLoopLag"))]
    assert promtool_says(promtool, tmp_path, series, expressions=expressions, alerts=[told]) == ""


def failing_worker() -> Labels:
    return alert("MonitorWorkerFails", worker="1")


def test_a_worker_that_is_down_is_a_ticket(promtool: str, tmp_path: Path) -> None:
    series = healthy(60) | {
        own("monitor_worker_up", worker="0"): "1x60",
        own("monitor_worker_up", worker="1"): "1x10 0x20 1x30",
    }
    told = says(
        "MonitorWorkerFails",
        "20m",
        TICKET | HERE | {"worker": "1"},
        summary="Probe worker 1 of m:8420 fails",
        description="Probe worker 1 of m:8420 is down, or was started again three times or more within an hour. "
        "Its checks are not run meanwhile.",
    )
    expressions = [firing("10m"), firing("20m", failing_worker()), firing("40m")]
    assert promtool_says(promtool, tmp_path, series, expressions=expressions, alerts=[told]) == ""


def test_a_worker_that_dies_again_and_again_is_a_ticket_and_one_death_is_not(promtool: str, tmp_path: Path) -> None:
    again, once = own("monitor_worker_restarts_total", worker="1"), own("monitor_worker_restarts_total", worker="0")
    series = healthy(120) | {again: "0x10 1x9 2x9 3x9 4x80", once: "0x10 1x110"}
    expressions = [firing("15m"), firing("45m", failing_worker()), firing("119m")]
    assert promtool_says(promtool, tmp_path, series, expressions=expressions) == ""


def test_a_history_that_is_not_written_is_a_ticket_and_a_short_lock_is_not(promtool: str, tmp_path: Path) -> None:
    series = healthy(90) | {
        own("monitor_history_writing"): "1x10 0x2 1x20 0x20 1x40",
        own("monitor_history_dropped_total"): "0x90",
    }
    told = says(
        "MonitorHistoryNotWritten",
        "45m",
        TICKET | HERE,
        summary="The monitor m:8420 does not keep its history",
        description="The history of m:8420 has not been written for five minutes or more, or something of it was given "
        "up within an hour. Checks go on.",
    )
    expressions = [firing("16m"), firing("45m", alert("MonitorHistoryNotWritten")), firing("60m")]
    assert promtool_says(promtool, tmp_path, series, expressions=expressions, alerts=[told]) == ""


def test_what_was_given_up_is_a_ticket(promtool: str, tmp_path: Path) -> None:
    series = healthy(60) | {own("monitor_history_writing"): "1x60", own("monitor_history_dropped_total"): "0x10 200x50"}
    expressions = [firing("9m"), firing("20m", alert("MonitorHistoryNotWritten"))]
    assert promtool_says(promtool, tmp_path, series, expressions=expressions) == ""


SKIPPED = own("monitor_runs_skipped_total", reason="late")


def test_runs_that_are_skipped_all_the_time_are_overload(promtool: str, tmp_path: Path) -> None:
    series = healthy(90) | {SKIPPED: "0+1x90"}
    told = says(
        "MonitorOverloaded",
        "40m",
        TICKET | HERE | {"reason": "late"},
        summary="The monitor m:8420 skips runs (late)",
        description="Of the runs that were due within ten minutes on m:8420, 10 were skipped, and some in each of the "
        "last twenty: late.",
    )
    expressions = [firing("15m"), firing("40m", alert("MonitorOverloaded", reason="late"))]
    assert promtool_says(promtool, tmp_path, series, expressions=expressions, alerts=[told]) == ""


def test_runs_that_were_skipped_once_are_no_overload(promtool: str, tmp_path: Path) -> None:
    """A machine that was suspended, say."""
    series = healthy(90) | {own("monitor_runs_skipped_total", reason="stalled"): "0x10 500x80"}
    assert promtool_says(promtool, tmp_path, series, expressions=[firing(f"{m}m") for m in (11, 20, 31, 60)]) == ""


def spoilt(reason: str, text: str) -> Series:
    return {own("monitor_runs_inconclusive_total", reason=reason): text}


def test_a_stretch_that_finds_nothing_out_is_a_ticket_about_the_monitor(promtool: str, tmp_path: Path) -> None:
    """Every run is spoilt for an hour, and the checks become unknown: nobody is paged about them."""
    series = healthy(150) | spoilt("monitor_stalled", "0x20 4+4x59 240x70")
    for name in ("api", "web"):
        series |= lives(name, ("up", 22), ("unknown", 58), ("up", 70))
        series |= {of("probe_inconclusive_total", name): "0x20 2+2x59 120x70"}
    unknown = [
        alert("EndpointUnknown", labels=HERE | {"check": name, "group": "shop", "state": "unknown"})
        for name in ("api", "web")
    ]
    inconclusive = alert("MonitorInconclusive", reason="monitor_stalled")
    told = says(
        "MonitorInconclusive",
        "70m",
        TICKET | HERE | {"reason": "monitor_stalled"},
        summary="The monitor m:8420 spoils its own runs (monitor_stalled)",
        description="100% of the runs on m:8420 found nothing out: monitor_stalled.",
    )
    expressions = [firing("25m"), firing("34m"), firing("60m", inconclusive, *unknown), firing("120m")]
    assert promtool_says(promtool, tmp_path, series, expressions=expressions, alerts=[told]) == ""


@pytest.mark.parametrize(
    "text", ["0x20 3x70", "0+0.1x90"], ids=["three runs at once", "one run in forty"]
)  # of four a minute
def test_few_spoilt_runs_are_nothing(text: str, promtool: str, tmp_path: Path) -> None:
    series = healthy(90) | spoilt("monitor_stalled", text)
    assert promtool_says(promtool, tmp_path, series, expressions=[firing(f"{m}m") for m in (22, 35, 60, 89)]) == ""


def test_reloads_are_no_spoilt_runs(promtool: str, tmp_path: Path) -> None:
    series = healthy(90) | spoilt("cancelled", "0+4x90")
    assert promtool_says(promtool, tmp_path, series, expressions=[firing("60m")]) == ""


def test_monitor_without_network_says_so(promtool: str, tmp_path: Path) -> None:
    series = healthy(60) | spoilt("monitor_offline", "0x10 0+4x20 80x30")
    told = says(
        "MonitorOffline",
        "25m",
        PAGE | HERE,
        summary="The monitor m:8420 has no network",
        description="Runs on m:8420 fail because its own machine is offline. Nothing is known of what it watches.",
    )
    expressions = [firing("14m"), firing("20m", alert("MonitorOffline", "page")), firing("40m")]
    assert promtool_says(promtool, tmp_path, series, expressions=expressions, alerts=[told]) == ""


def test_an_outage_of_seconds_is_not_offline(promtool: str, tmp_path: Path) -> None:
    series = healthy(60) | spoilt("monitor_offline", "0x10 2x50")
    assert promtool_says(promtool, tmp_path, series, expressions=[firing(f"{m}m") for m in range(10, 20)]) == ""


def test_bug_is_told(promtool: str, tmp_path: Path) -> None:
    series = healthy(120) | spoilt("internal_error", "0x10 1x110")
    told = says(
        "MonitorBug",
        "60m",
        TICKET | HERE,
        summary="The monitor m:8420 met a bug of its own",
        description="About 1 runs on m:8420 ended in an internal error within an hour. The log has the traceback.",
    )
    expressions = [firing("10m"), firing("60m", alert("MonitorBug")), firing("80m")]
    assert promtool_says(promtool, tmp_path, series, expressions=expressions, alerts=[told]) == ""


def test_refused_configuration_is_told_and_a_mended_one_is_not(promtool: str, tmp_path: Path) -> None:
    series = healthy(60) | {own("monitor_config_last_reload_successful"): "1x9 0x3 1x9 0x38"}
    told = says(
        "MonitorReloadFailed",
        "40m",
        TICKET | HERE,
        summary="The monitor m:8420 refused its configuration",
        description="The file of m:8420 has problems and is not in force; the configuration from before goes on.",
    )
    expressions = [firing("13m"), firing("26m"), firing("40m", alert("MonitorReloadFailed"))]
    assert promtool_says(promtool, tmp_path, series, expressions=expressions, alerts=[told]) == ""


FAST = alert("ErrorBudgetBurnsFast", "page", {"group": "shop"})
SLOW = alert("ErrorBudgetBurns", labels={"group": "shop"})
TIMEOUTS = of("probe_failures_total", outcome="timeout")


def test_budget_that_burns_fast_is_a_page_and_ends_soon_after(promtool: str, tmp_path: Path) -> None:
    """One check of two fails every second run for 40 minutes: a quarter of the group's runs."""
    series = healthy(145) | {TIMEOUTS: "0x60 0+1x40 40x45"}
    unreliable = alert("EndpointUnreliable", labels=HERE | {"check": "api", "group": "shop"})
    expressions = [firing("60m"), firing("90m", FAST, SLOW, unreliable), firing("140m", SLOW, unreliable)]
    assert promtool_says(promtool, tmp_path, series, expressions=expressions) == ""


def test_budget_that_burns_fast_says_how_much_failed(promtool: str, tmp_path: Path) -> None:
    series = healthy(60) | {TIMEOUTS: "0+1x60"}
    told = says(
        "ErrorBudgetBurnsFast",
        "50m",
        PAGE | {"group": "shop"},
        summary="The error budget of shop burns fast",
        description="25% of the runs of group shop failed; the budget of the month ends in days.",
    )
    assert promtool_says(promtool, tmp_path, series, alerts=[told]) == ""


def test_two_failures_burn_no_budget_fast(promtool: str, tmp_path: Path) -> None:
    series = healthy(130) | {TIMEOUTS: "0x20 1x30 2x80"}
    assert promtool_says(promtool, tmp_path, series, expressions=[firing(f"{m}m") for m in (21, 23, 51, 53, 56)]) == ""


def test_group_without_an_objective_has_no_budget(promtool: str, tmp_path: Path) -> None:
    series = {name.replace('"shop"', '"other"'): text for name, text in healthy(90).items()}
    series |= {TIMEOUTS.replace('"shop"', '"other"'): "0x60 0+2x30"}
    unreliable = alert("EndpointUnreliable", labels=HERE | {"check": "api", "group": "other"})
    assert promtool_says(promtool, tmp_path, series, expressions=[firing("90m", unreliable)]) == ""


def test_spoilt_runs_burn_no_budget(promtool: str, tmp_path: Path) -> None:
    series = healthy(130) | {
        of("probe_inconclusive_total"): "0x60 0+2x70",
        of("probe_inconclusive_total", "web"): "0x60 0+2x70",
    }
    assert promtool_says(promtool, tmp_path, series, expressions=[firing(f"{m}m") for m in (62, 66, 90, 130)]) == ""


def test_budget_that_burns_slowly_is_a_ticket(promtool: str, tmp_path: Path) -> None:
    """One run in 200 of the group fails for a shift, five times what its objective allows."""
    n = 480
    series = {name: text for name, text in healthy(n).items() if "_total" in name and "check=" in name}
    series |= {TIMEOUTS: f"0+0.02x{n}"}
    budget = [path for path in RULES if path.name.startswith(("recording", "slo"))]
    told = says(
        "ErrorBudgetBurns",
        f"{n - 2}m",
        TICKET | {"group": "shop"},
        summary="The error budget of shop does not last",
        description="0.5% of the runs of group shop failed; that is more than its objective allows.",
    )
    slowly = [firing(f"{n - 2}m", SLOW)]
    assert promtool_says(promtool, tmp_path, series, expressions=slowly, alerts=[told], rules=budget) == ""
