"""Collects credentials that stand in plain keys of an HTTP check, which must never be shown."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

from monitor.model.request import BasicAuth, BearerAuth, HttpRequest
from monitor.secrets.secret import Secret, reveal

_TELLING_NAME = re.compile(r"auth|token|secret|api-?key|cookie|passw", re.IGNORECASE)
_SCHEME = re.compile(r"(?:Bearer|Basic|Token|Digest) +(.+)", re.IGNORECASE)


def secrets(request: HttpRequest) -> Iterator[str]:
    """Every text to strike from what is shown."""
    yield from _of_auth(request.auth)
    for name, value in request.headers:
        if isinstance(value, Secret) or _TELLING_NAME.search(name):
            yield from _of_header(reveal(value))


def _of_auth(auth: BasicAuth | BearerAuth | None) -> Iterator[str]:
    if isinstance(auth, BearerAuth):
        yield reveal(auth.token)
    elif auth is not None:
        yield reveal(auth.password)
        yield base64.b64encode(
            f"{reveal(auth.username)}:{reveal(auth.password)}".encode("utf-8", "surrogateescape")
        ).decode()


def _of_header(value: str) -> Iterator[str]:
    yield value
    if match := _SCHEME.fullmatch(value):
        yield match[1]
    for pair in value.split(";"):  # a server that echoes a cookie echoes one of them
        yield pair.strip().partition("=")[2]
