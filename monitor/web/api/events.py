"""/api/v1/events: what happens, as it happens (server-sent events; HTML standard, 9.2)."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress

from aiohttp import web
from msgspec import json

from monitor.live.events import Event, Listener
from monitor.live.view import result_document
from monitor.model.clock import rfc3339, system_clock
from monitor.web.api.answers import answered
from monitor.web.api.parameters import Parameters
from monitor.web.limits import Connection
from monitor.web.middleware import error
from monitor.web.served import Served

_HEARTBEAT = 3.0
"""Seconds without events after which a heartbeat is sent."""
_MOST_LISTENERS = 200
_RETRY_MILLISECONDS = 3000


class EventHandlers:
    """Handler of the event stream."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._process = secrets.token_hex(4)
        """Part of every event id, so that ids of an earlier process are recognized."""

    @answered
    async def events(self, request: web.Request) -> web.StreamResponse:
        """Results and changes of state, until the client goes or the monitor ends."""
        asked = Parameters(request, ("events", "check"))
        kind, checks = asked.choice("events", "result", "transition"), frozenset(asked.texts("check"))
        connection = request.protocol
        most = min(_MOST_LISTENERS, connection.most_streams) if isinstance(connection, Connection) else _MOST_LISTENERS
        if len(self._served.feed) >= most:
            return error(request, 503, "too many listen already", headers={"Retry-After": "30"})
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        response.headers["X-Accel-Buffering"] = "no"  # nginx would gather them
        with self._served.feed.listening() as listener, suppress(ConnectionError):  # the client may go
            await response.prepare(request)
            await response.write(self._greeting(request.headers.get("Last-Event-ID")))
            while not self._served.feed.closed:
                came = await listener.next(_HEARTBEAT)
                wanted = [e for e in came if kind in (None, e.kind) and (not checks or e.check in checks)]
                await response.write(self._written(wanted, listener))
                if isinstance(connection, Connection):
                    connection.answer_goes_on()
                await asyncio.sleep(0)
            await response.write_eof()
        return response

    def _greeting(self, last: str | None) -> bytes:
        """Returns the start of the stream, with a `reset` event if the client missed events."""
        missed = last is not None and last != self._id(self._served.feed.number)
        reset = f"event: reset\nid: {self._id(self._served.feed.number)}\ndata: {{}}\n\n" if missed else ""
        return f"retry: {_RETRY_MILLISECONDS}\n: {rfc3339(system_clock().wall)}\n\n{reset}".encode()

    def _written(self, events: list[Event], listener: Listener) -> bytes:
        lost, listener.lost = listener.lost, 0
        parts = [f'event: lost\ndata: {{"events":{lost}}}\n\n'] if lost else []
        parts += [f"event: {e.kind}\nid: {self._id(e.number)}\ndata: {_data(e)}\n\n" for e in events]
        return "".join(parts or [":\n\n"]).encode()

    def _id(self, number: int) -> str:
        return f"{self._process}-{number}"


def _data(event: Event) -> str:
    standing = event.standing
    document = {
        "check": event.check,
        "at": rfc3339(event.at),
        "state": standing.state.value,
        "since": rfc3339(standing.since),
        "consecutive_failures": standing.consecutive_failures,
        "incident": standing.incident.id if standing.incident else None,
        "result": None if event.result is None else result_document(event.result),
    }
    return json.encode(document).decode()
