"""Runs checks on demand, outside of the schedule: recorded like any other run, and limited in number."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable

from monitor.live.events import RecordedResult
from monitor.live.ledger import Ledger
from monitor.model.errors import NoRunNow
from monitor.model.outcome import State
from monitor.model.result import Result

_PAUSE = 5.0
"""Seconds between two requested runs of one check: a button held down must not become a load test."""
_MOST, _WITHIN = 10, 60.0
"""Requested runs allowed, over all checks, in `_WITHIN` seconds."""
_GRACE = 5.0
"""Seconds that a result may take beyond the limits of its run: it may wait for a slot."""


class RunNow:
    """Requests runs by `again`, which takes the name of a check, and receives every result."""

    def __init__(self, ledger: Ledger, again: Callable[[str], None]) -> None:
        self._ledger = ledger
        self._again = again
        self._waiting: dict[str, list[asyncio.Future[Result]]] = {}
        self._asked: dict[str, float] = {}
        self._lately: deque[float] = deque(maxlen=_MOST)

    def on_result(self, recorded: RecordedResult) -> None:
        """Passes a result on to the callers that wait for it."""
        for waiting in self._waiting.pop(recorded.check, ()):
            if not waiting.done():
                waiting.set_result(recorded.result)

    async def run(self, check: str) -> Result | None:
        """Run it, or wait for the run that is under way; None if it is not configured. Raises NoRunNow."""
        record = self._ledger.get(check)
        if record is None:
            return None
        if record.standing.state is State.PAUSED:
            raise NoRunNow(f"{check} is paused by the configuration")
        self._allow(check)
        waiting: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(check, []).append(waiting)
        self._again(check)
        try:
            async with asyncio.timeout(record.spec.limits.total + _GRACE):
                return await waiting
        except TimeoutError:
            raise NoRunNow(f"{check} did not get its turn; the monitor is overloaded") from None

    def _allow(self, check: str) -> None:
        now = time.monotonic()
        wait = self._asked.get(check, -math.inf) + _PAUSE - now
        if len(self._lately) == _MOST:
            wait = max(wait, self._lately[0] + _WITHIN - now)
        if wait > 0:
            raise NoRunNow(f"asked for too often, try again in {math.ceil(wait)} s")
        self._asked = {name: at for name, at in self._asked.items() if at + _PAUSE > now} | {check: now}
        self._lately.append(now)
