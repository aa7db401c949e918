"""/api/v1/openapi.json: the API described for programs (OpenAPI 3.1)."""

from __future__ import annotations

import functools
import re
from typing import Any, NamedTuple

from aiohttp import web
from msgspec import json

from monitor import __version__
from monitor.model.outcome import State
from monitor.web.api import schemas
from monitor.web.api.answers import text_answer
from monitor.web.paths import base

Node = dict[str, Any]

_TIME = {"type": "string", "minLength": 1, "maxLength": 40}
_TEXT: Node = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_SAYS = "2026-01-31T03:00:00Z, 2026-01-31, Unix seconds, now, or a duration before now: -24h, -7d"


def _parameter(name: str, description: str, schema: Node, place: str = "query", **more: Any) -> Node:
    return {"name": name, "in": place, "description": description, "schema": schema, "required": place == "path"} | more


_ID = _TEXT | {"pattern": "^[0-9a-f]{1,32}$"}
_IN_PATH = {
    "check": _parameter("check", "The name of a check.", _TEXT | {"pattern": "^[A-Za-z0-9_.-]{1,100}$"}, "path"),
    "incident": _parameter("incident", "The id of an incident.", _ID, "path"),
    "announcement": _parameter("announcement", "Its id.", _ID, "path"),
}
_PERIOD = (
    _parameter("from", f"The beginning: {_SAYS}.", _TIME, example="-24h"),
    _parameter("to", "The end, now unless given.", _TIME, example="now"),
)
_LIMIT = _parameter("limit", "How many on a page.", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100})
_PAGE = (_LIMIT, _parameter("cursor", "The next_cursor of the page before.", _TEXT))
_GROUP = _parameter("group", "Of these groups.", _TEXTS)
_LABEL = _parameter("label", "With all of these labels: key=value.", _TEXTS)
_STATES = {"type": "array", "items": {"enum": [state.value for state in State]}}
_STATE = _parameter("state", "In one of these states.", _STATES)
_ONGOING = _parameter("state", "Those that last, or those that are over.", {"enum": ["ongoing", "resolved"]})
_WORDS = _parameter("q", "Words to search for in names, groups, states and labels.", _TEXT)
_CHECKS = _parameter("check", "Of these checks.", _TEXTS)
_SECONDS = {"type": "integer", "minimum": 60, "multipleOf": 60, "maximum": 999999960}
_STEP = _parameter("step", "Seconds of a slot; longer where it is kept no longer as finely.", _SECONDS)
_FORMAT = _parameter("format", "Instead of Accept.", {"enum": ["json", "csv", "markdown"]})
_EVENTS = _parameter("events", "Only these.", {"enum": ["result", "transition"]})


class _Operation(NamedTuple):
    """One method of one path; `media` are text forms of the answer; `errors` add to the common ones."""

    method: str
    path: str
    name: str
    summary: str
    answer: str | None
    errors: tuple[int, ...] = ()
    parameters: tuple[Node, ...] = ()
    media: tuple[str, ...] = ()
    status: int = 200
    body: str | None = None


_OPERATIONS = (
    _Operation("get", "/checks", "checks", "All checks, in the order of the configuration.", "Checks",
               parameters=(_GROUP, _STATE, _LABEL, _WORDS, *_PAGE)),
    _Operation("get", "/checks/{check}", "check", "One check, with its last results.", "Check", (404,)),
    _Operation("get", "/checks/{check}/history", "history",
               "The figures of a check in slots; those of which nothing is known are left out.", "History", (404, 503),
               (*_PERIOD, _STEP)),
    _Operation("post", "/checks/{check}/run", "run", "Run a check now, outside of its schedule.", "Result", (404, 409)),
    _Operation("get", "/incidents", "incidents", "Incidents, newest first.", "Incidents", (503,),
               (_CHECKS, _GROUP, _ONGOING, *_PERIOD, *_PAGE)),
    _Operation("get", "/incidents/{incident}", "incident", "One incident, with its evidence.", "IncidentAlone",
               (404, 503)),
    _Operation("put", "/incidents/{incident}/acknowledgement", "acknowledge", "Acknowledge an incident.", "Incident",
               (404, 409, 503), body="NewAcknowledgement"),
    _Operation("delete", "/incidents/{incident}/acknowledgement", "takeBack", "Withdraw the acknowledgement.",
               "Incident", (404, 409, 503)),
    _Operation("get", "/announcements", "announcements", "What is announced.", "Announcements", (503,), _PERIOD),
    _Operation("post", "/announcements", "announce", "Announce something.", "Announcement", (503,), status=201,
               body="NewAnnouncement"),
    _Operation("delete", "/announcements/{announcement}", "withdraw", "End an announcement.", None, (404, 503),
               status=204),
    _Operation("get", "/report", "report", "The figures of a period, the last week unless given.", "Report", (503,),
               (*_PERIOD, _GROUP, _LABEL, _FORMAT), ("text/csv", "text/markdown")),
    _Operation("get", "/events", "events",
               "Server-sent events `result` and `transition`; `lost` or `reset` for clients that missed some.",
               None, (503,), (_EVENTS, _parameter("check", "Only of these checks.", _TEXTS)), ("text/event-stream",)),
)  # fmt: skip

_ERRORS = {
    400: "A parameter, or what was sent, cannot be used; the sentence says which.",
    401: "This needs a login.",
    403: "The caller has no right to do this.",
    404: "There is no such thing.",
    409: "It cannot be done now; the sentence says why.",
    429: "Too many failed logins.",
    503: "The history cannot be read or written now; the sentence says why.",
}


def _content(schema: str | None, *media: str) -> Node:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}} if schema else {}
    return content | {one: {"schema": _TEXT} for one in media}


def _answers(operation: _Operation) -> Node:
    found: Node = {str(operation.status): {"description": "As asked."}}
    if content := _content(operation.answer, *operation.media):
        found[str(operation.status)]["content"] = content
    if operation.status == 200 and operation.answer:
        found["304"] = {"description": "The same as the client has: its ETag was sent as If-None-Match."}
    error = _content("Error", "text/plain", "text/html")
    for code in sorted({*operation.errors, 400, 401, 403, 429}):
        found[str(code)] = {"description": _ERRORS[code], "content": error}
    return found


def _paths() -> Node:
    paths: Node = {}
    for one in _OPERATIONS:
        in_path = [_IN_PATH[name] for name in re.findall(r"\{(\w+)\}", one.path)]
        described: Node = {"operationId": one.name, "summary": one.summary, "responses": _answers(one)}
        described["parameters"] = [*in_path, *one.parameters]
        if one.body:
            described["requestBody"] = {"required": one.body == "NewAnnouncement", "content": _content(one.body)}
        paths.setdefault(one.path, {})[one.method] = described
    return paths


def document(prefix: str = "") -> Node:
    """The whole description; `prefix` stands before every path of the monitor."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "monitor",
            "version": __version__,
            "description": "Checks, their history, and incidents. Times are RFC 3339 in UTC, shares from 0 to 1.",
        },
        "servers": [{"url": f"{prefix}/api/v1"}],
        "security": [{}, {"password": []}, {"token": []}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {
                "password": {"type": "http", "scheme": "basic"},
                "token": {"type": "http", "scheme": "bearer"},
            },
            "schemas": schemas.components(),
        },
    }


@functools.cache
def _encoded(prefix: str) -> bytes:
    return json.encode(document(prefix))


async def serve_openapi(request: web.Request) -> web.StreamResponse:
    """The description."""
    return await text_answer(request, _encoded(base()), "application/json")
