"""Collects the secrets of a check as it is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from monitor.secrets.secret import Secret, Text, secrets_of_url


def secrets_of(tree: dict[str, Any], *urls: Text | None) -> frozenset[str]:
    """Every text to strike from what is shown; `tree` is the check as written, with what it inherits."""
    found = set(_secrets(tree))
    for url in urls:
        found |= secrets_of_url(url) if url else set()
    return frozenset(found - {""})


def _secrets(tree: Any) -> Iterator[str]:
    if isinstance(tree, Secret):
        yield tree.reveal()
    elif isinstance(tree, (dict, list)):
        for item in tree.values() if isinstance(tree, dict) else tree:
            yield from _secrets(item)
