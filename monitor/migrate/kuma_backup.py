"""Uptime Kuma's monitors in JSON: the backup that version 1 exports, or a list of monitors as its API returns it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from monitor.migrate.kuma_rows import Kuma, named, number
from monitor.migrate.source import read
from monitor.model.errors import ForeignFileError

_MONITORS = ("monitorList", "monitors")


def backup(path: Path) -> Kuma:
    """Everything in the file; raises `ForeignFileError`."""
    text = read(path)
    document = _document(path, text)
    key = next((key for key in _MONITORS if key in document), "") if isinstance(document, dict) else None
    monitors = document if key is None else document.get(key)
    if not isinstance(monitors, (list, dict)) or (key is None and not any(map(_is_monitor, monitors))):
        raise ForeignFileError(f"{path}:1: has no `monitorList`, so this is no backup of Uptime Kuma")
    kuma = Kuma()
    for line, row in _placed(text, key, monitors):
        _add(kuma, f"{path}:{line}", row)
    if key is not None:
        for line, row in _placed(text, "proxyList", document.get("proxyList")):
            proxy = row if isinstance(row, dict) else {}
            kuma.proxies[number(proxy.get("id"))] = named(proxy) | {"place": f"{path}:{line}"}
        for line, row in _placed(text, "notificationList", document.get("notificationList")):
            name = row.get("name") if isinstance(row, dict) else None
            kuma.others.append((f"{path}:{line}", "notification", str(name or "")))
    return kuma


def _document(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = f"{path}:{error.lineno}:{error.colno}"
        why = f"{error.msg[0].lower()}{error.msg[1:]}"
        raise ForeignFileError(f"{where}: is neither an SQLite database nor JSON: {why}") from None
    except (RecursionError, ValueError):
        raise ForeignFileError(f"{path}: is neither an SQLite database nor JSON that can be read") from None


def _is_monitor(row: Any) -> bool:
    return isinstance(row, dict) and "type" in row


def _add(kuma: Kuma, place: str, row: Any) -> None:
    if not isinstance(row, dict):
        kuma.others.append((place, "monitorList", "an entry that is no object"))
        return
    kuma.monitors.append(named(row) | {"place": place})
    owner = number(row.get("id"))
    kuma.tags[owner] = [tag for tag in _list(row.get("tags")) if isinstance(tag, dict)]
    kuma.notified[owner] = len(_list(row.get("notificationIDList")))


def _placed(text: str, key: str | None, elements: Any) -> Iterable[tuple[int, Any]]:
    """The elements of a list, or the values of an object, each with its line."""
    rows = list(elements.values()) if isinstance(elements, dict) else _list(elements)
    lines = _lines(text, key)
    return zip(lines if len(lines) == len(rows) else [1] * len(rows), rows, strict=True)


def _list(value: Any) -> list[Any]:
    """A list, or the keys of an object; nothing of anything else."""
    return list(value) if isinstance(value, (list, dict)) else []


def _lines(text: str, wanted: str | None) -> list[int]:
    """The lines at which the elements at a key of the document begin; of the document itself if the key is None."""
    decoder, space = json.JSONDecoder(), re.compile(r"[ \t\n\r,:]*")

    def after(position: int) -> int:
        match = space.match(text, position)
        return match.end() if match else position

    def elements(position: int) -> list[int]:
        line, counted, found, keyed = 1, 0, [], text[position] == "{"
        position = after(position + 1)
        while text[position] not in "]}":
            line, counted = line + text.count("\n", counted, position), position
            found.append(line)
            if keyed:
                position = after(decoder.raw_decode(text, position)[1])
            position = after(decoder.raw_decode(text, position)[1])
        return found

    position = after(0)
    if wanted is None:
        return elements(position)
    position = after(position + 1)
    while position < len(text) and text[position] == '"':
        key, position = decoder.raw_decode(text, position)
        position = after(position)
        if key == wanted and text[position] in "[{":
            return elements(position)
        position = after(decoder.raw_decode(text, position)[1])
    return []
