"""Gatus's maintenance windows as [[maintenance]]."""

from __future__ import annotations

from monitor.migrate.draft import Draft, ImportResult, Tree, Window
from monitor.migrate.source import Item, WrongShape
from monitor.migrate.values import duration, seconds

_KEYS = ("enabled", "start", "duration", "timezone", "every")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def maintenance(imported: ImportResult, item: Item, draft: Draft | None = None) -> None:
    """Add the window that this mapping describes: of one check, or of all."""
    try:
        keys = _window(imported, item)
    except WrongShape as wrong:
        imported.lost(wrong.place, wrong.message)
        return
    if keys:
        if draft:
            keys["checks"] = [draft.name]
        imported.maintenance.append(Window(item.place, keys, draft))


def _window(imported: ImportResult, item: Item) -> Tree | None:
    given = item.entries()
    for key, inner in given.items():
        if key not in _KEYS:
            imported.lost(inner.place, f"{inner.path}: there is no such key known here")
    enabled, start, length, zone, every = map(item.get, _KEYS)
    if enabled and not enabled.boolean():
        imported.left_alone(item.place, f"{item.path}: is switched off")
        return None
    if start is None or length is None:
        raise WrongShape(item, "needs a start and a duration")
    lasts = seconds(length.text())
    if not lasts:
        raise WrongShape(length, "is not a duration")
    days = [day.lower()[:3] for day in every.texts()] if every else []
    keys: Tree = {"name": "maintenance", "weekly": days or list(_DAYS), "at": start.text(), "duration": duration(lasts)}
    if zone:
        keys["timezone"] = zone.text()
    return keys
