"""Writes drafts as TOML, with a comment for every note; any text may stand in any field."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from monitor.migrate.draft import Draft, FileContent, ImportResult, Kind, Note, Variable, Window

_ORDER = (
    "name", "title", "group", "description", "url", "labels", "runbook", "enabled", "interval", "retry_interval",
    "timeout", "down_after", "up_after", "degraded_after", "method", "headers", "body", "json", "form", "auth", "proxy",
    "ip_version", "resolver", "connect_to", "source_address", "follow_redirects", "max_redirects", "allow_downgrade",
    "max_body", "tls", "expect",
)  # fmt: skip
"""The order in which docs/configuration.md explains the keys."""

_SPREAD = {("labels",), ("headers",), ("tls",), ("expect",), ("expect", "headers"), ("expect", "json")}
"""Tables whose keys have a line each; others stand in braces."""

_TITLES = {
    Kind.LOST: "Not carried over:",
    Kind.SECRET: "To be set in the environment:",
    Kind.DIFFERS: "How it was carried over:",
}


def written(imported: ImportResult) -> str:
    """The whole file."""
    lines = [*_head(imported), ""]
    for draft in imported.drafts:
        lines += [*_check(draft), ""]
    for window in imported.maintenance:
        lines += [*_window(window), ""]
    lines += _tail(imported)
    return "\n".join(lines).rstrip("\n") + "\n"


def _head(imported: ImportResult) -> Iterator[str]:
    yield _comment(f"Imported from {imported.product}: {', '.join(imported.sources)}")
    for sentence in imported.differences:
        yield _comment(f"- {sentence}")
    variables = sorted({v.name for draft in imported.drafts for v in variables_of(draft.keys)})
    if variables:
        yield _comment("Before it is valid, these environment variables have to be set; below stands what each is:")
        yield from (_comment(f"  {name}") for name in variables)
    yield ""
    yield "[monitor]"


def _check(draft: Draft) -> Iterator[str]:
    yield _comment(f"From {draft.place}")
    for kind, title in _TITLES.items():
        yield from _notes(title, [note for note in draft.notes if note.kind is kind], draft.place)
    yield "[[checks]]"
    for key in sorted(draft.keys, key=_ORDER.index):
        yield from _key((key,), draft.keys[key])


def _window(window: Window) -> Iterator[str]:
    yield _comment(f"From {window.place}")
    yield "[[maintenance]]"
    for key, value in window.keys.items():
        yield f"{_bare(key)} = {_value(value)}"


def _tail(imported: ImportResult) -> Iterator[str]:
    yield from _notes("Not carried over at all:", [note for note in imported.notes if note.kind is Kind.LOST])
    yield from _notes("Left alone:", [note for note in imported.notes if note.kind is not Kind.LOST])


def _notes(title: str, notes: list[Note], above: str = "") -> Iterator[str]:
    """A line each; a place that stands above already is not said again."""
    if notes:
        yield _comment(title)
        for note in notes:
            yield _comment(f"  {note.text}" if note.place == above else f"  {note.place}: {note.text}")


def _key(path: tuple[str, ...], value: Any) -> Iterator[str]:
    if path in _SPREAD and isinstance(value, dict):
        for key, inner in value.items():
            yield from _key((*path, key), inner)
    else:
        yield f"{'.'.join(map(_bare, path))} = {_value(value)}"


def variables_of(value: Any) -> Iterator[Variable]:
    """Every variable in a tree."""
    if isinstance(value, Variable):
        yield value
    elif isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from variables_of(inner)


def _value(value: Any) -> str:
    if isinstance(value, Variable):
        return f"{{ env = {_string(value.name)} }}"
    if isinstance(value, FileContent):
        return f"{{ file = {_string(value.path)} }}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, dict):
        inside = ", ".join(f"{_bare(key)} = {_value(inner)}" for key, inner in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return _string(value)


def _bare(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _string(key)


def _string(text: str) -> str:
    """A basic string: JSON's escapes are TOML's too, but for DEL, which JSON leaves as it is."""
    return json.dumps(_encodable(text), ensure_ascii=False).replace("\x7f", "\\u007f")


def _comment(text: str) -> str:
    """Returns a comment of one line for any text."""
    plain = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in _encodable(text))
    return f"# {plain}".rstrip()


def _encodable(text: str) -> str:
    """UTF-8 has no place for half a surrogate pair."""
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


def report(notes: Iterable[Note]) -> list[str]:
    """The notes for a terminal, a line each."""
    return [_comment(f"{note.place}: {note.text}").removeprefix("# ") for note in notes]
