"""A scrape as text, and the sums that are read from it: over all label sets, so whatever labels a metric has."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Scrape:
    """The text of a scrape, and when it was asked for in steady seconds."""

    at: float
    text: str

    def total(self, name: str, label: str = "") -> float:
        """The sum of a metric over all its series, or over those with this label (`state="up"`)."""
        return sum(value for labels, value in self._series(name) if label in labels)

    def per_check(self, name: str) -> dict[str, float]:
        """A metric's sum for each check."""
        return self._by("check", name)

    def buckets(self, name: str) -> dict[float, float]:
        """A cumulative histogram: how many were at most so much."""
        return {float(bound): count for bound, count in self._by("le", f"{name}_bucket").items()}

    def _by(self, label: str, name: str) -> dict[str, float]:
        of_label = re.compile(rf'\b{label}="([^"]*)"')
        sums: dict[str, float] = defaultdict(float)
        for labels, value in self._series(name):
            if found := of_label.search(labels):
                sums[found[1]] += value
        return sums

    def _series(self, name: str) -> Iterator[tuple[str, float]]:
        for found in re.finditer(rf"^{name}(?:{{(.*)}})? (\S+)", self.text, re.MULTILINE):
            yield found[1] or "", float(found[2])


def between(before: dict[float, float], after: dict[float, float]) -> dict[float, float]:
    """What a histogram counted from one scrape to another."""
    return {bound: count - before.get(bound, 0.0) for bound, count in after.items()}
