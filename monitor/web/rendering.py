"""Keeps slow rendering off the loop: in a thread, once for all who ask at the same time, and bounded in its cost."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import TypeVar

V = TypeVar("V")

_KEPT = 4
"""An answer that took a second to make is shared for four more: however many ask, a fifth of one core is the most."""
_LEVEL = 4
_PARTS_AT_ONCE = 100
_PAUSE = 0.00005
"""Seconds. A thread that computes keeps Python's lock for 5 ms (`sys.getswitchinterval`), in which no check runs."""


class Renderer:
    """Renders in threads; answers of one key are shared while they are made, and shortly after."""

    def __init__(self) -> None:
        self._tasks: dict[Hashable, asyncio.Task[bytes]] = {}

    async def shared(self, key: Hashable, take: Callable[[], V], make: Callable[[V], bytes]) -> bytes:
        """What `make` does, in a thread, of what `take` takes on the loop, unless an answer of this key is at hand."""
        task = self._tasks.get(key)
        if task is None:
            task = asyncio.create_task(self._made(key, take, make))
            self._tasks[key] = task
        return await asyncio.shield(task)

    def forget(self) -> None:
        """Share no answer that was begun before now."""
        self._tasks.clear()

    async def _made(self, key: Hashable, take: Callable[[], V], make: Callable[[V], bytes]) -> bytes:
        began = time.perf_counter()
        kept = 0.0
        try:
            made = await asyncio.to_thread(make, take())
            kept = _KEPT * (time.perf_counter() - began)
            return made
        finally:
            asyncio.get_running_loop().call_later(kept, self._tasks.pop, key, None)


def encoded(parts: Iterable[str], compress: bool) -> bytes:
    """The parts of a text as bytes, letting other threads run in between."""
    whole = "".join(gently(parts)).encode()
    return gzip.compress(whole, _LEVEL, mtime=0) if compress else whole


def gently(parts: Iterable[V]) -> Iterator[V]:
    """The same parts, letting other threads run now and then; for threads only, since it sleeps."""
    for number, part in enumerate(parts):
        if number % _PARTS_AT_ONCE == 0:
            time.sleep(_PAUSE)
        yield part
