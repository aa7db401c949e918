"""One view of the state: what the documents say, also of what is not known."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given

from monitor.live.ledger import Record
from monitor.live.view import (
    ConfigView,
    MonitorView,
    check_document,
    count_states,
    detail_document,
    overview,
    result_document,
    status_document,
    troubles,
    view_check,
)
from monitor.model.outcome import Reason, State
from monitor.model.result import Phases
from monitor.model.settings import MonitorSpec
from monitor.model.spec import CheckSpec
from monitor.rules.due import DueTimes
from tests.made import EPOCH, INTERVAL, at, certificate, result, spec, specs, steps
from tests.rules.test_state import History

MONITOR = MonitorView("1.2", "title", EPOCH, "127.0.0.1:1", ConfigView("/c.toml", EPOCH))
LAST = {
    "started_at", "outcome", "reason", "detail", "duration_seconds", "phases", "status_code", "http_version",
    "remote_address", "redirects", "body_bytes", "certificate",
}  # fmt: skip
CHECK = {
    "name", "group", "url", "labels", "state", "since", "consecutive_failures", "interval_seconds", "next_run_at",
    "last",
}  # fmt: skip


def record(check: CheckSpec | None = None) -> Record:
    return Record(check or spec(), MonitorSpec(), at(0))


def test_the_status_document_has_the_keys_that_scripts_rely_on() -> None:
    one = record()
    one.add(result(certificates=(certificate(EPOCH + 1e7),)), at(1))
    document = status_document(asyncio.run(overview([one, record(spec(enabled=False))], MONITOR, at(2))))
    assert document.keys() >= {"monitor", "summary", "checks"}
    assert document["monitor"].keys() >= {"version", "started_at", "listen", "config"}
    assert document["monitor"]["config"].keys() >= {"path", "loaded_at", "error"}
    assert document["summary"] == {"up": 1, "degraded": 0, "down": 0, "unknown": 0, "paused": 1, "maintenance": 0}
    (first, second) = document["checks"]
    assert first.keys() >= CHECK
    assert first["last"].keys() >= LAST
    assert set(first["last"]["phases"]) == {"resolve", "connect", "tls", "processing", "transfer"}
    assert first["last"]["certificate"].keys() == {"not_after", "subject", "issuer"}
    assert second["last"] is None
    json.dumps(document, allow_nan=False)


def test_what_is_not_known_is_null() -> None:
    bare = result_document(result(Reason.CANCELLED, duration=None))
    for key in ("duration_seconds", "status_code", "http_version", "remote_address", "body_bytes", "certificate"):
        assert bare[key] is None, key
    assert set(bare["phases"].values()) == {None}
    document = check_document(view_check(record(), at(1)))
    assert (document["group"], document["next_run_at"], document["last"]) == (None, None, None)


def test_a_phase_that_took_no_time_is_zero_and_one_not_reached_is_null() -> None:
    phases = result_document(result(phases=Phases(resolve=0.0, connect=0.01)))["phases"]
    assert (phases["resolve"], phases["connect"], phases["tls"]) == (0.0, 0.01, None)


@given(specs, steps)
def test_recent_results_and_incidents_come_newest_first(check: CheckSpec, history: History) -> None:
    one = record(check)
    now = 0.0
    for found, passed in history:
        now += passed
        one.add(found, at(now))
    view = view_check(one, at(now))
    assert list(view.recent) == [found for found, _ in history][-MonitorSpec().recent_results :][::-1]
    document = detail_document(view)
    assert len(document["recent"]) == len(view.recent)
    starts = [i["started_at"] for i in document["incidents"]]
    assert starts == sorted(starts, reverse=True)
    open_ones = [i for i in document["incidents"] if i["ended_at"] is None]
    assert len(open_ones) == (view.standing.incident is not None)
    assert len(open_ones) == 1 or view.state is not State.DOWN
    assert document.keys() >= CHECK | {"recent"}
    assert "\n" not in view.reading


@given(specs, steps)
def test_the_summary_counts_every_check_once(check: CheckSpec, history: History) -> None:
    records = []
    for found, _ in history:
        one = record(check)
        one.add(found, at(1))
        records.append(one)
    view = asyncio.run(overview(records, MONITOR, at(2)))
    assert sum(view.summary.values()) == len(records)
    assert view.summary == count_states(c.state for c in view.checks)


def test_a_view_ages_what_it_shows_without_touching_it() -> None:
    one = record()
    one.add(result(), at(1))
    late = at(1 + 3 * INTERVAL + 1)
    assert view_check(one, late).state is State.UNKNOWN
    assert one.standing.state is State.UP


def test_the_next_run_is_shown_in_wall_time_whatever_the_clock_did() -> None:
    one = record()
    one.due_times = DueTimes(105.0, INTERVAL)
    assert view_check(one, at(100)).next_run_at == EPOCH + 105
    assert view_check(one, at(100, stepped=3600)).next_run_at == EPOCH + 105 + 3600


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (Reason.MONITOR_OFFLINE, "no network"),
        (Reason.LOCAL_RESOURCES, "file descriptors"),
        (Reason.MONITOR_STALLED, "stood still"),
        (Reason.MONITOR_OVERLOADED, "in time"),
        (Reason.INTERNAL_ERROR, "bug"),
    ],
)
def test_what_the_monitor_suffers_from_is_said(reason: Reason, words: str) -> None:
    spoiled, fine = record(), record()
    spoiled.add(result(reason), at(1))
    fine.add(result(), at(1))
    (trouble,) = troubles([spoiled, fine])
    assert words in trouble
    assert "1 check " in trouble
    assert "2 checks" in troubles([spoiled, spoiled])[0]
    spoiled.add(result(), at(2))
    assert troubles([spoiled, fine]) == ()


def test_a_cancelled_run_is_no_trouble() -> None:
    one = record()
    one.add(result(Reason.CANCELLED), at(1))
    assert troubles([one]) == ()


def test_readings() -> None:
    one = record(spec(down_after=2, latency=0.5))
    said = [view_check(one, at(0)).reading]
    for found in (
        result(Reason.REFUSED),
        result(duration=2.0),
        result(),
        result(Reason.REFUSED),
        result(Reason.REFUSED),
    ):
        one.add(found, at(1))
        said.append(view_check(one, at(1)).reading)
    assert said[0] == "no result yet"
    assert said[1].endswith("found refused")
    assert said[1] != "found refused", "it is unknown, and the reading says why"
    assert said[2] == "answered in 2.0 s, expected within 500 ms"
    assert said[3] == "found ok"
    assert said[5] == "found refused"
    assert view_check(record(spec(enabled=False)), at(0)).reading == "paused by the configuration"


def test_the_reading_of_what_became_unknown_is_not_about_a_threshold() -> None:
    """The last run succeeded long ago; nothing was below any threshold."""
    one = record()
    one.add(result(), at(1))
    view = view_check(one, at(1000))
    assert view.state is State.UNKNOWN
    assert "threshold" not in view.reading, view.reading
