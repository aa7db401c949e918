"""What the `probe_*` series say after any run, in both formats."""

from __future__ import annotations

import pytest

from monitor.model.outcome import FAILURES, Reason, State
from monitor.model.result import Attempt, Certificate, Phases
from monitor.model.route import TlsSpec
from monitor.secrets.secret import Secret
from tests.metrics.conftest import Bench, spec

ANSWER = {
    "status_code": 200,
    "http_version": "1.1",
    "remote_address": "192.0.2.7:443",
    "content_length": 512,
    "body_bytes": 2048,
    "tls_version": "TLSv1.3",
}


def chain(*ends: float) -> tuple[Certificate, ...]:
    return tuple(Certificate(1.0, end, "CN=leaf", "CN=issuer") for end in ends)


GAUGES_OF_A_RESULT = (
    "probe_success",
    "probe_duration_seconds",
    "probe_http_status_code",
    "probe_http_version",
    "probe_http_redirects",
    "probe_http_ssl",
    "probe_http_content_length",
    "probe_http_uncompressed_body_length",
    "probe_ip_protocol",
)


async def test_before_any_result_there_are_counters_and_state_but_no_gauges(bench: Bench) -> None:
    assert await bench.of("probe_state", state="unknown") == 1
    assert await bench.of("probe_attempts_total") == 0
    assert await bench.of("probe_inconclusive_total") == 0
    assert [await bench.of("probe_failures_total", outcome=o.value) for o in FAILURES] == [0, 0, 0, None]
    assert await bench.of("probe_latency_seconds_count") == 0
    for name in (*GAUGES_OF_A_RESULT, "probe_up", "probe_last_run_timestamp_seconds"):
        assert await bench.of(name) is None
    assert await bench.of("probe_http_duration_seconds", phase="tls") is None


async def test_success_is_told_as_blackbox_tells_it(bench: Bench) -> None:
    bench.run("api", certificates=chain(1.8e9, 1.7e9), redirects=2, **ANSWER)
    expected = (1, 0.1, 200, 1.1, 2, 1, 512, 2048, 4)
    assert [await bench.of(name) for name in GAUGES_OF_A_RESULT] == list(expected)
    assert await bench.of("probe_up") == 1
    assert await bench.of("probe_tls_version_info", version="TLS 1.3") == 1
    assert await bench.of("probe_ssl_earliest_cert_expiry") == 1.7e9
    assert await bench.of("probe_last_run_timestamp_seconds") == bench.now.wall
    assert await bench.of("probe_last_success_timestamp_seconds") == bench.now.wall
    phases = {p: await bench.of("probe_http_duration_seconds", phase=p) for p in ("resolve", "tls", "processing")}
    assert phases == {"resolve": 0.01, "tls": 0.0, "processing": 0.06}


async def test_failure_without_an_answer_has_zeros_and_a_reason(bench: Bench) -> None:
    bench.run("api", Reason.REFUSED, phases=Phases(0.01), attempts=(Attempt("[2001:db8::1]:443", "refused", 0.0),))
    expected = (0, 0.1, 0, 0, 0, 0, 0, 0, 6)
    assert [await bench.of(name) for name in GAUGES_OF_A_RESULT] == list(expected)
    assert await bench.of("probe_failure_info", outcome="connection_error", reason="refused") == 1
    assert await bench.of("probe_failures_total", outcome="connection_error") == 1
    assert await bench.of("probe_ssl_earliest_cert_expiry") is None
    bench.run("api", **ANSWER)
    assert await bench.of("probe_failure_info", outcome="connection_error", reason="refused") is None


async def test_unexpected_answers_are_counted_for_checks_that_can_have_them(bench: Bench) -> None:
    bench.configure(spec("api", tls=TlsSpec(expiry_down=True)), spec("plain"))
    counts = {outcome.value: 0.0 for outcome in FAILURES}
    assert {o: await bench.of("probe_failures_total", check="api", outcome=o) for o in counts} == counts
    assert await bench.of("probe_failures_total", check="plain", outcome="unexpected_answer") is None
    bench.run("api", Reason.UNEXPECTED_CERTIFICATE, certificates=chain(1.8e9), **ANSWER)
    assert await bench.of("probe_failures_total", check="api", outcome="unexpected_answer") == 1
    assert await bench.of("probe_failure_info", outcome="unexpected_answer", reason="unexpected_certificate") == 1
    bench.configure(spec("api"), spec("plain"))
    assert await bench.of("probe_failures_total", check="api", outcome="unexpected_answer") == 1, "a counter stays"


async def test_answer_without_content_length_is_minus_one(bench: Bench) -> None:
    bench.run("api", **(ANSWER | {"content_length": None}))
    assert await bench.of("probe_http_content_length") == -1


async def test_certificate_that_failed_the_handshake_is_still_told(bench: Bench) -> None:
    bench.run("api", Reason.TLS_CERTIFICATE_EXPIRED, certificates=chain(1.6e9), remote_address="192.0.2.7:443")
    assert await bench.of("probe_ssl_earliest_cert_expiry") == 1.6e9
    assert await bench.of("probe_http_ssl") == 0


