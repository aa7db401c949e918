"""The tables of [monitor] about what outsiders may see: the public page, and other sites' scripts at the API."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field, PlainValidator, WithJsonSchema

from monitor.keys import types as keys
from monitor.keys import values
from monitor.keys.bad_value import BadValueError
from monitor.keys.types import Table
from monitor.model.settings import PublicSpec

_PUBLIC = PublicSpec()
_ORIGIN = r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?|https?://\[[0-9A-Fa-f:]+\](?::[0-9]{1,5})?"


def _origin(value: object) -> str:
    text = values.plain(value)
    if not re.fullmatch(_ORIGIN, text):
        advice = '"https://status.example.com", without a path; every origin that may ask is named'
        raise BadValueError("is not the origin of a site", advice)
    return text.lower()


class ApiTable(Table):
    """The API below /api/v1."""

    cors_origins: list[
        Annotated[str, PlainValidator(_origin), WithJsonSchema({"type": "string", "pattern": f"^(?:{_ORIGIN})$"})]
    ] = Field(default=[], description='Sites whose scripts may read the API: "https://dashboard.example.com".')


class PublicTable(Table):
    """The public page, which needs no login."""

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
    """Returns the settings of the public page."""
    groups = tuple(map(values.plain, table.groups))
    return PublicSpec(table.enabled, groups, table.title, table.history, table.descriptions)
