"""Publishes results and transitions: to callbacks at once, and to streams over bounded queues."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from monitor.model.clock import Moment
from monitor.model.result import Result
from monitor.model.transition import Standing, Transition
from monitor.system.supervision import Turn

_WAITING = 1000
"""Events that may wait in one queue; a slower reader loses the oldest."""


class RecordedResult(NamedTuple):
    """A result, without evidence, that stands for `runs` runs, and the standing of its check after it."""

    check: str
    result: Result
    runs: int
    now: Moment
    standing: Standing


class Event(NamedTuple):
    """A published value; `number` counts all of this process."""

    number: int
    value: RecordedResult | Transition


class EventQueue:
    """Events that wait for one reader; `lost` counts those that it was too slow for."""

    def __init__(self) -> None:
        self.lost = 0
        self._waiting: deque[Event] = deque()
        self._some = asyncio.Event()

    def wake(self) -> None:
        """Wakes the reader, so that it sees the end of the bus."""
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


class EventBus:
    """Calls subscribers in the order of subscription. One that fails is logged and counted; the next is called as well.

    Callbacks run on the path of a check, so they only take note. Whatever waits or writes reads from a queue.
    """

    def __init__(self) -> None:
        self._on_result: list[tuple[str, Callable[[RecordedResult], None]]] = []
        self._on_transition: list[tuple[str, Callable[[Transition], None]]] = []
        self._queues: set[EventQueue] = set()
        self.number = 0
        """The number of the last event."""
        self.transitions = 0
        """Transitions so far."""
        self.reloads = 0
        """Reloads so far, refused ones too."""
        self.closed = False

    def on_result(self, loop: str, callback: Callable[[RecordedResult], None]) -> None:
        """Calls back with every result; failures are counted under `loop`."""
        self._on_result.append((loop, callback))

    def on_transition(self, loop: str, callback: Callable[[Transition], None]) -> None:
        """Calls back with every transition; failures are counted under `loop`."""
        self._on_transition.append((loop, callback))

    @contextmanager
    def queue(self) -> Iterator[EventQueue]:
        """Yields a queue of all events while the context lasts."""
        queue = EventQueue()
        self._queues.add(queue)
        try:
            yield queue
        finally:
            self._queues.discard(queue)

    @property
    def queues(self) -> int:
        """The number of queues."""
        return len(self._queues)

    def result(self, recorded: RecordedResult) -> None:
        """Publishes a result."""
        for loop, callback in self._on_result:
            with Turn(loop):
                callback(recorded)
        with Turn("live_feed"):
            self._enqueue(recorded)

    def transition(self, transition: Transition) -> None:
        """Publishes a transition."""
        self.transitions += 1
        for loop, callback in self._on_transition:
            with Turn(loop):
                callback(transition)
        with Turn("live_feed"):
            self._enqueue(transition)

    def close(self) -> None:
        """Ends all queues."""
        self.closed = True
        for queue in self._queues:
            queue.wake()

    def _enqueue(self, value: RecordedResult | Transition) -> None:
        self.number += 1
        event = Event(self.number, value)
        for queue in self._queues:
            queue.put(event)
