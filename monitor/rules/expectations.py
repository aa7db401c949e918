"""Judges whether an answer meets the expectations, by pure functions of the specification and the answer."""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import re2
from multidict import MultiMapping

from monitor.model.outcome import Finding, Reason
from monitor.model.request import OPTIONAL, Expect, Rule
from monitor.secrets.secret import Secret

if TYPE_CHECKING:
    from jsonpath_rfc9535 import JSONPathQuery

Foreign = Callable[[str], str]
"""Strikes secrets out of text that came from the target."""

_EXCERPT = 60
"""Characters of a value that a detail quotes."""
_SAMPLE_LENGTH, _SAMPLE_ITEMS, _SAMPLE_DEPTH = 300, 8, 4
"""More of a value than this is not even looked at to quote it: striking secrets out takes time."""


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
            if not _holds(rule, found):
                return Finding(
                    Reason.UNEXPECTED_HEADER,
                    f"header {name} {_complaint(rule, found, foreign)}",
                )
    return None


def judge_text(expect: Expect, text: str, size: int, foreign: Foreign) -> Finding | None:
    """Returns the first fault in a whole body of `size` bytes, decoded as `text`; None if there is none."""
    for rule in expect.body:
        if not _holds(rule, [text]):
            return Finding(Reason.UNEXPECTED_BODY, f"the body ({size} bytes) {_failing(rule, text, foreign)}")
    return None


def judge_json(expect: Expect, text: str, size: int, foreign: Foreign) -> Finding | None:
    """Returns the first fault in a body of `size` bytes as JSON, or None. Its time has no bound: see `is_simple`."""
    import jsonpath_rfc9535 as jsonpath  # loaded with the configuration, if any check needs it

    try:
        document = json.loads(text, parse_constant=_no_constant)
        for path, rules in expect.json:
            found = list(_compiled_path(path).find(document).values())
            for rule in rules:
                if not _holds(rule, found):
                    return Finding(Reason.UNEXPECTED_BODY, f"{path} {_complaint(rule, found, foreign)}")
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


@functools.lru_cache(maxsize=4096)
def _compiled_pattern(pattern: str) -> Any:
    return re2.compile(pattern)


def _phrase(status: int) -> str:
    """The standard's words for a status; the server's own could echo anything."""
    try:
        return f" {HTTPStatus(status).phrase}"
    except ValueError:
        return ""


def _plain(operand: Any) -> Any:
    """The operand with its secrets revealed, to compare with."""
    if isinstance(operand, Secret):
        return operand.reveal()
    if isinstance(operand, dict):
        return {k: _plain(v) for k, v in operand.items()}
    return [_plain(v) for v in operand] if isinstance(operand, (list, tuple)) else operand


def _holds(rule: Rule, found: list[Any]) -> bool:
    """True if at least one value was found, and all of them satisfy the rule."""
    if rule.operator == "exists":
        return bool(found) is rule.operand
    if not found:
        return rule.operator in ("not_equals", "not_contains", "not_matches", "optional")
    operand = _plain(rule.operand)
    return all(_TESTS[rule.operator](value, operand) for value in found)


def _same(value: Any, operand: Any) -> bool:
    """Equal as JSON: true is not 1, at any depth."""
    if isinstance(value, dict) and isinstance(operand, dict):
        return value.keys() == operand.keys() and all(_same(v, operand[k]) for k, v in value.items())
    if isinstance(value, list) and isinstance(operand, list):
        return len(value) == len(operand) and all(map(_same, value, operand))
    if isinstance(value, bool) or isinstance(operand, bool):
        return value is operand
    return bool(value == operand)


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _contains(value: Any, operand: Any) -> bool:
    if isinstance(value, str):
        return isinstance(operand, str) and operand in value
    if isinstance(value, list):
        return any(_same(item, operand) for item in value)
    return isinstance(value, dict) and isinstance(operand, str) and operand in value


def _one_of(value: Any, operands: Any) -> bool:
    return any(_same(value, operand) for operand in operands)


def _has_length(value: Any, rule: Rule) -> bool:
    return isinstance(value, (str, list, dict)) and _TESTS[rule.operator](len(value), rule.operand)


