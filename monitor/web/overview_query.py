"""Parses the address of the overview: which checks to show, and in which order."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from monitor.web.paths import link
from monitor.web.selection import Query, Selection

_ALL = Selection()
SORTS = ("name", "since", "availability", "latency")


@dataclass(frozen=True, slots=True)
class OverviewQuery:
    """Selection and sort order of the overview; the order of the configuration by default."""

    selection: Selection = _ALL
    sort: str = ""

    @classmethod
    def of(cls, query: Query) -> OverviewQuery:
        """Reads the query of the page; ignores unknown sort orders."""
        sort = (query.getall("sort", []) or [""])[0]
        return cls(Selection.of(query), sort if sort in SORTS else "")

    def without(self, name: str, value: str) -> str:
        """The address of the page with one of its conditions less."""
        return _address([pair for pair in self.pairs() if pair != (name, value)])

    def with_state(self, state: str) -> str:
        """The address of the page with only the checks in one state."""
        return _address([*(pair for pair in self.pairs() if pair[0] != "state"), ("state", state)])

    def pairs(self) -> list[tuple[str, str]]:
        """The query of the page."""
        chosen = self.selection
        return [
            *(("state", state) for state in chosen.states),
            *(("group", group) for group in chosen.groups),
            *(("label", f"{key}={value}") for key, value in chosen.labels),
            *((("q", " ".join(chosen.words)),) if chosen.words else ()),
            *((("sort", self.sort),) if self.sort else ()),
        ]


def _address(pairs: list[tuple[str, str]]) -> str:
    return link("/status") + (f"?{urlencode(pairs)}" if pairs else "")
