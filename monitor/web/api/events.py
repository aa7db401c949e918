"""/api/v1/events: what happens, as it happens (server-sent events; HTML standard, 9.2)."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress

from aiohttp import web
from msgspec import json

from monitor.live.events import Event, EventQueue, RecordedResult
from monitor.live.view import Document, result_document
from monitor.model.clock import rfc3339
from monitor.model.result import Result
from monitor.model.transition import Standing, Transition
from monitor.web.api.answers import answered
from monitor.web.api.parameters import Parameters
from monitor.web.backend import Backend
from monitor.web.limits import Connection
from monitor.web.middleware import error

_HEARTBEAT = 3.0
"""Seconds without events after which a heartbeat is sent."""
_MOST_LISTENERS = 200
_RETRY_MILLISECONDS = 3000


class EventHandlers:
    """Handler of the event stream."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._process = secrets.token_hex(4)
        """Part of every event id, so that ids of an earlier process are recognized."""

    @answered
    async def events(self, request: web.Request) -> web.StreamResponse:
        """Results and changes of state, until the client goes or the monitor ends."""
        asked = Parameters(request, ("events", "check"))
        kind, checks = asked.choice("events", "result", "transition"), frozenset(asked.texts("check"))
        connection = request.protocol
        most = min(_MOST_LISTENERS, connection.most_streams) if isinstance(connection, Connection) else _MOST_LISTENERS
        if self._backend.bus.queues >= most:
            return error(request, 503, "too many listen already", headers={"Retry-After": "30"})
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        response.headers["X-Accel-Buffering"] = "no"  # nginx would gather them
        with self._backend.bus.queue() as queue, suppress(ConnectionError):  # the client may go
            await response.prepare(request)
            await response.write(self._greeting(request.headers.get("Last-Event-ID")))
            while not self._backend.bus.closed:
                came = await queue.next(_HEARTBEAT)
                wanted = [e for e in came if kind in (None, _kind(e)) and (not checks or e.value.check in checks)]
                await response.write(self._written(wanted, queue))
                if isinstance(connection, Connection):
                    connection.answer_goes_on()
                await asyncio.sleep(0)
            await response.write_eof()
        return response

    def _greeting(self, last: str | None) -> bytes:
        """Returns the start of the stream, with a `reset` event if the client missed events."""
        missed = last is not None and last != self._id(self._backend.bus.number)
        reset = f"event: reset\nid: {self._id(self._backend.bus.number)}\ndata: {{}}\n\n" if missed else ""
        return f"retry: {_RETRY_MILLISECONDS}\n: {rfc3339(self._backend.now().wall)}\n\n{reset}".encode()

    def _written(self, events: list[Event], queue: EventQueue) -> bytes:
        lost, queue.lost = queue.lost, 0
        parts = [f'event: lost\ndata: {{"events":{lost}}}\n\n'] if lost else []
        parts += [f"event: {_kind(e)}\nid: {self._id(e.number)}\ndata: {_data(e)}\n\n" for e in events]
        return "".join(parts or [":\n\n"]).encode()

    def _id(self, number: int) -> str:
        return f"{self._process}-{number}"


def _kind(event: Event) -> str:
    return "result" if isinstance(event.value, RecordedResult) else "transition"


def _data(event: Event) -> str:
    value = event.value
    document = _of_result(value) if isinstance(value, RecordedResult) else _of_transition(value)
    return json.encode(document).decode()


def _of_result(one: RecordedResult) -> Document:
    return _document(one.check, one.now.wall, one.standing, one.result)


def _of_transition(one: Transition) -> Document:
    ended = one.incident is not None and one.incident.ended_at is not None
    return _document(one.check, one.at, one.after, one.last) | {
        "before": one.before.state.value,
        "cause": one.cause.value,
        "ended_incident": one.incident.id if one.incident and ended else None,
    }


def _document(check: str, at: float, standing: Standing, result: Result | None) -> Document:
    return {
        "check": check,
        "at": rfc3339(at),
        "state": standing.state.value,
        "since": rfc3339(standing.since),
        "consecutive_failures": standing.consecutive_failures,
        "incident": standing.incident.id if standing.incident else None,
        "result": None if result is None else result_document(result),
    }
