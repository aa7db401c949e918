"""Defines a validator's error about one value, and how much of the value its message may show."""

from __future__ import annotations

import datetime
import difflib
import json
from collections.abc import Iterable

from monitor.secrets.secret import MASK, Secret, shown_url

_LONGEST_QUOTE = 60


class BadValueError(ValueError):
    """One thing wrong with one value: a sentence that goes on after the key's name, and how to mend it."""

    def __init__(self, message: str, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.suggestion = suggestion


def quoted(value: object) -> str:
    """The value as a message may show it: `***` for a secret, URLs without credentials, long texts cut."""
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, str):
        text = shown_url(value)
        return json.dumps(text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 1] + "…", ensure_ascii=False)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (int, float)) else kind(value)


def kind(value: object) -> str:
    """Returns the TOML type of a value, with its article; tells nothing of the content."""
    if isinstance(value, Secret):
        return "a secret"
    for types, name in _KINDS:
        if isinstance(value, types):
            return name
    return "something else"


_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "true or false"),  # before int, which it is too
    ((int, float), "a number"),
    (str, "a string"),
    (list, "an array"),
    (dict, "a table"),
    ((datetime.date, datetime.time), "a date or a time"),
)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, if one is close; case and dashes do not matter."""
    spelled = {k.lower(): k for k in known}
    close = difflib.get_close_matches(word.lower().replace("-", "_"), spelled, n=1)
    return spelled[close[0]] if close else None


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """A suggestion for a near miss, or None."""
    match = nearest(word, known)
    return f"did you mean `{match}`?" if match is not None else None


def listed(words: Iterable[str], last: str = "or") -> str:
    """Words as an enumeration: «a, b or c»."""
    *head, tail = words
    return f"{', '.join(head)} {last} {tail}" if head else tail
