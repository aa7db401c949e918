"""Prometheus's relabelling: what becomes of a target's labels on its way to a probe."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field

import re2

Labels = dict[str, str]

_REFERENCE = re.compile(r"\$(?:\$|\{(\w+)\}|(\w+))", re.ASCII)
_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
"""Prometheus sets no label of another name."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of `relabel_configs`, with Prometheus's defaults; raises `re2.error` for a bad pattern when applied."""

    source: list[str] = field(default_factory=list)
    separator: str = ";"
    target: str = ""
    regex: str = "(.*)"
    modulus: int = 0
    replacement: str = "$1"
    action: str = "replace"

    def apply(self, labels: Labels) -> Labels | None:
        """The labels after this rule; None if the target is dropped."""
        return _ACTIONS[self.action](self, labels)

    @property
    def known(self) -> bool:
        """True if Prometheus has this action."""
        return self.action in _ACTIONS

    def value(self, labels: Labels) -> str:
        """The values of the source labels, joined."""
        return self.separator.join(labels.get(name, "") for name in self.source)

    def match(self, text: str) -> object:
        """The match of the whole text, or None."""
        return re2.compile(f"^(?s:{self.regex})$").match(text)


def relabelled(labels: Labels, rules: list[Rule]) -> Labels | None:
    """The labels after all rules, empty ones gone; None if the target is dropped."""
    for rule in rules:
        after = rule.apply(labels)
        if after is None:
            return None
        labels = after
    return {name: value for name, value in labels.items() if value}


def _replace(rule: Rule, labels: Labels) -> Labels:
    match = rule.match(rule.value(labels))
    if not match:
        return labels
    target = _expanded(rule.target, match)
    return labels | {target: _expanded(rule.replacement, match)} if _NAME.fullmatch(target) else labels


def _expanded(template: str, match: object) -> str:
    """Go's expansion of `$1` and `${name}`; a group that is not there is empty."""

    def group(reference: re.Match[str]) -> str:
        name = reference[1] or reference[2]
        if name is None:
            return "$"
        try:
            return match.group(int(name) if name.isdigit() else name) or ""  # type: ignore[attr-defined]
        except (IndexError, KeyError, OverflowError):
            return ""

    return _REFERENCE.sub(group, template)


def _kept(when: bool) -> Callable[[Rule, Labels], Labels | None]:
    return lambda rule, labels: labels if bool(rule.match(rule.value(labels))) is when else None


def _equal(when: bool) -> Callable[[Rule, Labels], Labels | None]:
    return lambda rule, labels: labels if (rule.value(labels) == labels.get(rule.target, "")) is when else None


def _hashmod(rule: Rule, labels: Labels) -> Labels:
    digest = hashlib.md5(rule.value(labels).encode(), usedforsecurity=False).digest()
    return labels | {rule.target: str(int.from_bytes(digest[8:], "big") % max(rule.modulus, 1))}


def _labelmap(rule: Rule, labels: Labels) -> Labels:
    mapped = {}
    for name, value in labels.items():
        if match := rule.match(name):
            mapped[_expanded(rule.replacement, match)] = value
    return labels | mapped


def _named(when: bool) -> Callable[[Rule, Labels], Labels]:
    return lambda rule, labels: {name: value for name, value in labels.items() if bool(rule.match(name)) is when}


_ACTIONS: dict[str, Callable[[Rule, Labels], Labels | None]] = {
    "replace": _replace,
    "keep": _kept(True),
    "drop": _kept(False),
    "keepequal": _equal(True),
    "dropequal": _equal(False),
    "hashmod": _hashmod,
    "labelmap": _labelmap,
    "labeldrop": _named(False),
    "labelkeep": _named(True),
    "lowercase": lambda rule, labels: labels | {rule.target: rule.value(labels).lower()},
    "uppercase": lambda rule, labels: labels | {rule.target: rule.value(labels).upper()},
}
