"""Reads `relabel_configs`, in the spelling of prometheus.yml and in that of the operator."""

from __future__ import annotations

from monitor.migrate.draft import ImportResult
from monitor.migrate.relabel import Rule
from monitor.migrate.source import Item

_WORDS = {
    "separator": "separator", "target_label": "target", "targetLabel": "target", "regex": "regex",
    "replacement": "replacement", "action": "action",
}  # fmt: skip
_KEYS = (*_WORDS, "source_labels", "sourceLabels", "modulus")


def rules(listed: Item | None, job: str, imported: ImportResult) -> list[Rule]:
    """The rules of a job; one with an action that Prometheus does not have is noted. Raises `WrongShape`."""
    found = []
    for item in listed.items() if listed else []:
        said_if_unknown(item, job, imported, *_KEYS)
        rule = _rule(item)
        if rule.known:
            found.append(rule)
        else:
            imported.lost(item.place, f"job {job}: no such action of relabelling: {rule.action}")
    return found


def said_if_unknown(item: Item, job: str, imported: ImportResult, *keys: str) -> None:
    """Note every other key of a mapping."""
    for key, inner in item.entries().items():
        if key not in keys:
            imported.lost(inner.place, f"job {job}: {inner.path}: there is no such key known here")


def _rule(item: Item) -> Rule:
    given = item.entries()
    words = {ours: given[theirs].text() for theirs, ours in _WORDS.items() if theirs in given}
    if "action" in words:
        words["action"] = words["action"].lower()
    modulus = given["modulus"].integer() if "modulus" in given else 0
    source = given.get("source_labels") or given.get("sourceLabels")
    return Rule(source.texts() if source else [], modulus=modulus, **words)
