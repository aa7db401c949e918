"""Expectations: what each kind of unexpected answer is called, and the sentence that says so."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.model.outcome import Reason
from monitor.model.request import Expect
from tests.flat import http
from tests.protocols.harness import Run, expecting_body, rules
from tests.servers.http import HttpServer, answer, as_json, ok

QUEUE = {"status": "ok", "queue": {"depth": 7, "names": ["a", "b"]}, "ready": True, "error": None, "load": 0.5}


@pytest.mark.parametrize(
    ("status", "ranges", "good"),
    [
        (200, ((200, 399),), True),
        (399, ((200, 399),), True),
        (400, ((200, 399),), False),
        (500, ((200, 399),), False),
        (404, ((200, 299), (404, 404)), True),
        (403, ((200, 299), (404, 404)), False),
        (599, ((500, 599),), True),
        (999, ((200, 399),), False),
    ],
)
async def test_status_is_compared_with_its_ranges(
    run: Run, status: int, ranges: tuple[tuple[int, int], ...], good: bool
) -> None:
    async with HttpServer(lambda _: answer(status, b"x", reason="Any")) as server:
        result = await run(server.url(), expect=Expect(status=ranges))
    assert result.reason is (Reason.OK if good else Reason.UNEXPECTED_STATUS), result.detail
    assert http(result).status == status
    assert str(status) in result.detail


HEADERS: list[tuple[str, dict[str, Any], bool]] = [
    ("X-Mode", {"equals": "live"}, True),
    ("x-mode", {"equals": "live"}, True),
    ("X-Mode", {"equals": "test"}, False),
    ("X-Mode", {"not_equals": "test"}, True),
    ("X-Mode", {"not_equals": "live"}, False),
    ("X-Mode", {"contains": "iv"}, True),
    ("X-Mode", {"not_contains": "iv"}, False),
    ("X-Mode", {"matches": "^l.*e$"}, True),
    ("X-Mode", {"matches": "^v"}, False),
    ("X-Mode", {"not_matches": "^l"}, False),
    ("X-Mode", {"exists": True}, True),
    ("X-Mode", {"exists": False}, False),
    ("X-Other", {"exists": False}, True),
    ("X-Other", {"exists": True}, False),
    ("X-Other", {"equals": "live"}, False),
    ("Content-Type", {"matches": "^application/json"}, False),
    ("Content-Type", {"contains": "text/plain", "not_contains": "json"}, True),
]


@pytest.mark.parametrize(("name", "operators", "good"), HEADERS)
async def test_header_is_compared_with_its_rules(run: Run, name: str, operators: dict[str, Any], good: bool) -> None:
    async with HttpServer(lambda _: ok(b"", ("X-Mode", "live"))) as server:
        result = await run(server.url(), expect=Expect(headers=((name, rules(**operators)),)))
    assert result.reason is (Reason.OK if good else Reason.UNEXPECTED_HEADER), result.detail
    assert good or name in result.detail


BODIES: list[tuple[dict[str, Any], bool]] = [
    ({"contains": "well"}, True),
    ({"contains": "ill"}, False),
    ({"not_contains": "error"}, True),
    ({"not_contains": "well"}, False),
    ({"matches": "all .* well"}, True),
    ({"matches": "^well"}, False),
    ({"not_matches": "err(or)?"}, True),
    ({"not_matches": "w.ll"}, False),
    ({"contains": "all", "not_contains": "nothing", "matches": "is"}, True),
    ({"contains": "all", "not_contains": "well"}, False),
]


@pytest.mark.parametrize(("operators", "good"), BODIES)
async def test_body_is_compared_with_its_rules(run: Run, operators: dict[str, Any], good: bool) -> None:
    async with HttpServer(lambda _: ok(b"all is well")) as server:
        result = await run(server.url(), expect=expecting_body(**operators))
    assert result.reason is (Reason.OK if good else Reason.UNEXPECTED_BODY), result.detail


JSON: list[tuple[str, dict[str, Any], bool]] = [
    ("$.status", {"equals": "ok"}, True),
    ("$.status", {"equals": "down"}, False),
    ("$.queue.depth", {"less_than": 100}, True),
    ("$.queue.depth", {"less_than": 7}, False),
    ("$.queue.depth", {"at_most": 7}, True),
    ("$.queue.depth", {"greater_than": 7}, False),
    ("$.queue.depth", {"at_least": 7}, True),
    ("$.queue.depth", {"equals": 7.0}, True),
    ("$.queue.names[0]", {"equals": "a"}, True),
    ("$.queue.names[*]", {"matches": "^[ab]$"}, True),
    ("$.queue.names[*]", {"equals": "a"}, False),
    ("$.queue.names", {"equals": ["a", "b"]}, True),
    ("$.queue.names", {"contains": "b"}, True),
    ("$.ready", {"equals": True}, True),
    ("$.ready", {"equals": 1}, False),
    ("$.error", {"equals": None}, True),
    ("$.error", {"exists": True}, True),
    ("$.missing", {"exists": False}, True),
    ("$.missing", {"exists": True}, False),
    ("$.missing", {"equals": "ok"}, False),
    ("$.missing", {"less_than": 1}, False),
    ("$.status", {"less_than": 1}, False),
    ("$.load", {"greater_than": 0.4, "less_than": 0.6}, True),
    ("$.queue[?@.x]", {"exists": False}, True),
]


@pytest.mark.parametrize(("path", "operators", "good"), JSON)
async def test_json_is_compared_with_its_rules(run: Run, path: str, operators: dict[str, Any], good: bool) -> None:
    async with HttpServer(lambda _: as_json(QUEUE)) as server:
        result = await run(server.url(), expect=Expect(json=((path, rules(**operators)),)))
    assert result.reason is (Reason.OK if good else Reason.UNEXPECTED_BODY), result.detail
    assert good or path in result.detail


@pytest.mark.parametrize(
    ("version", "wanted", "good"), [("1.0", "1.1", False), ("1.0", "1.0", True), ("1.1", "1.1", True)]
)
async def test_http_version_is_compared(run: Run, version: str, wanted: str, good: bool) -> None:
    async with HttpServer(lambda _: answer(200, b"", version=version)) as server:
        result = await run(server.url(), expect=Expect(http_version=(wanted,)))
    assert result.reason is (Reason.OK if good else Reason.UNEXPECTED_HTTP_VERSION), result.detail
    assert http(result).version == version


async def test_slower_than_expected_is_still_a_success(run: Run) -> None:
    async with HttpServer() as server:
        result = await run(server.url(), latency=0.000001)
    assert result.reason is Reason.OK


@pytest.mark.parametrize(
    ("data", "expect", "figures"),
    [
        (answer(503), Expect(), ["503", "200", "399"]),
        (ok(b"x", ("X-Mode", "live")), Expect(headers=(("X-Mode", rules(equals="test")),)), ["X-Mode", "live", "test"]),
        (ok(b"x" * 321), expecting_body(contains="needle"), ["321", "needle"]),
        (as_json(QUEUE), Expect(json=(("$.queue.depth", rules(less_than=5)),)), ["$.queue.depth", "7", "5"]),
        (answer(200, b"", version="1.0"), Expect(http_version=("1.1",)), ["1.0", "1.1"]),
        (ok(b"<html>"), Expect(json=(("$.a", rules(equals=1)),)), ["6"]),
        (ok(), Expect(), ["200"]),
    ],
)
async def test_detail_is_a_sentence_with_the_figures(run: Run, data: bytes, expect: Expect, figures: list[str]) -> None:
    async with HttpServer(lambda _: data) as server:
        result = await run(server.url(), expect=expect)
    assert [figure for figure in figures if figure not in result.detail] == [], result.detail


@pytest.mark.parametrize("length", [10, 150, 200, 1000, 60_000])
async def test_detail_stays_short_whatever_is_quoted(run: Run, length: int) -> None:
    value = "v" * length
    expects = [
        Expect(headers=(("X-Long", rules(equals="w" * length)),)),
        expecting_body(contains="w" * length),
        Expect(json=(("$.long", rules(equals="w" * length)),)),
    ]
    async with HttpServer(lambda _: as_json({"long": value}, 200, ("X-Long", value[:8000]))) as server:
        for expect in expects:
            result = await run(server.url(), expect=expect)
            assert result.reason in (Reason.UNEXPECTED_HEADER, Reason.UNEXPECTED_BODY)
            assert len(result.detail) <= 200
