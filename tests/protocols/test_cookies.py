"""Cookies as browsers keep them: bytes that come back as they were set, and what is not taken or not sent."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model.outcome import Reason
from monitor.protocols.http.set_cookie import read_cookie, read_date
from tests.protocols.harness import Run
from tests.servers import dns, tls
from tests.servers.http import HttpServer, Request, ok, redirect

NOW = 1_800_000_000.0
WHENEVER = st.integers(min_value=-11_644_473_600, max_value=253_402_300_799).map(
    lambda seconds: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
ANY_BYTES = st.binary(max_size=300).map(lambda raw: raw.decode("utf-8", "surrogateescape"))


async def sent_back(run: Run, *set_cookies: str, to: str = "/a/next", at: str = "/a/start") -> str | None:
    """The Cookie header of the request after a redirect that set these; characters stand for bytes."""

    def respond(request: Request) -> bytes:
        headers = [("Set-Cookie", value) for value in set_cookies]
        return redirect(to, 302, *headers) if request.target == at else ok()

    async with HttpServer(respond) as server:
        result = await run(server.url(at))
        assert result.reason is Reason.OK, result.detail
        return server.requests[1].header("Cookie")


@pytest.mark.parametrize(
    "cookie",
    [
        "sid=YWJjZA==", "AWSALB=ab/cd+ef", "c=1,2", 'p={"a":1}', "a=", 'q="a b"', 'q="', 'q=a"b"c', "q=a b", "a==",
        "a=b=c",
        "a[b]=1", "a b=c", "a,b=c", "a/b@c=d", 'a"=b', "(a)=b", "a=\\054", "a=%3B%20", "a=\xe4", "a=\xc3\xa4",
        "\xe4=b", "a=\xff\xfe\x80", "a=b\tc", "nameless", "{}", "$Version=1", "expires=1", "path=/x", "a='b'",
        "a=:/?#[]@!$&'()*+",
        "a=" + "x" * 4095,
    ],
)  # fmt: skip
async def test_cookie_comes_back_byte_for_byte(run: Run, capfd: pytest.CaptureFixture[str], cookie: str) -> None:
    assert await sent_back(run, cookie + "; Path=/; HttpOnly; SameSite=Lax; Priority=High") == cookie
    assert await sent_back(run, cookie) == cookie
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("set_cookie", "cookie"),
    [(" a = b ; x", "a=b"), ("=b", "b"), ("\ta\t=\tb\t", "a=b"), ("a=b;;;Secret", "a=b"), ("a=b;", "a=b")],
)
async def test_blanks_around_are_no_part_of_it(run: Run, set_cookie: str, cookie: str) -> None:
    assert await sent_back(run, set_cookie) == cookie


@pytest.mark.parametrize(
    "set_cookie",
    [
        "", ";", "=", " = ; Path=/", "a=b; Secure", "a=b; Path=/else", "a=b; Path=/a/b", "a=b; Path=/a/nex",
        "a=b; Max-Age=0", "a=b; Max-Age=-1", "a=b; Max-Age=0; Expires=Thu, 01 Jan 2037 00:00:00 GMT",
        "a=b; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "a=b; expires=Thu, 01-Jan-70 00:00:01 GMT",
        "a=b; Expires=Sun Nov  6 08:49:37 1994", "a=b; Domain=example.test", "a=b; Domain=0.0.1", "a=b; Domain=.1",
        "__Secure-a=b", "__Host-a=b; Path=/", "__host-a=b; Path=/", "a=" + "x" * 4096,
    ],
)  # fmt: skip
async def test_what_browsers_do_not_take_is_not_sent(run: Run, set_cookie: str) -> None:
    assert await sent_back(run, set_cookie) is None


@pytest.mark.parametrize(
    "attributes",
    [
        "Path=/", "Path=/a", "Path=/a/", "Path=/a/next", "Path=", "Path=a", "Path=/else; Path=/a", "Domain=127.0.0.1",
        "Domain=", "Max-Age=60", "Max-Age=x", "Max-Age=1e3", "Max-Age=+1", "Max-Age=" + "9" * 900, "Expires=0",
        "Expires=-1",
        "Expires=Thu, 31 Feb 1980 00:00:00 GMT", "Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=60",
        "Expires=Fri, 31-Dec-9999 23:59:59 GMT", "Expires=Mon, 18-Jan-38 03:14:07 GMT",
        "Expires=Thu, 01 Jan 1970 00:00:00 GMT; Expires=Fri, 31 Dec 2100 23:59:59 GMT", "SameSite=Strict",
        "Partitioned",
    ],
)  # fmt: skip
async def test_attributes_that_keep_it(run: Run, attributes: str) -> None:
    assert await sent_back(run, f"a=b; {attributes}") == "a=b"


async def test_what_expires_removes_what_was_set_before(run: Run) -> None:
    gone = "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"
    assert await sent_back(run, "a=1", "b=2", gone) == "b=2"
    assert await sent_back(run, "a=1; Path=/", gone) == "a=1"  # that is another one: its path is not /a


async def test_longer_paths_come_first_and_what_is_replaced_keeps_its_place(run: Run) -> None:
    assert await sent_back(run, "a=1; Path=/", "b=2; Path=/a", "c=3; Path=/", "a=4; Path=/") == "b=2; a=4; c=3"


async def test_default_path_is_the_folder(run: Run) -> None:
    assert await sent_back(run, "a=b", at="/a/b/start", to="/a/b/c/d") == "a=b"
    assert await sent_back(run, "a=b", at="/a/b/start", to="/a/bc") is None
    assert await sent_back(run, "a=b", at="/start", to="/a/b") == "a=b"


async def test_many_cookies_are_bounded_and_the_newest_stay(run: Run) -> None:
    sent = await sent_back(run, *(f"c{number}=x" for number in range(240)))
    assert sent == "; ".join(f"c{number}=x" for number in range(60, 240))


@pytest.mark.parametrize("set_cookie", ["a=b; Secure", "__Secure-a=b; Secure", "__Host-a=b; Secure; Path=/"])
async def test_secure_cookie_goes_back_over_tls(run: Run, set_cookie: str) -> None:
    def respond(request: Request) -> bytes:
        return redirect("/b", 302, ("Set-Cookie", set_cookie)) if request.target == "/" else ok()

    async with tls.https(respond) as server:
        await run(server.url())
        assert server.requests[1].header("Cookie") == set_cookie.partition(";")[0]


@pytest.mark.parametrize(
    "broken", ["__Host-a=b; Secure", "__Host-a=b; Secure; Path=/; Domain=127.0.0.1", "__Host-a=b; Path=/"]
)
async def test_broken_promise_of_a_name_is_not_taken_over_tls_either(run: Run, broken: str) -> None:
    def respond(request: Request) -> bytes:
        return redirect("/b", 302, ("Set-Cookie", broken)) if request.target == "/" else ok()

    async with tls.https(respond) as server:
        await run(server.url())
        assert server.requests[1].header("Cookie") is None


@pytest.mark.parametrize(
    ("domain", "taken"),
    [("a.shop.test", True), ("shop.test", True), (".SHOP.test", True), ("test", False), ("b.shop.test", False),
     ("op.test", False), ("x.a.shop.test", False)],
)  # fmt: skip
async def test_domain_has_to_hold_the_host(run: Run, domain: str, taken: bool) -> None:
    def respond(request: Request) -> bytes:
        return redirect("/b", 302, ("Set-Cookie", f"a=b; Domain={domain}")) if request.target == "/" else ok()

    async with dns.DnsServer({"a.shop.test": dns.addresses("127.0.0.1")}) as resolver, HttpServer(respond) as server:
        await run(server.url(host="a.shop.test"), resolver=(resolver.address,))
        assert server.requests[1].header("Cookie") == ("a=b" if taken else None)


async def test_cookie_outlives_another_spelling_of_its_origin(run: Run) -> None:
    def respond(request: Request) -> bytes:
        return redirect(f"http://127.1:{server.port}/b", 302, ("Set-Cookie", "a=b")) if request.target == "/" else ok()

    async with HttpServer(respond) as server:
        await run(server.url())
        assert server.requests[1].header("Cookie") == "a=b"


@pytest.mark.parametrize("number", [*range(9), *range(10, 32), 127])
def test_control_character_makes_it_no_cookie(number: int) -> None:
    assert read_cookie(f"a=b{chr(number)}c; Path=/", NOW) is None


@given(ANY_BYTES, ANY_BYTES)
def test_no_byte_of_name_or_value_changes(name: str, value: str) -> None:
    cookie = read_cookie(f"{name}={value}; Path=/", NOW)
    if cookie is None or ";" in name + value or "=" in name:
        return
    assert (cookie.name, cookie.value) == (name.strip(" \t"), value.strip(" \t"))


@given(ANY_BYTES)
def test_no_header_raises(header: str) -> None:
    read_cookie(header, NOW)
    read_date(header)


@given(WHENEVER)
def test_date_is_read_in_every_usual_form(when: datetime) -> None:
    for form in ("%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%Y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y", "%d %b %Y %H:%M:%S"):
        assert read_date(when.strftime(form)) == when.timestamp()


@pytest.mark.parametrize(("written", "year"), [("69", 2069), ("70", 1970), ("99", 1999), ("00", 2000), ("2030", 2030)])
def test_year_of_two_digits_has_its_century(written: str, year: int) -> None:
    assert read_date(f"Tue, 05-Feb-{written} 01:02:03 GMT") == datetime(year, 2, 5, 1, 2, 3, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    "text", ["", "now", "1600", "Thu, 01 Jan 1600 00:00:00 GMT", "Thu, 32 Jan 2030 00:00:00 GMT", "Thu, 01 Jan 2030",
             "Thu, 01 Jan 2030 24:00:00 GMT", "Thu, 01 Foo 2030 00:00:00 GMT", "Thu, 01 Jan 20300 00:00:00 GMT"],
)  # fmt: skip
def test_what_is_no_date_is_none(text: str) -> None:
    assert read_date(text) is None


def test_worst_header_takes_milliseconds() -> None:
    dates = ";Expires=Thu, 01 Jan 1970 00:00:00 GMT " + "1 " * 480
    for header in ("a=b" + dates * 1000, "a" + ";" * 1_000_000, "=" * 1_000_000, "a=b;" + "=;" * 500_000):
        began = time.process_time()
        read_cookie(header, NOW)
        assert time.process_time() - began < 0.1
