"""Fixtures of the checks' tests: run a check in one line, and trust the authority of the tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import pytest
import uvloop

from monitor.model.route import FileRef, TlsSpec
from tests.protocols.harness import Run, file_ref, run_check
from tests.servers import certs

BOTH_LOOPS = {
    "test_connection_faults",
    "test_exchange",
    "test_reasons",
    "test_tcp",
    "test_timeouts",
    "test_tls",
    "test_tls_scheme",
}
"""Modules whose tests run on both event loops: the two report a peer's faults by different ways."""


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Which event loops a test runs on."""
    module = item.path.stem
    loops: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"uvloop": uvloop.new_event_loop}
    if module in BOTH_LOOPS:
        loops["asyncio"] = asyncio.new_event_loop
    return loops


@pytest.fixture(scope="session")
def ca_file(tmp_path_factory: pytest.TempPathFactory) -> FileRef:
    """The authority of the tests, as a check's `ca_file`."""
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    path.write_bytes(certs.authority().cert_pem.bytes())
    return file_ref(path)


@pytest.fixture
def trusting(ca_file: FileRef) -> Callable[..., TlsSpec]:
    """`trusting(server_name="x")`: TLS settings that trust the authority of the tests."""

    def settings(**over: Any) -> TlsSpec:
        return TlsSpec(**{"ca_file": ca_file, **over})

    return settings


@pytest.fixture
async def run(trusting: Callable[..., TlsSpec]) -> AsyncIterator[Run]:
    """`await run(url, **fields)`; TLS trusts the authority of the tests, and nothing may be left running."""
    before = asyncio.all_tasks()

    async def go(url: Any, **over: Any) -> Any:
        return await run_check(url, **{"tls": trusting(), **over})

    yield go
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    assert not left, f"still running after the test: {left}"
