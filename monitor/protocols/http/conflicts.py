"""Keys of HTTP that are right on their own and wrong together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from monitor.keys.addresses import has_userinfo
from monitor.keys.bad_value import listed
from monitor.keys.conflict import Conflict
from monitor.keys.shape import Path
from monitor.protocols.http.table import BODIES, HttpTable, authorization


def conflicts(table: HttpTable, tree: dict[str, Any]) -> Iterator[Conflict]:
    """All contradictions; `tree` is the table as written, with what it inherits."""
    yield from _twins(("headers",), table.headers)
    yield from _twins(("expect", "headers"), table.expect.headers)
    yield from _bodies(tree)
    yield from _credentials(tree)


def _twins(place: Path, headers: Mapping[str, object]) -> Iterator[Conflict]:
    seen: dict[str, str] = {}
    for name in headers:
        first = seen.setdefault(name.lower(), name)
        if first != name:
            yield Conflict(((*place, name), (*place, first)), f"is the same header as {first}", "keep one of them")


def _bodies(tree: dict[str, Any]) -> Iterator[Conflict]:
    given = [key for key in BODIES if key in tree]
    if len(given) > 1:
        keys = tuple((key,) for key in reversed(given))
        yield Conflict(keys, f"{listed(given, 'and')} are given together", "a request has one body; keep one of them")


def _credentials(tree: dict[str, Any]) -> Iterator[Conflict]:
    header, auth = authorization(tree), tree.get("auth")
    given: dict[str, Path] = {"`auth`": ("auth",)} if auth else {}
    if has_userinfo(tree.get("url")):
        given["a user name in the URL"] = ("url",)
    if header:
        given["an Authorization header"] = ("headers", header)
    advice = "a request authenticates in one way; keep one of them"
    if len(given) > 1:
        yield Conflict(tuple(given.values()), f"{listed(given, 'and')} are given together", advice)
    if isinstance(auth, dict) and len(auth) > 1:
        yield Conflict((("auth",),), "basic and bearer are given together", advice)
