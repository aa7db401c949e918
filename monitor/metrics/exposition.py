"""The registry that answers a scrape: the checks written in slices on the loop, the rest by prometheus-client."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.exposition import choose_encoder

from monitor.metrics.accept import gzip_accepted, openmetrics_preferred
from monitor.metrics.checks import CheckCollector, head

_OPENMETRICS = "application/openmetrics-text; version=1.0.0"
_LEVEL = 1
"""Exposition text is so repetitive that gzip's fastest level already divides it by 15."""


class Format(NamedTuple):
    """The format of an answer."""

    openmetrics: bool
    gzip: bool


class Scrape(NamedTuple):
    """The answer to a scrape, in pieces."""

    parts: Sequence[bytes | bytearray]
    content_type: str
    content_encoding: str | None

    @property
    def body(self) -> bytes:
        """The answer as a whole."""
        return b"".join(self.parts)


class Registry(CollectorRegistry):
    """A separate registry for one service: the checks of a ledger, and all other registered collectors."""

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
        written = await self._checks.written()
        parts: list[bytes | bytearray] = []
        for family, lines in written.families():
            parts.append(head(family.name, family.help, family.kind, openmetrics=wanted.openmetrics).encode())
            parts.append(lines)
        parts += [_by_library(metric, wanted.openmetrics) for metric in (written.counted(), *super().collect())]
        if wanted.gzip:  # zlib lets other threads run
            return await asyncio.to_thread(answer, parts, wanted)
        return answer(parts, wanted)


def answer(parts: Iterable[bytes | bytearray], wanted: Format) -> Scrape:
    """The parts of an exposition as an answer."""
    _, content_type = choose_encoder(_OPENMETRICS if wanted.openmetrics else "")
    whole = (*parts, b"# EOF\n") if wanted.openmetrics else tuple(parts)
    if not wanted.gzip:
        return Scrape(whole, content_type, None)
    packer = zlib.compressobj(_LEVEL, wbits=31)
    return Scrape((b"".join([*map(packer.compress, whole), packer.flush()]),), content_type, "gzip")


class _Only:
    """Wraps one family as a registry, without the `_created` series, which no query uses."""

    def __init__(self, family: Metric) -> None:
        self._family = family

    def collect(self) -> Iterator[Metric]:
        family = self._family
        created = f"{family.name}_created"
        family.samples = [s for s in family.samples if s.name != created]
        yield family


def _by_library(family: Metric, openmetrics: bool) -> bytes:
    """A family as prometheus-client writes it."""
    encode, _ = choose_encoder(_OPENMETRICS if openmetrics else "")
    return encode(_Only(family)).removesuffix(b"# EOF\n")
