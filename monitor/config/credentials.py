"""Collects the texts of a check that must never be shown: its secrets, and credentials in plain keys."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Any

from monitor.model.spec import BasicAuth, BearerAuth
from monitor.secrets.secret import Secret, Text, reveal, secrets_of_url

_TELLING_NAME = re.compile(r"auth|token|secret|api-?key|cookie|passw", re.IGNORECASE)
_SCHEME = re.compile(r"(?:Bearer|Basic|Token|Digest) +(.+)", re.IGNORECASE)


def credentials(
    tree: dict[str, Any], urls: tuple[Text | None, ...], auth: BasicAuth | BearerAuth | None, headers: dict[str, Text]
) -> frozenset[str]:
    """Every text to strike from what is shown; `tree` is the check as written, with what it inherits."""
    found = set(_secrets(tree))
    for url in urls:
        found |= secrets_of_url(url) if url else set()
    found.update(_of_auth(auth))
    for name, value in headers.items():
        if isinstance(value, Secret) or _TELLING_NAME.search(name):
            found.update(_of_header(reveal(value)))
    return frozenset(found - {""})


def _secrets(tree: Any) -> Iterator[str]:
    if isinstance(tree, Secret):
        yield tree.reveal()
    elif isinstance(tree, (dict, list)):
        for item in tree.values() if isinstance(tree, dict) else tree:
            yield from _secrets(item)


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
