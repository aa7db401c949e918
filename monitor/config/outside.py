"""The tables of [monitor] about what outsiders may see: the public page, and other sites' scripts at the API."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import Field, PlainValidator, WithJsonSchema

from monitor.config import keys, values
from monitor.config.bad_value import BadValueError
from monitor.config.finding import Finding
from monitor.config.keys import Table
from monitor.maintenance import fits
from monitor.secret import reveal
from monitor.spec import CheckSpec, PublicSpec

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
    """The page for everybody, without addresses and reasons."""

    enabled: bool = Field(default=False, description="Whether /public is there; it needs no login.")
    groups: keys.Selection = Field(default=[], description="Groups that it shows; * stands for anything.")
    title: keys.Shown = Field(default="", description="Its title.")


def public_findings(public: PublicSpec, checks: Sequence[CheckSpec]) -> Iterator[Finding]:
    """A public page that shows nothing, or a pattern that means no group."""
    if public.enabled and not public.groups:
        yield Finding(("public", "groups"), "the public page shows no group", 'name the groups, or ["*"] for all')
    for place, pattern in enumerate(public.groups):
        if checks and not any(fits((pattern,), check.group) for check in checks):
            yield Finding(("public", "groups", place), "no check is in such a group")


def public_spec(table: PublicTable) -> PublicSpec:
    """What outsiders see."""
    return PublicSpec(table.enabled, tuple(map(reveal, table.groups)), table.title)
