"""Where a Location leads, as the WHATWG URL standard has it; the requests were compared with those of Chromium."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from monitor.keys.addresses import host as configured_host
from monitor.keys.bad_value import BadValueError
from monitor.model.outcome import Reason
from monitor.net.urls import LONGEST, ascii_host, origin, parse, resolved
from tests.flat import http
from tests.protocols.harness import Run
from tests.servers import dns
from tests.servers.http import HttpServer, Request, ok, redirect

DENIED = ["127.0.0.0/29", "::1/128", "0.0.0.0/8"]
"""Loopback but for 127.0.0.9, from which the redirects come."""

NOTATIONS = [
    "127.0.0.1", "127.1", "127.0.1", "0x7f.1", "0x7F.0.0.0x1", "0177.0.0.1", "0177.1", "2130706433",
    "0x7f000001", "017700000001",
    "127.0.0.1.", "0000000177.0.0.1", "0x0000007f.1", "%31%32%37.0.0.1", "127%2e0.0.1", "127%2E1", "１２７.1",
    "127。0。0。1",
    "127．0．0．1", "①②⑦.0.0.1", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:FFFF:127.0.0.1]", "0",
    "0.0.0.0", "0x0",
    "u:p@127.1", "u@v@0x7f.1", "@2130706433",
]  # fmt: skip
"""Ways to write an address of loopback; those that are not ASCII go over the wire in UTF-8."""


def raw(text: str) -> str:
    """The text as a header of the tests' servers, which are written in Latin-1."""
    return text.encode().decode("latin-1")


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/\xe4/x", "/%E4/x"), ("/caf\xc3\xa9", "/caf%C3%A9"), ("?\xe4", "/dir/start?%E4"), ("/\xff\xfe", "/%FF%FE"),
        ("/\xed\xa0\x80", "/%ED%A0%80"), ("\\x\\y", "/x/y"), ("/x\\y?a\\b", "/x/y?a\\b"), ("http:/path", "/path"),
        ("http:path", "/dir/path"), ("?only", "/dir/start?only"), ("?", "/dir/start?"), ("/b?", "/b?"), ("#f",
        "/dir/start?s=1"),
        ("/b#f?g", "/b"), ("/a b", "/a%20b"), ("?a b", "/dir/start?a%20b"), ("/a\tb", "/ab"), (" /x ", "/x"),
        ("/x\t", "/x"),
        ("/x?[a]=1&b[]=2", "/x?[a]=1&b[]=2"), ("/[a]", "/[a]"), ("/a^b`c{d}", "/a%5Eb%60c%7Bd%7D"),
        ('/a"b<c>', "/a%22b%3Cc%3E"),
        ("?a\"b'c<d>`{}|^", "/dir/start?a%22b%27c%3Cd%3E`{}|^"), ("/%2e%2e/b", "/b"), ("/a/%2E./b", "/b"),
        ("/a/.%2e", "/"),
        ("/a/./b", "/a/b"), ("/a//b", "/a//b"), ("/a/b/..", "/a/"), ("/a%2fb%zz", "/a%2fb%zz"), ("/100%", "/100%"),
        ("/a@b;c=d:e,f!$&'()*+~", "/a@b;c=d:e,f!$&'()*+~"), ("/x?a=1?b=2", "/x?a=1?b=2"), ("/a+b?c+d", "/a+b?c+d"),
        ("../../../b", "/b"), (".", "/dir/"), ("..", "/"), ("/" + "x" * 20_000, "/" + "x" * 20_000),
    ],
)  # fmt: skip
async def test_location_leads_where_browsers_go(run: Run, location: str, target: str) -> None:
    async with HttpServer(lambda r: ok() if len(server.requests) > 1 else redirect(location)) as server:
        result = await run(server.url("/dir/start?s=1"))
        assert result.reason is Reason.OK, result.detail
        assert [request.target for request in server.requests] == ["/dir/start?s=1", target]


@pytest.mark.parametrize(
    "form",
    ["http:\\\\{}\\x", "\\\\{}\\x", "/\\{}/x", "//{}/x", "///{}/x", "http:///{}/x", "http:////{}/x", "HTTP://{}/x",
     "http://u:p@{}/x", "http://u@v@{}/x", "http://@{}/x"],
)  # fmt: skip
async def test_slashes_and_backslashes_lead_to_a_host(run: Run, form: str) -> None:
    async with HttpServer() as other, HttpServer(lambda _: redirect(form.format(other.address))) as first:
        result = await run(first.url())
        assert result.reason is Reason.OK, result.detail
        assert [request.target for request in other.requests] == ["/x"]
        assert other.requests[0].header("Host") == other.address


@pytest.mark.parametrize("host", NOTATIONS[:20])
async def test_every_notation_of_an_address_leads_to_it(run: Run, host: str) -> None:
    async with HttpServer() as other, HttpServer(lambda _: redirect(raw(f"http://{host}:{other.port}/x"))) as first:
        result = await run(first.url())
        assert result.reason is Reason.OK, result.detail
        assert other.requests[0].header("Host") == other.address


