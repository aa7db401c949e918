"""`monitor probe`: what each option does on the wire, what is reported, and what is never printed."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from click.testing import CliRunner

from monitor.cli import commands
from tests.servers import certs, dns, faults, tls
from tests.servers.http import HttpServer, answer, echo, ok, redirect, routes
from tests.servers.proxy import Proxy
from tests.servers.tcp import Server, closed_port, hanging_port
from tests.terminal.program import Ended, monitor, terminal

SECRET = "swordfish-7-again"


async def probed(*arguments: str | Path) -> tuple[int, dict[str, Any]]:
    """The exit code and the document."""
    ended = await monitor("probe", "--json", *arguments)
    assert ended.err == ""
    return ended.code, json.loads(ended.out)


def sections(ended: Ended) -> dict[str, str]:
    """The lines of a report by their first word."""
    return {line.split()[0]: line for line in ended.lines if line.strip()}


async def test_report_of_a_success() -> None:
    async with HttpServer() as server:
        ended = await monitor("probe", server.url())
    said = sections(ended)
    assert (ended.code, ended.err) == (0, "")
    assert ended.lines[0] == "● success  ok"
    assert [line.split()[0] for line in ended.lines[3:9]] == [
        "resolve", "connect", "tls", "processing", "transfer", "total",
    ]  # fmt: skip
    assert said["tls"].split() == ["tls", "–"]
    assert server.address in said["addresses"]
    assert said["requests"].endswith(f"200  GET {server.url()}")
    assert said["answer"].endswith(f"200, HTTP/1.1, 5 bytes of body, from {server.address}")
    assert "\x1b" not in ended.out


async def test_report_of_a_refusal_marks_the_phase() -> None:
    with closed_port() as port:
        ended = await monitor("probe", f"http://127.0.0.1:{port}/")
    assert ended.code == 1
    assert ended.lines[0] == "▼ connection_error  refused"
    assert "× refused" in sections(ended)["connect"]
    assert "refused after" in sections(ended)["addresses"]


async def test_report_of_redirects_lists_every_request() -> None:
    async with HttpServer(routes({"/a": redirect("/b"), "/b": redirect("/?key=swordfish"), "/": ok()})) as server:
        ended = await monitor("probe", server.url("/a"))
    asked = [line.split()[-3:] for line in ended.lines if " GET " in line]
    assert asked == [
        ["302", "GET", server.url("/a")],
        ["302", "GET", server.url("/b")],
        ["200", "GET", server.url("/?key=***")],
    ]
    assert "summed over 3 requests" in sections(ended)["total"]


async def test_every_address_that_was_tried_is_listed() -> None:
    async with HttpServer() as server, dns.DnsServer({"target.test": dns.addresses("127.0.0.2", "127.0.0.1")}) as names:
        code, document = await probed(server.url(host="target.test"), "--resolver", names.address)
    assert code == 0
    assert [attempt["error"] is None for attempt in document["attempts"]] == [False, True]
    assert document["attempts"][-1]["address"] == server.address


async def test_json_is_the_result_with_addresses_requests_and_chain() -> None:
    async with tls.with_intermediate() as server:
        code, document = await probed(server.url(), "-k")
    assert code == 0
    assert document["url"] == server.url()
    assert document["outcome"] == "success"
    assert document["attempts"][0] | {"duration_seconds": 0} == {
        "address": server.address, "error": None, "duration_seconds": 0,
    }  # fmt: skip
    assert document["hops"] == [{"method": "GET", "url": server.url(), "status_code": 200}]
    leaf, issuer = document["certificates"]
    assert leaf["issuer"] == issuer["subject"]
    assert "127.0.0.1" in leaf["names"]
    assert leaf["not_before"] < leaf["not_after"]


async def test_certificates_are_verified_unless_told_not_to(tmp_path: Path) -> None:
    trusted = tmp_path / "ca.pem"
    certs.authority().cert_pem.write_to_path(str(trusted))
    async with tls.https() as server:
        assert (await probed(server.url()))[0] == 1
        assert (await probed(server.url(), "--cacert", trusted))[0] == 0
        assert (await probed(server.url(), "--insecure"))[0] == 0


async def test_report_shows_the_chain_and_warns_of_its_end() -> None:
    async with tls.ending_in(5) as server, terminal("probe", "-k", server.url()) as screen:
        assert await screen.end() == 0
    assert "◆ degraded" in screen.text
    assert "the certificate of 127.0.0.1 ends in 5 days" in screen.text
    (ends,) = (
        line
        for line in screen.raw.splitlines()
        if "in 5 days" in line and "ends " in line and "certificate" not in line
    )
    assert "\x1b[33m" in ends


async def test_an_expired_certificate_is_shown_with_its_date() -> None:
    async with tls.expired() as server:
        ended = await monitor("probe", server.url())
    assert ended.code == 1
    assert sections(ended)["ends"].endswith("ago")


async def test_a_client_certificate_is_shown_to_the_server(tmp_path: Path) -> None:
    cert, key = certs.issue("localhost").write(tmp_path)
    async with tls.demanding_client_certificate(tls.V12) as server:
        assert (await probed(server.url(), "-k"))[0] == 1
        assert (await probed(server.url(), "-k", "--cert", cert, "--key", key))[0] == 0


async def test_request_is_sent_as_told() -> None:
    async with HttpServer(echo) as server:
        await probed(server.url("/x"), "-X", "PUT", "-H", "X-One: 1", "-H", "X-Two:  two: 2", "-d", "abc")
        (request,) = server.requests
    assert (request.method, request.body) == ("PUT", b"abc")
    assert (request.header("x-one"), request.header("x-two")) == ("1", "two: 2")


async def test_json_body_is_posted_with_its_type() -> None:
    async with HttpServer(echo) as server:
        await probed(server.url(), "--json-body", '{"ping": true}')
        (request,) = server.requests
    assert (request.method, json.loads(request.body)) == ("POST", {"ping": True})
    assert request.header("content-type") == "application/json"


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        (("-u", f"me:{SECRET}"), "Basic " + base64.b64encode(f"me:{SECRET}".encode()).decode()),
        (("--bearer", SECRET), f"Bearer {SECRET}"),
        (("-H", f"Authorization: Token {SECRET}"), f"Token {SECRET}"),
    ],
)
async def test_credentials_are_sent_and_never_printed(options: tuple[str, ...], sent: str) -> None:
    """Not even where the server echoes them into a sentence of ours."""

    def tell(request: Any) -> bytes:
        told = request.header("authorization")
        return redirect("/" + quote(told)) if request.target == "/" else answer(401)

    async with HttpServer(tell) as server:
        plain = await monitor("probe", *options, server.url())
        document = await monitor("probe", "--json", *options, server.url())
        assert [request.header("authorization") for request in server.requests] == [sent] * 4
    for ended in (plain, document):
        assert ended.code == 1
        assert SECRET not in ended.out + ended.err
        assert sent.split()[1] not in ended.out + ended.err


@pytest.mark.parametrize("header", ["X-Api-Key", "Cookie", "X-Session-Id"])
async def test_headers_that_look_like_credentials_are_never_printed(header: str) -> None:
    async with HttpServer(lambda request: redirect(f"/{request.header(header)}")) as server:
        ended = await monitor("probe", "-H", f"{header}: {SECRET}", "--max-redirects", "1", server.url())
    assert SECRET not in ended.out
    assert "/***" in ended.out


async def test_userinfo_of_the_url_is_used_and_not_printed() -> None:
    async with HttpServer() as server:
        ended = await monitor("probe", server.url().replace("://", f"://me:{SECRET}@"))
        (request,) = server.requests
    assert ended.code == 0
    assert (request.header("authorization") or "").startswith("Basic ")
    assert SECRET not in ended.out


@pytest.mark.parametrize(
    ("options", "reasons"),
    [
        # Both limits pass within a few milliseconds of each other; which of them first, the machine's load decides.
        (("--timeout", "0.2"), {"response_timeout", "total_timeout"}),
        (("--read-timeout", "200ms"), {"response_timeout"}),
        (("--read-timeout", "0.2", "--connect-timeout", "0.1"), {"response_timeout"}),
    ],
)
async def test_limits_hold_and_those_not_given_make_room(options: tuple[str, ...], reasons: set[str]) -> None:
    async with Server(faults.silent) as server:
        code, document = await probed(server.url(), *options)
    assert code == 1
    assert document["reason"] in reasons
    assert 0.15 < document["duration_seconds"] < 2


async def test_limits_that_are_given_raise_the_total() -> None:
    async with Server(faults.silent) as server, terminal("probe", server.url(), "--read-timeout", "60") as screen:
        await server.until(lambda: bool(server.heads))
        screen.interrupt()
        assert await screen.end() == 130


async def test_connect_limit_holds() -> None:
    async with hanging_port() as port:
        code, document = await probed(f"http://127.0.0.1:{port}/", "--connect-timeout", "0.2")
    assert (code, document["reason"]) == (1, "connect_timeout")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ((), 1),
        (("--expect-status", "404"), 0),
        (("--expect-status", "2xx", "--expect-status", "400-410"), 0),
        (("--expect-status", "404", "--expect-body", "lost"), 0),
        (("--expect-status", "404", "--expect-body", "found"), 1),
    ],
)
async def test_expectations(options: tuple[str, ...], code: int) -> None:
    async with HttpServer(lambda _: answer(404, b"lost")) as server:
        assert (await probed(server.url(), *options))[0] == code


@pytest.mark.parametrize(
    ("options", "reason", "requests"),
    [((), "ok", 3), (("--no-follow",), "ok", 1), (("--max-redirects", "1"), "too_many_redirects", 2)],
)
async def test_redirects(options: tuple[str, ...], reason: str, requests: int) -> None:
    async with HttpServer(routes({"/a": redirect("/b"), "/b": redirect("/"), "/": ok()})) as server:
        _, document = await probed(server.url("/a"), *options)
        assert (document["reason"], len(server.requests)) == (reason, requests)


async def test_the_way_there_can_be_chosen() -> None:
    async with HttpServer() as server:
        _, connected = await probed("http://target.test/", "--connect-to", server.address)
        await probed(server.url(), "--source-address", "127.0.0.9")
        assert server.requests[0].header("host") == "target.test"
        assert server.peers[1].startswith("127.0.0.9")
        assert connected["remote_address"] == server.address
        async with Proxy() as proxy:
            await probed(server.url(), "--proxy", proxy.url())
            assert len(proxy.forwarded) == 1


async def test_ip_version_can_be_chosen() -> None:
    zone = {"target.test": dns.addresses("127.0.0.1", "::1")}
    async with HttpServer() as server, dns.DnsServer(zone) as names:
        url = server.url(host="target.test")
        four = await probed(url, "-4", "--resolver", names.address)
        six = await probed(url, "-6", "--resolver", names.address)
    assert (four[0], six[0]) == (0, 1)
    assert six[1]["attempts"][0]["address"].startswith("[::1]")


async def test_link_local_addresses_are_denied_unless_a_configuration_allows_them(tmp_path: Path) -> None:
    path = tmp_path / "checks.toml"
    path.write_text('[monitor]\ndeny_addresses = ["127.0.0.0/8"]\n')
    async with HttpServer() as server:
        assert (await probed("http://169.254.1.1/"))[1]["reason"] == "address_denied"
        assert (await probed(server.url(), "-c", path))[1]["reason"] == "address_denied"


async def test_no_configuration_is_read_unless_named() -> None:
    async with HttpServer() as server:
        ended = await monitor("probe", server.url(), env={"MONITOR_CONFIG": "/nonexistent"})
    assert ended.code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["example.com/health?key=abcdefg"],
            "URL: there is no scheme (did you mean https://example.com/health?key=*** ?)",
        ),
        (["localhost:8080"], "did you mean http://localhost:8080 ?"),
        (["ftp://example.com/"], "URL: must begin with http://, https://, tcp:// or tls://"),
        (["http://a/", "--timeout", "soon"], '--timeout: "soon" is not a duration'),
        (["http://a/", "--timeout", "2", "--connect-timeout", "3"], "(lower --connect-timeout or raise --timeout)"),
        (["http://a/", "-H", "nonsense"], "--header: a header has no colon after its name (write 'NAME: VALUE')"),
        (["http://a/", "-H", "A: 1", "-H", "a: 2"], "--header: a is given twice"),
        (["http://a/", "-u", "somebody"], "--user: there is no password"),
        (["http://a/", "-u", "a:b", "--bearer", "c"], "--user/--bearer: basic and bearer are given together"),
        (["http://a/", "--json-body", "{"], "--json-body: this is not JSON"),
        (["http://a/", "--max-redirects", "many"], "--max-redirects: must be a number"),
        (["http://a/", "--expect-status", "0xx"], '--expect-status: "0xx" is not a status'),
        (["http://a/", "--cacert", "/nonexistent"], "--cacert: the file"),
        (["http://a/", "-X", "GTE"], "--request: "),
        (["http://127.0.0.1/", "-6"], "-4/-6: "),
    ],
)
def test_wrong_options_are_named_as_they_were_written(arguments: list[str], said: str) -> None:
    ended = CliRunner().invoke(commands, ["probe", *arguments])
    assert ended.exit_code == 2
    assert said in ended.stderr


async def test_every_wrong_option_is_named_at_once() -> None:
    ended = await monitor("probe", "example.com", "--timeout", "soon", "-H", "nonsense")
    assert [line.split()[0] for line in ended.err.splitlines()[-3:]] == ["URL:", "--timeout:", "--header:"]


@pytest.mark.parametrize("columns", [50, 200])
async def test_report_fits_the_terminal(columns: int) -> None:
    async with (
        tls.with_intermediate() as server,
        terminal("probe", "-k", server.url("/" + "long/" * 20), columns=columns) as screen,
    ):
        await screen.end()
    shown = screen.text[screen.text.index("● success") :]
    assert all(len(line) <= columns for line in shown.splitlines())
    for phase in ("resolve", "connect", "tls", "processing", "transfer", "total"):
        assert f"  {phase} " in shown


async def test_interrupted_is_code_130_without_a_traceback() -> None:
    async with Server(faults.silent) as server, terminal("probe", server.url()) as screen:
        await server.until(lambda: bool(server.heads))
        screen.interrupt()
        assert await screen.end() == 130
    assert "Traceback" not in screen.text
