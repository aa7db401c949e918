"""Text of a target costs time in proportion to its length, in every function that takes it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import pytest
from multidict import CIMultiDict
from yarl import URL

from monitor.metrics.accept import gzip_accepted, openmetrics_preferred
from monitor.model.request import Expect, Rule
from monitor.model.settings import MonitorSpec
from monitor.net.urls import resolved
from monitor.protocols.http.charsets import decoded, decoded_json, label_in
from monitor.protocols.http.cookies import Cookies
from monitor.protocols.http.evidence import evidence_of
from monitor.protocols.http.expectations import judge_head
from monitor.protocols.http.judging import judge_body
from monitor.protocols.http.redirect import Request
from monitor.protocols.http.set_cookie import read_date
from monitor.protocols.tcp.lines import Lines, TooMuchData, filled
from monitor.secrets.redaction import Redactor
from monitor.secrets.secret import hide_in_urls, secrets_of_url, shown_url
from monitor.secrets.visible import visible
from monitor.web.access_logins import basic
from monitor.web.api.parameters import BadParameter, moment
from monitor.web.negotiation import accepted
from monitor.web.site import Site

SECRETS = Redactor(
    {"correct-horse-battery", "a", "xyz", "%41%42%43%44", "s3cr3t/with+odd chars", "aaaaaaaaaaaaaaaaaaaa", "k" * 3000}
).prepare()

UNITS = [
    "?", "?=", "&", "&amp;", ";", "; ", "#", "=", "?a", "?a=", "&a", "://", "://a", "://@", "@", "a@", "/", "//", " ",
    "%", "%4", "%41", "%%41", "%2541", "\\", "\\u", "\\u0041", "\\x41", "\\\\", '\\"', "&#", "&#x41;", "&#65;", "&lt",
    "a", "A", "k", "correct-horse-", "aaaaaaaaaaaaaaaaaaaaa ", "x y z ", "xyz ", "\u202e", "\ud800", "\udcff", "İ", "Σ",
    "漢", "\n", "\t", "charset=", ";charset =", '"', "'", ",", ", ", "<!--", "<meta ", "<?xml ", "-", "(", "[", "{",
    "YWFh", "http://a:b", "https://u:p@h/?q=v&", "a=b;", "Bearer ",
]  # fmt: skip

EXPECT = Expect(
    headers=(("X", (Rule("equals", "y"), Rule("matches", "(a*)*b"), Rule("contains", "z"))),),
    body=(Rule("contains", "nowhere"), Rule("matches", "(a|a)*(b|?)*c$")),
)


def _head(text: str) -> object:
    return judge_head(EXPECT, 200, "1.1", CIMultiDict([("X", text), ("X", text)]), SECRETS.foreign)


def _evidence(text: str) -> object:
    data = text.encode("utf-8", "surrogatepass")
    return evidence_of([(text, text), ("X", text), ("Content-Type", "text/" + text)], data, False, SECRETS)


def _body(text: str) -> object:
    return judge_body(EXPECT, text.encode("utf-8", "surrogatepass"), text, SECRETS.foreign)


def _json(text: str) -> object:
    return judge_body(Expect(json=(("$.a", ()),)), f'{{"a": "{text}"'.encode("utf-8", "replace"), text, SECRETS.foreign)


def _lines(text: str) -> object:
    """In pieces of a few bytes: a server may drip."""
    lines = Lines()
    data = text.encode("utf-8", "surrogatepass")[:200_000]
    with contextlib.suppress(TooMuchData):
        for at in range(0, len(data), 7):
            lines.add(data[at : at + 7])
            while lines.unmatched:
                lines.match("(a*)*never$")
    return lines


def _captured(text: str) -> object:
    return filled(text, {"1": "x", "name": "y"})


def _location(text: str) -> object:
    with contextlib.suppress(ValueError):
        return resolved(URL("http://h/a/b?c"), text)
    return None


def _cookies(text: str) -> object:
    text = text.encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape")  # as answers are read
    jar, answer = Cookies(), CIMultiDict([("Set-Cookie", f"a={text}"), ("Set-Cookie", text)])
    jar.keep(URL("http://h/a/b"), answer)
    return jar.added(Request("GET", URL("http://h/a/b"), (), (), None))


def _moment(text: str) -> object:
    with contextlib.suppress(BadParameter):
        return moment("from", text, 1e9)
    return None


FUNCTIONS: dict[str, Callable[[str], object]] = {
    "cookies": _cookies,
    "date of a cookie": read_date,
    "location": _location,
    "lines of a dialogue": _lines,
    "captures": _captured,
    "accept": lambda text: accepted(text, "text/html", "application/json"),
    "accept of a scrape": openmetrics_preferred,
    "accept-encoding": gzip_accepted,
    "host": Site(MonitorSpec()).answers_to,
    "login": basic,
    "moment": _moment,
    "foreign": lambda text: SECRETS.foreign(text, limit=1 << 30),
    "foreign, cut": SECRETS.foreign,
    "ours": SECRETS.ours,
    "ours, whole": lambda text: SECRETS.ours(text, limit=None),
    "hide_in_urls": hide_in_urls,
    "shown_url": lambda text: shown_url("https://h/" + text),
    "secrets_of_url": lambda text: secrets_of_url("https://h/" + text),
    "visible": visible,
    "evidence": _evidence,
    "head": _head,
    "body": _body,
    "json": _json,
    "label": label_in,
    "decoded": lambda text: decoded(text.encode("utf-8", "surrogatepass"), text, SECRETS.foreign),
    "decoded_json": lambda text: decoded_json(text.encode("utf-8", "surrogatepass"), text),
}
SHORT, LONG = 2_000, 8_000
"""Characters. What is quadratic takes sixteen times as long for the second, and the samples of it took seconds."""


def _cost(function: Callable[[str], object], text: str) -> float:
    began = time.thread_time()
    function(text)
    return time.thread_time() - began


@pytest.mark.parametrize("name", FUNCTIONS)
def test_four_times_the_text_takes_about_four_times_as_long(name: str) -> None:
    function = FUNCTIONS[name]
    for unit in UNITS:
        texts = [unit * (size // len(unit)) + "=" for size in (SHORT, LONG)]
        if _cost(function, texts[1]) < 0.02:  # a microsecond for each character: there is nothing to compare
            continue
        for _ in range(4):  # a busy machine may slow one of them down
            short, long = (_cost(function, text) for text in texts)
            if linear := long < 8 * short + 0.01 and long < 0.5:
                break
        assert linear, f"{unit!r}…: {short * 1000:.1f} ms, then {long * 1000:.1f} ms"
