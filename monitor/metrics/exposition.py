"""The registry that answers a scrape: it takes its snapshot on the loop, and writes and compresses it in a thread."""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.exposition import choose_encoder

from monitor.metrics.accept import gzip_accepted, openmetrics_preferred
from monitor.metrics.checks import CheckCollector, ProbeMetric

_OPENMETRICS = "application/openmetrics-text; version=1.0.0"
_LINES_AT_ONCE = 200
"""Lines written between two pauses, about a quarter of a millisecond."""
_PAUSE = 0.00005
"""Seconds. A thread that computes keeps Python's lock for 5 ms (`sys.getswitchinterval`), in which no check runs."""
_LEVEL = 1
"""Exposition text is so repetitive that gzip's fastest level already divides it by 15."""


class Format(NamedTuple):
    """How an answer is written."""

    openmetrics: bool
    gzip: bool


class Scrape(NamedTuple):
    """The answer to a scrape."""

    body: bytes
    content_type: str
    content_encoding: str | None


class Registry(CollectorRegistry):
    """A registry of its own for one service: the checks of a ledger, and whatever else is registered."""

    def __init__(self, checks: CheckCollector) -> None:
        super().__init__()
        self._checks = checks
        self._under_way: dict[Format, asyncio.Task[Scrape]] = {}

    def collect(self) -> Iterator[Metric]:
        """Every family, as any registry yields them."""
        yield from self._checks.collect()
        yield from super().collect()

    async def scrape(self, accept: str, accept_encoding: str) -> Scrape:
        """The answer to a scrape with these two request headers; scrapes that overlap share one."""
        wanted = Format(openmetrics_preferred(accept), gzip_accepted(accept_encoding))
        task = self._under_way.get(wanted)
        if task is None:
            task = asyncio.create_task(self._written(wanted))
            self._under_way[wanted] = task
            task.add_done_callback(lambda _: self._under_way.pop(wanted))
        return await asyncio.shield(task)

    async def _written(self, wanted: Format) -> Scrape:
        snapshot = await self._checks.gentle_snapshot()
        families = chain(snapshot.collect(), super().collect())
        return await asyncio.to_thread(write, families, wanted)


def write(families: Iterable[Metric], wanted: Format) -> Scrape:
    """Write families as text; slow by nature, so it pauses often and belongs in a thread of its own."""
    _, content_type = choose_encoder(_OPENMETRICS if wanted.openmetrics else "")
    parts = _parts(families, wanted.openmetrics)
    if not wanted.gzip:
        return Scrape(b"".join(parts), content_type, None)
    packer = zlib.compressobj(_LEVEL, wbits=31)
    packed = [packer.compress(part) for part in parts]
    return Scrape(b"".join((*packed, packer.flush())), content_type, "gzip")


def _parts(families: Iterable[Metric], openmetrics: bool) -> Iterator[bytes]:
    for family in families:
        if not isinstance(family, ProbeMetric):
            yield _by_library(family, openmetrics)
            continue
        yield _head(family, openmetrics)
        lines = family.lines()
        while part := "".join(islice(lines, _LINES_AT_ONCE)):
            yield part.encode()
            time.sleep(_PAUSE)
    if openmetrics:
        yield b"# EOF\n"


def _head(family: Metric, openmetrics: bool) -> bytes:
    counter = family.type == "counter" and not openmetrics
    name = f"{family.name}_total" if counter else family.name
    return f"# HELP {name} {family.documentation}\n# TYPE {name} {family.type}\n".encode()


class _Only:
    """One family in the shape of a registry, without the `_created` series that nobody queries."""

    def __init__(self, family: Metric) -> None:
        self._family = family

    def collect(self) -> Iterator[Metric]:
        family = self._family
        created = f"{family.name}_created"
        family.samples = [s for s in family.samples if s.name != created]
        yield family


def _by_library(family: Metric, openmetrics: bool) -> bytes:
    encode, _ = choose_encoder(_OPENMETRICS if openmetrics else "")
    return encode(_Only(family)).removesuffix(b"# EOF\n")
