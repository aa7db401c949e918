"""A real Prometheus and a real blackbox_exporter, as subprocesses that end with the test."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.servers.tcp import free_port
from tests.service.daemon import Metrics, eventually


def program(name: str, package: str) -> str:
    """Where a program is; skips where it is not, except in CI, where nothing may be missing."""
    found = shutil.which(name)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(f"in CI nothing may be missing: {name}")
        pytest.skip(f"needs {name}, of the Debian package {package}")
    return found


class Web:
    """A program that answers over HTTP."""

    def __init__(self, address: str, session: aiohttp.ClientSession) -> None:
        self.address = address
        self._session = session

    async def get(self, path: str, **parameters: str) -> tuple[int, str]:
        """Status and text; 0 while it does not listen."""
        try:
            async with self._session.get(f"http://{self.address}{path}", params=parameters) as answer:
                return answer.status, await answer.text()
        except aiohttp.ClientConnectionError as error:
            return 0, str(error)

    async def answers(self, path: str) -> None:
        """Return once it is up."""
        await eventually(lambda: self.get(path), lambda found: found[0] == 200)

    async def query(self, expression: str) -> list[dict[str, Any]]:
        """What Prometheus answers to an instant query."""
        status, text = await self.get("/api/v1/query", query=expression)
        assert status == 200, text
        found: list[dict[str, Any]] = json.loads(text)["data"]["result"]
        return found

    async def probe(self, target: str, module: str) -> Metrics:
        """What blackbox_exporter finds."""
        status, text = await self.get("/probe", target=target, module=module)
        assert status == 200, text
        return Metrics(text)


@contextlib.asynccontextmanager
async def web(command: list[str], port: int, ready: str) -> AsyncIterator[Web]:
    """Run a program that answers on this port until this is left."""
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
            found = Web(f"127.0.0.1:{port}", session)
            await found.answers(ready)
            yield found
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGTERM)
        await process.wait()


def prometheus(folder: Path, target: str) -> contextlib.AbstractAsyncContextManager[Web]:
    """A Prometheus that scrapes one target every second."""
    return prometheus_of(
        folder,
        "global: {scrape_interval: 1s}\n"
        f"scrape_configs: [{{job_name: monitor, static_configs: [{{targets: ['{target}']}}]}}]\n",
    )


@contextlib.asynccontextmanager
async def prometheus_of(folder: Path, configuration: str) -> AsyncIterator[Web]:
    """A Prometheus of this configuration."""
    config = folder / "prometheus.yml"
    config.write_text(configuration)
    port = free_port()
    command = [
        program("prometheus", "prometheus"),
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
    ]
    async with web(command, port, "/-/ready") as found:
        yield found


@contextlib.asynccontextmanager
async def blackbox(folder: Path, modules: dict[str, Any]) -> AsyncIterator[Web]:
    """A blackbox_exporter with these modules."""
    config = folder / "blackbox.yml"
    config.write_text(json.dumps({"modules": modules}))  # JSON is YAML
    port = free_port()
    command = [
        program("prometheus-blackbox-exporter", "prometheus-blackbox-exporter"),
        f"--config.file={config}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    async with web(command, port, "/-/healthy") as found:
        yield found
