"""Walks the keys of a foreign mapping; reports keys without a handler, so that none is dropped silently."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from monitor.migrate.draft import Draft
from monitor.migrate.source import Item, WrongShape

Handler = Callable[[Draft, Item], None]


def skip(draft: Draft, item: Item) -> None:
    """Read elsewhere."""


def unknown(draft: Draft, item: Item) -> None:
    """Reports an unknown key, without its value, which may be a secret."""
    draft.lost(item.place, f"{item.path}: there is no such key known here")


def apply(draft: Draft, item: Item, handlers: Mapping[str, Handler], other: Handler = unknown) -> None:
    """Hand every key that is not empty to its handler; a value of the wrong type is said."""
    for key, inner in item.entries().items():
        if inner.empty:
            continue
        try:
            handlers.get(key, other)(draft, inner)
        except WrongShape as wrong:
            draft.lost(wrong.place, wrong.message)


def values(draft: Draft, item: Item, *keys: str) -> list[Item | None]:
    """The values of these keys of a mapping; any other key is said."""
    apply(draft, item, dict.fromkeys(keys, skip))
    return [item.get(key) for key in keys]


def lost(sentence: str) -> Handler:
    """Returns a handler that notes why a key has no counterpart."""
    return lambda draft, item: draft.lost(item.place, f"{item.path}: {sentence}")


def lost_if_on(sentence: str) -> Handler:
    """Returns a handler that notes why a switch has no counterpart, if it is on."""
    return lambda draft, item: lost(sentence)(draft, item) if item.boolean() else None


def paused(sentence: str) -> Handler:
    """Returns a handler that notes why a check cannot run without this key."""
    return lambda draft, item: draft.pause(item.place, f"{item.path}: {sentence}")


def differs(sentence: str) -> Handler:
    """Returns a handler that notes how a key is understood here."""
    return lambda draft, item: draft.differs(item.place, f"{item.path}: {sentence}")


def text(*path: str) -> Handler:
    """Writes the text to this path of the draft."""
    return _put(path, Item.text)


def upper(*path: str) -> Handler:
    """Writes the text in upper case to this path of the draft."""
    return _put(path, lambda item: item.text().upper())


def flag(*path: str) -> Handler:
    """Writes true or false to this path of the draft."""
    return _put(path, Item.boolean)


def opposite(*path: str) -> Handler:
    """Writes false for true."""
    return _put(path, lambda item: not item.boolean())


def file(directory: Path, *path: str) -> Handler:
    """Writes the path of a file, which the source has relative to a directory."""
    return _put(path, lambda item: str(Path(directory, item.text()).absolute()))


def _put(path: tuple[str, ...], value: Callable[[Item], Any]) -> Handler:
    def put(draft: Draft, item: Item) -> None:
        draft.table(*path[:-1])[path[-1]] = value(item)
        draft.places[path] = item.place

    return put
