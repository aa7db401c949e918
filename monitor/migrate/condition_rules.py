"""The rules that Gatus's conditions on the body, its JSON and the headers become."""

from __future__ import annotations

import re

from monitor.migrate.condition_text import (
    NUMERIC,
    NoCounterpart,
    called,
    is_function,
    json_path,
    number,
    pattern,
    plain_number,
)
from monitor.migrate.draft import Draft, Tree
from monitor.migrate.values import json_value

_RULES = {"==": "equals", "!=": "not_equals", "<": "less_than", "<=": "at_most", ">": "greater_than", ">=": "at_least"}
_STRICTER = {"less_than": min, "at_most": min, "greater_than": max, "at_least": max}


def body(draft: Draft, sign: str, right: str) -> None:
    """A condition on the whole body."""
    if sign in NUMERIC:  # the body is a number, and so it is JSON
        json_rule(draft, "$", _RULES[sign], plain_number(number(right)))
        return
    inner = called("pat", right)
    plain = re.fullmatch(r"\*+([^*?\[\]\\/]+)\*+", inner) if inner is not None else None
    key, value = ("contains", plain[1]) if plain else ("matches", rf"^\s*(?:{pattern(right)})\s*$")
    table = draft.table("expect", "body")
    table.setdefault(key if sign == "==" else f"not_{key}", []).append(value)


def header(draft: Draft, name: str, sign: str, right: str) -> None:
    """A condition on the value of a header."""
    if sign in NUMERIC:
        raise NoCounterpart("the value of a header is a text here, neither higher nor lower")
    options, negated = called("any", right), "" if sign == "==" else "not_"
    if options is not None and not negated:
        _header_rule(draft, name, "one_of", _split(options))
    elif is_function(right):
        _header_rule(draft, name, f"{negated}matches", f"^(?:{pattern(right)})$")
    else:
        _header_rule(draft, name, f"{negated}equals", right)


def header_exists(draft: Draft, name: str, wanted: bool) -> None:
    """A condition on whether a header is there."""
    _header_rule(draft, name, "exists", wanted)


def _header_rule(draft: Draft, name: str, key: str, value: object) -> None:
    table = draft.table("expect", "headers")
    spelled = next((known for known in table if known.lower() == name.lower()), name)
    _put(table.setdefault(spelled, {}), f"the header {name}", key, value)


def json(draft: Draft, place: str, inner: str, sign: str, right: str) -> None:
    """A condition on a value in the JSON of the body."""
    path = json_path(inner)
    if "[*]" in path:
        _every_element(draft, place, path, sign)
    options = called("any", right)
    if sign in NUMERIC:
        json_rule(draft, path, _RULES[sign], plain_number(number(right)))
    elif options is not None:
        _any(draft, place, path, sign, options)
    elif is_function(right):
        json_rule(draft, path, "matches" if sign == "==" else "not_matches", f"(?s)^(?:{pattern(right)})$")
    else:
        value = json_value(right)
        json_rule(draft, path, _RULES[sign], value)
        _typed(draft, place, path, [value])


def _every_element(draft: Draft, place: str, path: str, sign: str) -> None:
    """Adds what Gatus implies: an array without elements fails every condition on its elements."""
    if sign == "!=":
        if path.count("[*]") > 1:
            raise NoCounterpart("an empty list would be a success here, and is a failure there")
        add_length(_json_table(draft, path.partition("[*]")[0]), ">", "0")
    else:
        draft.differs(place, f"{path}: elements without this field are passed over here, and fail there")


def _any(draft: Draft, place: str, path: str, sign: str, options: str) -> None:
    values = [json_value(option) for option in _split(options)]
    if sign == "==":
        json_rule(draft, path, "one_of", values)
        _typed(draft, place, path, values)
    elif all(isinstance(value, str) for value in values):
        json_rule(draft, path, "not_matches", f"(?s)^(?:{pattern(f'any({options})')})$")
    else:
        raise NoCounterpart("«none of several numbers» cannot be expected here")


def _typed(draft: Draft, place: str, path: str, values: list[str | int | float | bool]) -> None:
    kinds = {"true or false" if isinstance(v, bool) else "a number" for v in values if not isinstance(v, str)}
    if kinds:
        what = " or ".join(sorted(kinds))
        draft.differs(place, f"{path}: has to be {what} in the JSON; Gatus takes a text like it, too")


def json_rule(draft: Draft, path: str, key: str, value: object) -> None:
    """One rule for the values at a path."""
    _put(_json_table(draft, path), path, key, value)


def json_length(draft: Draft, place: str, path: str, sign: str, right: str) -> None:
    """A condition on the length of what is at a path."""
    if "[*]" in path:
        draft.differs(place, f"{path}: elements without this field are passed over here, and fail there")
    add_length(_json_table(draft, path), sign, right)


def add_length(table: Tree, sign: str, right: str) -> None:
    """A bound of `length`, beside those that are there."""
    if not re.fullmatch(r"[0-9]{1,9}", right):
        raise NoCounterpart("the length is not compared with a number")
    if sign == "!=" and int(right):
        raise NoCounterpart("«any length but one» cannot be expected here")
    key, value = _RULES[">" if sign == "!=" else sign], int(right)
    there = table.get("length")
    if there is None:
        table["length"] = value if key == "equals" else {key: value}
        return
    bounds = there if isinstance(there, dict) else {"equals": there}
    if bounds.get(key, value) != value and key not in _STRICTER:
        raise NoCounterpart("another length is expected already")
    table["length"] = bounds | {key: _STRICTER.get(key, max)(bounds.get(key, value), value)}


def prune(draft: Draft) -> None:
    """Take tables out that a condition without a counterpart has left empty."""
    expect = draft.keys.get("expect", {})
    for key in ("json", "headers"):
        table = expect.get(key, {})
        for name in [name for name, inner in table.items() if inner == {}]:
            del table[name]
    for key in ("json", "headers", "body"):
        if expect.get(key) == {}:
            del expect[key]


def _json_table(draft: Draft, path: str) -> Tree:
    return draft.table("expect", "json").setdefault(path, {})  # type: ignore[no-any-return]


def _put(table: Tree, what: str, key: str, value: object) -> None:
    if table.setdefault(key, value) != value:
        raise NoCounterpart(f"{what} has another {key} already, and each can be said once")


def _split(options: str) -> list[str]:
    return [option.strip() for option in options.split(",")]
