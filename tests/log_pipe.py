"""What a daemon of a test writes to stderr, read as far as it was written whenever a test looks."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Callable
from typing import Any

Line = dict[str, Any]


class LogPipe:
    """The reading end of a daemon's stderr.

    A daemon writes its log before it answers, but pipe and answer are two ways: a task that reads the pipe may come
    later than the answer. So each look reads what is there, and a line that was written before an answer was sent is
    seen by a test that has the answer.
    """

    def __init__(self) -> None:
        self._reading, self.writing = os.pipe()
        os.set_blocking(self._reading, False)
        self.ended = False
        """Whether every process that could write has ended."""
        self._unfinished = b""
        self._lines: list[Line] = []
        self._noise: list[str] = []
        self._news = asyncio.Event()
        asyncio.get_running_loop().add_reader(self._reading, self._read)

    def handed_over(self) -> None:
        """Close our copy of the writing end, once the daemon has its own."""
        os.close(self.writing)

    @property
    def lines(self) -> list[Line]:
        """The log so far."""
        self._read()
        return self._lines

    @property
    def noise(self) -> list[str]:
        """What was written so far that is no line of the log."""
        self._read()
        return self._noise

    async def until(self, condition: Callable[[], Any], within: float) -> None:
        """Return once the condition holds, or nothing can be written any more, or the seconds are over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                while not condition() and not self.ended:
                    self._news.clear()
                    await self._news.wait()

    def _read(self) -> None:
        while not self.ended:
            try:
                data = os.read(self._reading, 65536)
            except BlockingIOError:
                return
            self._take(data)
            self._news.set()

    def _take(self, data: bytes) -> None:
        *whole, self._unfinished = (self._unfinished + data).split(b"\n")
        if not data:
            self.ended = True
            asyncio.get_running_loop().remove_reader(self._reading)
            os.close(self._reading)
            whole += [self._unfinished] if self._unfinished else []
        for raw in whole:
            text = raw.decode()
            try:
                self._lines.append(json.loads(text))
            except ValueError:
                self._noise.append(text)
