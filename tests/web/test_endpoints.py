"""Every path of the HTTP side, over a real socket."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging

import aiohttp
import pytest
from aiohttp import ClientSession

from monitor.live.view import Overview, detail_document, status_document
from monitor.model.errors import Problem, StartError
from monitor.web import build_app, serve
from tests.web.conftest import Begin, FakeService

JSON = {"Accept": "application/json"}
HTML = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


async def test_root_leads_to_the_page(http: ClientSession) -> None:
    async with http.get("/", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, "/status")


async def test_page_is_html_in_utf8(http: ClientSession) -> None:
    async with http.get("/status", headers=HTML) as answer:
        assert (answer.status, answer.content_type, answer.charset) == (200, "text/html", "utf-8")
        assert "shop-api" in await answer.text()


async def test_document_is_the_same_by_path_and_by_accept(http: ClientSession, service: FakeService) -> None:
    for path, headers in (("/status.json", HTML), ("/status", JSON)):
        async with http.get(path, headers=headers) as answer:
            assert answer.content_type == "application/json"
            assert await answer.json() == status_document(service.view)


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/json;q=0.5, text/html", "text/html"),
        ("application/json, text/html;q=0.9", "application/json"),
        ("text/*;q=0.2, application/json;q=0.3", "application/json"),
        ("*/*", "text/html"),
        ("application/json;q=0", "text/html"),
        ("application/json;q=nonsense", "text/html"),
        ("", "text/html"),
    ],
)
async def test_page_or_json_by_quality(http: ClientSession, accept: str, kind: str) -> None:
    async with http.get("/status", headers={"Accept": accept}) as answer:
        assert answer.content_type == kind


async def test_one_check_as_page_and_as_json(http: ClientSession, service: FakeService) -> None:
    async with http.get("/status/shop-api", headers=HTML) as answer:
        text = await answer.text()
        assert "the connection to 198.51.100.7:443 was refused" in text
        assert "hunter2" not in text
    view = service.check("shop-api")
    assert view is not None
    for path, headers in (("/status/shop-api.json", HTML), ("/status/shop-api", JSON)):
        async with http.get(path, headers=headers) as answer:
            assert await answer.json() == detail_document(view)


async def test_check_named_like_a_file(http: ClientSession, service: FakeService) -> None:
    service.rename("search", "search.json")
    async with http.get("/status/search.json") as answer:
        assert answer.content_type == "text/html"
    async with http.get("/status/search.json.json") as answer:
        assert (await answer.json())["name"] == "search.json"


async def test_check_beside_one_named_like_its_json(http: ClientSession, service: FakeService) -> None:
    service.rename("search", "shop-api.json")
    async with http.get("/status/shop-api.json") as answer:
        assert (await answer.json())["name"] == "shop-api"
    async with http.get("/status/shop-api.json?page") as answer:
        assert "answered in 1.9 s" in await answer.text()


@pytest.mark.parametrize("path", ["/status/nobody", "/status/nobody.json", "/nothing", "/static/page.js", "/status/"])
async def test_unknown_path_is_404_in_the_accepted_form(http: ClientSession, path: str) -> None:
    async with http.get(path, headers=JSON) as answer:
        assert (answer.status, answer.content_type) == (404, "application/json")
        assert set(await answer.json()) == {"error"}
    async with http.get(path, headers=HTML) as answer:
        assert (answer.status, answer.content_type) == (404, "text/html")
    async with http.get(path) as answer:
        assert (answer.status, answer.content_type) == (404, "text/plain")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("POST", "/status", "GET,HEAD"), ("GET", "/-/reload", "POST"), ("DELETE", "/metrics", "GET,HEAD")],
)
async def test_method_not_taken_is_405_and_says_which_are(
    http: ClientSession, method: str, path: str, allowed: str
) -> None:
    async with http.request(method, path, headers=JSON) as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, allowed)
        assert "error" in await answer.json()


@pytest.mark.parametrize("path", ["/status", "/status.json", "/status/shop-api", "/metrics", "/-/healthy", "/nothing"])
async def test_head_is_get_without_the_body(http: ClientSession, path: str) -> None:
    async with http.get(path) as whole, http.head(path) as head:
        assert head.status == whole.status
        assert head.headers["Content-Type"] == whole.headers["Content-Type"]
        assert await head.read() == b""


async def test_health_and_readiness_say_why_not(http: ClientSession, service: FakeService) -> None:
    for path in ("/-/healthy", "/-/ready"):
        async with http.get(path) as answer:
            assert answer.status == 200
    service.sick, service.waiting = "the scheduler is 12 s late", "draining"
    for path, why in (("/-/healthy", service.sick), ("/-/ready", service.waiting)):
        async with http.get(path) as answer:
            assert (answer.status, await answer.text()) == (503, f"{why}\n")


async def test_reload_succeeds_or_lists_every_problem(http: ClientSession, service: FakeService) -> None:
    async with http.post("/-/reload") as answer:
        assert (answer.status, service.reloads) == (200, 1)
    service.problems = [
        Problem("checks.toml", 3, "checks[0].url", "no host"),
        Problem("checks.toml", 9, "x", "unknown"),
    ]
    async with http.post("/-/reload") as answer:
        assert answer.status == 400
        assert await answer.text() == "checks.toml:3: checks[0].url: no host\nchecks.toml:9: x: unknown\n"
    async with http.post("/-/reload", headers=JSON) as answer:
        said = await answer.json()
        assert (said["error"], said["problems"]) == (
            "the configuration has 2 problems",
            [str(p) for p in service.problems],
        )


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
        ({"Origin": "https://"}, 403),
        ({}, 200),
    ],
)
async def test_page_of_another_site_may_not_reload(
    http: ClientSession, service: FakeService, headers: dict[str, str], status: int
) -> None:
    async with http.post("/-/reload", headers=headers) as answer:
        assert answer.status == status
    assert service.reloads == (status == 200)


async def test_own_origin_may_reload(begin: Begin, service: FakeService) -> None:
    server = await begin()
    async with aiohttp.ClientSession() as session:
        url = f"http://{server.address}/-/reload"
        async with session.post(url, headers={"Origin": f"http://{server.address}"}) as answer:
            assert answer.status == 200


async def test_failure_inside_is_a_sentence_outside_and_a_traceback_in_the_log(
    http: ClientSession, service: FakeService, caplog: pytest.LogCaptureFixture
) -> None:
    service.broken = True
    async with http.get("/status") as answer:
        text = await answer.text()
        assert (answer.status, "secret" in text, "Traceback" in text) == (500, False, False)
        assert answer.headers["Content-Security-Policy"]
    assert any(record.exc_info for record in caplog.records if record.name == "monitor.web")
    service.broken = False
    async with http.get("/status") as answer:
        assert answer.status == 200


@pytest.mark.parametrize("path", ["/", "/status", "/metrics", "/status.json", "/nothing", "/-/reload"])
async def test_every_answer_carries_the_security_headers(http: ClientSession, path: str) -> None:
    async with http.get(path, allow_redirects=False) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Server"] == "monitor"


async def test_static_files_are_kept_by_their_hash(http: ClientSession) -> None:
    async with http.get("/status") as answer:
        page = await answer.text()
    for name in ("style", "page"):
        path = page.split(f"/static/{name}.")[1].split('"')[0]
        async with http.get(f"/static/{name}.{path}") as answer:
            assert answer.status == 200
            assert "immutable" in answer.headers["Cache-Control"]


async def test_favicon_is_served_where_browsers_guess_it(http: ClientSession) -> None:
    async with http.get("/favicon.ico") as answer:
        assert (answer.status, answer.content_type) == (200, "image/svg+xml")


@pytest.mark.parametrize(("accepted", "packed"), [("gzip", True), ("gzip;q=0", False), ("gzip;q=0, *", False)])
@pytest.mark.parametrize("path", ["/status", "/status.json", "/metrics"])
async def test_compressed_only_if_accepted(begin: Begin, path: str, accepted: str, packed: bool) -> None:
    server = await begin()
    headers = {"Accept-Encoding": accepted}
    async with (
        aiohttp.ClientSession(f"http://{server.address}", auto_decompress=False) as session,
        session.get(path, headers=headers) as answer,
    ):
        body = await answer.read()
    assert (answer.headers.get("Content-Encoding") == "gzip") is packed
    assert len(gzip.decompress(body) if packed else body) > 100


async def test_requests_at_the_same_time_share_one_rendering(http: ClientSession, service: FakeService) -> None:
    taken = []
    take = service.overview

    async def counted() -> Overview:
        taken.append(1)
        return await take()

    service.overview = counted  # type: ignore[method-assign]
    await asyncio.gather(*(_read(http, "/status.json") for _ in range(20)))
    assert len(taken) < 20


async def _read(http: ClientSession, path: str) -> bytes:
    async with http.get(path) as answer:
        return await answer.read()


async def test_access_log_has_one_quiet_line_per_request(begin: Begin, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="monitor.access")  # what another test has set
    server = await begin(access_log=True)
    async with aiohttp.ClientSession(f"http://{server.address}/") as http:
        await _read(http, "/status.json?token=hush")
        await _read(http, "/nothing")
    lines = [r.getMessage() for r in caplog.records if r.name == "monitor.access"]
    assert [line.split(" in ")[0] for line in lines] == ["GET /status.json 200", "GET /nothing 404"]


async def test_no_access_log_unless_asked_for(http: ClientSession, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await _read(http, "/status.json")
    assert not [r for r in caplog.records if r.name.startswith(("monitor", "aiohttp"))]


async def test_address_in_use_is_a_sentence(begin: Begin, service: FakeService) -> None:
    taken = await begin()
    host, _, port = taken.address.rpartition(":")
    with pytest.raises(StartError, match=f"cannot listen on {taken.address}: another process listens there already"):
        await serve(build_app(service, None, False), host, int(port))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("host", "port", "why"),
    [
        ("192.0.2.1", 0, "no interface of this machine has that address"),
        ("127.0.0.1", 99999, "a port is at most 65535"),
        ("no-such-host.invalid", 0, "no address"),
        ("x" * 70, 0, "no"),
    ],
)
async def test_address_that_cannot_be_is_a_sentence(service: FakeService, host: str, port: int, why: str) -> None:
    with pytest.raises(StartError, match=why):
        await serve(build_app(service, None, False), host, port)  # type: ignore[arg-type]


async def test_json_is_written_check_by_check_and_still_one_document(http: ClientSession) -> None:
    body = await _read(http, "/status.json")
    assert len(json.loads(body)["checks"]) == body.count(b"\n") - 2
