"""The table [monitor.public]: what everybody may see, and its spec."""

from __future__ import annotations

from pydantic import Field

from monitor.config import keys, values
from monitor.config.keys import Table
from monitor.spec import PublicSpec

_PUBLIC = PublicSpec()


class PublicTable(Table):
    """What everybody may see, without a login."""

    enabled: bool = Field(default=_PUBLIC.enabled, description="Whether there is a page for everybody, at /public.")
    groups: keys.Selection = Field(
        default=[], min_length=1, description='The groups that it shows; * stands for anything: ["shop", "mail-*"].'
    )
    title: keys.Shown = Field(default=_PUBLIC.title, description="Its title.")
    history: bool = Field(default=_PUBLIC.history, description="Whether it shows the last 90 days and the incidents.")
    descriptions: bool = Field(
        default=_PUBLIC.descriptions, description="Whether it shows the descriptions of the checks."
    )


def public_spec(table: PublicTable) -> PublicSpec:
    """What everybody may see."""
    groups = tuple(map(values.plain, table.groups))
    return PublicSpec(table.enabled, groups, table.title, table.history, table.descriptions)
