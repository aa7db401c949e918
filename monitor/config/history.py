"""The table of [monitor] about the past: where it is kept, and how long."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field, PlainValidator, WithJsonSchema

from monitor.keys import types as keys
from monitor.keys import values
from monitor.keys.bad_value import BadValueError
from monitor.keys.finding import Finding
from monitor.keys.types import Table
from monitor.model.retention import HistorySpec, libpq_problem
from monitor.secrets.secret import Secret, reveal

_DEFAULT = HistorySpec()
_FORMS = ("sqlite:///", "postgresql://")
_ADVICE = '"sqlite:///monitor.db" or "postgresql://USER:PASSWORD@HOST/DATABASE"'


def _location(value: object) -> Secret:
    """A secret, whether it was written as one or not: a password may be in it."""
    url = reveal(values.filled(value))
    if not url.startswith(_FORMS):
        raise BadValueError("is not the URL of a database that the history can be kept in", _ADVICE)
    if url.startswith("sqlite:///") and not re.fullmatch(r"sqlite:////?[^?#]+", url):
        raise BadValueError(
            "names no file", '"sqlite:////var/lib/monitor/monitor.db" has four slashes, a relative path three'
        )
    if url.startswith("postgresql://") and not re.fullmatch(r"postgresql://[^\s]+", url):
        raise BadValueError("is not the URL of a PostgreSQL database", _ADVICE)
    if url.startswith("postgresql://") and (problem := libpq_problem(url)) is not None:
        raise BadValueError(f"is not a URL that libpq takes: {problem}", _ADVICE)
    return Secret(url)


class HistoryTable(Table):
    """Location and extent of the history."""

    enabled: bool = Field(default=_DEFAULT.enabled, description="Whether a history is kept at all.")
    url: (
        Annotated[
            Secret,
            PlainValidator(_location),
            WithJsonSchema({"type": "string", "pattern": "^(?:sqlite:////?[^?#]+|postgresql://\\S+)$"}),
        ]
        | None
    ) = Field(
        default=None, description=f"The database: {_ADVICE}; monitor.db in the state directory, or here, unless given."
    )
    minutes: keys.Duration = Field(default=_DEFAULT.minutes, description="How long figures are kept by the minute.")
    hours: keys.Duration = Field(default=_DEFAULT.hours, description="How long figures are kept by the hour.")
    days: keys.Duration = Field(default=_DEFAULT.days, description="How long figures are kept by the day.")
    incidents: keys.Duration = Field(default=_DEFAULT.incidents, description="How long incidents are kept.")
    results: int = Field(default=_DEFAULT.results, ge=1, description="How many last results of a check are kept.")
    failures: int = Field(default=_DEFAULT.failures, ge=1, description="How many last failures of a check are kept.")


def history_findings(table: HistoryTable) -> list[Finding]:
    """Returns errors that depend on several keys of the table."""
    found = []
    for shorter, longer in (("minutes", "hours"), ("hours", "days")):
        if getattr(table, shorter) > getattr(table, longer):
            message = f"kept longer than {longer}, which are coarser"
            found.append(Finding(("history", shorter), message, f"make history.{longer} as long at least"))
    return found


def history_spec(table: HistoryTable) -> HistorySpec:
    """The settings of the history."""
    return HistorySpec(
        table.enabled,
        table.url.reveal() if table.url else "",
        table.minutes,
        table.hours,
        table.days,
        table.incidents,
        table.results,
        table.failures,
    )
