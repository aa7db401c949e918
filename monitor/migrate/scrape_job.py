"""A scrape job of Prometheus, wherever it was written, and the targets that its relabelling leaves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import re2

from monitor.migrate.draft import ImportResult
from monitor.migrate.relabel import Labels, Rule, relabelled
from monitor.migrate.values import seconds

INTERVAL, TIMEOUT = "1m", "10s"
"""Prometheus's own defaults."""


@dataclass(frozen=True, slots=True)
class Target:
    """One URL to probe: with which module, how often, and what Prometheus calls it."""

    place: str
    job: str
    address: str
    module: str
    hostname: str
    labels: Labels
    interval: float
    timeout: float


@dataclass(slots=True)
class Job:
    """A job; `labels` are those of every target, `groups` pair the place of each target with labels of its own."""

    name: str
    labels: Labels = field(default_factory=dict)
    groups: list[tuple[str, Labels]] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)

    def targets(self, imported: ImportResult) -> Iterator[Target]:
        """The targets, relabelled; what is dropped is noted."""
        for place, labels in self.groups:
            target = self._target(imported, place, labels)
            if target is not None:
                yield target

    def _target(self, imported: ImportResult, place: str, labels: Labels) -> Target | None:
        try:
            after = relabelled(self.labels | labels, self.rules)
        except re2.error:
            imported.lost(place, f"job {self.name}: a regex of its relabel_configs is not RE2")
            return None
        if after is None:
            imported.lost(place, f"job {self.name}: its relabel_configs drop this target")
            return None
        if "__param_target" not in after:
            imported.lost(place, f"job {self.name}: after its relabel_configs there is no __param_target")
            return None
        address, kept = after["__param_target"], {k: v for k, v in after.items() if not k.startswith("__")}
        if kept.get("instance", address) == address and "instance" not in labels:
            kept.pop("instance", None)  # the usual rule; probe_info has the address as its target
        return Target(
            place,
            kept.pop("job", self.name),
            address,
            after.get("__param_module", "http_2xx"),
            after.get("__param_hostname", ""),
            kept,
            self._duration(imported, place, after, "__scrape_interval__"),
            self._duration(imported, place, after, "__scrape_timeout__"),
        )

    def _duration(self, imported: ImportResult, place: str, labels: Labels, key: str) -> float:
        default = INTERVAL if "interval" in key else TIMEOUT
        found = seconds(labels.get(key, default))
        if not found:
            name = key.strip("_")
            imported.lost(place, f"job {self.name}: {name} is not a duration; Prometheus's {default} is taken")
        return found or seconds(default) or 0


def timing(interval: str, timeout: str | None) -> Labels:
    """The labels that say how often and how long; a timeout that is not given is never longer than the interval."""
    limit = timeout or TIMEOUT
    if timeout is None and (seconds(limit) or 0) > (seconds(interval) or 0):
        limit = interval
    return {"__scrape_interval__": interval, "__scrape_timeout__": limit}


def nickname(address: str) -> str:
    """A target's address without scheme, query, user name, and password, which may have `/`, `?` and `#` in it."""
    bare = re.sub(r"^[A-Za-z]+://", "", address)
    if re.match(r"[^/?#]*@|[^/?#@\[\]]*:(?!\d{1,5}(?:[/?#]|$)).*@", bare):
        bare = bare.rpartition("@")[2]
    return re.split(r"[?#]", bare)[0].strip("/")
