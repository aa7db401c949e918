# ruff: noqa: E501
"""Pages, documents, feeds, badges and metrics over any state of data: each is whole, and each is of its own kind."""

from __future__ import annotations

import json
import math
import xml.etree.ElementTree as ET
from typing import Any, Never

import aiohttp
import hypothesis.strategies as st
from aiohttp import web
from hypothesis import given
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain_metrics

from monitor.history.archive import Announcement, Outage
from monitor.live.ledger import Ledger
from monitor.metrics import CheckCollector, Registry
from monitor.model.answer import Hop, HttpAnswer, HttpFigures, TcpAnswer, TcpFigures
from monitor.model.incident import Acknowledgement, Incident
from monitor.model.outcome import Reason
from monitor.model.result import Attempt, Certificate, Ending, Evidence, Phases, Result
from monitor.model.settings import PublicSpec
from monitor.stats.rollups import Stretch
from monitor.stats.tally import Tally
from monitor.web import build_app, serve
from tests.fuzz.damage import bounded
from tests.fuzz.field import Kept, loop, run
from tests.web import gallery
from tests.web.conftest import FakeService

NOW = gallery.NOW.wall
EARLIEST, LATEST = -62135596800.0, 253402300799.0
HIDDEN = set("\x00\x07\x1b\x7f\u200b\u202e\u2066\u2028")

TEXTS = st.text(st.characters(codec="utf-8"), max_size=30) | st.sampled_from(
    ["", "<script>alert(1)</script>", "a\x1b[2Jb\u202ec\x00", "]]>&amp;'\"", "{{ 1 }}{% x %}", "\u2028", "\\", "-1", "x" * 3000]
)  # fmt: skip
"""What a result may hold: whatever can be stored, hence no lone surrogates."""
OURS = st.text(st.characters(exclude_categories=("C", "Z")), max_size=30) | st.sampled_from(
    ["", "<script>alert(1)</script>", "{{ 1 }}'\""]
)
"""What the author of a configuration may write: none of it is hidden."""
NAMES = st.sampled_from(["a", "ok.json", "x.svg", "run", "a" * 100, "-", "A_b.C-9"])
TIMES = st.floats(EARLIEST, LATEST) | st.floats(NOW - 86400, NOW + 86400)
SECONDS = st.floats(0, LATEST) | st.floats(0, 20) | st.sampled_from([0.0, 5e-324, 1e-9, 1e9])
COUNTS = st.integers(0, 2**53) | st.integers(0, 99)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def several(strategy: st.SearchStrategy[Any], most: int = 2) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(strategy, max_size=most).map(tuple)


