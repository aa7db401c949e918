"""The log: one line per change of state and none per run, and nothing in it that must not be seen."""

from __future__ import annotations

import json

from tests.servers.http import Answer, HttpServer, Request, answer, ok
from tests.service.conftest import Serve, Start
from tests.service.daemon import until

SECRETS = {
    "THE_TOKEN": "tok-3f9a8c-very-secret",
    "THE_PASSWORD": "p@ss w&rd/+%41",
    "THE_QUERY": "query-secret-77",
    "THE_BODY": 'body-secret-"quoted"',
}


class Moody(HttpServer):
    """A target that is well or not, and repeats everything it was told in either mood."""

    def __init__(self) -> None:
        super().__init__(self._respond)
        self.well = True

    def _respond(self, request: Request) -> Answer:
        said = request.head + request.body
        if self.well:
            return ok(said)
        head = [("X-Echo", " ".join(value for _, value in request.headers)), ("X-Target", request.target)]
        return answer(500, said, head, reason=request.target.replace("\r", ""))


async def test_one_line_per_change_of_state_and_none_per_run(start: Start, serve: Serve) -> None:
    target = await serve(Moody())
    daemon = await start({"name": "moody", "url": target.url(), "down_after": 2, "interval": "900ms"})
    for turn in range(2):
        target.well = True
        await daemon.logged("state changed", turn + 1, state="up")
        target.well = False
        await daemon.logged("state changed", turn + 1, state="down")
    count = len(daemon.log)
    seen = len(target.requests)
    await until(lambda: len(target.requests) >= seen + 3)
    assert len(daemon.log) == count, daemon.log[count:]
    changes = [(line["before"], line["state"]) for line in daemon.lines("state changed")]
    assert changes == [("unknown", "up"), ("up", "down"), ("down", "up"), ("up", "down")]
    down = daemon.lines("state changed", state="down")[0]
    assert (down["level"], down["check"], down["reason"]) == ("warning", "moody", "unexpected_status")
    assert down["timestamp"].endswith("Z")
    assert (down["cause"], down["at"][:16]) == ("result", down["timestamp"][:16])
    first, second = [line["incident"] for line in daemon.lines("state changed", state="down")]
    assert first != second
    assert [line["incident"] for line in daemon.lines("state changed", state="up")] == [None, first]


async def test_the_log_shows_no_secret_even_where_the_target_echoes_it(start: Start, serve: Serve) -> None:
    target = await serve(Moody())
    target.well = False
    query = "?key=query-value-1&bare-query-2"
    url = target.url(f"/x{query}").replace("://", "://user-secret-9:pass-secret-9@")
    common = {"headers": {"X-Token": {"env": "THE_TOKEN"}}, "json": {"k": {"env": "THE_BODY"}}, "interval": "1s"}
    checks = [
        {"name": "status", "url": url, **common},
        {"name": "header", "url": url, **common, "expect": {"status": ["5xx"], "headers": {"X-Echo": "other"}}},
        {"name": "body", "url": url, **common, "expect": {"status": ["5xx"], "body": {"contains": "not there"}}},
        {"name": "json", "url": url, **common, "expect": {"status": ["5xx"], "json": {"$.a": 1}}},
        {
            "name": "basic",
            "url": target.url("/basic"),
            "auth": {"basic": {"username": "someone", "password": {"env": "THE_PASSWORD"}}},
            "expect": {"status": ["5xx"], "headers": {"X-Echo": {"contains": "other"}}},
        },
        {"name": "gone", "url": f"http://127.0.0.1:1/{query}"},
        {
            "name": "secret-url",
            "url": {"env": "THE_URL"},
            "expect": {"status": ["5xx"], "headers": {"X-Target": "other"}},
        },
    ]
    secret_url = target.url(f"/hook/{SECRETS['THE_QUERY']}", host="localhost")
    daemon = await start(
        *checks, env={**SECRETS, "THE_URL": secret_url}, monitor={"log": {"level": "debug", "access": True}}
    )
    await daemon.until_checks(lambda c: all(x["state"] == "down" for x in c.values()))
    pages = [await daemon.page(), json.dumps(await daemon.status(), ensure_ascii=False), (await daemon.metrics()).text]
    for check in checks:
        pages.append(json.dumps(await daemon.detail(str(check["name"])), ensure_ascii=False))
        pages.append((await daemon.get(f"/status/{check['name']}", headers={"Accept": "text/html"}))[1])
    await daemon.stop()
    hidden = [*SECRETS.values(), "query-value-1", "bare-query-2", "user-secret-9", "pass-secret-9"]
    for page in [*pages, daemon.said]:
        for secret in hidden:
            assert secret not in page, (secret, page[max(0, page.find(secret) - 200) : page.find(secret) + 80])
    assert len(daemon.lines("state changed", state="down")) == len(checks)


async def test_a_secret_url_does_not_hide_our_own_address(start: Start, target: HttpServer) -> None:
    daemon = await start(
        {"name": "one", "url": {"env": "THE_URL"}}, env={"THE_URL": target.url("/hook/query-secret-77")}
    )
    assert daemon.address.startswith("127.0.0.1:")
    assert "query-secret-77" not in daemon.said


async def test_access_is_logged_only_when_it_is_asked_for(start: Start, target: HttpServer) -> None:
    quiet = await start({"name": "one", "url": target.url()})
    await quiet.until_all_ran()
    await quiet.stop()
    assert not [line for line in quiet.log if line["logger"] == "monitor.access"]
    loud = await start({"name": "one", "url": target.url()}, monitor={"log": {"access": True}})
    await loud.until_all_ran()
    await loud.stop()
    assert [line for line in loud.log if line["logger"] == "monitor.access"]
