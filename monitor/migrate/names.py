"""Makes names that we take out of names that others take: of checks, of labels, of environment variables."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from monitor.config.values import RESERVED_LABELS

_LONGEST = 100
_OTHERS_READ = {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"}
"""A module named `http` with a proxy must not send every other program through it."""


class Names:
    """Names of checks, each given once."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._last: dict[str, int] = {}

    def unique(self, text: str) -> str:
        """A valid name like the text that no other check has."""
        wanted = name = check_name(text)
        while name in self._taken:
            self._last[wanted] = number = self._last.get(wanted, 1) + 1
            ending = f"-{number}"
            name = wanted[: _LONGEST - len(ending)] + ending
        self._taken.add(name)
        return name


class Variables:
    """Names of environment variables: one secret, one name, however many checks use it; `taken` mean something else."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._of: dict[tuple[str, ...], str] = {}
        self._taken = _OTHERS_READ | set(taken)

    def name(self, owner: str, what: str, secret: str) -> str:
        """The variable for this secret of this owner."""
        key = (owner, what, secret)
        if key not in self._of:
            self._of[key] = self._free(_variable(f"{owner}_{what}"))
        return self._of[key]

    def _free(self, wanted: str) -> str:
        name, number = wanted, 1
        while name in self._taken:
            number += 1
            name = f"{wanted}_{number}"
        self._taken.add(name)
        return name


def check_name(text: str) -> str:
    """Letters without their accents, and a dash for everything else that a name cannot have."""
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", _ascii(text)).strip("-")[:_LONGEST].strip("-")
    return name or "check"


def label_name(text: str) -> str:
    """The name of a label that Prometheus takes and that we do not use ourselves."""
    name = re.sub(r"[^a-zA-Z0-9_]+", "_", _ascii(text)).strip("_") or "label"
    if name[0].isdigit():
        name = f"_{name}"
    return f"{name}_" if name in RESERVED_LABELS else name


def _variable(text: str) -> str:
    name = re.sub(r"[^A-Z0-9_]+", "_", _ascii(text).upper()).strip("_")[:80] or "SECRET"
    return f"_{name}" if name[0].isdigit() else name


def _ascii(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    return "".join(letter for letter in apart if not unicodedata.combining(letter))
