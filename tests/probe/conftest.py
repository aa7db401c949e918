"""A daemon of its own for each test of /probe, and what it answers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests import nursery
from tests.log_pipe import Line, LogPipe
from tests.terminal.program import PATIENCE, environment

TIMEOUT = "X-Prometheus-Scrape-Timeout-Seconds"
T = TypeVar("T")
Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples(text: str) -> Series:
    """Every sample of an exposition."""
    return {
        (s.name, frozenset(s.labels.items())): s.value for f in text_string_to_metric_families(text) for s in f.samples
    }


class Answer(NamedTuple):
    """What /probe answered."""

    status: int
    text: str
    headers: dict[str, str]

    @property
    def samples(self) -> Series:
        """The metrics."""
        assert self.status == 200, self.text
        return samples(self.text)

    def value(self, name: str, **labels: str) -> float | None:
        """One sample."""
        return self.samples.get((name, frozenset(labels.items())))

    @property
    def said_stalled(self) -> bool:
        """True if the monitor found that this machine had stopped it."""
        return self.status == 503 and "monitor_stalled" in self.text

    @property
    def reason(self) -> str | None:
        """The reason of a failure, None for a success."""
        found = (dict(labels) for name, labels in self.samples if name == "probe_failure_info")
        return next((labels["reason"] for labels in found), None)


@dataclass
class Daemon:
    """A running monitor."""

    address: str
    process: nursery.Child
    session: aiohttp.ClientSession
    pipe: LogPipe

    @property
    def log(self) -> list[str]:
        """All that it wrote to stderr before its last answer."""
        return [*(json.dumps(line, ensure_ascii=False) for line in self.pipe.lines), *self.pipe.noise]

    async def get(self, path: str, headers: dict[str, str] | None = None) -> Answer:
        async with self.session.get(f"http://{self.address}{path}", headers=headers) as answer:
            return Answer(answer.status, await answer.text(), dict(answer.headers))

    async def probe(self, target: str | None = None, *, timeout: str | None = None, **query: str) -> Answer:  # noqa: ASYNC109 - Prometheus's header
        """Probes; again if a busy machine had stopped the monitor, which says nothing of the target."""
        for _ in range(5):
            answer = await self.probe_once(target, timeout=timeout, **query)
            if not answer.said_stalled:
                break
        return answer

    async def probe_once(self, target: str | None = None, *, timeout: str | None = None, **query: str) -> Answer:  # noqa: ASYNC109
        """Probes one time."""
        given = query if target is None else {"target": target, **query}
        headers = {} if timeout is None else {TIMEOUT: timeout}
        async with self.session.get(f"http://{self.address}/probe", params=given, headers=headers) as answer:
            return Answer(answer.status, await answer.text(), dict(answer.headers))


Daemons = Callable[..., AbstractAsyncContextManager[Daemon]]


@pytest.fixture
def daemon(tmp_path: Path) -> Daemons:
    """`async with daemon(text of checks.toml, NAME="value in its environment")`."""

    @contextlib.asynccontextmanager
    async def running(text: str, **environ: str) -> AsyncIterator[Daemon]:
        config = tmp_path / "checks.toml"
        config.write_text(f'monitor.listen = "127.0.0.1:0"\nmonitor.log.format = "json"\n{text}')
        pipe = LogPipe()
        process = await nursery.start(("run", "-c", str(config)), environment(**environ), error=pipe.writing)
        pipe.handed_over()
        try:
            await pipe.until(lambda: _started(pipe), PATIENCE)
            assert _started(pipe), [*pipe.lines, *pipe.noise]
            async with aiohttp.ClientSession() as session:
                yield Daemon(_started(pipe)[0]["listen"], process, session, pipe)
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGKILL)
            await process.wait()
            await pipe.until(lambda: False, PATIENCE)

    return running


def _started(pipe: LogPipe) -> list[Line]:
    return [line for line in pipe.lines if line["event"] == "started"]


def program(name: str) -> str:
    """A program of this machine; without it the test is skipped, or in CI fails."""
    found = shutil.which(name)
    if found is None and os.environ.get("CI") != "true":
        pytest.skip(f"needs {name}, of the Debian package {name}")
    assert found is not None, f"CI has to have {name} on the PATH"
    return found


@contextlib.asynccontextmanager
async def other(url: str, *command: str | Path) -> AsyncIterator[None]:
    """Another program that runs meanwhile, once this address answers."""
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*map(str, command), stdout=quiet, stderr=quiet)
    try:
        async with aiohttp.ClientSession() as session:
            assert await polled(lambda: _answers(session, url), lambda there: there), f"{command[0]} does not answer"
        yield
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url) as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


async def polled(ask: Callable[[], Awaitable[T]], enough: Callable[[T], bool]) -> T:
    """Ask again and again until the answer is as wanted; the last one if it never was."""
    deadline = time.monotonic() + PATIENCE
    while not enough(found := await ask()) and time.monotonic() < deadline:  # noqa: ASYNC110 - no event to await
        await asyncio.sleep(0.05)
    return found
