"""Whatever a target sends, it spoils its own check only: page, documents, scrape and log stay whole."""

from __future__ import annotations

from functools import partial
from typing import Any

from tests.servers.http import HttpServer, answer, ok
from tests.service.conftest import Serve, Start
from tests.service.daemon import eventually

JSON = [("Content-Type", "application/json")]

SENT: dict[str, tuple[bytes, dict[str, Any]]] = {
    "lone-surrogate": (answer(200, b'{"a": "\\ud800"}', JSON), {"json": {"$.a": "x"}}),
    "surrogate-key": (answer(200, b'{"\\udfff": 1}', JSON), {"json": {"$": "x"}}),
    "header-bytes": (ok(b"", ("X-Odd", "caf\udce9 \udcff")), {"headers": {"X-Odd": "x"}}),
    "charset-bytes": (
        answer(200, b"\xff\xfe", [("Content-Type", "text/plain; charset=\udcff")]),
        {"body": {"contains": "x"}},
    ),
    "deep": (answer(200, b"[" * 700 + b"]" * 700, JSON), {"json": {"$": "x"}}),
    "object-for-list": (answer(200, b'{"a": {"b": 1}}', JSON), {"json": {"$.a": {"contains": "x"}}}),
    "markup": (ok(b"", ("X-Odd", "<script>alert(1)</script>\u00e9&amp;")), {"headers": {"X-Odd": "x"}}),
    "controls": (answer(200, b'{"a": "\\u0000\\u001b[31m\\u2028\\u202e"}', JSON), {"json": {"$.a": "x"}}),
    "huge-number": (answer(200, b'{"a": ' + b"9" * 4000 + b"}", JSON), {"json": {"$.a": {"less_than": 3}}}),
    "phrase": (answer(500, b"", reason="\udcff<b>"), {}),
    "location": (answer(302, b"", [("Location", "http://\udcff\udcfe/")]), {}),
    "nan": (answer(200, b'{"a": NaN}', JSON), {"json": {"$.a": 1}}),
}


def judged(detail: dict[str, Any]) -> bool:
    """No target here is slow: a run that was cut short says how busy the machine is, and the next one follows soon."""
    return detail["last"]["outcome"] != "timeout" and detail["last"]["reason"] != "monitor_stalled"


async def test_hostile_answers_spoil_only_their_own_check(start: Start, serve: Serve) -> None:
    checks = []
    for name, (sent, expect) in SENT.items():
        server = await serve(HttpServer(lambda _, sent=sent: sent))
        checks.append({"name": name, "url": server.url(), "expect": expect})
    good = await serve(HttpServer())
    daemon = await start(*checks, {"name": "good", "url": good.url()})
    daemon.tolerated.add("internal error in a check")  # asserted below, check by check
    metrics = await daemon.until_metrics(lambda m: len(m.all("probe_last_run_timestamp_seconds")) == len(SENT) + 1)
    assert metrics.value("probe_up", check="good") == 1
    for path, accept in (("/status", "text/html"), ("/status.json", "application/json")):
        code, text = await daemon.get(path, headers={"Accept": accept})
        assert code == 200, (path, text)
        assert "<script>alert" not in text or accept == "application/json"
    found = {}
    for name in SENT:
        found[name] = (await eventually(partial(daemon.detail, name), judged))["last"]
        code, text = await daemon.get(f"/status/{name}", headers={"Accept": "text/html"})
        assert code == 200, (name, text)
        assert "\x1b" not in text
    bugs = {name for name, last in found.items() if last["reason"] == "internal_error"}
    assert not bugs
    assert all(last["outcome"] in ("http_error", "connection_error") for last in found.values()), found
    assert all(len(last["detail"]) <= 200 for last in found.values())
    assert found["nan"]["reason"] == "invalid_content"
