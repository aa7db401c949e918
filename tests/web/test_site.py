"""By which names the monitor may be asked, and below which path: with curl's eyes, and through a real proxy."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from monitor.model.settings import AccessSpec, MonitorSpec, PublicSpec
from monitor.web import Server
from monitor.web.site import Site
from tests.service.daemon import eventually
from tests.web.conftest import Begin, FakeService
from tests.web.test_limits import connected, head

OPS = MonitorSpec(external_url="https://ops.example.com:8443/monitor", allowed_hosts=("monitor.internal",))
OURS = [
    "127.0.0.1",
    "127.0.0.1:8420",
    "[::1]:8420",
    "[fe80::1%eth0]",
    "192.0.2.7",
    "localhost",
    "LOCALHOST.:80",
    "ops.example.com",
    "OPS.example.com:443",
    "monitor.internal:9",
]
FOREIGN = [
    "evil.example",
    "evil.example:8420",
    "localhost.evil.example",
    "ops.example.com.evil.example",
    "xops.example.com",
    "127.0.0.1.evil.example",
    "127.1",
    "2130706433",
    "127.0.0.1:80@evil.example",
    "[::1].evil.example",
    "",
    "monitor.internal evil",
]


async def said(server: Server, path: str, *hosts: str) -> tuple[int, str]:
    async with connected(server.address) as (reader, writer):
        lines = "".join(f"Host: {host}\r\n" for host in hosts)
        writer.write(f"GET {path} HTTP/1.1\r\n{lines}Connection: close\r\n\r\n".encode())
        first = await head(reader)
        return int(first.split()[1]), (await reader.read()).decode()


@pytest.mark.parametrize("host", OURS)
async def test_a_name_of_ours_is_answered(begin: Begin, host: str) -> None:
    server = await begin(site=Site(OPS))
    assert (await said(server, "/status.json", host))[0] == 200


@pytest.mark.parametrize("host", FOREIGN)
async def test_any_other_name_is_421_and_learns_nothing(begin: Begin, host: str) -> None:
    server = await begin(site=Site(OPS))
    for path in ("/status", "/status.json", "/metrics.json", "/api/v1/checks", "/public", "/probe?target=x", "/"):
        status, text = await said(server, path, host)
        assert status in (400, 421), path
        assert "shop-api" not in text
    for path in ("/metrics", "/-/healthy", "/-/ready"):
        assert (await said(server, path, host))[0] in (200, 400)


async def test_the_sentence_names_the_key_to_set(begin: Begin) -> None:
    _, text = await said(await begin(), "/status.json", "evil.example")
    assert text == (
        "this monitor does not answer to the name 'evil.example': if it is one of its own, add it to `allowed_hosts` in"
        " [monitor], or set `external_url`\n"
    )


async def test_of_two_names_each_has_to_be_ours_and_a_client_without_any_is_no_browser(begin: Begin) -> None:
    server = await begin()
    assert (await said(server, "/status.json", "localhost", "evil.example"))[0] in (400, 421)
    async with connected(server.address) as (reader, writer):
        writer.write(b"GET /status.json HTTP/1.0\r\n\r\n")
        assert b" 200 " in await head(reader)


@pytest.mark.parametrize(("stated", "expected"), [(True, 200), (False, 421)])
async def test_beyond_loopback_rules_of_access_take_its_place(begin: Begin, stated: bool, expected: int) -> None:
    server = await begin(host="0.0.0.0", site=Site(MonitorSpec(access=AccessSpec(stated))))
    port = server.address.rpartition(":")[2]
    beside = type("Beside", (), {"address": f"127.0.0.1:{port}"})
    assert (await said(beside, "/status.json", "evil.example"))[0] == expected  # type: ignore[arg-type]


async def test_the_name_that_it_listens_on_is_one_of_ours(begin: Begin) -> None:
    site = Site()
    server = await begin(site=site)
    site.opened("Monitor.internal", loopback=True)
    assert (await said(server, "/status.json", "monitor.internal"))[0] == 200


async def test_a_form_is_believed_from_the_external_address_behind_a_proxy_that_changes_host(begin: Begin) -> None:
    server = await begin(site=Site(OPS))
    async with aiohttp.ClientSession(f"http://{server.address}") as session:
        for origin, status in (
            ("https://ops.example.com:8443", 200),
            ("http://ops.example.com:8443", 403),
            ("https://ops.example.com", 403),
            ("null", 403),
        ):
            async with session.post("/-/reload", headers={"Origin": origin}) as answer:
                assert answer.status == status


@pytest.mark.parametrize(
    ("prefix", "target", "inner"),
    [
        ("/monitor", "/monitor/status", "/status"),
        ("/monitor", "/monitor/status?q=/monitor/", "/status?q=/monitor/"),
        ("/monitor", "/monitor", "/"),
        ("/monitor", "/monitor?x", "/?x"),
        ("/monitor", "/monitor/", "/"),
        ("/monitor", "/status", "/status"),
        ("/monitor", "/monitoring/status", "/monitoring/status"),
        ("/monitor", "/monitor/nothing", "/monitor/nothing"),
        ("/monitor", "/monitor//evil.example/", "/monitor//evil.example/"),
        ("/a/b", "/a/b/api/v1/checks", "/api/v1/checks"),
        ("/status", "/status/status/shop", "/status/shop"),  # passed on
        ("/status", "/status/shop", "/status/shop"),  # stripped
        ("/status", "/status", "/status"),
        ("/status", "/status/", "/"),
        ("", "/status", "/status"),
    ],
)
async def test_the_prefix_is_taken_off_where_it_was_passed_on(
    begin: Begin, prefix: str, target: str, inner: str
) -> None:
    site = Site(MonitorSpec(external_url=f"https://ops.example.com{prefix}"))
    await begin(site=site)
    assert site.stripped(target) == inner


NGINX = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1;
events {{ worker_connections 64; }}
http {{
    access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    server {{
        listen unix:{folder}/nginx.sock;
        location /monitor/ {{ proxy_pass http://{upstream}{slash}; {more} proxy_buffering off; }}
    }}
}}
"""
STRIPS, PASSES_ON = "/", "/monitor/"