def _matches(value: Any, pattern: str) -> bool:
    return isinstance(value, str) and _compiled_pattern(pattern).search(value) is not None


_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "equals": _same,
    "not_equals": lambda value, operand: not _same(value, operand),
    "less_than": lambda value, operand: _number(value) and value < operand,
    "at_most": lambda value, operand: _number(value) and value <= operand,
    "greater_than": lambda value, operand: _number(value) and value > operand,
    "at_least": lambda value, operand: _number(value) and value >= operand,
    "contains": _contains,
    "not_contains": lambda value, operand: not _contains(value, operand),
    "matches": _matches,
    "not_matches": lambda value, operand: not _matches(value, operand),
    "one_of": _one_of,
    "length": _has_length,
    "optional": lambda _value, _operand: True,
}

_VERBS = {
    "equals": ("expected", "is not"),
    "not_equals": ("expected anything but", "is"),
    "less_than": ("expected less than", "is not less than"),
    "at_most": ("expected at most", "is more than"),
    "greater_than": ("expected more than", "is not more than"),
    "at_least": ("expected at least", "is less than"),
    "contains": ("expected it to contain", "does not contain"),
    "not_contains": ("expected it not to contain", "contains"),
    "matches": ("expected it to match", "does not match"),
    "not_matches": ("expected it not to match", "matches"),
    "one_of": ("expected one of", "is none of"),
}


def _complaint(rule: Rule, found: list[Any], foreign: Foreign) -> str:
    shown = [_excerpt(value, foreign) for value in found]
    if rule.operator == "exists":
        return "is missing" if rule.operand else f"is there ({shown[0]}), expected it not to be"
    wanted = _wanted(rule, foreign)
    if not shown:
        return f"is missing, {wanted}"
    more = f" and {len(shown) - 1} more" if len(shown) > 1 else ""
    size = _size(found[0]) if rule.operator == "length" else ""
    return f"is {shown[0]}{size}{more}, {wanted}"


def _failing(rule: Rule, text: str, foreign: Foreign) -> str:
    """Returns the failed condition; the text itself is too long for a quote."""
    if rule.operator == "length":
        return f"has {len(text)} characters, {_wanted(rule, foreign)}"
    return f"{_VERBS[rule.operator][1]} {_operand(rule.operand, foreign)}"


def _wanted(rule: Rule, foreign: Foreign) -> str:
    """«expected at most 5», «expected a length of at most 5»."""
    if rule.operator == "length":
        return _wanted(rule.operand, foreign).replace("expected", "expected a length of")
    return f"{_VERBS[rule.operator][0]} {_operand(rule.operand, foreign)}"


def _size(value: Any) -> str:
    """« (12 characters)», or nothing for what has no length."""
    for kind, units in ((str, "characters"), (list, "items"), (dict, "keys")):
        if isinstance(value, kind):
            return f" ({len(value)} {units})"
    return ""


def _excerpt(value: Any, foreign: Foreign) -> str:
    """Returns a quoted value without secrets; cut last, so that no secret is cut in half."""
    text = foreign(json.dumps(_sample(value, foreign, _SAMPLE_DEPTH), ensure_ascii=False))
    return text if len(text) <= _EXCERPT else text[: _EXCERPT - 1] + "…"


def _sample(value: Any, foreign: Foreign, depth: int) -> Any:
    """Returns the part of a value to quote; strips secrets from each string, as quotes would hide where one ends."""
    if isinstance(value, str):
        return foreign(value[:_SAMPLE_LENGTH])
    if isinstance(value, (dict, list)) and not depth:
        return "…"
    if isinstance(value, dict):
        some = itertools.islice(value.items(), _SAMPLE_ITEMS)
        return {foreign(k[:_SAMPLE_LENGTH]): _sample(v, foreign, depth - 1) for k, v in some}
    return [_sample(v, foreign, depth - 1) for v in value[:_SAMPLE_ITEMS]] if isinstance(value, list) else value


def _operand(operand: Any, foreign: Foreign) -> str:
    if isinstance(operand, Secret):
        return str(operand)
    text = foreign(json.dumps(operand, ensure_ascii=False, default=str))
    return text if len(text) <= _EXCERPT else text[: _EXCERPT - 1] + "…"
