"""The rules about endpoints fire when they should, and not for what is no fault of the target."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.prometheus.world import (
    DAY,
    FAILURES,
    RULES,
    Labels,
    Series,
    Stretch,
    counting,
    firing,
    healthy,
    histogram,
    lives,
    of,
    own,
    promtool_says,
    says,
    values,
)

API: Labels = {"job": "monitor", "instance": "m:8420", "check": "api", "group": "shop"}


def long(promtool: str, folder: Path, series: Series, **expected: list[dict[str, object]]) -> str:
    """What promtool says of more than a day of one check alone: only the rules about endpoints, every four minutes."""
    rules = [path for path in RULES if path.name.startswith(("recording", "endpoints"))]
    alone = {name: text for name, text in series.items() if 'check="api"' in name}
    return promtool_says(promtool, folder, alone, rules=rules, every="4m", **expected)


def alert(name: str, severity: str = "ticket", **more: str) -> Labels:
    return {"alertname": name, "severity": severity, **API, **more}


DOWN = alert("EndpointDown", "page")
UNKNOWN = alert("EndpointUnknown", state="unknown")


def test_nothing_fires_where_nothing_is_wrong(promtool: str, tmp_path: Path) -> None:
    expressions = [firing(f"{minute}m") for minute in (0, 1, 6, 30, 120, 399)]
    assert promtool_says(promtool, tmp_path, healthy(400), expressions=expressions) == ""


def test_down_fires_at_once_and_says_why(promtool: str, tmp_path: Path) -> None:
    series = healthy(60) | lives("api", ("up", 10), ("down", 10), ("up", 40))
    told = says(
        "EndpointDown",
        "12m",
        {"severity": "page"} | API,
        summary="api is down: connect_timeout (timeout)",
        description="https://api.example.com/ failed as many times in a row as its check allows, says m:8420. "
        "Group shop.",
    )
    expressions = [firing("9m"), firing("10m", DOWN), firing("19m", DOWN), firing("20m")]
    assert promtool_says(promtool, tmp_path, series, expressions=expressions, alerts=[told]) == ""


def test_down_whose_last_run_succeeded_says_so(promtool: str, tmp_path: Path) -> None:
    series = (
        healthy(20)
        | lives("api", ("down", 20))
        | {of("probe_info", target="https://api.example.com/", protocol="https"): ""}
    )
    series[of("probe_failure_info", outcome="timeout", reason="connect_timeout")] = ""
    told = says(
        "EndpointDown",
        "5m",
        {"severity": "page"} | API,
        summary="api is down: its last run did not fail, or is not known",
        description="api failed as many times in a row as its check allows, says m:8420. Group shop.",
    )
    assert promtool_says(promtool, tmp_path, series, alerts=[told]) == ""


@pytest.mark.parametrize("state", ["paused", "maintenance", "gone"])
def test_what_nobody_watches_any_more_is_not_down(state: str, promtool: str, tmp_path: Path) -> None:
    series = healthy(60) | lives("api", ("down", 10), (state, 50))
    expressions = [firing("9m", DOWN), *(firing(f"{minute}m") for minute in (10, 11, 15, 30, 59))]
    assert promtool_says(promtool, tmp_path, series, expressions=expressions) == ""


def test_down_stays_one_alert_through_a_restart_of_the_monitor(promtool: str, tmp_path: Path) -> None:
    series = healthy(40) | lives("api", ("up", 5), ("down", 10), ("gone", 1), ("unknown", 2), ("down", 10), ("up", 12))
    series[own("up")] = "1x14 0 1x24"
    expressions = [firing(f"{minute}m", DOWN) for minute in range(5, 28)] + [firing("28m")]
    assert promtool_says(promtool, tmp_path, series, expressions=expressions) == ""


@pytest.mark.parametrize("state", ["paused", "gone"])
def test_what_nobody_watches_any_more_is_not_down_again_when_the_monitor_is_restarted(
    state: str, promtool: str, tmp_path: Path
) -> None:
    series = healthy(40) | lives("api", ("down", 10), (state, 3), ("gone", 1), (state, 26))
    series[own("up")] = "1x12 0 1x26"
    expressions = [firing("9m", DOWN), *(firing(f"{minute}m") for minute in (10, 12, 13, 14, 20, 39))]
    assert promtool_says(promtool, tmp_path, series, expressions=expressions) == ""


def test_maintenance_resolves_what_was_down_and_only_what_is_still_down_after_it_pages_again(
    promtool: str, tmp_path: Path
) -> None:
    series = healthy(60) | lives("api", ("down", 10), ("maintenance", 20), ("unknown", 1), ("down", 10), ("up", 19))
    expressions = [firing("9m", DOWN), *(firing(f"{minute}m") for minute in (10, 15, 29, 30)), firing("31m", DOWN)]
    assert promtool_says(promtool, tmp_path, series, expressions=[*expressions, firing("45m")]) == ""


def test_an_outage_that_outlasts_a_short_maintenance_pages_again_at_its_end(promtool: str, tmp_path: Path) -> None:
    series = healthy(30) | lives("api", ("down", 10), ("maintenance", 5), ("unknown", 2), ("down", 13))
    expressions = [firing("9m", DOWN), firing("10m"), firing("14m"), firing("15m", DOWN), firing("20m", DOWN)]
    assert promtool_says(promtool, tmp_path, series, expressions=expressions) == ""


def test_maintenance_of_a_target_that_comes_back_alerts_of_nothing(promtool: str, tmp_path: Path) -> None:
    series = healthy(60) | lives("api", ("up", 10), ("maintenance", 20), ("unknown", 1), ("up", 29))
    assert promtool_says(promtool, tmp_path, series, expressions=[firing(f"{m}m") for m in range(0, 60, 3)]) == ""


def test_restart_of_the_monitor_alerts_of_nothing(promtool: str, tmp_path: Path) -> None:
    """Every counter falls to zero, states begin as unknown, and one scrape fails."""
    restarted = "0+2x20 stale 0+2x20"
    series = healthy(42) | lives("api", ("up", 21), ("gone", 1), ("unknown", 1), ("up", 19))
    series |= {own("up"): "1x20 0 1x20", own("process_start_time_seconds"): "0x20 stale 1260x20"}
    series |= {name: "1x20 stale 1x20" for name in series if "build_info" in name}
    series |= {name: restarted for name in series if name.startswith(("probe_attempts", "probe_latency_seconds"))}
    assert promtool_says(promtool, tmp_path, series, expressions=[firing(f"{minute}m") for minute in range(42)]) == ""


def test_what_was_up_and_is_not_known_any_more_is_no_page(promtool: str, tmp_path: Path) -> None:
    series = healthy(60) | lives("api", ("up", 10), ("unknown", 50))
    expressions = [firing("11m"), firing("24m"), firing("26m", UNKNOWN), firing("59m", UNKNOWN)]
    told = says(
        "EndpointUnknown",
        "30m",
        {"severity": "ticket", "state": "unknown"} | API,
        summary="Nothing is known of api",
        description="api has had no conclusive result for three intervals, says m:8420: it may be up or down.",
    )
    assert promtool_says(promtool, tmp_path, series, expressions=expressions, alerts=[told]) == ""


def test_down_that_is_not_known_any_more_ends_after_ten_minutes(promtool: str, tmp_path: Path) -> None:
    series = healthy(60) | lives("api", ("down", 10), ("unknown", 50))
    expressions = [firing("18m", DOWN), firing("21m"), firing("30m", UNKNOWN)]
    assert promtool_says(promtool, tmp_path, series, expressions=expressions) == ""


FLAPS: tuple[Stretch, ...] = (("up", 5), ("down", 4)) * 3
FLAPPING = alert("EndpointFlapping")


def test_flapping_is_three_times_down_within_an_hour(promtool: str, tmp_path: Path) -> None:
    series = healthy(200) | lives("api", *FLAPS, ("up", 160))
    expressions = [firing("24m", DOWN), firing("28m", FLAPPING), firing("60m", FLAPPING), firing("66m")]
    told = says(
        "EndpointFlapping",
        "30m",
        {"severity": "ticket"} | API,
        summary="api goes down and up again and again",
        description="api changed between up and down 6 times within an hour, says m:8420.",
    )
    assert promtool_says(promtool, tmp_path, series, expressions=expressions, alerts=[told]) == ""


@pytest.mark.parametrize("state", ["paused", "maintenance", "gone"])
def test_flapping_ends_with_the_watch(state: str, promtool: str, tmp_path: Path) -> None:
    series = healthy(100) | lives("api", *FLAPS, ("up", 3), (state, 50))
    assert promtool_says(promtool, tmp_path, series, expressions=[firing("28m", FLAPPING), firing("31m")]) == ""


def test_up_and_unknown_by_turns_is_no_flapping(promtool: str, tmp_path: Path) -> None:
    series = healthy(60) | lives("api", *((("up", 5), ("unknown", 4)) * 6))
    assert promtool_says(promtool, tmp_path, series, expressions=[firing(f"{m}m") for m in (20, 40, 53)]) == ""


UNRELIABLE = alert("EndpointUnreliable")
TIMEOUTS = of("probe_failures_total", outcome="timeout")


def test_failures_that_never_last_are_unreliable(promtool: str, tmp_path: Path) -> None:
    series = healthy(800) | {TIMEOUTS: "0+0.03x400 12x400"}
    told = says(
        "EndpointUnreliable",
        "300m",
        {"severity": "ticket"} | API,
        summary="api fails now and then",
        description="1.5% of the runs of api failed within six hours, says m:8420.",
    )
    expressions = [firing("60m"), firing("300m", UNRELIABLE), firing("700m")]
    assert long(promtool, tmp_path, series, expressions=expressions, alerts=[told]) == ""


def test_failures_in_maintenance_make_nothing_unreliable(promtool: str, tmp_path: Path) -> None:
    stretches = (("up", 100), ("maintenance", 60), ("up", 240))
    series = healthy(400) | lives("api", *stretches) | {TIMEOUTS: "0x100 0+2x58 118x240"}
    expressions = [firing(f"{minute}m") for minute in (102, 130, 158, 162, 166, 200, 390)]
    assert promtool_says(promtool, tmp_path, series, expressions=expressions, every="2m") == ""


def latency(*stretches: tuple[str, str, int]) -> Series:
    """Two successes a minute: which bucket they reach first, their mean times two, and for how many minutes."""
    counts: dict[str, list[str]] = {bound: [] for bound in ("0.1", "0.25", "0.5", "1.0", "+Inf")}
    sums, total, took = [], 0, 0.0
    for bound, twice, minutes in stretches:
        for le, each in counting(minutes, "count", bound).items():
            before = counts[le][-1] if counts[le] else "0"
            start = int(before.rpartition(" ")[2])
            step = 2 if each == "count" else 0
            counts[le].append(f"{start + step}+{step}x{minutes - 1} {start + step * minutes}")
        sums.append(f"{took}+{twice}x{minutes - 1}")
        took += float(twice) * minutes
        total += 2 * minutes
    joined = {le: " ".join(part.rpartition(" ")[0] for part in parts) for le, parts in counts.items()}
    return histogram(of("probe_latency_seconds"), joined, " ".join(sums))


def rounded(name: str, time: str, value: float) -> dict[str, object]:
    """The series of the check has this value, to the hundredth."""
    labels = of(name).removeprefix(name)
    return {"expr": f"round({of(name)}, 0.01)", "eval_time": time, "exp_samples": [{"labels": labels, "value": value}]}


SLOW = alert("EndpointSlow")
BEFORE = DAY + 160
"""Minutes of the past that today is compared with."""


def test_twice_as_slow_as_in_its_own_week_is_slow(promtool: str, tmp_path: Path) -> None:
    series = healthy(BEFORE + 180) | latency(("0.25", "0.4", BEFORE), ("1.0", "1.6", 180))
    expressions = [firing(f"{BEFORE}m"), firing(f"{BEFORE + 10}m"), firing(f"{BEFORE + 90}m", SLOW)]
    told = says(
        "EndpointSlow",
        f"{BEFORE + 90}m",
        {"severity": "ticket"} | API,
        summary="api is slower than it was this week",
        description="One in twenty answers of api took 975ms or longer within half an hour; 242.5ms is usual.",
    )
    assert long(promtool, tmp_path, series, expressions=expressions, alerts=[told]) == ""


def test_a_latency_that_crosses_the_bound_of_a_bucket_is_not_slow(promtool: str, tmp_path: Path) -> None:
    """From 240 to 260 ms: the quantile doubles, for that is all that the histogram knows."""
    series = healthy(BEFORE + 180) | latency(("0.25", "0.48", BEFORE), ("0.5", "0.52", 180))
    jumped = rounded("check:probe_latency_seconds:p95_30m", f"{BEFORE + 92}m", 0.49)
    expressions = [jumped, firing(f"{BEFORE + 90}m"), firing(f"{BEFORE + 170}m")]
    assert long(promtool, tmp_path, series, expressions=expressions) == ""


def test_a_new_check_is_compared_with_nothing(promtool: str, tmp_path: Path) -> None:
    series = healthy(1200) | latency(("0.25", "0.4", 600), ("1.0", "1.6", 600))
    assert long(promtool, tmp_path, series, expressions=[firing("700m"), firing("1196m")]) == ""


def test_a_check_without_a_success_for_a_while_keeps_its_week(promtool: str, tmp_path: Path) -> None:
    """Down for half a day: no latency, and no NaN in the median of the week."""
    bounds = {"0.1": 0, "0.25": 2, "0.5": 2, "1.0": 2, "+Inf": 2}
    counts = {le: f"0+{step}x{BEFORE} {step * BEFORE}x720" for le, step in bounds.items()}
    series = healthy(BEFORE + 720) | histogram(
        of("probe_latency_seconds"), counts, f"0+0.4x{BEFORE} {0.4 * BEFORE}x720"
    )
    known = rounded("check:probe_latency_seconds:p95_week", f"{BEFORE + 700}m", 0.24)
    none: dict[str, object] = {"expr": "check:probe_latency_seconds:p95_30m", "exp_samples": []}
    assert (
        long(
            promtool,
            tmp_path,
            series,
            expressions=[known, none | {"eval_time": f"{BEFORE + 700}m"}, firing(f"{BEFORE + 700}m")],
        )
        == ""
    )


def test_degraded_for_a_quarter_of_an_hour_is_a_ticket(promtool: str, tmp_path: Path) -> None:
    series = healthy(60) | lives("api", ("degraded", 30), ("up", 30))
    expressions = [firing("14m"), firing("16m", alert("EndpointDegraded", state="degraded")), firing("31m")]
    told = says(
        "EndpointDegraded",
        "20m",
        {"severity": "ticket", "state": "degraded"} | API,
        summary="api is degraded",
        description="api succeeds, but is slower than expected, or its certificate ends soon, says m:8420.",
    )
    assert promtool_says(promtool, tmp_path, series, expressions=expressions, alerts=[told]) == ""


EXPIRY = of("probe_ssl_earliest_cert_expiry")
ENDS_AT = 14 * DAY + 60
"""Minutes: it ends soon from one hour on."""
SOON, ENDED = alert("CertificateEndsSoon"), alert("CertificateEnded", "page")


def test_certificate_that_ends_soon_is_a_ticket_and_an_ended_one_a_page(promtool: str, tmp_path: Path) -> None:
    series = healthy(100) | {EXPIRY: f"{ENDS_AT * 60}x89 {90 * 60 + 120}x10"}
    told = [
        says(
            "CertificateEndsSoon",
            "80m",
            {"severity": "ticket"} | API,
            summary="The certificate of api ends in 13d 23h 40m 0s",
            description="The first certificate to end in the chain of api ends in 13d 23h 40m 0s.",
        ),
        says(
            "CertificateEnded",
            "95m",
            {"severity": "page"} | API,
            summary="The certificate of api has ended",
            description="A certificate in the chain of api ended 3m 0s ago.",
        ),
    ]
    expressions = [firing("60m"), firing("80m", SOON), firing("91m", SOON), firing("92m", ENDED), firing("99m", ENDED)]
    assert promtool_says(promtool, tmp_path, series, expressions=expressions, alerts=told) == ""


def test_certificate_of_a_target_of_probe_is_told_by_its_instance(promtool: str, tmp_path: Path) -> None:
    """What /probe answers, and blackbox_exporter, has no label `check`."""
    series = healthy(30) | {'probe_ssl_earliest_cert_expiry{job="probe",instance="https://a.example.com/"}': "0x30"}
    told = says(
        "CertificateEnded",
        "20m",
        {"severity": "page", "job": "probe", "instance": "https://a.example.com/"},
        summary="The certificate of https://a.example.com/ has ended",
        description="A certificate in the chain of https://a.example.com/ ended 20m 0s ago.",
    )
    assert promtool_says(promtool, tmp_path, series, alerts=[told]) == ""


@pytest.mark.parametrize("state", ["paused", "maintenance", "gone"])
def test_certificate_of_what_nobody_watches_is_no_page(state: str, promtool: str, tmp_path: Path) -> None:
    """Paused and removed checks have no date; one in maintenance may have."""
    stretches = (("up", 10), (state, 50))
    series = healthy(60) | lives("api", *stretches)
    series[EXPIRY] = "-100x60" if state == "maintenance" else values(stretches, {"up": "-100"})
    expressions = [firing("9m", ENDED), firing("10m"), firing("40m")]
    assert promtool_says(promtool, tmp_path, series, expressions=expressions) == ""


def test_certificate_alert_outlives_an_inconclusive_stretch(promtool: str, tmp_path: Path) -> None:
    """What is known of a certificate stays true; and nothing else fires but that the state is unknown."""
    series = healthy(60) | lives("api", ("up", 10), ("unknown", 50)) | {EXPIRY: "-100x60"}
    series |= {of("probe_inconclusive_total"): "0x10 0+2x50"}
    assert promtool_says(promtool, tmp_path, series, expressions=[firing("40m", ENDED, UNKNOWN)]) == ""


def test_a_removed_check_leaves_no_alert_behind(promtool: str, tmp_path: Path) -> None:
    """It failed, flapped and burnt its budget, and all its series end."""
    series = healthy(400) | lives("api", *FLAPS, ("down", 10), ("gone", 300))
    ends = {name: "0+2x35 stale" for name in series if 'check="api"' in name and "_total" in name}
    series |= ends | {of("probe_failures_total", outcome=outcome): "0+1x35 stale" for outcome in FAILURES}
    series |= {
        name: text.split("x")[0] + "x35 stale" for name, text in series.items() if "cert" in name or "info{" in name
    }
    per_check: dict[str, object] = {"expr": 'ALERTS{check!=""}', "exp_samples": []}
    assert (
        promtool_says(promtool, tmp_path, series, expressions=[per_check | {"eval_time": f"{m}m"} for m in (45, 90)])
        == ""
    )
