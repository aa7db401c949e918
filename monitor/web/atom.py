"""Writes a feed of incidents and announcements as Atom (RFC 4287)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from monitor.model.clock import rfc3339
from monitor.secrets.visible import legible
from monitor.web.pages import template
from monitor.web.xml import xml_text

ATOM = "application/atom+xml"
_NAMESPACE = uuid.UUID("6e1c1f0e-4a5f-5d0b-9d5f-0a8a6c0f7f3e")
"""Ours; ids are the same after a restart, because they are made of what they name."""
_TEMPLATE = template("feed.xml")


@dataclass(frozen=True, slots=True)
class Entry:
    """One incident or announcement; times are Unix seconds, `href` leads to the page that shows it."""

    id: str
    title: str
    text: str
    published: float
    updated: float
    href: str
    author: str | None = None


@dataclass(frozen=True, slots=True)
class AtomFeed:
    """A feed at `href`, of the page at `page`; `began` is its time while it has no entries."""

    id: str
    title: str
    href: str
    page: str
    entries: Sequence[Entry]
    began: float

    @property
    def updated(self) -> float:
        """The time of the latest change of an entry."""
        return max((entry.updated for entry in self.entries), default=self.began)


def urn(*names: str) -> str:
    """The id of what has these names: always the same, and of nothing else."""
    return uuid.uuid5(_NAMESPACE, "\0".join(name.encode("utf-8", "replace").decode() for name in names)).urn


def atom(feed: AtomFeed) -> str:
    """The feed as XML. Its addresses are relative to its own: only the reader knows how the monitor is reached."""
    return _TEMPLATE.render(feed=feed, iso=rfc3339, text=lambda text: xml_text(legible(text)))
