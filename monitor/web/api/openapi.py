"""/api/v1/openapi.json: the API described for programs (OpenAPI 3.1)."""

from __future__ import annotations

import functools
from typing import Any

from aiohttp import web
from msgspec import json

from monitor import __version__
from monitor.model.outcome import Outcome, Reason, State
from monitor.web.api import schemas
from monitor.web.api.answers import text_answer
from monitor.web.api.team import LONGEST_NOTE
from monitor.web.paths import base

Node = dict[str, Any]

_TIME = {"type": "string", "minLength": 1, "maxLength": 40}
_SAYS = "2026-01-31T03:00:00Z, 2026-01-31, Unix seconds, now, or so long ago: -24h, -7d"


def _parameter(name: str, description: str, schema: Node, place: str = "query", **more: Any) -> Node:
    return {"name": name, "in": place, "description": description, "schema": schema, "required": place == "path"} | more


_CHECK = _parameter("check", "The name of a check.", {"type": "string", "pattern": "^[A-Za-z0-9_.-]{1,100}$"}, "path")
_INCIDENT = _parameter("incident", "The id of an incident.", {"type": "string", "pattern": "^[0-9a-f]{1,32}$"}, "path")
_ANNOUNCEMENT = _parameter("announcement", "Its id.", {"type": "string", "pattern": "^[0-9a-f]{1,32}$"}, "path")
_PERIOD = [
    _parameter("from", f"The beginning: {_SAYS}.", _TIME, example="-24h"),
    _parameter("to", "The end, now unless given.", _TIME, example="now"),
]
_LIMIT = _parameter("limit", "How many on a page.", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100})
_CURSOR = _parameter("cursor", "The next_cursor of the page before.", {"type": "string"})
_GROUP = _parameter("group", "Of these groups.", {"type": "array", "items": {"type": "string"}})
_LABEL = _parameter("label", "With all of these labels: key=value.", {"type": "array", "items": {"type": "string"}})


def _text(media: str = "text/plain") -> Node:
    return {media: {"schema": {"type": "string"}}}


_ERROR = {
    "application/json": {"schema": {"$ref": "#/components/schemas/Error"}},
    **_text(),
    **_text("text/html"),
}
_ERRORS = {
    "400": "A parameter, or what was sent, cannot be used; the sentence says which.",
    "401": "This needs a login.",
    "403": "Whoever asks may not do this.",
    "404": "There is no such thing.",
    "409": "It cannot be done now; the sentence says why.",
    "429": "Too many failed logins.",
    "503": "The history cannot be read or written now; the sentence says why.",
}


def _answers(schema: str | None, *errors: int, status: int = 200, **media: Node) -> Node:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}} if schema else {}
    found: Node = {str(status): {"description": "As asked."}}
    if content or media:
        found[str(status)]["content"] = content | media
    if status == 200 and schema:
        found["304"] = {"description": "The same as the client has: its ETag was sent as If-None-Match."}
    for code in sorted({*errors, 400, 401, 403, 429}):
        found[str(code)] = {"description": _ERRORS[str(code)], "content": _ERROR}
    return found


def _operation(
    name: str, summary: str, answers: Node, parameters: list[Node] | None = None, body: str | None = None
) -> Node:
    found: Node = {"operationId": name, "summary": summary, "responses": answers, "parameters": parameters or []}
    if body:
        content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{body}"}}}
        found["requestBody"] = {"required": body == "NewAnnouncement", "content": content}
    return found


def _paths() -> Node:
    return _check_paths() | _incident_paths() | _other_paths()


