"""What goes over the wire, byte for byte: a target or a proxy must never see another request after a change of ours.

The expected bytes stand in `wire.txt`, which was written when aiohttp's ClientSession still spoke for us, and changed
where browsers send others: for a Location with blanks or bytes that are not ASCII, and in the order of cookies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from monitor.model.outcome import Reason
from monitor.model.request import BasicAuth, BearerAuth, Body
from monitor.secrets.secret import Secret
from tests.flat import http
from tests.protocols.harness import Run
from tests.servers import certs
from tests.servers.http import HttpServer, Request, answer, ok, redirect

JSON = Body(b'{"a": 1}', "application/json", secret=False)
PLAIN = Body(b"plain", None, secret=False)

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "a name": ("http://example.test/", {}),
    "a port": ("http://example.test:8080/", {}),
    "the usual port, said": ("http://example.test:80/", {}),
    "a name in capitals": ("http://EXAMPLE.test/", {}),
    "a name with a dot at its end": ("http://example.test./", {}),
    "a name in another script": ("http://münchen.test/straße?straße=ä", {}),
    "IPv4": ("http://192.0.2.7:8080/", {}),
    "IPv6": ("http://[2001:db8::7]/", {}),
    "IPv6 and a port": ("http://[2001:db8::7]:8080/", {}),
    "https": ("https://127.0.0.1/", {}),
    "https on the usual port, said": ("https://127.0.0.1:443/", {}),
    "https on another port": ("https://127.0.0.1:8443/", {}),
    "no path": ("http://example.test", {}),
    "a query and no path": ("http://example.test?a=b", {}),
    "an encoded path and query": ("http://example.test/a%2Fb%20c?x=%2F%26&y=a+b&e=&flag#part", {}),
    "dots in the path": ("http://example.test/a/../b/./c", {}),
    "characters outside of RFC 3986": ('http://example.test/{a}|"b"?q={"x":1}', {}),
    "a percent sign that encodes nothing": ("http://example.test/100%?q=5%", {}),
    "userinfo": ("http://ann:p%40ss@example.test/", {}),
    **{f"{method} without a body": ("http://example.test/", {"method": method})
       for method in ("HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PURGE")},
    **{f"{method} with a body": ("http://example.test/", {"method": method, "body": JSON})
       for method in ("GET", "POST", "PUT", "DELETE", "PURGE")},
    "a body without a type": ("http://example.test/", {"method": "POST", "body": PLAIN}),
    "an empty body": ("http://example.test/", {"method": "POST", "body": Body(b"", "text/plain", secret=False)}),
    "a body with a type of its own": (
        "http://example.test/", {"method": "POST", "body": JSON, "headers": (("content-type", "x/y"),)},
    ),
    "headers in their order": (
        "http://example.test/", {"headers": (("X-b", "2"), ("x-A", "1"), ("Date", "then"), ("X-c", Secret("3")))},
    ),
    "usual headers replaced": (
        "http://example.test/", {"headers": (("user-agent", "me"), ("ACCEPT", "text/x"), ("Accept-encoding", "x"))},
    ),
    "a host of its own": ("http://example.test/", {"headers": (("X-a", "1"), ("Host", "virtual.test"))}),
    "a host of its own in small letters": (
        "http://example.test/", {"headers": (("X-a", "1"), ("host", "virtual.test"))},
    ),
    "a host of its own in odd letters": ("http://example.test/", {"headers": (("X-a", "1"), ("hOsT", "virtual.test"))}),
    "a host that is secret": ("http://example.test/", {"headers": (("Host", Secret("virtual.test")),)}),
    "a connection header": ("http://example.test/", {"headers": (("connection", "keep-alive"), ("X-a", "1"))}),
    "a cookie": ("http://example.test/", {"headers": (("cookie", "a=b; c=d"), ("X-a", "1"))}),
    "values that are not ASCII": ("http://example.test/", {"headers": (("X-a", "süß ☃"), ("X-b", "a\tb"))}),
    "a lone surrogate": ("http://example.test/", {"headers": (("X-a", Secret("a\udce4b")),)}),
    "basic credentials": ("http://example.test/", {"auth": BasicAuth("ann", Secret("pass word"))}),
    "a bearer token": ("http://example.test/", {"auth": BearerAuth(Secret("t0k3n")), "headers": (("X-a", "1"),)}),
    "a proxy": ("http://example.test/a/../b?c=d", {"proxy": "PROXY"}),
    "a proxy and a port": ("http://example.test:8080", {"proxy": "PROXY"}),
    "a proxy and the usual port, said": ("http://example.test:80/", {"proxy": "PROXY"}),
    "a proxy and no path": ("http://example.test?a=b", {"proxy": "PROXY"}),
    "a proxy and another script": ("http://münchen.test/ä", {"proxy": "PROXY"}),
    "a proxy and userinfo": ("http://ann:pass@example.test/", {"proxy": "PROXY"}),
    "a proxy with credentials": ("http://[2001:db8::7]:8080/", {"proxy": "http://eve:p%40ss@PROXY", "method": "POST"}),
    "a proxy with a user alone": ("http://example.test/", {"proxy": "http://eve@PROXY", "headers": (("X-a", "1"),)}),
    "a tunnel": ("https://127.0.0.1:8443/a?b=c", {"proxy": "PROXY", "auth": BearerAuth(Secret("t0k3n"))}),
    "a tunnel with credentials": ("https://127.0.0.1/", {"proxy": "http://eve:p%40ss@PROXY"}),
    "redirects with cookies": ("http://example.test/a/cookies", {"headers": (("X-a", "1"), ("Cookie", "own=1"))}),
    "redirect after a POST": ("http://example.test/302", {"method": "POST", "body": JSON, "headers": (("X-a", "1"),)}),
    "redirect that keeps the body": ("http://example.test/307", {"method": "PUT", "body": JSON}),
    "redirect with userinfo": ("http://example.test/userinfo", {"auth": BasicAuth("ann", Secret("x"))}),
    "redirect to a relative query": ("http://example.test/a/relative?x=y", {}),
    "redirect to another script": ("http://example.test/script", {}),
}  # fmt: skip

_LATER = {
    "/a/cookies": redirect(
        "/a/b/next", 302, ("Set-Cookie", "one=1; Path=/"), ("Set-Cookie", 'two="2 2"; Path=/a'),
        ("Set-Cookie", "three=3; Path=/else"), ("Set-Cookie", "four=4"), ("Set-Cookie", "gone=; Max-Age=0"),
    ),
    "/a/b/next": redirect("/last", 307, ("Set-Cookie", "one=changed; Path=/")),
    "/302": redirect("/last", 302),
    "/307": redirect("/last?a=b", 307),
    "/userinfo": redirect("http://eve:mallory@example.test/last", 302),
    "/a/relative?x=y": redirect("?z=%20 ä&q={1}", 302),
    "/script": redirect("/straße ü", 302),
}  # fmt: skip


async def on_the_wire(run: Run, name: str) -> bytes:
    """All that a server, which is all targets and all proxies at once, was sent."""

    url, over = CASES[name]

    def answered(request: Request) -> bytes:
        return answer(403) if request.method == "CONNECT" else _LATER.get(request.target, ok())

    tls = certs.server_context(certs.issue()) if url.startswith("https:") and "proxy" not in over else None
    async with HttpServer(answered, tls=tls) as server:
        over = {"connect_to": (server.host, server.port), **over}
        if proxy := over.get("proxy"):
            over["proxy"] = f"{'' if '//' in proxy else 'http://'}{proxy}".replace("PROXY", server.address)
            del over["connect_to"]
        result = await run(url, **over)
        assert result.reason is (Reason.PROXY_FAILED if "tunnel" in name else Reason.OK), result.detail
        assert server.connections == len(server.requests) == len(http(result).hops)
        return b"".join(request.head + request.body for request in server.requests)


def expected() -> Iterator[tuple[str, bytes]]:
    """What stands in the file, by case; a line there ends in CR LF on the wire, and other bytes are escaped."""
    text = Path(__file__).with_name("wire.txt").read_text()
    for name, sent in re.findall(r"^## (.*)\n((?:>.*\n)*)", text, re.MULTILINE):
        lines = (line[2:] for line in sent.splitlines())
        yield name, "\r\n".join(lines).encode().decode("unicode_escape").encode("latin-1")


def written(name: str, sent: bytes) -> str:
    """A case as it stands in the file."""
    lines = sent.decode("latin-1").split("\r\n")
    return f"## {name}\n" + "".join(f"> {line.encode('unicode_escape').decode()}\n" for line in lines)


EXPECTED = dict(expected())


def test_the_file_has_all_cases_and_no_other() -> None:
    assert set(EXPECTED) == set(CASES)


@pytest.mark.parametrize("name", CASES)
async def test_request_is_the_same_as_ever(run: Run, name: str) -> None:
    sent = await on_the_wire(run, name)
    assert written(name, sent) == written(name, EXPECTED[name])