async def test_up_is_absent_where_nothing_is_known(bench: Bench) -> None:
    bench.run("api", **ANSWER)
    assert await bench.of("probe_up") == 1
    bench.run("api", Reason.RESET)
    assert await bench.of("probe_up") == 1  # below its threshold
    assert await bench.of("probe_success") == 0
    bench.run("api", Reason.RESET)
    assert await bench.of("probe_up") == 0
    bench.wait(1000)
    assert await bench.of("probe_up") is None
    assert await bench.of("probe_state", state="unknown") == 1
    assert await bench.of("probe_state", state="down") is None


async def test_inconclusive_runs_move_no_gauge(bench: Bench) -> None:
    bench.run("api", **ANSWER)
    bench.run("api", Reason.MONITOR_STALLED, duration=9.0)
    assert await bench.of("probe_success") == 1
    assert await bench.of("probe_duration_seconds") == 0.1
    assert await bench.of("probe_attempts_total") == 2
    assert await bench.of("probe_inconclusive_total") == 1


async def test_paused_check_has_no_stale_gauges(bench: Bench) -> None:
    bench.run("api", certificates=chain(1.7e9), **ANSWER)
    bench.configure(spec(enabled=False))
    names = {name for name, labels in await bench.series() if ("check", "api") in labels}
    assert names == {
        "probe_info",
        "probe_state",
        "probe_attempts_total",
        "probe_failures_total",
        "probe_inconclusive_total",
        "probe_latency_seconds_bucket",
        "probe_latency_seconds_count",
        "probe_latency_seconds_sum",
    }
    assert await bench.of("probe_state", state="paused") == 1


async def test_removed_check_leaves_nothing_behind(bench: Bench) -> None:
    bench.run("api", **ANSWER)
    bench.configure(spec("other"))
    assert 'check="api"' not in await bench.text()


async def test_latency_is_a_cumulative_histogram_of_successes(bench: Bench) -> None:
    for took in (0.004, 0.01, 0.3, 99.0):
        bench.run("api", duration=took)
    bench.run("api", Reason.RESET, duration=0.01)
    wanted = {"0.005": 1, "0.01": 2, "0.25": 2, "0.5": 3, "30.0": 3, "+Inf": 4}
    assert {le: await bench.of("probe_latency_seconds_bucket", le=le) for le in wanted} == wanted
    assert await bench.of("probe_latency_seconds_count") == 4
    assert await bench.of("probe_latency_seconds_sum") == pytest.approx(99.314)


@pytest.mark.parametrize(
    ("openssl", "ours"), [("TLSv1", "TLS 1.0"), ("TLSv1.1", "TLS 1.1"), ("TLSv1.2", "TLS 1.2"), ("TLSv1.3", "TLS 1.3")]
)
async def test_tls_versions_are_spelt_as_in_blackbox(bench: Bench, openssl: str, ours: str) -> None:
    bench.run("api", **(ANSWER | {"tls_version": openssl}))
    assert await bench.of("probe_tls_version_info", version=ours) == 1


NASTY = 'quote " back\\slash\nnewline \\n ünïcödé 日本 {},= '


async def test_any_label_value_survives_both_formats(bench: Bench) -> None:
    bench.configure(spec(group=NASTY, labels=(("team", NASTY),)), spec("plain", labels=(("tier", "1"),)))
    series = await bench.series()
    labels = {"check": "api", "group": NASTY, "team": NASTY, "protocol": "https", "target": "https://api.example.com/"}
    assert series["probe_info", frozenset(labels.items())] == 1


async def test_labels_that_clash_or_are_no_names_are_made_ones_that_do_not(bench: Bench) -> None:
    own = (("check", "a"), ("my-team", "b"), ("1st", "c"), ("__name__", "d"), ("group", "e"))
    bench.configure(spec(labels=own))
    found = next(dict(labels) for name, labels in await bench.series() if name == "probe_info")
    assert found == {
        "check": "api",
        "group": "shop",
        "target": "https://api.example.com/",
        "protocol": "https",
        "exported_check": "a",
        "my_team": "b",
        "exported_1st": "c",
        "exported___name__": "d",
        "exported_group": "e",
    }


async def test_secret_url_is_shown_redacted_with_its_protocol(bench: Bench) -> None:
    bench.configure(spec(url=Secret("http://user:hunter2@api.example.com/"), target="***"))
    text = await bench.text()
    assert "hunter2" not in text
    assert await bench.of("probe_info", target="***", protocol="http") == 1


async def test_checks_are_counted_by_state(bench: Bench) -> None:
    bench.configure(spec(), spec("b"), spec("c", enabled=False))
    bench.run("api", **ANSWER)
    series = await bench.series()
    counted = {s: series["monitor_checks", frozenset({("state", s.value)})] for s in State}
    assert counted == {s: {"up": 1, "unknown": 1, "paused": 1}.get(s.value, 0) for s in State}


async def test_no_text_of_an_error_is_in_any_label(bench: Bench) -> None:
    bench.run("api", Reason.RESET)
    assert "as found" not in await bench.text()
