"""/api/v1 as its users rely on it: filters, pages, time ranges, reports, events, and errors that name the mistake."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import jsonschema
import pytest
from msgspec import structs

from monitor.history.archive import Announcement
from monitor.live.events import RecordedResult
from monitor.metrics import CheckCollector, Registry
from monitor.model.clock import rfc3339
from monitor.model.incident import Incident
from monitor.model.outcome import Reason, State
from monitor.model.result import Evidence
from monitor.model.settings import PublicSpec
from monitor.model.transition import Cause, Standing, Transition
from monitor.stats.rollups import Stretch
from monitor.stats.tally import Tally
from monitor.web import build_app
from tests.flat import flat_result
from tests.web import gallery
from tests.web.conftest import Begin, FakeService

NOW = gallery.NOW.wall


@pytest.fixture
def logged(service: FakeService) -> list[Incident]:
    """Thirty incidents, one of which lasts."""
    first = flat_result("shop-api", NOW - 1300, Reason.UNEXPECTED_STATUS, "status 503", 0.1, status_code=503)
    first = structs.replace(first, evidence=Evidence((("Server", "x"),), "broken", cut=True))
    found = [
        Incident(f"{n:04x}", "shop-api" if n % 2 else "mail-in", NOW - 3600 * n - 60, Reason.REFUSED, "refused",
                 None if n == 0 else NOW - 3600 * n, first)
        for n in range(30)
    ]  # fmt: skip
    service.archive.logged = found
    return found


async def got(http: aiohttp.ClientSession, path: str, status: int = 200, **options: Any) -> Any:
    async with http.get(f"/api/v1{path}", **options) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json(content_type=None)


async def refused(http: aiohttp.ClientSession, path: str, status: int = 400) -> str:
    document = await got(http, path, status, headers={"Accept": "application/json"})
    return str(document["error"])


async def test_checks_are_listed_page_by_page(http: aiohttp.ClientSession, service: FakeService) -> None:
    names, path = [], "/checks?limit=4"
    while True:
        page = await got(http, path)
        assert len(page["checks"]) <= 4
        names += [check["name"] for check in page["checks"]]
        if page["next_cursor"] is None:
            break
        path = f"/checks?limit=4&cursor={page['next_cursor']}"
    assert names == [check.name for check in service.view.checks]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("group=mail", ["mail-in", "mail-out", "mail-lists", "mail-webmail"]),
        ("state=down", ["shop-api", "mail-in"]),
        ("state=down,degraded&group=shop", ["shop-api", "search", "old-login"]),
        ("label=team=payments", ["shop-api"]),
        ("label=team:identity", ["old-login"]),
        ("q=mail+web", ["mail-webmail"]),
        ("q=nothing", []),
    ],
)
async def test_checks_are_chosen(http: aiohttp.ClientSession, query: str, names: list[str]) -> None:
    found = await got(http, f"/checks?{query}")
    assert [check["name"] for check in found["checks"]] == names
    assert sum(found["summary"].values()) == len(names)


async def test_one_check_has_its_availability_and_its_last_results(
    http: aiohttp.ClientSession, service: FakeService
) -> None:
    view = service.check("shop-web")
    assert view is not None
    service.archive.found["shop-web"] = [gallery.fine(view.spec, NOW - n, 0.1) for n in range(150)]
    found = await got(http, "/checks/shop-web")
    assert found["name"] == "shop-web"
    assert set(found["availability"]) == {"24h", "7d", "30d", "90d"}
    assert 0.9 < found["availability"]["30d"] <= 1
    assert len(found["recent"]) == 100
    service.archive.away = "the disk is full"
    assert len((await got(http, "/checks/shop-web"))["recent"]) == 30, "what memory knows"
    assert "no check" in await refused(http, "/checks/nothing", 404)


async def test_history_is_slots_with_what_is_known(http: aiohttp.ClientSession, service: FakeService) -> None:
    start = int(NOW) // 3600 * 3600 - 7200
    tally = Tally(up=3000.0, down=300.0, runs=12, timeouts=1, unexpected_answers=2, duration_sum=0.9, duration_min=0.1,
                  duration_max=0.1, latencies={72: 9})  # fmt: skip
    service.archive.minutes["shop-api"] = [Stretch(3600, start, tally)]
    found = await got(http, f"/checks/shop-api/history?from={start}&to={start + 7200}&step=3600")
    (slot,) = found["slots"]
    assert slot["seconds"]["unknown"] == pytest.approx(300)
    assert slot["availability"] == pytest.approx(3000 / 3300)
    assert slot["coverage"] == pytest.approx(3300 / 3600)
    assert slot["failures"] == {"http_error": 0, "connection_error": 0, "timeout": 1, "unexpected_answer": 2}
    assert slot["latency"]["p99"] == pytest.approx(0.1)
    assert found["step_seconds"] == 3600


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("/checks?limit=0", "limit"),
        ("/checks?limit=x", "limit"),
        ("/checks?state=broken", "state"),
        ("/checks?cursor=zzz", "cursor"),
        ("/checks?colour=red", "colour"),
        ("/checks/shop-api/history?from=yesterday", "from"),
        ("/checks/shop-api/history?from=now&to=-1h", "from must be before to"),
        ("/checks/shop-api/history?step=61", "step"),
        ("/checks/shop-api/history?from=-4000d&step=60", "step"),
        ("/incidents?state=over", "state"),
        ("/incidents?from=2026-13-01", "from"),
        ("/report?format=pdf", "format"),
        ("/events?events=all", "events"),
    ],
)
async def test_a_mistake_is_named(http: aiohttp.ClientSession, path: str, word: str) -> None:
    assert word in await refused(http, path)


@pytest.mark.usefixtures("logged")
async def test_incidents_are_listed_newest_first_and_page_by_page(http: aiohttp.ClientSession) -> None:
    found, path = [], "/incidents?limit=7"
    while path:
        page = await got(http, path)
        found += page["incidents"]
        path = f"/incidents?limit=7&cursor={page['next_cursor']}" if page["next_cursor"] else ""
    assert [one["id"] for one in found] == [f"{n:04x}" for n in range(30)]
    ongoing = await got(http, "/incidents?state=ongoing")
    assert [one["id"] for one in ongoing["incidents"]] == ["0000"]
    of_group = await got(http, "/incidents?group=shop&from=-5h")
    assert {one["check"] for one in of_group["incidents"]} == {"shop-api"}
    alone = await got(http, "/incidents/0001")
    assert alone["first"]["evidence"] == {"headers": [["Server", "x"]], "body": "broken", "truncated": True}
    assert "no incident" in await refused(http, "/incidents/ffff", 404)


@pytest.mark.usefixtures("logged")
async def test_an_incident_is_acknowledged_and_taken_back(http: aiohttp.ClientSession, service: FakeService) -> None:
    path = "/api/v1/incidents/0000/acknowledgement"
    async with http.put(path, json={"note": "on it", "for": "2h"}) as answer:
        assert answer.status == 200
        said = (await answer.json())["acknowledged"]
    assert (said["by"], said["note"]) == ("anonymous", "on it")
    assert service.archive.logged[0].acknowledged is not None
    async with http.delete(path) as answer:
        assert (await answer.json())["acknowledged"] is None
    async with http.put("/api/v1/incidents/0001/acknowledgement", json={}) as answer:
        assert answer.status == 409
    for given in ({"note": 3}, {"for": "soon"}, {"nota": "x"}, [], {"until": "-1h"}):
        async with http.put(path, json=given) as answer:
            assert answer.status == 400, given


async def test_announcements_come_and_go(http: aiohttp.ClientSession) -> None:
    async with http.post(
        "/api/v1/announcements", json={"text": "slow\nnow", "for": "1h", "groups": ["shop"]}
    ) as answer:
        assert answer.status == 201
        said = await answer.json()
    assert said["text"] == "slow\nnow"
    assert [one["id"] for one in (await got(http, "/announcements"))["announcements"]] == [said["id"]]
    async with http.delete(f"/api/v1/announcements/{said['id']}") as answer:
        assert answer.status == 204
    assert (await got(http, "/announcements"))["announcements"] == []
    async with http.post("/api/v1/announcements", json={"text": " "}) as answer:
        assert answer.status == 400


@pytest.mark.usefixtures("logged")
async def test_a_report_in_every_format_says_the_same(http: aiohttp.ClientSession, service: FakeService) -> None:
    service.archive.minutes["shop-api"] = [Stretch(3600, int(NOW - 7200), Tally(up=3240.0, down=360.0, runs=9))]
    found = await got(http, "/report?from=-24h&group=shop")
    row = found["checks"][0]
    assert (row["name"], row["availability"], row["downtime_seconds"]) == ("shop-api", 0.9, 360.0)
    assert row["incidents"] == 12
    assert row["coverage"] == pytest.approx(1 / 24)
    async with http.get("/api/v1/report?from=-24h&group=shop", headers={"Accept": "text/csv"}) as answer:
        assert answer.content_type == "text/csv"
        lines = list(csv.DictReader(io.StringIO(await answer.text())))
    assert [line["name"] for line in lines] == [check["name"] for check in found["checks"]] + ["all"]
    assert lines[0]["availability"] == "0.9"
    async with http.get("/api/v1/report?from=-24h&group=shop&format=markdown") as answer:
        assert "| shop-api | 90.00 % | 4.16 % | 12 |" in await answer.text()


async def test_what_a_client_has_already_is_not_sent_again(http: aiohttp.ClientSession) -> None:
    async with http.get("/api/v1/announcements") as answer:
        tag = answer.headers["ETag"]
    async with http.get("/api/v1/announcements", headers={"If-None-Match": tag}) as answer:
        assert answer.status == 304
        assert await answer.read() == b""


async def test_a_history_that_is_away_is_503_with_the_reason(http: aiohttp.ClientSession, service: FakeService) -> None:
    service.archive.away = "the disk is full"
    for path in ("/incidents", "/report", "/checks/shop-api/history", "/incidents/0000"):
        assert await refused(http, path, 503) == "the disk is full"


@pytest.fixture
async def stream(http: aiohttp.ClientSession) -> AsyncIterator[aiohttp.ClientResponse]:
    async with http.get("/api/v1/events") as answer:
        assert answer.content_type == "text/event-stream"
        yield answer


async def event(stream: aiohttp.ClientResponse) -> dict[str, str]:
    """The next event that is no comment."""
    while True:
        block = (await stream.content.readuntil(b"\n\n")).decode()
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line[1:])
        if "data" in fields:
            return fields


async def test_what_happens_is_told_as_it_happens(stream: aiohttp.ClientResponse, service: FakeService) -> None:
    await stream.content.readuntil(b"\n\n")
    view = service.check("shop-api")
    assert view is not None
    assert view.last is not None
    service.bus.result(RecordedResult("shop-api", view.last, 1, gallery.NOW, view.standing))
    service.publish("shop-api", view.standing)
    first, second = await event(stream), await event(stream)
    assert (first["event"], second["event"]) == ("result", "transition")
    told = json.loads(first["data"])
    assert (told["check"], told["state"], told["result"]["reason"]) == ("shop-api", "down", "refused")
    assert first["id"] != second["id"]


async def test_a_transition_says_its_cause_its_time_and_the_incident_that_ended(
    stream: aiohttp.ClientResponse, service: FakeService
) -> None:
    await stream.content.readuntil(b"\n\n")
    view = service.check("shop-api")
    assert view is not None
    incident = view.standing.incident
    assert incident is not None
    paused = Standing(State.PAUSED, NOW)
    over = structs.replace(incident, ended_at=NOW)
    service.publish("shop-api", view.standing)
    service.bus.transition(Transition("shop-api", view.standing, paused, NOW, Cause.RELOAD, over, view.last))
    began, ended = [json.loads((await event(stream))["data"]) for _ in range(2)]
    assert (began["before"], began["state"], began["cause"]) == ("unknown", "down", "result")
    assert (began["incident"], began["ended_incident"]) == (incident.id, None)
    assert (ended["before"], ended["state"], ended["cause"]) == ("down", "paused", "reload")
    assert (ended["incident"], ended["ended_incident"]) == (None, incident.id)
    assert ended["at"] == rfc3339(NOW)
    assert ended["result"]["reason"] == "refused"


async def test_a_listener_that_comes_back_is_told_to_look_anew(http: aiohttp.ClientSession) -> None:
    async with http.get("/api/v1/events", headers={"Last-Event-ID": "another-7"}) as answer:
        assert (await event(answer))["event"] == "reset"


async def test_events_end_with_the_monitor(stream: aiohttp.ClientResponse, service: FakeService) -> None:
    await stream.content.readuntil(b"\n\n")
    service.bus.close()
    async with asyncio.timeout(5):
        await stream.content.read()


async def test_one_that_is_too_slow_is_told_what_it_lost(service: FakeService) -> None:
    view = service.check("shop-api")
    assert view is not None
    with service.bus.queue() as queue:
        for _ in range(1500):
            service.publish("shop-api", view.standing)
        assert queue.lost == 500
        assert len(await queue.next(1)) == 1000
    assert service.bus.queues == 0


async def test_scripts_of_other_sites_read_only_what_the_configuration_allows(
    http: aiohttp.ClientSession, service: FakeService
) -> None:
    asked = {"Origin": "https://dash.example.com"}
    async with http.get("/api/v1/checks", headers=asked) as answer:
        assert "Access-Control-Allow-Origin" not in answer.headers
    service.origins = ("https://dash.example.com",)
    async with http.get("/api/v1/checks", headers=asked) as answer:
        assert answer.headers["Access-Control-Allow-Origin"] == "https://dash.example.com"
        assert "Access-Control-Allow-Credentials" not in answer.headers
    preflight = {**asked, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
    async with http.options("/api/v1/checks", headers=preflight) as answer:
        assert answer.status == 204
        assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
    async with http.get("/status", headers=asked) as answer:
        assert "Access-Control-Allow-Origin" not in answer.headers
    async with http.get("/api/v1/checks", headers={"Origin": "https://evil.example.com"}) as answer:
        assert "Access-Control-Allow-Origin" not in answer.headers


async def test_running_a_check_now(http: aiohttp.ClientSession, service: FakeService) -> None:
    async with http.post("/api/v1/checks/shop-web/run") as answer:
        assert (await answer.json())["outcome"] == "success"
    assert service.ran == ["shop-web"]
    service.refuse_run = "asked for too often, try again in 4 s"
    async with http.post("/api/v1/checks/shop-web/run") as answer:
        assert answer.status == 409
    service.refuse_run = None
    async with http.post("/api/v1/checks/nothing/run") as answer:
        assert answer.status == 404


# schemathesis

SECONDS = 60


@pytest.mark.timeout(180)
@pytest.mark.usefixtures("logged")
async def test_the_api_does_what_its_description_says(begin: Begin, service: FakeService) -> None:
    """In a thread of its own, while the server answers on this loop."""
    service.archive.said = [Announcement("ab", "slow", "ana", NOW)]
    service.shown = PublicSpec(True, ("*",))
    server = await begin()
    await asyncio.to_thread(explore, f"http://{server.address}")


def explore(url: str) -> None:
    import schemathesis
    from hypothesis import HealthCheck, Phase, given, seed, settings
    from schemathesis.specs.openapi.checks import positive_data_acceptance

    schema = schemathesis.openapi.from_url(f"{url}/api/v1/openapi.json")
    tried = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path.endswith("/events"):
            continue  # it does not end by itself

        @seed(1)
        @settings(
            max_examples=12, deadline=None, database=None, phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy())
        def conforms(case: Any) -> None:
            case.call_and_validate(timeout=10, excluded_checks=[positive_data_acceptance])  # no schema knows a cursor

        conforms()
        tried += 1
    assert tried >= 12


async def test_every_operation_is_described(http: aiohttp.ClientSession, service: FakeService) -> None:
    """What is described is explored above, so that a new operation cannot be left out of either."""
    app = build_app(service, Registry(CheckCollector(gallery.begun(), lambda: gallery.NOW)), False)
    there = {
        (route.method.lower(), route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.resource.canonical.startswith("/api/v1/") and route.method != "HEAD"
    }
    document = await got(http, "/openapi.json")
    described = {
        (method, path) for path, methods in document["paths"].items() for method in methods if method != "parameters"
    }
    server = document["servers"][0]["url"].rstrip("/")
    assert there - {("get", "/api/v1/openapi.json")} == {(method, server + path) for method, path in described}


@pytest.mark.usefixtures("logged")
async def test_no_answer_has_a_key_that_the_description_lacks(
    http: aiohttp.ClientSession, service: FakeService
) -> None:
    service.archive.said = [Announcement("ab", "slow", "ana", NOW)]
    service.archive.minutes["shop-api"] = [Stretch(3600, int(NOW - 7200), Tally(up=3240.0, down=360.0, runs=9))]
    described = await got(http, "/openapi.json")
    components = described["components"]["schemas"]
    for schema in components.values():
        if "properties" in schema:
            schema["additionalProperties"] = False
    paths = ["/checks", "/checks/shop-api", "/checks/shop-api/history", "/incidents", "/incidents/0000",
             "/announcements", "/report"]  # fmt: skip
    names = ["Checks", "Check", "History", "Incidents", "IncidentAlone", "Announcements", "Report"]
    for path, name in zip(paths, names, strict=True):
        schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": components}}
        jsonschema.validate(await got(http, path), schema)


@pytest.mark.parametrize("given", [{"until": NOW + 7200}, {"for": 7200}, {"note": None, "until": None}])
@pytest.mark.usefixtures("logged")
async def test_times_are_numbers_too_and_null_says_nothing(http: aiohttp.ClientSession, given: dict[str, Any]) -> None:
    async with http.put("/api/v1/incidents/0000/acknowledgement", json=given) as answer:
        assert answer.status == 200, await answer.text()
        said = (await answer.json())["acknowledged"]
    assert (said["until"] is not None) is any(given.values())


@pytest.mark.parametrize("body", ["[" * 30_000, '{"note":' * 6000, '{"note": ' + "[" * 30_000])
async def test_json_that_is_nested_too_deep_is_refused(http: aiohttp.ClientSession, body: str) -> None:
    async with http.put(
        "/api/v1/incidents/0000/acknowledgement", data=body, headers={"Content-Type": "application/json"}
    ) as answer:
        assert answer.status == 400
        assert "JSON" in await answer.text()
