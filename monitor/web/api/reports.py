"""/api/v1/report: the figures of a period, for programs, spreadsheets and wikis."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping

from aiohttp import web
from msgspec import structs

from monitor.history.archive import IncidentQuery
from monitor.rules.state import seconds
from monitor.stats.availability import Report, Row, percent, report
from monitor.web.api import schemas
from monitor.web.api.answers import answered, json_answer, text_answer
from monitor.web.api.documents import report_document, row_document
from monitor.web.api.parameters import Parameters
from monitor.web.backend import Backend
from monitor.web.negotiation import JSON, accepted
from monitor.web.selection import Selection
from monitor.web.wording import span

CSV, MARKDOWN = "text/csv", "text/markdown"
_FORMATS = {"json": JSON, "csv": CSV, "markdown": MARKDOWN}
_WEEK = 7 * 86400.0
MOST_INCIDENTS = 100_000
"""Incidents of one report; more would delay all other requests."""


class ReportHandlers:
    """Handler of the report."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    @answered
    async def report(self, request: web.Request) -> web.StreamResponse:
        """The report of a period, the last week unless said otherwise."""
        asked = Parameters(request, ("from", "to", "group", "label", "format"))
        start, end = asked.period(_WEEK, self._backend.now().wall)
        form = asked.choice("format", *_FORMATS)
        selection = Selection.of(request.query)
        titles = {c.name: c.spec.title for c in (await self._backend.overview()).checks if c in selection}
        made = await made_of(self._backend, titles, start, end)
        wanted = _FORMATS[form] if form else accepted(request.headers.get("Accept"), JSON, CSV, MARKDOWN)
        if wanted == CSV:
            return await text_answer(request, as_csv(made).encode(), CSV)
        if wanted == MARKDOWN:
            return await text_answer(request, as_markdown(made).encode(), MARKDOWN)
        return await json_answer(request, report_document(made))


async def made_of(backend: Backend, titles: Mapping[str, str], start: float, end: float) -> Report:
    """The report of these checks, names with their titles; raises HistoryError."""
    archive, end = backend.archive, min(end, max(backend.now().wall, start + 1))
    totals = await archive.totals(list(titles), start, end)
    incidents = await archive.incidents(IncidentQuery(list(titles), start, end, limit=MOST_INCIDENTS))
    return report(titles, totals, incidents, start, end)


_FORMULA = ("=", "+", "-", "@")
_MARKDOWN = re.compile(r"[\\`*_{}\[\]<>|~#]")


def as_csv(made: Report) -> str:
    """With a head; a title that a spreadsheet would take for a formula begins with an apostrophe, as it shows texts."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(schemas.Row.__struct_fields__)
    for row in (*made.rows, made.total):
        title = f"'{row.title}" if row.title.startswith(_FORMULA) else row.title
        values = structs.asdict(row_document(row)) | {"title": title}
        writer.writerow("" if value is None else value for value in values.values())
    return text.getvalue()


def as_markdown(made: Report) -> str:
    """A table for people."""
    return "\n".join(_lines(made)) + "\n"


_HEADS = ("check", "availability", "known", "incidents", "down", "longest", "mean repair", "p50", "p95", "p99")


def _lines(made: Report) -> Iterable[str]:
    yield "| " + " | ".join(_HEADS) + " |"
    yield "| --- |" + " ---: |" * (len(_HEADS) - 1)
    for row in (*made.rows, made.total):
        yield "| " + " | ".join(cells(row)) + " |"


def cells(row: Row) -> list[str]:
    """A line of the table, in words."""
    return [
        _MARKDOWN.sub(r"\\\g<0>", row.title) or row.name,
        percent(row.availability),
        percent(row.coverage),
        str(row.incidents) + (f" ({row.ongoing} ongoing)" if row.ongoing else ""),
        span(row.downtime) if row.downtime else "0",
        "–" if row.longest is None else span(row.longest),
        "–" if row.mttr is None else span(row.mttr),
        *("–" if value is None else seconds(value) for value in (row.p50, row.p95, row.p99)),
    ]


HEADS = _HEADS
