"""Fixtures of the daemon's tests."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.servers import certs
from tests.servers.http import HttpServer
from tests.service.daemon import Daemon, configuration, running

Start = Callable[..., Awaitable[Daemon]]
"""`await start(check, …, monitor={…}, defaults={…}, env={…})`; a check is a table of the configuration."""

Serve = Callable[[Any], Awaitable[Any]]
"""`server = await serve(HttpServer(…))`."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Daemons with and without probe workers, in modules that say WORKERS."""
    counts = getattr(metafunc.module, "WORKERS", None)
    if counts is not None and "start" in metafunc.fixturenames:
        metafunc.parametrize("start", counts, indirect=True, ids="{} workers".format)


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Open servers, which outlive the daemons of the test, so that none is left in the middle of a connection."""
    async with contextlib.AsyncExitStack() as stack:

        async def go(server: Any) -> Any:
            return await stack.enter_async_context(server)

        yield go


@pytest.fixture
async def start(request: pytest.FixtureRequest, tmp_path: Path, serve: Serve) -> AsyncIterator[Start]:
    """Start daemons, which end with the test; its parameter is how many probe workers they have."""
    workers, forked = {}, {}
    if hasattr(request, "param"):
        workers, forked = {"workers": request.param}, {"fork_workers": True}
    async with contextlib.AsyncExitStack() as stack:

        async def go(
            *checks: Mapping[str, Any],
            monitor: Mapping[str, Any] | None = None,
            defaults: Mapping[str, Any] | None = None,
            **options: Any,
        ) -> Daemon:
            config = tmp_path / "checks.toml"
            config.write_text(configuration(checks, {**workers, **(monitor or {})}, defaults))
            return await stack.enter_async_context(running(config, **forked | options))

        yield go


@pytest.fixture
async def target(serve: Serve) -> HttpServer:
    """A good target."""
    server: HttpServer = await serve(HttpServer())
    return server


@pytest.fixture(scope="session")
def ca_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The authority of the tests, as a file."""
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    path.write_bytes(certs.authority().cert_pem.bytes())
    return path
