"""Uptime Kuma's monitors as rows, whichever file they are from, and how to read single values of a row."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]

_SAME = {
    "basicauthuser": "basic_auth_user", "basicauthpass": "basic_auth_pass", "oauthclientid": "oauth_client_id",
    "proxyid": "proxy_id", "acceptedstatuscodesjson": "accepted_statuscodes",
}  # fmt: skip


@dataclass(slots=True)
class Kuma:
    """Every row that matters; keys are in snake case, whichever file they are from. `place` says where a row stood."""

    monitors: list[Row] = field(default_factory=list)
    proxies: dict[int, Row] = field(default_factory=dict)
    tags: dict[int, list[Row]] = field(default_factory=dict)
    others: list[tuple[str, str, str]] = field(default_factory=list)
    """Notifications, maintenances and the like: place, table, name."""
    notified: dict[int, int] = field(default_factory=dict)
    maintained: set[int] = field(default_factory=set)
    settings: dict[str, str] = field(default_factory=dict)


def named(row: Row) -> Row:
    """Version 1 and 2, table and backup, spell their keys differently: `maxRedirects`, `maxredirects`."""
    named = {}
    for key, value in row.items():
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", str(key)).lower()
        named[_SAME.get(name.replace("_", ""), name)] = value
    return named


def number(value: object) -> int:
    """Converts a value to a whole number; 0 if that is impossible."""
    try:
        return int(value)  # type: ignore[call-overload, no-any-return]
    except (TypeError, ValueError, OverflowError):
        return 0


def text(row: Row, key: str) -> str:
    """The value as text: an object or a list as JSON; empty if there is none."""
    value = row.get(key)
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(value)


def parsed(value: object) -> Any:
    """A value that is JSON, or a text with JSON in it; None if it is neither."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return None


def truth(row: Row, key: str, *, default: bool = False) -> bool:
    """1 and true are true."""
    value = row.get(key)
    return default if value is None else str(value).lower() not in ("0", "false", "")


def amount(row: Row, key: str) -> float:
    """A number that is none too large; 0 if it is none."""
    try:
        value = float(row.get(key) or 0)
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return value if 0 <= value < 1e8 else 0.0
