"""Converts what Uptime Kuma expects of an answer: a status, a keyword, a value in the JSON."""

from __future__ import annotations

import re
from typing import Any

from monitor.migrate.draft import Draft
from monitor.migrate.kuma_rows import Row, parsed, text, truth
from monitor.migrate.values import STATUSES, json_value, ranges

_OPERATORS = {
    "==": "equals",
    "!=": "not_equals",
    ">": "greater_than",
    ">=": "at_least",
    "<": "less_than",
    "<=": "at_most",
}
_PATH = re.compile(r"(?:\$\.)?[A-Za-z_]\w*(?:\[\d{1,9}\])?(?:\.[A-Za-z_]\w*(?:\[\d{1,9}\])?)*", re.ASCII)
"""JSONata that is a path and nothing else; `$name` is a variable there."""


def expect(draft: Draft, row: Row) -> None:
    """Write what the answer has to be."""
    draft.table("expect")["status"] = _statuses(draft, row)
    kind = text(row, "type")
    if kind == "keyword" and text(row, "keyword"):
        operator = "not_contains" if truth(row, "invert_keyword") else "contains"
        draft.table("expect", "body")[operator] = text(row, "keyword")
    elif kind == "json-query":
        _json_query(draft, row)


def _statuses(draft: Draft, row: Row) -> list[str | int]:
    codes = parsed(row.get("accepted_statuscodes"))
    if not isinstance(codes, list):
        draft.differs(draft.place, "accepted_statuscodes: Kuma's default, 200-299, is taken")
        codes = ["200-299"]
    found: set[int] = set()
    for code in codes:
        match = re.fullmatch(r"\s*(\d{3})(?:\s*-\s*(\d{3}))?\s*", str(code))
        fit = range(max(int(match[1]), STATUSES[0]), min(int(match[2] or match[1]), STATUSES[-1]) + 1) if match else ()
        found.update(fit)
        if not fit:
            draft.lost(draft.place, f"accepted_statuscodes: {str(code)[:20]} is no status that can be expected here")
    return ranges(found) or ["2xx"]


def _json_query(draft: Draft, row: Row) -> None:
    path, sign = text(row, "json_path").strip(), text(row, "json_path_operator") or "=="
    wanted = text(row, "expected_value")
    if path != "$" and not _PATH.fullmatch(path):
        draft.lost(draft.place, f"json_path {path}: is more of JSONata than a path, so the JSON is not looked at")
        return
    here = path if path == "$" else "$." + path.removeprefix("$").removeprefix(".")
    value = json_value(wanted)
    if sign == "contains":
        rule: dict[str, Any] = {"contains": wanted}
    elif sign in _OPERATORS and (sign in ("==", "!=") or (isinstance(value, (int, float)) and value is not True)):
        rule = {_OPERATORS[sign]: value}
    else:
        draft.lost(draft.place, f"json_path_operator {sign}: cannot be expected of this value")
        return
    draft.table("expect", "json")[here] = rule
    if sign in ("==", "!=") and not isinstance(value, str):
        draft.differs(draft.place, f"{here}: has to be the same type in the JSON; Kuma compares everything as text")
