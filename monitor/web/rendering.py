"""Long answers: made in short turns of the loop, once for all who ask at the same time, and bounded in their cost."""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import Awaitable, Callable, Hashable, Iterable
from typing import Any, TypeVar

from monitor.system.turns import turns

T = TypeVar("T")

Parts = tuple[bytes, ...]
"""An answer in pieces that are each quick to copy."""

_KEPT = 4
"""An answer that took a second to make is shared for four more: however many ask, a fifth of one core is the most."""
_LEVEL = 4
_PIECE = 1 << 17
"""Characters of a piece."""


class Renderer:
    """Answers of one key are shared while they are made, and shortly after: for `least` seconds, or longer if they took
    long. So many are made at once: each takes turns on the loop, and a hundred turns are a long time for a check.
    """

    def __init__(self, least: float = 0.0, at_once: int = 1000) -> None:
        self._least = least
        self._room = asyncio.Semaphore(at_once)
        self._tasks: dict[Hashable, asyncio.Task[Any]] = {}

    async def shared(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """Returns the result of `make`, or a recent one of the same key."""
        task: asyncio.Task[T] | None = self._tasks.get(key)
        if task is None:
            task = asyncio.create_task(self._made(key, make))
            self._tasks[key] = task
        return await asyncio.shield(task)

    def forget(self) -> None:
        """Share no answer that was begun before now."""
        self._tasks.clear()

    async def _made(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        kept = 0.0
        try:
            async with self._room:
                began = time.perf_counter()
                made = await make()
            kept = max(self._least, _KEPT * (time.perf_counter() - began))
            return made
        finally:
            asyncio.get_running_loop().call_later(kept, self._tasks.pop, key, None)


async def encoded(texts: Iterable[str], compress: bool) -> Parts:
    """The pieces of a text as an answer; compression goes into a thread, where it lets others run."""
    parts: list[bytes] = []
    gathered: list[str] = []
    size = 0
    async for text in turns(texts):
        gathered.append(text)
        size += len(text)
        if size >= _PIECE:
            parts.append("".join(gathered).encode())
            gathered, size = [], 0
    if gathered:
        parts.append("".join(gathered).encode())
    return await asyncio.to_thread(_compressed, parts) if compress else tuple(parts)


def _compressed(parts: Iterable[bytes]) -> Parts:
    packer = zlib.compressobj(_LEVEL, wbits=31)
    return (b"".join([*map(packer.compress, parts), packer.flush()]),)
