"""Sends results and changes of state to listeners, each once, over bounded queues."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, NamedTuple

from monitor.model.result import Result
from monitor.model.transition import Standing

_WAITING = 1000
"""Events that may wait for one listener; a slower listener loses the oldest."""


class Event(NamedTuple):
    """A result of a check, or a change of its state; `number` counts all events of this process."""

    number: int
    kind: Literal["result", "transition"]
    check: str
    at: float
    standing: Standing
    result: Result | None


class Listener:
    """One who listens; `lost` counts what it was too slow for."""

    def __init__(self) -> None:
        self.lost = 0
        self._waiting: deque[Event] = deque()
        self._some = asyncio.Event()

    def wake(self) -> None:
        """Wakes the listener, so that it sees the end of the feed."""
        self._some.set()

    def put(self, event: Event) -> None:
        """Adds an event; a full queue loses its oldest one."""
        if len(self._waiting) >= _WAITING:
            self._waiting.popleft()
            self.lost += 1
        self._waiting.append(event)
        self._some.set()

    async def next(self, within: float) -> list[Event]:
        """Returns the events since the last call, oldest first; waits up to `within` seconds, and may return none."""
        try:
            async with asyncio.timeout(within):
                await self._some.wait()
        except TimeoutError:
            return []
        self._some.clear()
        came = list(self._waiting)
        self._waiting.clear()
        return came


class Feed:
    """Tells all listeners; costs next to nothing while there are none."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self._number = 0
        self.closed = False

    @property
    def number(self) -> int:
        """The number of the last event."""
        return self._number

    def __len__(self) -> int:
        return len(self._listeners)

    def tell(
        self,
        kind: Literal["result", "transition"],
        check: str,
        at: float,
        standing: Standing,
        result: Result | None = None,
    ) -> None:
        """Something happened at `at` (Unix seconds), after which the check stands like this."""
        self._number += 1
        if self._listeners:
            event = Event(self._number, kind, check, at, standing, result)
            for listener in self._listeners:
                listener.put(event)

    def close(self) -> None:
        """Closes the feed, and wakes all listeners."""
        self.closed = True
        for listener in self._listeners:
            listener.wake()

    @contextmanager
    def listening(self) -> Iterator[Listener]:
        """Listen while the context lasts."""
        listener = Listener()
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)
