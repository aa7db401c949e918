"""What outsiders see: the state and the availability of chosen groups, and nothing that tells how they are watched."""

from __future__ import annotations

import asyncio
import hashlib
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from msgspec import json

from monitor.archive import Announcement, IncidentQuery
from monitor.clock import rfc3339
from monitor.errors import HistoryError
from monitor.maintenance import fits
from monitor.outcome import State
from monitor.past import DAY, Stretch
from monitor.spec import PublicSpec
from monitor.state import Incident
from monitor.tally import Tally
from monitor.view import CheckView, Overview
from monitor.web.charts import RANGES, Axis, availability_bars, laid_out
from monitor.web.middleware import error
from monitor.web.pages import render_public
from monitor.web.served import Served

_KEPT = 10.0
"""Seconds for which an answer is given to whoever asks, so that no crowd of outsiders makes a check late."""
_CACHED = "public, max-age=15"
_RENEWED = "60"
"""Seconds after which a browser asks for the page again, without a script."""
_INCIDENT_DAYS = 14
_QUARTER = RANGES[-1]
STATES = {
    State.UP: "up",
    State.DEGRADED: "slow",
    State.DOWN: "down",
    State.UNKNOWN: "unknown",
    State.PAUSED: "not watched",
    State.MAINTENANCE: "maintenance",
}
"""The states in the words of people who use the service."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One check: its name, its state, and ninety days; `incidents` are of the last fortnight, times only."""

    name: str
    group: str
    state: State
    since: float
    availability: float | None
    days: tuple[Tally | None, ...]
    incidents: tuple[tuple[float, float | None], ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that outsiders see at one moment."""

    now: float
    title: str
    checks: tuple[Shown, ...]
    announcements: tuple[Announcement, ...]
    away: bool
    """Whether the history cannot be read."""

    @property
    def sentence(self) -> str:
        """How all of it is, in one sentence."""
        down = [check for check in self.checks if check.state is State.DOWN]
        watched = [check for check in self.checks if check.state is not State.PAUSED]
        if not watched:
            return "Nothing is watched at the moment"
        if down:
            return f"{len(down)} of {len(watched)} services {'is' if len(down) == 1 else 'are'} down"
        if any(check.state is State.UNKNOWN for check in watched):
            return "The state of some services is not known at the moment"
        if any(check.state is not State.UP for check in watched):
            return "All services work, some not as well as usual"
        return "All services are up"


def is_public(spec: PublicSpec, group: str) -> bool:
    """Whether outsiders may know of the checks of a group."""
    return spec.enabled and fits(spec.groups, group)


class PublicPages:
    """What the public paths answer."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._answers: dict[str, tuple[float, bytes]] = {}
        self._making = asyncio.Lock()

    async def page(self, request: web.Request) -> web.StreamResponse:
        """The public page."""

        async def make() -> bytes:
            seen = await self._seen()
            axis = Axis(_QUARTER, seen.now)
            bars = {check.name: availability_bars(check.days, axis) for check in seen.checks}
            return render_public(seen=seen, bars=bars, states=STATES).encode()

        answer = await self._answer(request, "text/html; charset=utf-8", make)
        answer.headers["Refresh"] = _RENEWED
        return answer

    async def document(self, request: web.Request) -> web.StreamResponse:
        """The same for programs."""

        async def make() -> bytes:
            return json.encode(_document(await self._seen()))

        return await self._answer(request, "application/json", make)

    async def _answer(
        self, request: web.Request, content_type: str, make: Callable[[], Awaitable[bytes]]
    ) -> web.StreamResponse:
        if not self._served.public().enabled:
            return error(request, 404)
        async with self._making:
            made, body = self._answers.get(request.path, (-math.inf, b""))
            if time.monotonic() - made > _KEPT:
                body = await make()
                self._answers[request.path] = (time.monotonic(), body)
        return cached(request, body, content_type)

    async def _seen(self) -> Seen:
        view, spec = await self._served.overview(), self._served.public()
        chosen = [check for check in view.checks if is_public(spec, check.spec.group)]
        groups = {check.spec.group for check in chosen}
        said = (a for a in self._served.announcements() if not a.groups or groups.intersection(a.groups))
        try:
            checks, away = [await self._shown(check, view) for check in chosen], False
        except HistoryError:
            checks, away = [_without_past(check) for check in chosen], True
        return Seen(view.now, spec.title or "Status", tuple(checks), tuple(said), away)

    async def _shown(self, check: CheckView, view: Overview) -> Shown:
        archive, start = self._served.archive, _QUARTER.start(view.now)
        stretches: list[Stretch] = await archive.stretches(check.name, start, view.now, DAY)
        fortnight = view.now - _INCIDENT_DAYS * DAY
        incidents: list[Incident] = await archive.incidents(IncidentQuery([check.name], fortnight, view.now, limit=50))
        return Shown(
            name=check.name,
            group=check.spec.group,
            state=check.state,
            since=check.standing.since,
            availability=check.availability(90),
            days=tuple(laid_out(stretches, _QUARTER, view.now)),
            incidents=tuple((one.started_at, one.ended_at) for one in incidents),
        )


def _without_past(check: CheckView) -> Shown:
    days = (None,) * _QUARTER.slots
    since, share = check.standing.since, check.availability(90)
    return Shown(check.name, check.spec.group, check.state, since, share, days, ())


def _document(seen: Seen) -> dict[str, Any]:
    return {
        "title": seen.title,
        "at": rfc3339(seen.now),
        "summary": seen.sentence,
        "announcements": [
            {"text": a.text, "starts_at": rfc3339(a.starts), "ends_at": None if a.ends is None else rfc3339(a.ends)}
            for a in seen.announcements
        ],
        "services": [
            {
                "name": check.name,
                "group": check.group or None,
                "state": STATES[check.state],
                "since": rfc3339(check.since),
                "availability_90d": check.availability,
                "incidents": [
                    {"started_at": rfc3339(began), "ended_at": None if ended is None else rfc3339(ended)}
                    for began, ended in check.incidents
                ],
            }
            for check in seen.checks
        ],
    }


def cached(request: web.Request, body: bytes, content_type: str) -> web.Response:
    """An answer that anybody may keep for some seconds; 304 for who has it."""
    tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers = {"Cache-Control": _CACHED, "ETag": tag}
    if tag in request.headers.get("If-None-Match", ""):
        return web.Response(status=304, headers=headers)
    return web.Response(body=body, headers=headers | {"Content-Type": content_type})
