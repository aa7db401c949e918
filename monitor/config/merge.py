"""Lays a check over [defaults]: table by table, the check wins, and what excludes one another gives way together."""

from __future__ import annotations

from typing import Any

from monitor.keys.addresses import has_userinfo
from monitor.protocols.http.table import BODIES, authorization

_JOINED = (
    ("timeout",),
    ("tls",),
    ("labels",),
    ("headers",),
    ("expect",),
    ("expect", "headers"),
    ("expect", "body"),
    ("expect", "json"),
)
"""Tables that are merged key by key; all else is replaced whole: half a password of one user helps no other."""

Tree = dict[str, Any]


def merged(defaults: Tree, check: Tree) -> Tree:
    """The check with everything that it inherits; neither argument is changed."""
    inherited = dict(defaults)
    if any(key in check for key in BODIES):
        inherited = {key: value for key, value in inherited.items() if key not in BODIES}
    if states_credentials(check):
        inherited = _without_credentials(inherited)
    return _laid_over(inherited, check)


def states_credentials(check: Tree) -> bool:
    """True if this table itself sets an authentication."""
    return "auth" in check or has_userinfo(check.get("url")) or authorization(check) is not None


def _without_credentials(tree: Tree) -> Tree:
    rest = {key: value for key, value in tree.items() if key != "auth"}
    header = authorization(tree)
    if header is not None:
        rest["headers"] = {name: value for name, value in tree["headers"].items() if name != header}
    return rest


def _laid_over(below: Tree, above: Tree, path: tuple[str, ...] = ()) -> Tree:
    if path[-1:] == ("headers",):  # their names are the same in upper and lower case
        own = {name.lower() for name in above}
        below = {name: value for name, value in below.items() if name.lower() not in own}
    result = {**below, **above}
    for key, value in above.items():
        inherited, place = below.get(key), (*path, key)
        if place in _JOINED and isinstance(value, dict) and isinstance(inherited, dict):
            result[key] = _laid_over(inherited, value, place)
    return result