ENDINGS = st.builds(Ending, TEXTS, TIMES, TIMES)
WORDS = st.sampled_from(["", "00ff", "EC secp256r1", "1.2.840.10045.4.3.2"])
"""What is made of the numbers in a certificate."""
CERTIFICATES = st.builds(
    Certificate, TIMES, TIMES, TEXTS, TEXTS, several(TEXTS, 3), st.sampled_from(["", "d", "di", "xyz"]), *[WORDS] * 4
)  # fmt: skip
REASONS = st.sampled_from([*Reason, Reason("of_a_newer_version")])
ADDRESSES = st.sampled_from(["192.0.2.7:443", "[2001:db8::7]:80"])
PROTOCOLS = st.sampled_from(["TLSv1.2", "TLSv1.3", "TLS_AES_256_GCM_SHA384"])
ANSWERS = st.one_of(
    st.builds(
        HttpAnswer, maybe(st.integers(100, 999)), maybe(st.sampled_from(["1.0", "1.1"])), COUNTS,
        several(st.builds(Hop, TEXTS, TEXTS, maybe(st.integers(100, 999)))),
        st.builds(HttpFigures, maybe(COUNTS), maybe(COUNTS)),
    ),
    st.builds(TcpAnswer, COUNTS, COUNTS, st.builds(TcpFigures, COUNTS, several(st.tuples(TEXTS, TEXTS)))),
)  # fmt: skip
RESULTS = st.builds(
    Result, st.just("a"), TIMES, REASONS, TEXTS, maybe(SECONDS), st.builds(Phases, *[maybe(SECONDS)] * 5),
    maybe(ADDRESSES), maybe(ANSWERS), maybe(PROTOCOLS),
    several(CERTIFICATES), several(st.builds(Attempt, ADDRESSES, maybe(TEXTS), SECONDS)),
    maybe(st.builds(Evidence, several(st.tuples(TEXTS, TEXTS)), maybe(TEXTS), st.booleans())), several(TEXTS),
    several(CERTIFICATES), several(ENDINGS), maybe(ENDINGS), maybe(PROTOCOLS),
)  # fmt: skip
CARE = st.builds(Acknowledgement, TEXTS, TEXTS, TIMES, maybe(TIMES))
INCIDENTS = st.builds(
    Incident, st.sampled_from(["ab12", "ffff"]), NAMES, TIMES, REASONS, TEXTS, maybe(TIMES), maybe(RESULTS), maybe(CARE)
)
SAID = st.builds(Announcement, st.sampled_from(["cd34", "eeee"]), TEXTS, TEXTS, TIMES, maybe(TIMES), several(TEXTS))
TALLIES = st.builds(Tally, *[SECONDS] * 5, *[COUNTS] * 4)
STRETCHES = st.builds(
    lambda step, at, tally: Stretch(step, at // step * step, tally),
    st.sampled_from([60, 3600, 86400]), st.integers(int(NOW) - 100 * 86400, int(NOW)), TALLIES,
)  # fmt: skip
OUTAGES = st.builds(Outage, TIMES, TIMES)
CHECKS = st.builds(
    gallery.spec, NAMES, OURS, title=OURS, description=OURS, runbook=OURS, labels=several(st.tuples(st.sampled_from(["team", "x_1"]), OURS)),
    enabled=st.booleans(), interval=st.sampled_from([0.1, 10.0, 86400.0]),
)  # fmt: skip

CHECK_PATHS = [
    "/status/{0}", "/status/{0}.json", "/status/{0}?range=24h", "/badge/{0}.svg", "/api/v1/checks/{0}", "/api/v1/checks/{0}/history",
]  # fmt: skip
PATHS = [
    "/status", "/status?state=down&q=a", "/status.json", "/wall", "/metrics", "/incidents", "/incidents/ab12", "/report", "/report?from=-30d",
    "/public", "/public.json", "/feed.atom", "/public/feed.atom", "/api/v1/checks", "/api/v1/incidents", "/api/v1/incidents/ab12",
    "/api/v1/announcements", "/api/v1/report", "/api/v1/report?format=csv", "/api/v1/report?format=markdown", "/-/healthy", "/-/ready", "/login",
]  # fmt: skip
ELSEWHERE = {
    "/", "/probe", "/icon/{icon}", "/static/{file}", "/favicon.ico", "/api/v1/openapi.json",
    "/api/v1/events",  # ends with the monitor
}  # fmt: skip
"""What shows no data, or does not end."""


@st.composite
def services(draw: st.DrawFn) -> tuple[FakeService, Ledger]:
    """A monitor with up to three checks, their results, and a past."""
    specs = {spec.name: spec for spec in draw(st.lists(CHECKS, max_size=3))}
    ledger = gallery.begun(*specs.values())
    for record in ledger:
        for result in draw(st.lists(RESULTS, max_size=4)):
            record.add(result, gallery.NOW)
        record.incidents = draw(several(INCIDENTS))
    service = FakeService(gallery.viewed(ledger, gallery.monitor_view(draw(OURS))))
    service.archive.logged = draw(st.lists(INCIDENTS, max_size=3))
    service.archive.said = draw(st.lists(SAID, max_size=2))
    service.archive.missed = draw(st.lists(OUTAGES, max_size=2))
    service.archive.minutes = {name: draw(st.lists(STRETCHES, max_size=4)) for name in specs}
    service.archive.found = {name: draw(st.lists(RESULTS, max_size=3)) for name in specs}
    service.archive.away = draw(st.none() | st.none() | OURS)
    service.shown = PublicSpec(
        draw(st.booleans()), ("*",), title=draw(OURS), history=draw(st.booleans()), descriptions=draw(st.booleans())
    )
    return service, ledger


def no_number(word: str) -> Never:
    raise AssertionError(f"{word} is no JSON")


def assert_whole(path: str, kind: str, text: str) -> None:
    """The text is what its type says, and shows nothing that hides."""
    if kind == "application/json":
        json.loads(text, parse_constant=no_number)
    elif kind.endswith("xml"):
        ET.fromstring(text)
    elif kind == "text/html":
        assert "<script>alert" not in text, path
        assert text.rstrip().endswith("</html>"), path
    elif path == "/metrics":
        parse = openmetrics if text.rstrip().endswith("# EOF") else plain_metrics
        assert all(not math.isnan(sample.value) or sample.name for family in parse(text) for sample in family.samples)
    if path != "/metrics":
        assert not set(text) & HIDDEN, (path, set(text) & HIDDEN)


async def look_at_everything(service: FakeService, ledger: Ledger) -> None:
    """Every page of a server that shows this."""
    app = build_app(service, Registry(CheckCollector(ledger, lambda: gallery.NOW)), False)
    server = await serve(app, "127.0.0.1", 0)
    paths = [*PATHS, *(path.format(check.name) for check in service.view.checks for path in CHECK_PATHS)]
    try:
        async with aiohttp.ClientSession(f"http://{server.address}/") as session:
            for path in paths:
                accept = "application/openmetrics-text" if path == "/metrics" and paths[0] else "text/html,*/*"
                async with session.get(path, headers={"Accept": accept}, allow_redirects=False) as answer:
                    text = await answer.text()
                    assert answer.status in (200, 302, 303, 404) or (answer.status == 503 and service.archive.away is not None), (
                        path, answer.status, text[:300],
                    )  # fmt: skip
                    assert_whole(path, answer.content_type, text)
    finally:
        service.bus.close()
        await server.close()


def test_no_data_breaks_a_page() -> None:
    kept = Kept(5)
    with loop() as runner:

        @bounded(20)
        @given(services())
        def example(made: tuple[FakeService, Ledger]) -> None:
            run(runner, look_at_everything(*made))
            kept.example()

        example()
    kept.assert_flat()


def test_every_page_is_among_those_that_are_looked_at() -> None:
    service = FakeService(gallery.evening())
    app = build_app(service, Registry(CheckCollector(gallery.begun(), lambda: gallery.NOW)), False)
    routes = {
        route.resource.canonical
        for route in app.router.routes()
        if route.method == "GET" and isinstance(route.resource, web.Resource)
    }
    ours = {path.partition("?")[0] for path in (*PATHS, *CHECK_PATHS)}
    shown = {path.replace("{0}", "{check}").replace("ab12", "{incident}") for path in ours} - {"/status/{check}.json"}
    assert routes == shown | ELSEWHERE
