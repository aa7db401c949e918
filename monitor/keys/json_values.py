"""Values that JSON can hold: numbers, and everything that TOML can say and JSON too."""

from __future__ import annotations

import math
from typing import Any

from monitor.keys.bad_value import BadValueError, kind
from monitor.secrets.secret import Secret, reveal


def number(value: object) -> float:
    """A finite number; whole ones stay whole."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise BadValueError(f"must be a number, not {value if isinstance(value, float) else kind(value)}")
    return value


def json_value(value: Any) -> Any:
    """Any value that JSON can say; secrets may stand for strings in it."""
    if isinstance(value, dict):
        return {key: json_value(item) for key, item in value.items()}
    if isinstance(value, list):
        return [json_value(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise BadValueError("JSON has neither inf nor nan")
    if not isinstance(value, (str, Secret, bool, int, float)):
        raise BadValueError(f"JSON has nothing like {kind(value)}", "write it as a string")
    return value


def revealed(value: Any) -> Any:
    """The value with its secrets as strings, for the wire."""
    if isinstance(value, dict):
        return {key: revealed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [revealed(item) for item in value]
    return reveal(value) if isinstance(value, Secret) else value
