"""The JSON documents as bytes, written check by check so that no single call holds Python's lock for long."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from monitor.view import (
    CheckView,
    Overview,
    check_document,
    detail_document,
    status_document,
)
from monitor.web.rendering import encoded


def overview_json(view: Overview, compress: bool) -> bytes:
    """`/status.json`, one check per line."""
    return encoded(_overview_parts(view), compress)


def check_json(view: CheckView, compress: bool) -> bytes:
    """`/status/{check}.json`."""
    return encoded((_text(detail_document(view)), "\n"), compress)


def _overview_parts(view: Overview) -> Iterator[str]:
    head = status_document(replace(view, checks=()))
    head["summary"] = view.summary
    del head["checks"]
    yield _text(head).removesuffix("}") + ', "checks": ['
    for number, check in enumerate(view.checks):
        yield (",\n" if number else "\n") + _text(check_document(check))
    yield "\n]}\n"


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, allow_nan=False)
