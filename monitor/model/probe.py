"""Defines a request for `/probe`, and its answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from monitor.model.result import Result
from monitor.model.spec import CheckSpec


@dataclass(frozen=True, slots=True)
class ProbeRequest:
    """A request for `/probe`: target, module and hostname as they came.

    `scrape_timeout` is the seconds until Prometheus gives up, `since` when the request came (steady seconds).
    """

    target: str
    module: str | None
    hostname: str | None
    scrape_timeout: float | None
    since: float


class ProbeAnswer(NamedTuple):
    """The check that was run for a request, and its result."""

    spec: CheckSpec
    result: Result
