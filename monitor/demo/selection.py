"""Selects examples."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from monitor.demo.catalogue import EXAMPLES, GROUPS
from monitor.demo.example import Example
from monitor.model.errors import MonitorError


def chosen(groups: Iterable[str]) -> list[Example]:
    """The examples of the named groups, of all if none is named; MonitorError for a group that is not there."""
    wanted = set(groups)
    unknown = sorted(wanted - set(GROUPS))
    if unknown:
        raise MonitorError("\n".join(map(_unknown, unknown)))
    return [example for example in EXAMPLES if not wanted or example.group in wanted]


def _unknown(group: str) -> str:
    near = difflib.get_close_matches(group, GROUPS, 1)
    advice = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(GROUPS)}"
    return f"the demo has no group {group!r} ({advice})"
