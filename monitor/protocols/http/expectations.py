"""Judges whether an answer over HTTP meets the expectations, by pure functions of the specification and the answer."""

from __future__ import annotations

import functools
import json
from http import HTTPStatus
from typing import TYPE_CHECKING

from multidict import MultiMapping

from monitor.model.outcome import Finding, Reason
from monitor.model.request import OPTIONAL, Expect
from monitor.rules.comparisons import Foreign, complaint, failing, holds

if TYPE_CHECKING:
    from jsonpath_rfc9535 import JSONPathQuery


def judge_head(
    expect: Expect,
    status: int,
    version: str,
    headers: MultiMapping[str],
    foreign: Foreign,
) -> Finding | None:
    """Returns the first fault in an answer's head; None if there is none. `headers` is case-insensitive."""
    if not any(low <= status <= high for low, high in expect.status):
        wanted = ", ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in expect.status)
        return Finding(
            Reason.UNEXPECTED_STATUS,
            f"answered {status}{_phrase(status)}, expected {wanted}",
        )
    if expect.http_version and version not in expect.http_version:
        wanted = " or ".join(expect.http_version)
        return Finding(
            Reason.UNEXPECTED_HTTP_VERSION,
            f"answered in HTTP/{version}, expected {wanted}",
        )
    for name, rules in expect.headers:
        found = [", ".join(headers.getall(name))] if name in headers else []  # RFC 9110, 5.3: one list
        if not found and OPTIONAL in rules:
            continue
        for rule in rules:
            if not holds(rule, found):
                return Finding(
                    Reason.UNEXPECTED_HEADER,
                    f"header {name} {complaint(rule, found, foreign)}",
                )
    return None


def judge_text(expect: Expect, text: str, size: int, foreign: Foreign) -> Finding | None:
    """Returns the first fault in a whole body of `size` bytes, decoded as `text`; None if there is none."""
    for rule in expect.body:
        if not holds(rule, [text]):
            return Finding(Reason.UNEXPECTED_BODY, f"the body ({size} bytes) {failing(rule, text, foreign)}")
    return None


def judge_json(expect: Expect, text: str, size: int, foreign: Foreign) -> Finding | None:
    """Returns the first fault in a body of `size` bytes as JSON, or None. Its time has no bound: see `is_simple`."""
    import jsonpath_rfc9535 as jsonpath  # loaded with the configuration, if any check needs it

    try:
        document = json.loads(text, parse_constant=_no_constant)
        for path, rules in expect.json:
            found = list(_compiled_path(path).find(document).values())
            for rule in rules:
                if not holds(rule, found):
                    return Finding(Reason.UNEXPECTED_BODY, f"{path} {complaint(rule, found, foreign)}")
    except RecursionError:
        return Finding(Reason.INVALID_CONTENT, f"the JSON of the body ({size} bytes) is nested too deep")
    except jsonpath.JSONPathError as error:  # a filter that compares what cannot be compared, nesting beyond its limit
        return Finding(Reason.UNEXPECTED_BODY, f"a path of expect.json cannot be followed: {foreign(str(error))}")
    except ValueError:
        return Finding(Reason.INVALID_CONTENT, f"the body ({size} bytes) is not JSON")
    return None


def is_simple(path: str) -> bool:
    """True if names and indexes lead to one value at most: such a path is fast in every document."""
    return _compiled_path(path).singular_query()


def _no_constant(name: str) -> None:
    """NaN and Infinity, which Python takes and RFC 8259 does not know."""
    raise ValueError(name)


@functools.lru_cache(maxsize=4096)
def _compiled_path(path: str) -> JSONPathQuery:
    import jsonpath_rfc9535 as jsonpath

    return jsonpath.compile(path)


def _phrase(status: int) -> str:
    """The standard's words for a status; the server's own could echo anything."""
    try:
        return f" {HTTPStatus(status).phrase}"
    except ValueError:
        return ""