@asynccontextmanager
async def nginx(folder: Path, server: Server, slash: str, more: str) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of a proxy in front of the server."""
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, upstream=server.address, slash=slash, more=more))
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    process = await asyncio.create_subprocess_exec(program, "-p", folder, "-c", folder / "nginx.conf")
    try:
        await eventually(lambda: asyncio.to_thread((folder / "nginx.pid").exists))  # written once it listens
        connector = aiohttp.UnixConnector(str(folder / "nginx.sock"))
        async with aiohttp.ClientSession("http://ops.example.com", connector=connector) as session:
            yield session
    finally:
        process.terminate()
        await process.wait()


@pytest.mark.skipif(shutil.which("nginx", path="/usr/sbin:/usr/bin") is None, reason="needs nginx")
@pytest.mark.parametrize("slash", [STRIPS, PASSES_ON], ids=["strips", "passes on"])
@pytest.mark.parametrize("more", ["", "proxy_set_header Host $http_host;"], ids=["own host", "host"])
async def test_behind_nginx_every_link_leads_somewhere(
    begin: Begin, service: FakeService, tmp_path: Path, slash: str, more: str
) -> None:
    service.shown = PublicSpec(enabled=True, groups=("*",))
    server = await begin(site=Site(MonitorSpec(external_url="http://ops.example.com/monitor")))
    async with nginx(tmp_path, server, slash, more) as session:
        async with session.get("/monitor/") as answer:
            assert str(answer.url) == "http://ops.example.com/monitor/status"
        seen, todo = set[str](), ["/monitor/status", "/monitor/public", "/monitor/feed.atom", "/monitor/wall"]
        while todo:
            path = todo.pop()
            async with session.get(path, headers={"Accept": "text/html"}) as answer:
                text = await answer.text()
                assert answer.status == 200 or "there is no incident" in text, path
            kind = answer.content_type
            found = set(re.findall(r'(?:href|src|action)="(/[^"#]*)', text)) if "html" in kind or "atom" in kind else ()
            assert [one for one in found if not one.startswith("/monitor/")] == []
            fresh = {one.replace("&amp;", "&") for one in found if not one.endswith(("/run", "/acknowledge"))} - seen
            fresh = {one for one in fresh if not one.endswith(("/announcements", "/withdraw"))}
            seen |= fresh
            todo += fresh if len(seen) < 60 else ()
        assert any(one.startswith("/monitor/static/") for one in seen)
        async with session.get("/monitor/api/v1/openapi.json") as answer:
            assert (await answer.json())["servers"] == [{"url": "/monitor/api/v1"}]
        async with session.get("/monitor/badge/shop-api.svg") as answer:
            assert answer.status == 200
        async with session.get("/monitor/api/v1/events") as answer:
            assert await answer.content.readline() == b"retry: 3000\n"


@pytest.mark.skipif(shutil.which("nginx", path="/usr/sbin:/usr/bin") is None, reason="needs nginx")
async def test_behind_nginx_forms_lead_back_to_their_page(begin: Begin, service: FakeService, tmp_path: Path) -> None:
    server = await begin(site=Site(MonitorSpec(external_url="http://ops.example.com/monitor")))
    async with nginx(tmp_path, server, STRIPS, "") as session:
        async with session.post("/monitor/status/shop-api/run", allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/monitor/status/shop-api")
        said_ = {"text": "we know"}
        async with session.post("/monitor/announcements", data=said_, allow_redirects=False) as answer:
            assert answer.headers["Location"] == "/monitor/incidents#announcements"
    assert service.ran == ["shop-api"]


async def test_a_reload_changes_names_and_prefix(begin: Begin) -> None:
    site = Site()
    server = await begin(site=site)
    site.use(OPS)
    status, text = await said(server, "/monitor/status", "ops.example.com")
    assert status == 200
    assert 'href="/monitor/status' in text
