"""Gatus's alerts: after how many failures each fires, with the provider's default-alert merged in as Gatus does it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from monitor.migrate.draft import Draft, ImportResult
from monitor.migrate.source import Item, WrongShape

_FAILURES, _SUCCESSES = 3, 2
"""Gatus's own defaults, in the place of 0 and of negative numbers."""


@dataclass(frozen=True, slots=True)
class Alert:
    """Thresholds as written; None where nothing is written, or 0, which Gatus takes for the same."""

    kind: str
    enabled: bool | None
    failures: int | None
    successes: int | None

    def over(self, default: Alert | None) -> Alert:
        """The alert, with what it does not say itself taken from a default."""
        if default is None:
            return self
        return Alert(
            self.kind,
            default.enabled if self.enabled is None else self.enabled,
            self.failures or default.failures,
            self.successes or default.successes,
        )

    @property
    def thresholds(self) -> tuple[int, int]:
        """Failures until it fires, successes until it is over."""
        failures, successes = self.failures or 0, self.successes or 0
        return failures if failures > 0 else _FAILURES, successes if successes > 0 else _SUCCESSES


@dataclass(frozen=True, slots=True)
class Alerting:
    """The alert providers that are configured, each with its default alert if it has one."""

    providers: dict[str, Alert | None] = field(default_factory=dict)

    def thresholds(self, draft: Draft, item: Item) -> None:
        """Write when the check is down and up again, and list the alerts."""
        written = [alert for each in item.items() if (alert := _listed(draft, each))]
        merged = [alert.over(self.providers.get(alert.kind)) for alert in written]
        on = [alert for alert in merged if alert.enabled is not False]
        if not on:
            return
        first = min(on, key=lambda alert: alert.thresholds)
        draft.keys["down_after"], draft.keys["up_after"] = first.thresholds
        if len({alert.thresholds for alert in on}) > 1:
            what = f"of {len(on)} alerts with different thresholds, those of {first.kind}, which fires first"
            draft.differs(item.place, f"alerts: {what}")
        if self.providers and first.kind not in self.providers:
            draft.differs(item.place, f"alerts: alerting.{first.kind} is not configured, so Gatus sends no message")
        if written != merged:
            draft.differs(item.place, "alerts: thresholds are merged with those of alerting.*.default-alert")


def alerting(documents: Iterable[Item], imported: ImportResult) -> Alerting:
    """The providers of all documents; of two defaults of one provider the first is taken."""
    found: dict[str, Alert | None] = {}
    for document in documents:
        try:
            section = document.get("alerting")
            for kind, provider in section.entries().items() if section else ():
                if not provider.empty:
                    found[kind] = found.get(kind) or _default(kind, provider, imported)
        except WrongShape as wrong:
            imported.lost(wrong.place, wrong.message)
    return Alerting(found)


def _default(kind: str, provider: Item, imported: ImportResult) -> Alert | None:
    try:
        item = provider.get("default-alert")
        alert, wrong = _alert(item, kind) if item else (None, [])
    except WrongShape as error:
        alert, wrong = None, [error]
    for each in wrong:
        imported.lost(each.place, each.message)
    return alert


def _listed(draft: Draft, item: Item) -> Alert | None:
    try:
        kind = item.get("type")
        shown = kind.text() if kind else "?"
        alert, wrong = _alert(item, shown)
    except WrongShape as error:
        draft.lost(error.place, error.message)
        return None
    draft.lost(item.place, f"alert {shown}: this monitor sends no messages itself; alert from Prometheus")
    for each in wrong:
        draft.lost(each.place, each.message)
    return alert


def _alert(item: Item, kind: str) -> tuple[Alert, list[WrongShape]]:
    """The alert, and the values in it that cannot be read; raises `WrongShape` if it is none at all."""
    wrong: list[WrongShape] = []

    def threshold(key: str) -> int | None:
        given = item.get(key)
        try:
            return (given.integer() or None) if given else None
        except WrongShape as error:
            wrong.append(error)
            return None

    failures, successes = threshold("failure-threshold"), threshold("success-threshold")
    enabled = item.get("enabled")
    try:
        on = enabled.boolean() if enabled else None
    except WrongShape as error:
        wrong.append(error)
        on = None
    return Alert(kind, on, failures, successes), wrong
