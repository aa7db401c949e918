"""The JSON documents, written check by check so that nothing else has to wait for long."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from msgspec import json

from monitor.live.view import CheckView, Overview, check_document, detail_document, status_document
from monitor.web.rendering import Parts, encoded


async def overview_json(view: Overview, compress: bool) -> Parts:
    """`/status.json`, one check per line."""
    return await encoded(_overview_texts(view), compress)


async def check_json(view: CheckView, compress: bool) -> Parts:
    """`/status/{check}.json`."""
    return await encoded((_text(detail_document(view)), "\n"), compress)


def _overview_texts(view: Overview) -> Iterator[str]:
    head = status_document(replace(view, checks=()))
    head["summary"] = view.summary
    del head["checks"]
    yield _text(head).removesuffix("}") + ',"checks":['
    for number, check in enumerate(view.checks):
        yield (",\n" if number else "\n") + _text(check_document(check))
    yield "\n]}\n"


def _text(document: dict[str, Any]) -> str:
    return json.encode(document).decode()
