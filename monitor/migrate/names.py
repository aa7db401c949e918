"""Makes names that we take out of names that others take: of checks, of labels, of environment variables."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import urlsplit

from monitor.keys.values import RESERVED_LABELS

_LONGEST, _LONGEST_TITLE = 100, 200
_NOT_IN_LINES = ("Cc", "Cs", "Zl", "Zp")
"""Categories of characters: control characters, halves of surrogate pairs, separators of lines and paragraphs."""
_OTHERS_READ = {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"}
"""A module named `http` with a proxy must not send every other program through it."""


class Names:
    """Names of checks, each given once."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._last: dict[str, int] = {}

    def unique(self, text: str, otherwise: str = "") -> str:
        """A name like the text that no other check has; like `otherwise` if no letter of the text fits into a name."""
        wanted = name = _slug(text) or check_name(otherwise)
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
    """Letters without their accents, and one dash for everything else between them."""
    return _slug(text) or "check"


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.]+", "-", _ascii(text)).strip("-.")[:_LONGEST].strip("-.")


def host(url: str) -> str:
    """The host of a URL; empty if there is none."""
    try:
        return urlsplit(url.strip()).hostname or ""
    except ValueError:
        return ""


def title(text: str) -> str:
    """One line of at most 200 characters, as a check's title has to be."""
    line = " ".join("".join(" " if unicodedata.category(c) in _NOT_IN_LINES else c for c in text).split())
    return line if len(line) <= _LONGEST_TITLE else f"{line[: _LONGEST_TITLE - 1]}…"


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
