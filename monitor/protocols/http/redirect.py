"""Follows redirects: methods by RFC 9110, and credentials never to another origin."""

from __future__ import annotations

from dataclasses import dataclass, replace

from yarl import URL

from monitor.model.outcome import Reason
from monitor.model.request import Body, HttpRequest
from monitor.model.spec import CheckSpec
from monitor.net.proxy import authorization, without_userinfo
from monitor.net.run import Stop
from monitor.net.urls import origin, parse, resolved
from monitor.secrets.secret import Secret, Text, reveal

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CREDENTIAL_NAMES = frozenset({"authorization", "cookie", "proxy-authorization"})
_DEFAULT_HEADERS = (
    ("Accept", "*/*"),
    ("Accept-Encoding", "gzip, deflate"),
    ("User-Agent", "endpoint-monitor"),
)


@dataclass(frozen=True, slots=True)
class Request:
    """One hop's request. `credentials` are the headers that stay with their origin."""

    method: str
    url: URL
    headers: tuple[tuple[str, Text], ...]
    credentials: tuple[tuple[str, Text], ...]
    body: Body | None
    empty_query: bool = False
    """True if the URL ends in `?`: yarl drops an empty query."""

    def target(self, *, absolute: bool) -> str:
        """Returns the target of the request line: path and query, or the whole URL."""
        return (str(self.url) if absolute else self.url.raw_path_qs) + "?" * self.empty_query

    def all_headers(self) -> list[tuple[str, str]]:
        """Every header of the request, revealed, for the wire."""
        return [(name, reveal(value)) for name, value in (*self.headers, *self.credentials)]


def first_request(spec: CheckSpec, asked: HttpRequest) -> Request:
    """The request that the check asks for."""
    given = {name.lower() for name, _ in asked.headers}
    headers: list[tuple[str, Text]] = [(n, v) for n, v in _DEFAULT_HEADERS if n.lower() not in given]
    if asked.body is not None and asked.body.content_type and "content-type" not in given:
        headers.append(("Content-Type", asked.body.content_type))
    credentials = [(n, v) for n, v in asked.headers if _is_credential(n, v)]
    headers += [(n, v) for n, v in asked.headers if not _is_credential(n, v)]
    url, userinfo = without_userinfo(parse(reveal(spec.url)))
    auth = asked.auth or userinfo
    if auth is not None and "authorization" not in given:
        credentials.append(("Authorization", Secret(authorization(auth))))
    return Request(asked.method, url, tuple(headers), tuple(credentials), asked.body)


def follow(request: Request, status: int, location: str, shown: str, *, allow_downgrade: bool) -> Request:
    """The request that a redirect asks for; `shown` is its Location as it may be shown.

    Raises Stop (forbidden_redirect) where it must not be made.
    """
    text = _resolved(request.url, location, shown)
    url = URL(text, encoded=True)
    _allow(request.url, url, shown, allow_downgrade=allow_downgrade)
    following = replace(_with_method(request, status), url=url, empty_query=text.endswith("?"))
    if origin(url) == origin(request.url):
        return following
    if following.body is not None and following.body.secret:
        raise Stop(
            Reason.FORBIDDEN_REDIRECT,
            f"redirected ({status}) to another origin, {shown}, with a body that holds a secret",
        )
    plain = tuple((n, v) for n, v in following.headers if n.lower() != "host")  # the first origin's name
    return replace(following, headers=plain, credentials=())


def _resolved(base: URL, location: str, shown: str) -> str:
    try:
        return resolved(base, location)
    except ValueError:
        raise Stop(Reason.FORBIDDEN_REDIRECT, f"redirected to what is no URL: {shown}") from None


def _allow(base: URL, url: URL, shown: str, *, allow_downgrade: bool) -> None:
    """Raises Stop for a URL to which no redirect is followed."""
    if url.scheme not in ("http", "https"):
        raise Stop(Reason.FORBIDDEN_REDIRECT, f"redirected to {shown}, which is not http or https")
    if url.port == 0:
        raise Stop(Reason.FORBIDDEN_REDIRECT, f"redirected to port 0: {shown}")
    if base.scheme == "https" and url.scheme == "http" and not allow_downgrade:
        raise Stop(Reason.FORBIDDEN_REDIRECT, f"redirected from https to {shown}, without encryption")


def _with_method(request: Request, status: int) -> Request:
    """RFC 9110, 15.4: 303 asks for a GET, and so does what everyone makes of a 301 or 302 after a POST."""
    becomes_get = (status == 303 and request.method != "HEAD") or (status in (301, 302) and request.method == "POST")
    if not becomes_get:
        return request
    plain = tuple((n, v) for n, v in request.headers if not n.lower().startswith("content-"))
    return replace(request, method="GET", body=None, headers=plain)


def _is_credential(name: str, value: Text) -> bool:
    return isinstance(value, Secret) or name.lower() in _CREDENTIAL_NAMES
