"""Who may do what: logins, tokens, proxies and forms, over real sockets."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest
from aiohttp import ClientSession, encode_basic_auth

from monitor.model.errors import BadTarget
from monitor.model.settings import RIGHTS, AccessSpec, ForwardedSpec, Right, TokenSpec, UserSpec
from monitor.secrets.passwords import hashed
from monitor.secrets.secret import Secret
from monitor.web import csrf
from monitor.web.access import Access
from monitor.web.access_failures import BURST
from monitor.web.access_logins import _WAITING
from tests.web.conftest import Begin, FakeService

PASSWORD = "correct horse"
HASH = Secret("scrypt:16384:8:1:aXTW9RTP26bfMcRf-KQNtg:Y3bAyodSTuCAPFi5TqeJ83CRHD8B0pm7LXPy4yLGqgY")
BCRYPT = Secret("$2y$08$zUApIEZaQc4r.hKIEvEKo..Bfd.xKvCe4gTqCj98wQFjeHyE6AAEq")  # of htpasswd
TOKEN = "0123456789abcdef0123456789abcdef"
ANNA, OPS = ("anna", PASSWORD), ("ops", PASSWORD)
BEARER = {"Authorization": f"Bearer {TOKEN}"}
JSON = {"Accept": "application/json"}
PAGE = {"Accept": "text/html"}
VIEWED = ("/", "/status", "/status.json", "/status/shop-api", "/status/shop-api.json", "/nothing", "/api/v1/checks")
METRICS = ("/metrics", "/probe?target=x")
OPEN = ("/-/healthy", "/-/ready", "/favicon.ico")
SECURITY = ("Content-Security-Policy", "X-Content-Type-Options", "X-Frame-Options", "Cache-Control")


def may(*rights: Right) -> frozenset[Right]:
    return frozenset(rights)


def rules(
    anonymous: Iterable[Right] = (), trusted: Iterable[str] = (), users: bool = True, tokens: bool = True
) -> AccessSpec:
    """Anna may view, ops everything, and a token takes metrics."""
    named = [UserSpec("anna", HASH, may("view")), UserSpec("ops", BCRYPT, may(*RIGHTS))] if users else []
    taken = [TokenSpec("prometheus", Secret(TOKEN), may("metrics"))] if tokens else []
    networks = tuple(map(ip_network, trusted))
    forwarded = ForwardedSpec("X-Forwarded-User", networks, may("view", "write")) if networks else None
    return AccessSpec(True, frozenset(anonymous), tuple(named), tuple(taken), forwarded)


@pytest.fixture
def guarded(begin: Begin) -> Any:
    """Opens a client of a server that goes by these rules."""

    @asynccontextmanager
    async def opened(spec: AccessSpec | Access, **options: Any) -> AsyncIterator[ClientSession]:
        access = spec if isinstance(spec, Access) else Access(spec)
        server = await begin(access=access, **options)
        async with ClientSession(f"http://{server.address}/") as session:
            yield session

    return opened


def login(name: str, password: str) -> dict[str, str]:
    return {"Authorization": encode_basic_auth(name, password, "utf-8")}


async def status(
    session: ClientSession, path: str, method: str = "GET", auth: tuple[str, str] | None = None, **options: Any
) -> int:
    if auth is not None:
        options["headers"] = login(*auth)
    async with session.request(method, path, allow_redirects=False, **options) as answer:
        return answer.status


async def test_everything_is_open_unless_something_is_said(http: ClientSession) -> None:
    for path in (*VIEWED[:-2], "/metrics", *OPEN):
        assert await status(http, path) < 400
    assert await status(http, "/-/reload", "POST") == 200
    assert await status(http, "/status", auth=("who", "ever")) == 200


async def test_each_right_opens_its_own_paths_and_no_others(guarded: Any) -> None:
    async with guarded(rules()) as session:
        for path in (*VIEWED, *METRICS):
            assert await status(session, path) == 401, path
        for path in OPEN:
            assert await status(session, path) == 200, path
        for path in VIEWED:
            assert await status(session, path, auth=ANNA) not in (401, 403), path
            assert await status(session, path, headers=BEARER) == 403, path
        assert await status(session, "/metrics", auth=ANNA) == 403
        assert await status(session, "/metrics", headers=BEARER) == 200
        assert await status(session, "/probe?target=x", headers=BEARER | {"Accept": "text/plain"}) == 403
        assert await status(session, "/-/reload", "POST", auth=ANNA) == 403
        assert await status(session, "/-/reload", "POST", auth=OPS) == 200


async def test_static_files_are_for_everybody(guarded: Any) -> None:
    async with guarded(rules()) as session:
        async with session.get("/status", headers=login(*ANNA) | PAGE) as answer:
            text = await answer.text()
        style = text.partition('rel="stylesheet" href="')[2].partition('"')[0]
        assert style.startswith("/static/")
        assert await status(session, style) == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_what_changes_something_needs_the_right_to_write_wherever_it_is(guarded: Any, method: str) -> None:
    async with guarded(rules(anonymous=("view", "metrics"))) as session:
        for path in ("/status", "/metrics", "/api/v1/announcements", "/-/reload"):
            assert await status(session, path, method) == 401
            assert await status(session, path, method, auth=ANNA) == 403
        assert await status(session, "/api/v1/announcements", method, auth=OPS) == (400 if method == "POST" else 405)


async def test_a_path_is_guarded_however_it_is_spelled(guarded: Any) -> None:
    async with guarded(rules(anonymous=("metrics",))) as session:
        from yarl import URL

        base = str(session._base_url).rstrip("/")
        for path in ("/%73tatus", "//status", "/./status", "/static/../status", "/-/healthy/../../status", "/status/"):
            async with session.get(URL(f"{base}{path}", encoded=True), allow_redirects=False) as answer:
                assert answer.status in (401, 400), path


async def test_the_browser_of_a_page_may_ask_what_it_may_send(guarded: Any) -> None:
    async with guarded(rules()) as session:
        assert await status(session, "/status", "OPTIONS") == 405


async def test_what_needs_no_login_is_open_and_a_wrong_login_does_not_close_it(guarded: Any) -> None:
    async with guarded(rules(anonymous=("view", "metrics"))) as session:
        assert await status(session, "/status") == 200
        assert await status(session, "/metrics") == 200
        assert await status(session, "/status", auth=("anna", "wrong")) == 200
        assert await status(session, "/-/reload", "POST") == 401


@pytest.mark.parametrize(
    "header",
    [
        "Basic", "Basic ", "Basic !!!", "Basic YW5uYQ==", "Basic /////w==", "Bearer", "Bearer ", f"Bearer {TOKEN}0",
        f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN.upper()}", f"Token {TOKEN}", "Basic " + "QUFB" * 1000,
        "Digest username=anna", "Bearer \u20ac", str(HASH.reveal()), f"Bearer {HASH.reveal()}",
    ],
)  # fmt: skip
async def test_what_is_no_login_does_not_log_in(guarded: Any, header: str) -> None:
    async with guarded(rules()) as session:
        assert await status(session, "/status", headers={"Authorization": header}) == 401


@pytest.mark.parametrize(
    "given",
    [("anna", "wrong"), ("anna", ""), ("bob", PASSWORD), ("", PASSWORD), ("Anna", PASSWORD), ("anna", HASH.reveal())],
)
async def test_a_wrong_name_or_password_does_not_log_in(guarded: Any, given: tuple[str, str]) -> None:
    async with guarded(rules()) as session, session.get("/status", headers=login(*given)) as answer:
        assert (answer.status, await answer.text()) == (401, "the login is wrong\n")


async def test_a_password_may_have_colons_and_any_letters(guarded: Any) -> None:
    password = "a:b \u00e4\u20ac\U0001f40e"
    spec = AccessSpec(True, may(), (UserSpec("j\u00f6rg", Secret(hashed(password)), may("view")),))
    async with guarded(spec) as session:
        assert await status(session, "/status", auth=("j\u00f6rg", password)) == 200


@pytest.mark.parametrize(
    ("headers", "scheme"),
    [
        ({}, "Basic"),
        (PAGE, "Basic"),
        (PAGE | {"Sec-Fetch-Mode": "navigate"}, "Basic"),
        (PAGE | {"Sec-Fetch-Mode": "cors"}, "Bearer"),
        ({"Accept": "*/*", "Sec-Fetch-Mode": "cors"}, "Bearer"),
        (JSON, "Bearer"),
    ],
)
async def test_only_who_navigates_gets_a_dialog(guarded: Any, headers: dict[str, str], scheme: str) -> None:
    async with guarded(rules()) as session, session.get("/status", headers=headers) as answer:
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].split()[0] == scheme
        assert all(name in answer.headers for name in SECURITY)


async def test_without_users_there_is_no_dialog(guarded: Any) -> None:
    async with guarded(rules(users=False)) as session, session.get("/status", headers=PAGE) as answer:
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_refusal_has_the_form_that_is_accepted(guarded: Any) -> None:
    async with guarded(rules()) as session:
        async with session.get("/status", headers=JSON) as answer:
            assert await answer.json() == {"error": "this needs a login"}
        async with session.get("/status", headers=PAGE) as answer:
            assert (answer.content_type, "this needs a login" in await answer.text()) == ("text/html", True)
        async with session.get("/metrics", headers=login(*ANNA)) as answer:
            assert await answer.text() == "anna may not do this: it needs the right 'metrics'\n"


async def test_with_nobody_to_log_in_as_it_is_forbidden(guarded: Any) -> None:
    spec = rules(anonymous=("view",), users=False, tokens=False)
    async with guarded(spec) as session, session.post("/-/reload") as answer:
        assert answer.status == 403
        assert "WWW-Authenticate" not in answer.headers
        assert "gives nobody the right 'write'" in await answer.text()


# proxies


async def test_the_header_of_a_trusted_proxy_logs_in(guarded: Any) -> None:
    async with guarded(rules(trusted=["127.0.0.0/8"])) as session:
        named = {"X-Forwarded-User": "carla@example.com"}
        assert await status(session, "/status", headers=named) == 200
        assert await status(session, "/-/reload", "POST", headers=named) == 200
        assert await status(session, "/metrics", headers=named) == 403
        assert await status(session, "/status") == 401
        assert await status(session, "/status", auth=ANNA) == 200


@pytest.mark.parametrize("trusted", [[], ["192.0.2.0/24", "::1/128"]])
async def test_the_header_of_anybody_else_is_ignored(guarded: Any, trusted: list[str]) -> None:
    async with guarded(rules(trusted=trusted)) as session:
        for more in ({}, {"X-Forwarded-For": "192.0.2.7"}, {"Forwarded": "for=192.0.2.7"}, {"X-Real-IP": "192.0.2.7"}):
            assert await status(session, "/status", headers={"X-Forwarded-User": "carla"} | more) == 401


@pytest.mark.parametrize(
    "headers",
    [
        [("X-Forwarded-User", "")],
        [("X-Forwarded-User", "carla"), ("X-Forwarded-User", "root")],
        [("X-Forwarded-User", "a" * 201)],
        [("X-Forwarded-User", "a\tb")],
        [("X-Forwarded_User", "carla")],
    ],
)
async def test_a_proxy_that_names_nobody_or_two_or_nonsense_is_not_believed(
    guarded: Any, headers: list[tuple[str, str]]
) -> None:
    async with guarded(rules(trusted=["127.0.0.1/32"])) as session:
        assert await status(session, "/status", headers=headers) == 401


async def test_where_only_the_proxy_logs_in_others_are_told_so(guarded: Any) -> None:
    spec = rules(trusted=["192.0.2.1/32"], users=False, tokens=False)
    async with guarded(spec) as session, session.get("/status") as answer:
        assert answer.status == 403
        assert await answer.text() == "only who comes through the proxy in front may do this\n"


# too many


async def test_failures_are_limited_and_a_right_password_waits_too(
    guarded: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    async with guarded(rules()) as session:
        for number in range(BURST):
            assert await status(session, "/status", auth=("anna", f"wrong{number}")) == 401
        async with session.get("/status", headers=login(*ANNA) | JSON) as answer:
            assert (answer.status, await answer.json()) == (429, {"error": "too many failed logins from this address"})
            assert 1 <= int(answer.headers["Retry-After"]) <= 6
            assert all(name in answer.headers for name in SECURITY)
        assert await status(session, "/status", headers={"Authorization": "Bearer guess"}) == 429
        assert await status(session, "/metrics", headers=BEARER) == 200
        assert await status(session, "/-/healthy") == 200
        assert await status(session, "/status") == 401
    assert capsys.readouterr().out.count("too many failed logins") == 1


async def test_many_guesses_at_once_are_limited_as_well(guarded: Any) -> None:
    async with guarded(rules()) as session:
        found = await asyncio.gather(
            *(status(session, "/status", auth=("anna", f"wrong{n}")) for n in range(3 * BURST))
        )
    assert sorted(found) == [401] * BURST + [429] * 2 * BURST


async def test_right_logins_are_not_limited_however_many(guarded: Any) -> None:
    access = Access(rules())
    async with guarded(access) as session:
        for _ in range(3):
            found = await asyncio.gather(*(status(session, "/status", auth=ANNA) for _ in range(20)))
            assert set(found) == {200}
    assert not access._failures.wait("127.0.0.1", time.monotonic())


async def test_a_password_is_hashed_once_for_a_page_and_all_that_it_asks(
    guarded: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []
    access = Access(rules())
    passwords = access._logins.passwords
    real = passwords._tried

    async def counting(name: str, password: str, digest: bytes) -> Any:
        tried.append(name)
        return await real(name, password, digest)

    monkeypatch.setattr(passwords, "_tried", counting)
    async with guarded(access) as session:
        await asyncio.gather(*(status(session, "/status", auth=ANNA) for _ in range(8)))
        await status(session, "/status", auth=ANNA)
        assert tried == ["anna"]
        await status(session, "/status", auth=OPS)
        assert tried == ["anna", "ops"]


async def test_more_logins_than_can_be_tried_soon_are_sent_away(guarded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    access = Access(rules())
    passwords = access._logins.passwords
    waiting = {bytes([n]): asyncio.get_running_loop().create_future() for n in range(_WAITING)}
    monkeypatch.setattr(passwords, "_trying", waiting)
    async with guarded(access) as session:
        async with session.get("/status", headers=login(*ANNA)) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
        assert await status(session, "/metrics", headers=BEARER) == 200


async def test_a_login_that_is_taken_away_holds_no_longer(guarded: Any) -> None:
    access = Access(rules())
    async with guarded(access) as session:
        assert await status(session, "/status", auth=ANNA) == 200
        access.use(replace(rules(), users=(UserSpec("ops", HASH, may("view")),)))
        assert await status(session, "/status", auth=ANNA) == 401
        access.use(replace(rules(), users=(UserSpec("anna", Secret(hashed("other")), may("view")),)))
        assert await status(session, "/status", auth=ANNA) == 401
        assert await status(session, "/status", auth=("anna", "other")) == 200


# forms


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
OURS = {"Sec-Fetch-Site": "same-origin"}


@pytest.mark.parametrize(
    ("headers", "body", "status_"),
    [
        (FORM | OURS, "csrf={token}&note=x", 200),
        (FORM | OURS | {csrf.HEADER: "{token}"}, "note=x", 200),
        ({"Content-Type": "multipart/form-data; boundary=x"} | OURS | {csrf.HEADER: "{token}"}, "x", 200),
        ({"Content-Type": "application/json"} | OURS, "{{}}", 200),
        (FORM, "note=x", 200),  # no browser
        (FORM | OURS, "", 403),
        (FORM | OURS, "csrf=wrong", 403),
        (FORM | OURS, "csrf={token}&csrf=wrong", 403),
        (FORM | OURS, "csrf=%ff%00", 403),
        (FORM | OURS, "&" * 5000 + "csrf={token}", 403),
        (FORM | OURS | {csrf.HEADER: "\u20ac"}, "", 403),
        ({"Content-Type": "text/plain"} | OURS, "csrf={token}", 403),
        ({"Content-Type": "multipart/form-data; boundary=x"} | OURS, "csrf={token}", 403),
        (FORM | {"Sec-Fetch-Site": "cross-site"}, "csrf={token}", 403),
        (FORM | {"Origin": "http://["}, "csrf={token}", 403),
    ],
)
async def test_a_form_of_a_browser_carries_the_token_of_this_process(
    guarded: Any, service: FakeService, headers: dict[str, str], body: str, status_: int
) -> None:
    filled = {name: value.format(token=csrf.csrf_token()) for name, value in headers.items()}
    async with guarded(AccessSpec()) as session:
        data = body.format(token=csrf.csrf_token()).encode()
        assert await status(session, "/-/reload", "POST", headers=filled, data=data) == status_
    assert service.reloads == (status_ == 200)


# who it was, and what is not said


async def test_the_log_of_requests_says_who_it_was_and_no_secret(
    guarded: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "monitor.access")
    async with guarded(rules(trusted=["127.0.0.1/32"]), access_log=True) as session:
        await status(session, "/status", auth=ANNA)
        await status(session, "/metrics", headers=BEARER)
        await status(session, "/status", headers={"X-Forwarded-User": "carla"})
        await status(session, "/status", auth=("anna", "wrong-one"))
        await status(session, "/status")
    users = [record.__dict__["user"] for record in caplog.records if record.name == "monitor.access"]
    assert users == ["anna", "prometheus", "carla", None, None]
    everything = json.dumps([record.__dict__ for record in caplog.records], default=repr)
    assert not [word for word in (PASSWORD, TOKEN, "wrong-one", HASH.reveal()[-43:]) if word in everything]


def test_no_repr_shows_a_secret() -> None:
    phc = Secret("$scrypt$ln=14,r=8,p=1$jACyu/2hwLmygxLy4aFJnA$SNDO+e+oBLDAccxgXDheQWdLoeb6WEmuP8iN9QCrY7o")
    spec = rules(trusted=["10.0.0.0/8"])
    spec = replace(spec, users=(*spec.users, UserSpec("eve", phc, may("view"))))
    parts = {*HASH.reveal().split(":")[-2:], *phc.reveal().split("$")[-2:], BCRYPT.reveal().split("$")[-1]}
    assert not [word for word in (TOKEN, *parts) if word in repr(spec)]
    assert {TOKEN, HASH.reveal(), BCRYPT.reveal(), phc.reveal(), *parts} == spec.secrets


async def test_wrong_guesses_lock_out_nobody_who_logged_in_lately(guarded: Any) -> None:
    async with guarded(rules()) as session:
        assert await status(session, "/status", auth=ANNA) == 200
        for _ in range(2 * BURST):
            await status(session, "/status", auth=("anna", "guess"))
        assert await status(session, "/status", auth=("anna", "guess")) == 429
        assert await status(session, "/status", auth=ANNA) == 200
        assert await status(session, "/status", auth=OPS) == 429  # nobody has logged in as this one


@pytest.mark.parametrize(("site", "expected"), [("cross-site", 403), ("same-site", 403), ("none", 400), (None, 400)])
async def test_a_page_of_another_site_has_nothing_probed(
    http: ClientSession, service: FakeService, site: str | None, expected: int
) -> None:
    async def unknown(_: object) -> None:
        raise BadTarget("no such target")

    service.probe = unknown  # type: ignore[assignment, method-assign]
    headers = {} if site is None else {"Sec-Fetch-Site": site}
    assert await status(http, "/probe?target=x", headers=headers) == expected
