"""The service within the test's own process, where its tasks can be counted and a blocked loop can be caught."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from blockbuster import blockbuster_ctx

from monitor.config import load
from monitor.model.errors import StartError
from monitor.service import Service
from monitor.system import log
from tests.servers.http import HttpServer, answer
from tests.service.conftest import Serve
from tests.service.daemon import configuration, until


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[Path]:
    """A place for the configuration; what the service sets in this process is set back at the end."""
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    yield tmp_path
    log.hide(tuple)
    logging.captureWarnings(False)
    logging.getLogger().handlers[:], logging.getLogger().level = handlers, level
    structlog.reset_defaults()


def written(folder: Path, *checks: dict[str, Any]) -> Path:
    path = folder / "checks.toml"
    path.write_text(configuration(checks))
    return path


def service(path: Path, address: tuple[str, int] = ("127.0.0.1", 0)) -> Service:
    return Service(load(path), address)


async def test_reloads_and_a_stop_leave_no_task(folder: Path, target: HttpServer) -> None:
    before = asyncio.all_tasks()
    running = service(written(folder, {"name": "one", "url": target.url()}))
    await running.start()
    counts = []
    for turn in range(30):
        written(folder, *({"name": f"c-{n}", "url": target.url(f"/{turn}")} for n in range(8)))
        assert await running.reload() == []
        counts.append(len(asyncio.all_tasks() - before))
    await running.stop()
    assert max(counts[10:]) <= max(counts[:10]) + 4, counts
    await until(lambda: not [t for t in asyncio.all_tasks() - before if "tests/servers" not in repr(t)])


async def test_a_reload_leaves_no_cycle_that_settled_memory_would_keep_for_good(
    folder: Path, target: HttpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is settled is not collected any more, so what a reload replaces has to go by itself."""
    running = service(written(folder, {"name": "one", "url": target.url()}))
    await running.start()
    monkeypatch.setattr("monitor.service.settle_memory", lambda: None)
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        for turn in range(3):
            written(folder, *({"name": f"c-{n}", "url": target.url(f"/{turn}")} for n in range(8)))
            assert await running.reload() == []
        gc.collect()
        assert {type(one) for one in gc.garbage if type(one).__module__.startswith("monitor.")} == set()
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
        await running.stop()


async def test_nothing_blocks_the_loop(folder: Path, serve: Serve, target: HttpServer) -> None:
    """Files, names and sleeps belong into threads, or into the time before the first run."""
    ill = await serve(HttpServer(lambda _: answer(500, b"x" * 1000)))
    checks = (
        {"name": "one", "url": target.url(), "interval": "300ms", "timeout": {"connect": "200ms", "total": "200ms"}},
        {"name": "ill", "url": ill.url(), "interval": "300ms", "timeout": {"connect": "200ms", "total": "200ms"}},
        {"name": "named", "url": "http://localhost:1/"},
    )
    running = service(written(folder, *checks))
    await running.start()
    with blockbuster_ctx("monitor"):
        await until(lambda: len(target.requests) >= 2 and len(ill.requests) >= 2)
        assert await running.reload() == []
        seen = len(target.requests)
        await until(lambda: len(target.requests) >= seen + 2)
        reasons = {c.name: c.last.reason.value for c in (await running.backend.overview()).checks if c.last}
    await running.stop()
    assert reasons["one"] == "ok"
    assert reasons["ill"] == "unexpected_status"
    assert "internal_error" not in reasons.values()


async def test_a_start_that_fails_closes_what_it_opened(folder: Path, target: HttpServer) -> None:
    before = asyncio.all_tasks()
    with pytest.raises(StartError, match="another process listens there already"):
        await service(written(folder), ("127.0.0.1", target.port)).start()
    assert not [t for t in asyncio.all_tasks() - before if "tests/servers" not in repr(t)]


async def test_a_stop_right_after_the_start_is_clean(folder: Path, target: HttpServer) -> None:
    running = service(written(folder, *({"name": f"c-{n}", "url": target.url()} for n in range(30))))
    assert running.backend.unready() == "starting"
    await running.start()
    assert running.backend.unready() is None
    await running.stop()
    assert running.backend.unready() == "draining"
    assert not [r for r in target.requests if "missing" in r.target]
