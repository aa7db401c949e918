"""Selects checks by group, state, label and words, alike for the page and the API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from monitor.live.view import CheckView
from monitor.model.spec import CheckSpec
from monitor.rules.maintenance import labels_fit

T = TypeVar("T")

_MOST = 20
"""Conditions of one kind that are used; the rest is ignored."""


class Query(Protocol):
    """The query of a request."""

    def getall(self, key: str, default: list[str], /) -> list[str]:
        """All values of one key."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Checks that are in one of the groups and in one of the states, and have all labels and all words."""

    groups: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    words: tuple[str, ...] = ()

    @classmethod
    def of(cls, query: Query) -> Selection:
        """Reads `group`, `state`, `label` and `q` from a query.

        One `state` may hold several, separated by commas. Checks without a group are in the group «».
        """
        states = [state for text in query.getall("state", []) for state in text.split(",") if state]
        labels = [text.partition("=" if "=" in text else ":") for text in query.getall("label", [])]
        words = " ".join(query.getall("q", [])).lower().split()
        return cls(
            _each_once(query.getall("group", [])),
            _each_once(states),
            _each_once((key, value) for key, _, value in labels),
            _each_once(words),
        )

    def __bool__(self) -> bool:
        return bool(self.groups or self.states or self.labels or self.words)

    def __contains__(self, check: CheckView) -> bool:
        if self.states and check.state.value not in self.states:
            return False
        if not self.has(check.spec):
            return False
        text = searched(check) if self.words else ""
        return all(word in text for word in self.words)

    def has(self, spec: CheckSpec) -> bool:
        """True if a check is in one of the groups and has all labels."""
        if self.groups and spec.group not in self.groups:
            return False
        return not self.labels or labels_fit(self.labels, spec)


def _each_once(asked: Iterable[T]) -> tuple[T, ...]:
    """The first of them, each once: every check is held against every one."""
    return tuple(dict.fromkeys(asked))[:_MOST]


def searched(check: CheckView) -> str:
    """Returns the text that words of a search are looked up in."""
    spec = check.spec
    labels = (f"{key}={value}" for key, value in spec.labels)
    return " ".join((check.name, spec.title, spec.group, check.state.value, *labels)).lower()


def chosen(checks: Iterable[CheckView], selection: Selection) -> Sequence[CheckView]:
    """Returns the selected checks, in their order."""
    return [check for check in checks if check in selection]


def groups_of(checks: Iterable[CheckView]) -> Mapping[str, str]:
    """The group of each check."""
    return {check.name: check.spec.group for check in checks}


def titles_of(checks: Iterable[CheckView]) -> Mapping[str, str]:
    """The titles of those that have one, by name."""
    return {check.name: check.spec.title for check in checks if check.spec.title}
