"""The request on the wire: what is asked for arrives as it was written, once, and nothing else does."""

from __future__ import annotations

import asyncio
import base64

import pytest

from monitor.model.outcome import Outcome, Reason
from monitor.model.request import BasicAuth, BearerAuth, Body
from monitor.model.spec import Limits
from monitor.secrets.secret import Secret
from tests.flat import http
from tests.protocols.harness import Run, make_spec, opened_resources, run_check
from tests.servers import dns, faults, tls
from tests.servers.http import HttpServer, Request, answer, ok, redirect
from tests.servers.tcp import Connection, Server, closed_port, hanging_port


async def asked(run: Run, path: str = "/", **over: object) -> Request:
    """The one request that a check makes."""
    async with HttpServer() as server:
        result = await run(server.url(path), **over)
        assert result.reason is Reason.OK, result.detail
        assert (server.connections, len(server.requests)) == (1, 1)
        return server.requests[0]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_method_is_the_one_of_the_check(run: Run, method: str) -> None:
    assert (await asked(run, method=method)).method == method


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/", "/"),
        ("", "/"),
        ("?q", "/?q"),
        ("/a/b?x=1&y=2", "/a/b?x=1&y=2"),
        ("/a%2Fb?x=%2F%26&y=a+b", "/a%2Fb?x=%2F%26&y=a+b"),
        ("/a%20b", "/a%20b"),
        ("/x?e=&flag", "/x?e=&flag"),
        ("/x?a=1;b=2", "/x?a=1;b=2"),
        ("/x?u=http://h/?a=b", "/x?u=http://h/?a=b"),
        ("/x#part", "/x"),
        ("/münchen", "/m%C3%BCnchen"),
    ],
)
async def test_path_and_query_arrive_as_written(run: Run, path: str, target: str) -> None:
    assert (await asked(run, path)).target == target


async def test_headers_arrive_as_written(run: Run) -> None:
    headers = (("X-One", "1"), ("X-Secret", Secret("s3cr3t")), ("User-Agent", "probe/1"), ("Accept", "text/x"))
    request = await asked(run, headers=headers)
    assert [request.header(name) for name, _ in headers] == ["1", "s3cr3t", "probe/1", "text/x"]
    assert request.version == "1.1"


async def test_request_without_headers_has_what_http_wants(run: Run) -> None:
    request = await asked(run)
    assert len(request.all("Host")) == 1
    assert len(request.all("User-Agent")) == 1
    assert request.all("Content-Length") in ([], ["0"])
    assert request.all("Content-Type") == request.all("Cookie") == request.all("Authorization") == []
    names = [name.lower() for name, _ in request.headers]
    assert len(names) == len(set(names))


async def test_explicit_host_replaces_the_usual_one(run: Run) -> None:
    assert (await asked(run, headers=(("host", "virtual.test"),))).all("Host") == ["virtual.test"]


@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded", None])
async def test_body_arrives_with_its_type(run: Run, content_type: str | None) -> None:
    request = await asked(run, method="POST", body=Body(b'{"ping": true}', content_type, secret=False))
    assert request.body == b'{"ping": true}'
    assert request.header("Content-Type") == content_type
    assert request.header("Content-Length") == "14"


async def test_explicit_content_type_wins(run: Run) -> None:
    body = Body(b"{}", "application/json", secret=False)
    request = await asked(run, method="POST", body=body, headers=(("content-type", "application/x-own"),))
    assert request.all("Content-Type") == ["application/x-own"]


async def test_long_body_arrives_whole(run: Run) -> None:
    body = Body(b"0123456789" * 300_000, None, secret=False)
    assert (await asked(run, method="PUT", body=body)).body == body.data


async def test_answer_before_the_end_of_the_request_is_an_answer(run: Run) -> None:
    body = Body(bytes(8 << 20), None, secret=False)

    async def early(connection: Connection) -> None:
        await connection.read_head()
        await connection.send(answer(413, b"too much"))
        await connection.hold()

    async with Server(early) as server:
        result = await run(server.url(), method="POST", body=body)
    assert (result.reason, http(result).status) == (Reason.UNEXPECTED_STATUS, 413), result.detail


