"""Serves targets that a script switches between good and bad, and notes every answer; runs in a thread."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from typing import Self

from tests.proof.truth import Answer


class Targets:
    """Serves `/KEY` for every key; `bad` are those that fail now."""

    def __init__(self) -> None:
        self.bad: set[str] = set()
        self.answers: dict[str, list[Answer]] = {}
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="targets")
        self._ready = threading.Event()
        self._end = asyncio.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()
        self._loop.close()

    def url(self, key: str) -> str:
        """The URL of a target."""
        return f"http://127.0.0.1:{self.port}/{key}"

    def noted(self, key: str) -> list[Answer]:
        """The answers of a target; the list grows."""
        return self.answers.setdefault(key, [])

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._converse, "127.0.0.1", 0, backlog=512)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._end.wait()
        server.close()
        await asyncio.sleep(0)
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            key = head.split(b" ", 2)[1].decode().strip("/")
            good = key not in self.bad
            self.noted(key).append(Answer(time.time(), good))
            status = b"200 OK" if good else b"503 Service Unavailable"
            writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
        writer.close()
