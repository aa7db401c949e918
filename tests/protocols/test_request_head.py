"""The head of a request: whatever is asked for, what goes over the wire is one request, and it is the one meant."""

from __future__ import annotations

import asyncio
import contextlib
import string

import pytest
from aiohttp.http_parser import HttpRequestParser, RawRequestMessage
from hypothesis import assume, given
from hypothesis import strategies as st
from multidict import CIMultiDict
from yarl import URL

from monitor.model.request import Body, HttpRequest
from monitor.model.spec import CheckSpec
from monitor.net.run import Stop
from monitor.net.urls import parse
from monitor.protocols.http.cookies import Cookies
from monitor.protocols.http.plan import plan_of
from monitor.protocols.http.redirect import Request, first_request, follow
from monitor.protocols.http.request_head import request_head, waits_for_leave
from monitor.secrets.secret import Secret
from tests.made import spec

NAMES = st.text(string.ascii_letters + string.digits + "-_!", min_size=1, max_size=12)
VALUES = st.text(st.characters(min_codepoint=32, blacklist_characters="\x7f", blacklist_categories=["Cs"]), max_size=40)
ANYTHING = st.text(st.characters(min_codepoint=0, max_codepoint=0x2FF), max_size=30)
HOSTILE = ["\r", "\n", "\0", "\x1f", "\x7f", "\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"]
NOT_GIVEN = {"host", "connection", "content-length", "transfer-encoding", "expect", "upgrade", "sec-websocket-key1"}


def first_of(check: CheckSpec) -> Request:
    assert isinstance(check.request, HttpRequest)
    return first_request(check, check.request)


def made(**over: object) -> Request:
    """A request for `http://h/`."""
    fields = {"method": "GET", "url": URL("http://h/"), "headers": (), "credentials": (), "body": None, **over}
    return Request(**fields)  # type: ignore[arg-type]


def parsed(head: bytes) -> RawRequestMessage:
    """What a strict server reads in these bytes: one request, and nothing behind it."""

    async def read() -> RawRequestMessage:
        parser = HttpRequestParser(object(), asyncio.get_running_loop(), 2**16, max_line_size=2**16)
        messages, _, rest = parser.feed_data(head)
        assert (len(messages), rest) == (1, b"")
        return messages[0][0]

    assert head.endswith(b"\r\n\r\n")
    assert head.count(b"\r\n\r\n") == 1
    return asyncio.run(read())


@given(
    headers=st.lists(st.tuples(NAMES, VALUES), max_size=5), credential=VALUES, body=st.none() | st.binary(max_size=9)
)
def test_headers_arrive_in_their_order_and_once(
    headers: list[tuple[str, str]], credential: str, body: bytes | None
) -> None:
    assume(not {name.lower() for name, _ in headers} & NOT_GIVEN)
    sent = made(
        headers=tuple(headers),
        credentials=(("X-Key", Secret(credential)),),
        body=None if body is None else Body(body, None, secret=False),
    )
    message = parsed(request_head(sent))
    length = [] if body is None else [("Content-Length", str(len(body)))]
    expected = [("Host", "h"), *headers, ("X-Key", credential), *length, ("Connection", "close")]
    assert list(message.raw_headers) == [(n.encode(), v.strip(" \t").encode()) for n, v in expected]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_ends_a_line_too_early(hostile: str) -> None:
    for over in (
        {"headers": (("X-a", f"b{hostile}"),)},
        {"credentials": (("X-a", Secret(f"b{hostile}")),)},
        {"headers": ((f"X-a{hostile}", "b"),)},
        {"method": f"GET{hostile}"},
        {"url": URL.build(scheme="http", host="h", path=f"/{hostile}", encoded=True)},
    ):
        with pytest.raises(ValueError, match=r"cannot be written|control character"):
            request_head(made(**over))
    with pytest.raises(ValueError, match="control character"):
        request_head(made(), [("Proxy-Authorization", hostile)])


@pytest.mark.parametrize("name", ["Content-Length", "transfer-encoding", "X a", "X:", "", "X-ä"])
def test_what_frames_a_request_is_ours_and_a_name_is_a_token(name: str) -> None:
    with pytest.raises(ValueError, match=r"cannot be written|no name"):
        request_head(made(headers=((name, "5"),)))


def test_space_in_the_target_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        request_head(made(url=URL("http://h/a HTTP/1.1", encoded=True)))


@given(
    locations=st.lists(ANYTHING | st.sampled_from([": /a%2F/b", "%20/c", "../d e", "//]", "http://@]"]), max_size=4),
    status=st.sampled_from([301, 302, 303, 307, 308]),
    proxied=st.booleans(),
)
def test_any_locations_are_followed_in_one_request_each_or_not_at_all(
    locations: list[str], status: int, proxied: bool
) -> None:
    request = first_of(spec(url="http://h/a/b?c=d", method="POST"))
    for location in locations:
        with contextlib.suppress(Stop):
            request = follow(request, status, location, "shown", allow_downgrade=False)
            message = parsed(request_head(request, absolute=proxied))
            assert message.method in ("GET", "POST")


def test_relative_location_leaves_the_path_before_it_encoded() -> None:
    request = first_of(spec(url="http://h/a%2Fb/c%20d/e"))
    assert follow(request, 302, "f", "shown", allow_downgrade=False).url.raw_path == "/a%2Fb/c%20d/f"


@given(cookies=st.lists(ANYTHING, max_size=4), given=st.none() | VALUES)
def test_any_cookie_goes_back_in_one_header_or_not_at_all(cookies: list[str], given: str | None) -> None:
    async def answered() -> Request:
        jar = Cookies()
        jar.keep(URL("http://h/a/"), CIMultiDict(("Set-Cookie", cookie) for cookie in cookies))
        own = () if given is None else (("cookie", given),)
        return jar.added(made(url=URL("http://h/a/b"), headers=own))

    message = parsed(request_head(asyncio.run(answered())))
    assert len(message.headers.getall("Cookie", [])) <= 1


def test_leave_is_asked_for_by_one_word() -> None:
    assert waits_for_leave(made(headers=(("EXPECT", "100-Continue"),)))
    assert not waits_for_leave(made(headers=(("Expect", "else"),)))


def test_plan_is_made_once_and_shows_no_secret() -> None:
    check = spec(url="http://h/", headers=(("X-Key", Secret("s3cr3t")),), proxy=Secret("http://eve:p4ss@p/"))
    assert plan_of(check, check.request) is plan_of(check, check.request)
    assert parse("http://h/") == plan_of(check, check.request).request.url
    shown = repr(plan_of(check, check.request)) + repr(check)
    assert "s3cr3t" not in shown
    assert "p4ss" not in shown