@pytest.mark.parametrize(("user", "password"), [("ann", "pass word"), ("ann", ""), ("jörg", "pä:ss"), ("", "x")])
async def test_basic_credentials_are_sent_in_utf_8(run: Run, user: str, password: str) -> None:
    request = await asked(run, auth=BasicAuth(user, Secret(password)))
    expected = base64.b64encode(f"{user}:{password}".encode()).decode()
    assert request.header("Authorization") == f"Basic {expected}"


async def test_bearer_token_is_sent(run: Run) -> None:
    request = await asked(run, auth=BearerAuth(Secret("t0k3n")))
    assert request.header("Authorization") == "Bearer t0k3n"


async def test_secret_url_is_revealed_on_the_wire_only(run: Run) -> None:
    async with dns.DnsServer({"hidden.test": dns.addresses("127.0.0.1")}) as resolver, HttpServer() as server:
        url = Secret(server.url("/hidden-path?key=value4711", host="hidden.test"))
        result = await run(url, resolver=(resolver.address,))
        assert result.reason is Reason.OK, result.detail
        assert server.requests[0].target == "/hidden-path?key=value4711"
    assert "hidden" not in repr(result)
    assert "value4711" not in repr(result)


async def test_netrc_and_proxy_variables_are_not_looked_at(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login eve password x\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert (await asked(run)).header("Authorization") is None


@pytest.mark.parametrize("size", [0, 1, 60_000, 3_000_000])
async def test_connection_is_gone_when_the_check_is_over(run: Run, size: int) -> None:
    async with HttpServer(lambda _: ok(bytes(size))) as server:
        result = await run(server.url(), max_body=4096)
        await server.until(lambda: server.open == 0)
    assert result.reason is Reason.OK


async def test_many_checks_at_once_do_not_meet(run: Run) -> None:
    names = {"target.test": dns.addresses("127.0.0.1"), "none.test": dns.NOT_FOUND}
    limits = Limits(1.5, 1.5, 8)
    async with (
        dns.DnsServer(names) as resolver,
        HttpServer() as good,
        HttpServer(lambda _: redirect("/")) as looping,
        Server(faults.silent) as silent,
        Server(faults.reset_after_request) as resetting,
        tls.https() as secure,
        tls.Bare(tls.garbage) as garbage,
        hanging_port() as hanging,
        opened_resources() as resources,
    ):
        with closed_port() as closed:
            wanted = {
                good.url(host="target.test"): Reason.OK,
                "http://none.test/": Reason.DNS_NOT_FOUND,
                looping.url(): Reason.TOO_MANY_REDIRECTS,
                silent.url(): Reason.RESPONSE_TIMEOUT,
                resetting.url(): Reason.RESET,
                secure.url(): Reason.OK,
                garbage.url(): Reason.TLS_HANDSHAKE_FAILED,
                f"http://127.0.0.1:{hanging}/": Reason.CONNECT_TIMEOUT,
                f"http://127.0.0.1:{closed}/": Reason.REFUSED,
            }
            urls = list(wanted) * 10
            over = {"resources": resources, "limits": limits, "resolver": (resolver.address,)}
            results = await asyncio.gather(*(run(url, **over) for url in urls))
        assert [result.reason for result in results] == [wanted[url] for url in urls]
        assert good.connections == 10


async def hanging_scene(stage: str) -> Server:
    """A server that holds a check up in this stage."""
    return {
        "handshake": lambda: tls.Bare(tls.silent),
        "head": lambda: Server(faults.silent),
        "body": lambda: Server(faults.stalled_body),
    }[stage]()


@pytest.mark.parametrize("stage", ["handshake", "head", "body"])
async def test_cancelled_check_hangs_up_and_is_cancelled(run: Run, stage: str) -> None:
    async with await hanging_scene(stage) as server:
        task = asyncio.create_task(run(server.url()))
        await server.until(lambda: server.open == 1 and (stage == "handshake" or len(server.heads) == 1))
        task.cancel()
        try:
            result = await task
        except asyncio.CancelledError:
            pass
        else:
            assert result.reason is Reason.CANCELLED
        await server.until(lambda: server.open == 0)


async def test_specification_is_not_changed_by_its_run(run: Run) -> None:
    spec = make_spec("http://127.0.0.1:9/", headers=(("A", "b"),))
    before = repr(spec)
    result = await run_check("http://127.0.0.1:9/", headers=(("A", "b"),))
    assert repr(spec) == before
    assert result.outcome in (Outcome.CONNECTION_ERROR, Outcome.SUCCESS)
