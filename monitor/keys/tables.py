"""Tables whose keys every protocol shares."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from monitor.keys import types as keys
from monitor.keys.types import Table


class LatencyTable(Table):
    """The longest duration of a good run; a plain duration stands for `limit`."""

    limit: keys.Duration = Field(description="The longest that a good run takes.")
    down: bool = Field(default=False, description="Whether a slower success fails the check instead of degrading it.")


def under(key: str, value: object) -> object:
    """A plain value as the table that it stands for."""
    return value if isinstance(value, dict) else {key: value}


Latency = Annotated[
    LatencyTable,
    BeforeValidator(lambda value: under("limit", value), json_schema_input_type=keys.Duration | LatencyTable),
]


class ExpectTable(Table):
    """Conditions of a good answer that every protocol knows."""

    latency: Latency | None = Field(
        default=None,
        description='A success slower than this is degraded: "800ms", or { limit = "800ms", down = true }.',
    )
