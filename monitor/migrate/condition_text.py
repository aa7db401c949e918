"""Parses the language of Gatus's conditions: statements, numbers, patterns and paths."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any

import re2

from monitor.migrate.values import STATUSES, seconds

_OPERATORS = (" == ", " != ", " <= ", " >= ", " > ", " < ")
"""The operators, ordered as Gatus tries them."""
_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
NUMERIC: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_SEGMENT = re.compile(r"\.?([^.\[\]]+)|\[([0-9]{1,9}|\*)\]")


class NoCounterpart(Exception):
    """A condition without a counterpart; the text is the reason."""


def parsed(text: str) -> tuple[str, str, str]:
    """The placeholder's side, the comparison, and the other side."""
    for comparison in _OPERATORS:
        left, found, right = text.partition(comparison)
        if found:
            left, sign, right = left.strip(), comparison.strip(), right.strip()
            if not _placeholder(left) and _placeholder(right):
                return right, _MIRRORED.get(sign, sign), left
            if _placeholder(right):
                raise NoCounterpart("both sides depend on the answer")
            return left, sign, right
    raise NoCounterpart("it has no comparison")


def _placeholder(side: str) -> bool:
    return re.match(r"(?i)(?:(?:len|has|age)\()?\[(?:[A-Z_]+)\]", side) is not None


def called(function: str, text: str) -> str | None:
    """Returns the text in the parentheses of this function, None if the text is no such call."""
    return text[len(function) + 1 : -1] if text.startswith(f"{function}(") and text.endswith(")") else None


def is_function(text: str) -> bool:
    """True if the text is pat(…) or any(…)."""
    return called("pat", text) is not None or called("any", text) is not None


def pattern(right: str) -> str:
    """RE2 for a text, for any(…) of texts, or for pat(…), a glob."""
    glob, options = called("pat", right), called("any", right)
    if glob is not None:
        return _of_glob(glob)
    if options is not None:
        return "|".join(re2.escape(option.strip()) for option in options.split(","))
    return str(re2.escape(right))


def _of_glob(glob: str) -> str:
    """Go's filepath.Match; slashes do not count in Gatus, and do here."""
    found, position = "", 0
    while position < len(glob):
        character = glob[position]
        group = re.match(r"\[\^?(?:[^\]\\]|\\.)+\]", glob[position:]) if character == "[" else None
        if group:
            found += group[0]
            position += len(group[0])
            continue
        if character == "[":
            raise NoCounterpart("its pattern is not valid")
        if character == "\\" and position + 1 < len(glob):
            position += 1
            found += re2.escape(glob[position])
        else:
            found += {"*": "(?s:.*)", "?": "(?s:.)"}.get(character) or re2.escape(character)
        position += 1
    return found


def statuses(sign: str, right: str) -> set[int]:
    """Returns the statuses for which a condition on [STATUS] holds."""
    if sign in NUMERIC:
        bound = number(right)
        return {status for status in STATUSES if NUMERIC[sign](status, bound)}
    try:
        same = re2.compile(f"^(?:{pattern(right)})$")
    except re2.error:
        raise NoCounterpart("its pattern is not valid") from None
    return {status for status in STATUSES if (same.match(str(status)) is not None) is (sign == "==")}


def number(text: str) -> float:
    """Gatus reads durations as milliseconds."""
    try:
        return float(text[:40])
    except ValueError:
        found = seconds(text)
    if found is None:
        raise NoCounterpart("it is not compared with a number")
    return found * 1000


def milliseconds(text: str) -> float:
    """A limit of time."""
    found = number(text)
    if not 0 < found < 1e15:
        raise NoCounterpart("the bound has to be above 0")
    return found


def plain_number(value: float) -> int | float:
    """Returns a number as it is written in TOML."""
    if not abs(value) < 1e15:
        raise NoCounterpart("the number is too large")
    return int(value) if value == int(value) else value


def json_path(path: str) -> str:
    """RFC 9535 for Gatus's own paths: `.data.items[0].id`, `[0].id`, `.items[*].id`."""
    found, position = "$", 0
    while position < len(path):
        match = _SEGMENT.match(path, position)
        if match is None:
            raise NoCounterpart("its path is not understood")
        position = match.end()
        key = match[1]
        if key is None:
            found += f"[{match[2]}]"
        elif re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", key):
            found += f".{key}"
        else:
            escaped = key.replace("\\", "\\\\").replace("'", "\\'")
            found += f"['{escaped}']"
    return found