def _check_paths() -> Node:
    states = {"type": "array", "items": {"enum": [state.value for state in State]}}
    return {
        "/checks": {
            "get": _operation(
                "checks",
                "All checks, in the order of the configuration.",
                _answers("Checks"),
                [
                    _GROUP,
                    _parameter("state", "In one of these states.", states),
                    _LABEL,
                    _parameter("q", "Words to search for in names, groups, states and labels.", {"type": "string"}),
                    _LIMIT,
                    _CURSOR,
                ],
            )
        },
        "/checks/{check}": {
            "get": _operation("check", "One check, with its last results.", _answers("Check", 404), [_CHECK])
        },
        "/checks/{check}/history": {
            "get": _operation(
                "history",
                "The figures of a check in slots; those of which nothing is known are left out.",
                _answers("History", 404, 503),
                [
                    _CHECK,
                    *_PERIOD,
                    _parameter(
                        "step",
                        "Seconds of a slot; longer where it is kept no longer as finely.",
                        {"type": "integer", "minimum": 60, "multipleOf": 60, "maximum": 999999960},
                    ),
                ],
            )
        },
        "/checks/{check}/run": {
            "post": _operation(
                "run", "Run a check now, outside of its schedule.", _answers("Result", 404, 409), [_CHECK]
            )
        },
    }


def _incident_paths() -> Node:
    ongoing = {"enum": ["ongoing", "resolved"]}
    return {
        "/incidents": {
            "get": _operation(
                "incidents",
                "Incidents, newest first.",
                _answers("Incidents", 503),
                [
                    _parameter("check", "Of these checks.", {"type": "array", "items": {"type": "string"}}),
                    _GROUP,
                    _parameter("state", "Those that last, or those that are over.", ongoing),
                    *_PERIOD,
                    _LIMIT,
                    _CURSOR,
                ],
            )
        },
        "/incidents/{incident}": {
            "get": _operation(
                "incident", "One incident, with its evidence.", _answers("IncidentAlone", 404, 503), [_INCIDENT]
            )
        },
        "/incidents/{incident}/acknowledgement": {
            "put": _operation(
                "acknowledge",
                "Say that somebody takes care of an incident.",
                _answers("Incident", 404, 409, 503),
                [_INCIDENT],
                "NewAcknowledgement",
            ),
            "delete": _operation("takeBack", "Say that nobody does.", _answers("Incident", 404, 409, 503), [_INCIDENT]),
        },
    }


def _other_paths() -> Node:
    return {
        "/announcements": {
            "get": _operation("announcements", "What is announced.", _answers("Announcements", 503), _PERIOD),
            "post": _operation(
                "announce", "Announce something.", _answers("Announcement", 503, status=201), None, "NewAnnouncement"
            ),
        },
        "/announcements/{announcement}": {
            "delete": _operation(
                "withdraw", "End an announcement.", _answers(None, 404, 503, status=204), [_ANNOUNCEMENT]
            )
        },
        "/report": {
            "get": _operation(
                "report",
                "The figures of a period, the last week unless given.",
                _answers("Report", 503, **_text("text/csv"), **_text("text/markdown")),
                [
                    *_PERIOD,
                    _GROUP,
                    _LABEL,
                    _parameter("format", "Instead of Accept.", {"enum": ["json", "csv", "markdown"]}),
                ],
            )
        },
        "/events": {
            "get": _operation(
                "events",
                "What happens: server-sent events `result`, `transition`, and `lost` or `reset` for who missed some.",
                _answers(None, 503, **_text("text/event-stream")),
                [
                    _parameter("events", "Only these.", {"enum": ["result", "transition"]}),
                    _parameter("check", "Only of these checks.", {"type": "array", "items": {"type": "string"}}),
                ],
            )
        },
    }


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
            "schemas": schemas.all_of_them(
                [state.value for state in State],
                [outcome.value for outcome in Outcome],
                [reason.value for reason in Reason],
                LONGEST_NOTE,
            ),
        },
    }


@functools.cache
def _encoded(prefix: str) -> bytes:
    return json.encode(document(prefix))


async def serve_openapi(request: web.Request) -> web.StreamResponse:
    """The description."""
    return await text_answer(request, _encoded(base()), "application/json")