@pytest.mark.parametrize("host", NOTATIONS)
@pytest.mark.parametrize("form", ["http://{}:{}/", "//{}:{}/", "\\\\{}:{}\\", "http:\\/{}:{}", "\thttp:/\t/{}:{}/"])
async def test_no_notation_of_a_denied_address_gets_past_the_policy(run: Run, host: str, form: str) -> None:
    async with (
        HttpServer() as denied,
        HttpServer(lambda _: redirect(raw(form.format(host, denied.port))), host="127.0.0.9") as first,
    ):
        result = await run(first.url(), deny=DENIED)
        assert result.reason is Reason.FORBIDDEN_REDIRECT, result.detail
        assert "deny_addresses" in result.detail
        assert (first.connections, denied.connections) == (1, 0)


@pytest.mark.parametrize(
    "location",
    ["http://[::1", "http://:80/", "http://127.0.0.1:99999/", "http://a b/", "http://", "//",
    "http://256.1.1.1/", "https:",
     "http://1.2.3.4.5/", "http://foo.0x/", "http://a%00b/", "http://a%2fb/", "http://a|b/",
     "http://\xe4.test/", "http://x:y/",
     "http://127.0.0.1:0/", "http://[fe80::1%25eth0]/", "http://%/"],
)  # fmt: skip
async def test_what_is_no_url_is_forbidden_redirect(run: Run, location: str) -> None:
    async with HttpServer(lambda _: redirect(location)) as server:
        result = await run(server.url())
        assert result.reason is Reason.FORBIDDEN_REDIRECT, result.detail
        assert server.connections == 1


def test_endless_location_is_no_url() -> None:
    assert resolved(parse("http://a.test/"), "/" + "x" * (LONGEST - 1)).endswith("xx")
    with pytest.raises(ValueError, match="longer"):
        resolved(parse("http://a.test/"), "/" + "x" * LONGEST)


async def test_empty_location_is_the_final_answer(run: Run) -> None:
    async with HttpServer(lambda _: redirect("")) as server:
        result = await run(server.url())
    assert (result.reason, http(result).status, http(result).redirects) == (Reason.OK, 302, 0)


@pytest.mark.parametrize(
    ("host", "asked"),
    [("münchen.test", "xn--mnchen-3ya.test"), ("faß.test", "xn--fa-hia.test"), ("🥑.test", "xn--nr9h.test"),
     ("☃.test", "xn--n3h.test"), ("ＴＡＲＧＥＴ.test", "target.test"), ("ΣΑΣ.test", "xn--mxa9ab.test"), ("a。test",
     "a.test")],
)  # fmt: skip
async def test_name_in_any_script_is_asked_for_as_browsers_do(run: Run, host: str, asked: str) -> None:
    def respond(request: Request) -> bytes:
        return redirect(raw(f"http://{host}:{server.port}/b")) if request.header("Host") == server.address else ok()

    async with dns.DnsServer({asked: dns.addresses("127.0.0.1")}) as resolver, HttpServer(respond) as server:
        for url in (server.url(), server.url(host=host)):
            result = await run(url, resolver=(resolver.address,))
            assert result.reason is Reason.OK, result.detail
            assert server.requests[-1].header("Host") == f"{asked}:{server.port}"
    assert configured_host(host) == host


@pytest.mark.parametrize(
    ("base", "location"),
    [("http://EXAMPLE.test:80/a", "/b"), ("http://[0:0::1]/", "http://[::1]:80/"), ("https://a.test",
    "https://A.test:443/b"),
     ("http://127.0.0.1/", "http://0x7f.1/")],
)  # fmt: skip
def test_spellings_of_an_origin_are_one(base: str, location: str) -> None:
    url = parse(base)
    assert origin(URL(resolved(url, location), encoded=True)) == origin(url)


@pytest.mark.parametrize("location", ["https://a.test/", "http://a.test:81/", "http://a.test./", "http://b.a.test/"])
def test_other_origins_are_others(location: str) -> None:
    assert origin(parse(location)) != origin(parse("http://a.test/"))


@pytest.mark.parametrize(
    ("location", "url"),
    [("/b?c", "http://[fe80::1%eth0]:8080/b?c"), ("http://[fe80:0::1]:9/", "http://[fe80::1%eth0]:9/"),
     ("http://[fe80::2]/[fe80::1]", "http://[fe80::2]/[fe80::1]"), ("//a.test/", "http://a.test/")],
)  # fmt: skip
def test_zone_of_a_link_local_address_stays(location: str, url: str) -> None:
    assert resolved(parse("http://[fe80::1%eth0]:8080/a"), location) == url


@pytest.mark.parametrize(
    "host", ["127.1", "0x7f.1", "0x7f000001", "2130706433", "１２７.1", "a b", "xn--.test", "a%41", "", ".."]
)
def test_configured_host_that_is_none_or_odd_is_refused(host: str) -> None:
    with pytest.raises(BadValueError):
        configured_host(host)


@given(st.binary(max_size=200))
def test_any_location_is_a_url_in_ascii_or_none(location: bytes) -> None:
    try:
        found = resolved(parse("http://a.test/x"), location.decode("utf-8", "surrogateescape"))
    except ValueError:
        return
    assert found.isascii()
    assert not set(found) & set(" \t\r\n\x00\x7f")
    assert resolved(parse("http://a.test/x"), found) == found


@given(st.text(max_size=60))
def test_any_host_becomes_ascii_without_an_end_or_is_none(host: str) -> None:
    try:
        found = ascii_host(host)
    except ValueError:
        return
    assert ":" in host or (found.isascii() and not set(found) & set("/?#@:\\ %"))
