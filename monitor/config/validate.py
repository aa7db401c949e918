"""Validates one table against its model, and says what is wrong in our words instead of pydantic's."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from monitor.keys.bad_value import BadValueError, did_you_mean, kind, listed, quoted
from monitor.keys.files import Files
from monitor.keys.finding import Finding, existing
from monitor.keys.shape import Path, shape_of

M = TypeVar("M", bound=BaseModel)
Tree = dict[str, Any]

_FEW = 9
"""Known keys that a message about an unknown key lists; more are left out."""

_STAND_INS = {"name": "unnamed", "url": "http://unknown.invalid/"}
"""Values for missing required keys, so that the rest of the check can be validated."""


def validated(model: type[M], tree: Tree, files: Files) -> tuple[M | None, list[Finding]]:
    """The table, and what is wrong with it, with paths that begin at the table.

    If something is wrong, the table is what its right keys make of it, so that their contradictions can be found
    in the same go; None if that is nothing.
    """
    try:
        return model.model_validate(tree, context=files), []
    except ValidationError as error:
        findings = [_finding(details, model, tree) for details in error.errors(include_url=False)]
    try:
        return model.model_validate(_pruned(model, tree, findings), context=files), findings
    except ValidationError:
        return None, findings


def _finding(details: ErrorDetails, model: type[BaseModel], tree: Tree) -> Finding:
    path = existing(tree, details["loc"])
    kind_of_error = details["type"]
    if kind_of_error == "missing":
        return Finding(path, f"`{details['loc'][-1]}` is missing")
    if kind_of_error == "extra_forbidden":
        return _unknown_key(path, model)
    wrong = details.get("ctx", {}).get("error")
    if isinstance(wrong, BadValueError):
        return Finding.of(path, wrong)
    return Finding(path, *_SENTENCES[kind_of_error](details["input"], details.get("ctx", {})))


def _unknown_key(path: Path, model: type[BaseModel]) -> Finding:
    key, known = str(path[-1]), shape_of(model).at(path[:-1]).keys
    if key == "name":
        return Finding(path, "a name belongs to one check", "leave it out here")
    if path == ("title",):
        return Finding(path, "a title belongs to one check", "leave it out here")
    few = f"known here: {listed(known, 'and')}" if len(known) <= _FEW else None
    return Finding(path, "there is no such key", did_you_mean(key, known) or few)


_SENTENCES: dict[str, Callable[[Any, dict[str, Any]], tuple[str, str | None]]] = {
    "bool_type": lambda value, _: (f"must be true or false, not {quoted(value)}", _unquoted(value, ("true", "false"))),
    "int_type": lambda value, _: (f"must be a whole number, not {quoted(value)}", _unquoted(value)),
    "int_from_float": lambda value, _: (f"must be a whole number, not {quoted(value)}", None),
    "greater_than_equal": lambda value, ctx: (f"must be at least {ctx['ge']}, not {quoted(value)}", None),
    "less_than_equal": lambda value, ctx: (f"must be at most {ctx['le']}, not {quoted(value)}", None),
    "too_short": lambda *_: ("must not be empty", None),
    "list_type": lambda value, _: (f"must be an array, not {kind(value)}", "write it in brackets: [ … ]"),
    "dict_type": lambda value, _: (f"must be a table, not {kind(value)}", None),
    "model_type": lambda value, _: (f"must be a table, not {kind(value)}", None),
}


def _unquoted(value: object, words: tuple[str, ...] = ()) -> str | None:
    literal = isinstance(value, str) and (value in words or (not words and value.isdigit()))
    return f"write {value} without quotes" if literal else None


def _pruned(model: type[BaseModel], tree: Tree, findings: list[Finding]) -> Tree:
    rest: Tree = _copied(tree)
    for finding in findings:
        _remove(rest, finding.path)
    required = {key for key, field in model.model_fields.items() if field.is_required()}
    return {key: value for key, value in _STAND_INS.items() if key in required} | rest


def _copied(tree: Any) -> Any:
    """Tables copied, so that keys can be taken out of them; a deep copy would take secrets apart."""
    return {key: _copied(value) for key, value in tree.items()} if isinstance(tree, dict) else copy.copy(tree)


def _remove(tree: Tree, path: Path) -> None:
    """Take out the key at the path, or the one that holds the array it leads into."""
    parent: Any = tree
    for depth, key in enumerate(path):
        if not isinstance(parent, dict) or key not in parent:
            return  # gone already, with another finding
        if depth == len(path) - 1 or not isinstance(parent[key], dict):
            del parent[key]
            return
        parent = parent[key]
