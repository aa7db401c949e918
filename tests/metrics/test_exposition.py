"""How a scrape is written: formats, compression, the checks of promtool, and no standstill while it happens."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import os
import shutil
import subprocess
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from monitor.metrics import exposition
from monitor.metrics.accept import gzip_accepted, openmetrics_preferred
from monitor.metrics.labels import _name
from monitor.model.outcome import Reason
from monitor.model.result import Phases
from monitor.stats.meters import SKIP_REASONS
from tests.metrics.conftest import OPENMETRICS, Bench, ours, samples, spec
from tests.starvation import Starvation

PROMTOOL = shutil.which("promtool")
PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
    "text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
)


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("", False),
        ("*/*", False),
        ("text/plain", False),
        (PROMETHEUS_2, True),
        (PROMETHEUS_3, True),
        ("application/openmetrics-text", True),
        ("application/openmetrics-text; version=2.0.0", False),
        ("application/openmetrics-text; version=a.b", False),
        ("application/openmetrics-text;q=0", False),
        ("application/openmetrics-text;q=0.2, text/plain;q=0.3", False),
        ("application/openmetrics-text;q=x, text/plain", False),
        (";;;,,,=q", False),
    ],
)
def test_openmetrics_only_if_it_is_liked_best(accept: str, wanted: bool) -> None:
    assert openmetrics_preferred(accept) is wanted


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("", False),
        ("gzip", True),
        ("GZIP;Q=0.5", True),
        ("gzip;q=0", False),
        ("gzip;q=0.000, *", False),
        ("*", True),
        ("br, deflate", False),
        ("identity;q=1, gzip;q=nan", False),
    ],
)
def test_gzip_only_if_it_is_accepted(header: str, wanted: bool) -> None:
    assert gzip_accepted(header) is wanted


def lived(bench: Bench) -> Bench:
    """Every kind of past there is."""
    bench.configure(*(spec(n, labels=((f"own_{n}", n),)) for n in ("api", "bad", "new")), spec("off", enabled=False))
    bench.run("api", status_code=200, http_version="1.1", tls_version="TLSv1.3")
    bench.run("bad", Reason.REFUSED)
    bench.run("bad", Reason.MONITOR_STALLED)
    bench.vitals.configuration_loaded(bench.now.wall)
    bench.meter.schedule_lag.observe(0.003)
    bench.meter.event_loop_lag.observe(0.001)
    bench.meter.skipped["overlap"] += 1
    return bench


async def test_content_type_names_the_format(bench: Bench) -> None:
    plain = await bench.registry.scrape("", "")
    assert plain.content_type == "text/plain; version=0.0.4; charset=utf-8"
    openmetrics = await bench.registry.scrape(OPENMETRICS, "")
    assert openmetrics.content_type.startswith("application/openmetrics-text; version=1.0.0; charset=utf-8")
    assert openmetrics.body.endswith(b"# EOF\n")
    assert openmetrics.body.count(b"# EOF") == 1


PLAIN = {"": generate_latest, OPENMETRICS: generate_openmetrics}


def of_checks(text: str) -> str:
    """The families of the checks; what prometheus-client writes itself changes from one scrape to the next."""
    return text[: text.index("# HELP monitor_checks_in_flight")]


@pytest.mark.parametrize("accept", PLAIN)
async def test_same_bytes_as_the_library_would_write(bench: Bench, accept: str) -> None:
    lived(bench)
    assert of_checks(await bench.text(accept)) == of_checks(PLAIN[accept](bench.registry).decode())


async def test_same_series_as_the_library_would_write(bench: Bench) -> None:
    lived(bench)
    by_library = samples(list(parse_text(generate_latest(bench.registry).decode())))
    expected = {key: value for key, value in ours(by_library).items() if not key[0].endswith("_created")}
    assert ours(await bench.series()) == expected


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ['a"b', "back\\slash", "line\nbreak", "\\n", 'both\\"', "ü日", "{}", ",", "\r", "\x85", "\u2028"]
)
NUMBERS = st.floats() | st.sampled_from([0.0, -0.0, 1e-7, 1.5e-5, 99999.5, 999999.99, 1e6, 1234567.0, 1e16, 1e21])
LENGTHS = st.none() | st.integers(-5, 2**63 - 1)


@settings(deadline=None)
@given(
    group=TEXTS,
    labels=st.dictionaries(TEXTS | st.sampled_from(["check", "le", "__x", "0", "team", "TEAM"]), TEXTS, max_size=4),
    duration=NUMBERS.filter(lambda seconds: seconds >= 0),
    phase=st.none() | NUMBERS,
    length=LENGTHS,
    http_version=TEXTS | st.sampled_from(["1.1", "2", "nan", "inf"]),
    reason=st.sampled_from(list(Reason)),
)
def test_any_label_and_any_value_is_written_as_the_library_writes_it(
    group: str, labels: dict[str, str], duration: float, phase: float | None, http_version: str, reason: Reason,
    length: int | None,
) -> None:  # fmt: skip
    bench = Bench()
    bench.configure(spec(group=group, labels=tuple(labels.items())))
    bench.run(
        "api", reason, duration=duration, phases=Phases(phase, phase, None, 0.1, phase), http_version=http_version,
        content_length=length, body_bytes=length, status_code=200, tls_version="TLSv1", redirects=3,
    )  # fmt: skip
    for accept, by_library in PLAIN.items():
        text = asyncio.run(bench.text(accept))
        assert of_checks(text) == of_checks(by_library(bench.registry).decode())
    (info,) = (s for f in parse_openmetrics(text) for s in f.samples if s.name == "probe_info")
    assert info.labels["group"] == group
    assert set(labels.values()) <= set(info.labels.values()) or len(set(map(_name, labels))) < len(labels)


async def test_no_created_series(bench: Bench) -> None:
    assert "_created" not in await bench.text() + await bench.text(OPENMETRICS)


async def test_compressed_answer_is_the_same_text(bench: Bench) -> None:
    lived(bench)
    scrape = await bench.registry.scrape("", "gzip")
    assert scrape.content_encoding == "gzip"
    packed = samples(list(parse_text(gzip.decompress(scrape.body).decode())))
    assert ours(packed) == ours(await bench.series())


@pytest.mark.skipif(PROMTOOL is None and os.environ.get("CI") != "true", reason="needs promtool on the PATH")
async def test_promtool_has_nothing_to_say(bench: Bench) -> None:
    assert PROMTOOL, "CI has to have promtool on the PATH"
    text = await lived(bench).text()
    checked = await asyncio.to_thread(
        subprocess.run, [PROMTOOL, "check", "metrics"], input=text.encode(), capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


async def test_every_family_says_what_it_means(bench: Bench) -> None:
    families = list(parse_text(await lived(bench).text()))
    assert all(f.documentation for f in families)
    assert len({f.name for f in families}) == len(families)


async def test_vitals_are_there_from_the_start(bench: Bench) -> None:
    series = await bench.series()
    for reason in SKIP_REASONS:
        assert series["monitor_runs_skipped_total", frozenset({("reason", reason)})] == 0
    names = {name for name, _ in series}
    assert names >= {
        "monitor_build_info",
        "monitor_checks_in_flight",
        "monitor_schedule_lag_seconds_count",
        "monitor_event_loop_lag_seconds_count",
        "monitor_config_last_reload_successful",
        "monitor_config_last_reload_success_timestamp_seconds",
        "process_cpu_seconds_total",
        "process_resident_memory_bytes",
        "python_info",
    }


async def test_refused_reload_keeps_the_time_of_the_last_good_one(bench: Bench) -> None:
    bench.vitals.configuration_loaded(1_700_000_000.5)
    bench.vitals.configuration_refused()
    series = await bench.series()
    assert series["monitor_config_last_reload_successful", frozenset()] == 0
    assert series["monitor_config_last_reload_success_timestamp_seconds", frozenset()] == 1_700_000_000.5


async def test_two_services_share_nothing(bench: Bench) -> None:
    other = Bench()
    other.meter.skipped["late"] += 1
    assert (await bench.series())["monitor_runs_skipped_total", frozenset({("reason", "late")})] == 0


async def test_overlapping_scrapes_are_written_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    written = []
    answer = exposition.answer
    monkeypatch.setattr(exposition, "answer", lambda *a: written.append(threading.get_ident()) or answer(*a))
    await asyncio.gather(*(bench.registry.scrape("", "gzip") for _ in range(10)))
    assert len(written) == 1
    assert written != [threading.get_ident()], "compression holds up no loop"
    await bench.registry.scrape("", "gzip")
    assert len(written) == 2


async def test_scraper_that_goes_away_does_not_take_the_others_answer(bench: Bench) -> None:
    gone = asyncio.create_task(bench.registry.scrape("", ""))
    stays = asyncio.create_task(bench.registry.scrape("", ""))
    await asyncio.sleep(0)
    gone.cancel()
    assert (await stays).body


async def test_scrape_shows_each_check_at_one_moment(bench: Bench) -> None:
    names = [f"node-{n}" for n in range(2000)]
    bench.configure(*map(spec, names))
    scrape = asyncio.create_task(bench.text())
    rounds = 0
    while not scrape.done():
        for name in names[:: len(names) // 50]:
            bench.run(name)
        rounds += 1
        await asyncio.sleep(0)
    assert rounds > 1, "nothing could run in between"
    series = samples(list(parse_text(await scrape)))
    for name in names:
        labels = frozenset({("check", name), ("group", "shop")})
        assert series["probe_attempts_total", labels] == series["probe_latency_seconds_count", labels], name


async def test_loop_goes_on_while_thousands_of_checks_are_written(bench: Bench) -> None:
    names = [f"node-{n}" for n in range(3000)]
    bench.configure(*map(spec, names))
    for name in names:
        bench.run(name, status_code=200)
    starvation = Starvation()
    worked, passed = [time.thread_time()], [time.monotonic()]
    scrape = asyncio.create_task(bench.registry.scrape("", "gzip"))
    while not scrape.done():
        await asyncio.sleep(0)
        worked.append(time.thread_time())
        passed.append(time.monotonic())
    assert (await scrape).body
    assert max(b - a for a, b in itertools.pairwise(worked)) < 0.1, "the loop worked on one thing for too long"
    assert max(b - a for a, b in itertools.pairwise(passed)) < 0.1 + starvation.seconds
