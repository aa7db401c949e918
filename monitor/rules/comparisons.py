"""Compares values that came with the rules of an expectation, and says in a phrase which rule does not hold."""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Callable
from typing import Any

import re2

from monitor.model.request import Rule
from monitor.secrets.secret import Secret

Foreign = Callable[[str], str]
"""Strikes secrets out of text that came from the target."""

_EXCERPT = 60
"""Characters of a value that a detail quotes."""
_SAMPLE_LENGTH, _SAMPLE_ITEMS, _SAMPLE_DEPTH = 300, 8, 4
"""More of a value than this is not even looked at to quote it: striking secrets out takes time."""


@functools.lru_cache(maxsize=4096)
def _compiled_pattern(pattern: str) -> Any:
    return re2.compile(pattern)


def _plain(operand: Any) -> Any:
    """The operand with its secrets revealed, to compare with."""
    if isinstance(operand, Secret):
        return operand.reveal()
    if isinstance(operand, dict):
        return {k: _plain(v) for k, v in operand.items()}
    return [_plain(v) for v in operand] if isinstance(operand, (list, tuple)) else operand


def holds(rule: Rule, found: list[Any]) -> bool:
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


def complaint(rule: Rule, found: list[Any], foreign: Foreign) -> str:
    """Returns the phrase for values that do not satisfy a rule: «is 4, expected at most 3»."""
    shown = [_excerpt(value, foreign) for value in found]
    if rule.operator == "exists":
        return "is missing" if rule.operand else f"is there ({shown[0]}), expected it not to be"
    wanted = _wanted(rule, foreign)
    if not shown:
        return f"is missing, {wanted}"
    more = f" and {len(shown) - 1} more" if len(shown) > 1 else ""
    size = _size(found[0]) if rule.operator == "length" else ""
    return f"is {shown[0]}{size}{more}, {wanted}"


def failing(rule: Rule, text: str, foreign: Foreign) -> str:
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
