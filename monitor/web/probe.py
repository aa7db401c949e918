"""GET /probe, by the scrape protocol of blackbox_exporter: one run now, and its metrics as the answer."""

from __future__ import annotations

import asyncio
import math
import time

from aiohttp import web

from monitor.metrics import write_one_run
from monitor.metrics.accept import openmetrics_preferred
from monitor.model.errors import BadTarget, ForbiddenTarget, NoProbeNow, ProbeError
from monitor.model.probe import ProbeAnswer, ProbeRequest
from monitor.web.backend import Backend
from monitor.web.limits import Connection
from monitor.web.middleware import error
from monitor.web.probe_report import probe_report

_TIMEOUT = "X-Prometheus-Scrape-Timeout-Seconds"
_STATUS: dict[type[ProbeError], int] = {BadTarget: 400, ForbiddenTarget: 403, NoProbeNow: 503}
_TRUE = ("true", "1")


class ProbeHandler:
    """Answers requests for a probe; a client that goes away takes its run with it."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def probe(self, request: web.Request) -> web.StreamResponse:
        """One run's metrics, or with `debug=true` all that it found as text.

        A run that says nothing about the target is a 503, so that the scrape fails and not the target.
        """
        try:
            asked = read(request)
            probed = await self._run(request, asked)
        except ProbeError as refused:
            return error(request, _STATUS[type(refused)], str(refused))
        result = probed.result
        openmetrics = openmetrics_preferred(request.headers.get("Accept", ""))
        if request.query.get("debug") in _TRUE:
            exposition = write_one_run(*probed, openmetrics=False).body.decode() if result.conclusive else ""
            return web.Response(status=200 if result.conclusive else 503, text=probe_report(probed, exposition))
        if not result.conclusive:
            return error(request, 503, f"{result.reason.value}: {result.detail}")
        scrape = write_one_run(*probed, openmetrics=openmetrics)
        return web.Response(body=scrape.body, headers={"Content-Type": scrape.content_type, "Vary": "Accept"})

    async def _run(self, request: web.Request, asked: ProbeRequest) -> ProbeAnswer:
        run = asyncio.ensure_future(self._backend.probe(asked))
        connection = request.protocol
        if not isinstance(connection, Connection):
            return await run
        connection.when_gone(run.cancel)
        try:
            return await run
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise NoProbeNow("cancelled: the client went away") from None
        finally:
            connection.when_gone(None)


def read(request: web.Request) -> ProbeRequest:
    """Parses the request; raises BadTarget."""
    since = time.monotonic()
    target = _one(request, "target")
    if not target:
        raise BadTarget("the target is missing: /probe?target=NAME-OR-URL&module=NAME")
    module, hostname = _one(request, "module") or None, _one(request, "hostname") or None
    return ProbeRequest(target, module, hostname, _scrape_timeout(request), since)


def _one(request: web.Request, name: str) -> str:
    values = request.query.getall(name, [])
    if len(values) > 1:
        raise BadTarget(f"there is more than one {name}; ask for one at a time")
    return values[0] if values else ""


def _scrape_timeout(request: web.Request) -> float | None:
    text = request.headers.get(_TIMEOUT)
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise BadTarget(f"the header {_TIMEOUT} is not a number of seconds above 0")
    return seconds
