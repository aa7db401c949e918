"""Kubernetes objects around a configuration: ConfigMaps and Secrets are opened, lists are taken apart."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

from monitor.migrate.draft import ImportResult
from monitor.migrate.source import Item, UnreadableText, WrongShape, load, parse

_DEPTH = 5
"""Levels of lists in lists; kubectl writes one."""


@dataclass(slots=True)
class Documents:
    """Every document of one file.

    `plain` are those outside of Kubernetes objects, `data` the values of ConfigMaps and Secrets by their key,
    `objects` all other objects; `broken` has a note on each value that is no YAML.
    """

    plain: list[Item] = field(default_factory=list)
    data: list[tuple[str, Item]] = field(default_factory=list)
    objects: list[Item] = field(default_factory=list)
    broken: list[tuple[str, str]] = field(default_factory=list)

    def of(self, kind: str) -> list[Item]:
        """The objects of this kind."""
        return [item for item in self.objects if word(item, "kind") == kind]

    def configurations(self, may_be: Callable[[Item], bool], product: str, imported: ImportResult) -> list[Item]:
        """The documents that may be a configuration. Of those in one file with a ConfigMap, only what looks like it."""
        found = [item for item in self.plain if not self.data or may_be(item)]
        for key, item in self.data:
            if may_be(item):
                found.append(item)
            else:
                imported.left_alone(item.place, f"data.{key}: is no configuration of {product}")
        for place, sentence in self.broken:
            imported.lost(place, sentence)
        return found

    @property
    def complaint(self) -> str | None:
        """Describes the first broken value; None if there is none."""
        return ": ".join(self.broken[0]) if self.broken else None


def documents(path: Path) -> Documents:
    """The documents of a file; raises `ForeignFileError`."""
    return sorted_out(load(path))


def sorted_out(items: list[Item]) -> Documents:
    """The documents, opened."""
    found = Documents()
    for item in items:
        _sort(item, found, _DEPTH)
    return found


def word(item: Item, *path: str) -> str:
    """A single value below these keys; empty if there is none."""
    try:
        inner = item.get(*path)
        return inner.text() if inner else ""
    except WrongShape:
        return ""


def _sort(item: Item, found: Documents, depth: int) -> None:
    kind = word(item, "kind") if item.is_mapping and word(item, "apiVersion") else ""
    try:
        if not kind:
            found.plain.append(item)
        elif kind in ("ConfigMap", "Secret"):
            _open(item, found, encoded=kind == "Secret")
        elif kind.endswith("List") and depth:
            inner = item.get("items")
            for each in inner.items() if inner else []:
                _sort(each.anew(), found, depth - 1)
        else:
            found.objects.append(item)
    except WrongShape as wrong:
        found.broken.append((wrong.place, wrong.message))


def _open(item: Item, found: Documents, *, encoded: bool) -> None:
    for table, coded in (("data", encoded), ("stringData", False)):
        inner = item.get(table)
        for key, value in inner.entries().items() if inner else ():
            try:
                found.data += [(key, each) for each in _parsed(value, coded)]
            except WrongShape as wrong:
                found.broken.append((wrong.place, wrong.message))
            except UnreadableText as error:
                found.broken.append((error.place, f"{value.path}: {error.sentence}"))


def _parsed(value: Item, coded: bool) -> list[Item]:
    text = value.text()
    if not text.strip():
        return []
    if not coded:
        return parse(text, value.file, value.content_line - 1)
    try:
        content = base64.b64decode("".join(text.split()), validate=True).decode()
    except (binascii.Error, ValueError):
        raise WrongShape(value, "is not text in base64") from None
    return parse(content, f"{value.place} {value.path}")


def has_any(item: Item, keys: Collection[str]) -> bool:
    """True if the item is a mapping with any of the keys, or cannot be read: its reader reports that."""
    try:
        return item.is_mapping and any(key in keys for key in item.entries())
    except WrongShape:
        return True
