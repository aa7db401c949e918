"""Wraps every handler: limits the request body, turns errors into answers, and logs requests."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import web

from monitor.model.settings import Right
from monitor.web.limits import Connection, left
from monitor.web.negotiation import HTML, JSON, TEXT, accepted
from monitor.web.pages import render_error
from monitor.web.viewer import Viewer

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

USER: web.RequestKey[str | None] = web.RequestKey("user", str)
"""`request[USER]`: the caller's name, None if anonymous; set by `monitor.web.access`."""

MAY: web.RequestKey[frozenset[Right]] = web.RequestKey("may", frozenset)
"""`request[MAY]` is what who asks may do, at routes that are not for everybody; `monitor.web.access` sets it."""

LOGIN: web.RequestKey[bool] = web.RequestKey("login", bool)
"""`request[LOGIN]` tells that who asks has not logged in, and could; `monitor.web.access` sets it."""

PROBED = frozenset({"/-/healthy", "/-/ready", "/metrics"})
"""Routes for service managers and Prometheus, which ask by any name, and for which some connections are kept free."""

_log = logging.getLogger("monitor.web")
_access = logging.getLogger("monitor.access")

_LONGEST_PATH = 1024
"""Characters of a path that are logged; looking for secrets in it takes time."""

_SENTENCES = {
    404: "there is nothing at this path",
    405: "this path does not take that method",
    503: "too many connections, try again soon",
    413: "the body of the request is longer than 64 KiB",
    500: "the monitor failed to answer; its log says why",
}


@web.middleware
async def log_requests(request: web.Request, handler: Handler) -> web.StreamResponse:
    """One line for each request, in the logger `monitor.access`."""
    began = time.perf_counter()
    response = await handler(request)
    fields = {
        "method": request.method,
        "path": request.path[:_LONGEST_PATH],
        "status": response.status,
        "seconds": round(time.perf_counter() - began, 6),
        "client": request.remote,
        "user": request.get(USER),
    }
    _access.info("%(method)s %(path)s %(status)d in %(seconds).4f s", fields, extra=fields)
    return response


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """An error becomes an answer in the form that the client likes; what went wrong inside stays in the log."""
    try:
        return await handler(request)
    except web.HTTPException as answer:
        if answer.status < 400:
            raise
        headers = {k: v for k, v in answer.headers.items() if k == "Allow"}
        return error(request, answer.status, headers=headers)
    except Exception as problem:
        if left(request, problem):
            raise
        _log.exception("cannot answer %s %s", request.method, request.path)
        return error(request, 500)


@web.middleware
async def keep_reserve(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answers only health and metrics on the last free connections."""
    if isinstance(request.protocol, Connection) and request.protocol.reserved and route_of(request) not in PROBED:
        return error(request, 503, headers={"Retry-After": "5"})
    return await handler(request)


async def free_reserve(request: web.Request, response: web.StreamResponse) -> None:
    """Hang up after an answer on one of the last connections, so that the next one finds it free."""
    if isinstance(request.protocol, Connection) and request.protocol.reserved:
        response.force_close()


def route_of(request: web.Request) -> str:
    """Returns the matched route, independent of the path's spelling; empty if no route matches."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else ""


def viewer_of(request: web.Request) -> Viewer:
    """Returns what pages depend on; equal viewers share pages."""
    writes = "write" in request[MAY]
    return Viewer(writes, request[LOGIN] and not writes)


@web.middleware
async def read_whole_request(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Reads the whole request before the handler runs, so that the limits hold for every handler."""
    if (request.content_length or 0) > request.client_max_size:
        raise web.HTTPRequestEntityTooLarge(max_size=request.client_max_size, actual_size=request.content_length or 0)
    if request.can_read_body:
        await request.read()
    if isinstance(request.protocol, Connection):
        request.protocol.request_complete()
    return await handler(request)


def error(
    request: web.Request,
    status: int,
    sentence: str | None = None,
    *,
    lines: list[str] | None = None,
    headers: dict[str, str] | None = None,
) -> web.Response:
    """An error as JSON, as a small page, or as text, whichever the client accepts; `lines` are particulars."""
    title = HTTPStatus(status).phrase
    sentence = sentence or _SENTENCES.get(status, title.lower())
    form = accepted(request.headers.get("Accept"), TEXT, JSON, HTML)
    if form == JSON:
        document = {"error": sentence} | ({} if lines is None else {"problems": lines})
        text = json.dumps(document, ensure_ascii=False) + "\n"
    elif form == HTML:
        text = render_error(status, title, sentence, lines or [])
    else:
        text = "\n".join([sentence] if lines is None else lines) + "\n"
    return web.Response(status=status, text=text, content_type=form, headers=headers)
