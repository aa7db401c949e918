"""The head of a request as the bytes that go over the wire (RFC 9112, 3 to 6)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from monitor.protocols.http.redirect import Request

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""RFC 9110, 5.6.2: what a method and the name of a header are made of."""
_NOT_IN_A_TARGET = re.compile(r"[\x00-\x20\x7f]")
_NOT_IN_A_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
"""RFC 9110, 5.5: a line break would begin another header, or another request."""
_FRAMING = ("content-length", "transfer-encoding")
_SAID_TO_HAVE_NO_BODY = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""RFC 9110, 8.6: with any other method, that there is no body is said by a length of 0."""


def request_head(request: Request, more: Iterable[tuple[str, str]] = (), *, absolute: bool = False) -> bytes:
    """Everything up to and with the blank line; `more` are headers of this hop alone.

    `absolute` is how a proxy is asked. Raises ValueError before anything that ends a line too early gets in.
    """
    headers = [*request.all_headers(), *more]
    names = {name.lower() for name, _ in headers}
    host = [h for h in headers if h[0].lower() == "host"] or [("Host", request.url.host_port_subcomponent or "")]
    rest = [h for h in headers if h[0].lower() != "host"]
    if request.body is not None:
        rest.append(("Content-Length", str(len(request.body.data))))
    elif request.method not in _SAID_TO_HAVE_NO_BODY:
        rest.append(("Content-Length", "0"))
    if "connection" not in names:
        rest.append(("Connection", "close"))
    target = request.target(absolute=absolute)
    if not _TOKEN.fullmatch(request.method) or _NOT_IN_A_TARGET.search(target) or not names.isdisjoint(_FRAMING):
        raise ValueError("this request cannot be written in HTTP/1.1")
    lines = [f"{request.method} {target} HTTP/1.1", *map(_line, host + rest), "", ""]
    return "\r\n".join(lines).encode("utf-8", "surrogateescape")  # a cookie's bytes, or a variable's, as they came


def _line(header: tuple[str, str]) -> str:
    name, value = header
    if not _TOKEN.fullmatch(name) or _NOT_IN_A_VALUE.search(value):
        raise ValueError("a header has a control character in it, or no name")
    return f"{name}: {value}"


def waits_for_leave(request: Request) -> bool:
    """True if the client waits for a 100 (Continue) before it sends the body (RFC 9110, 10.1.1)."""
    return any(name.lower() == "expect" and value.lower() == "100-continue" for name, value in request.all_headers())
