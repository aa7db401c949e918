"""A run leaves nothing to the garbage collector: what a reload freezes of runs under way is freed all the same."""

from __future__ import annotations

import asyncio
import gc
from types import FrameType
from typing import Any

import pytest

from monitor.model.spec import Limits
from monitor.protocols.resources import Resources
from monitor.protocols.running import check
from monitor.system.process import new_event_loop
from tests.protocols.harness import expecting_body, make_spec
from tests.servers import faults
from tests.servers.tcp import Script, Server

SHORT = Limits(connect=0.1, read=0.1, total=0.2)
FAULTS = [
    faults.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
    faults.raw(b"HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n"),
    faults.raw(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok"),
    faults.reset_on_accept, faults.reset_after_request, faults.close_without_a_byte, faults.silent,
    faults.close_in_head, faults.dripped_head, faults.endless_informational, faults.ssh_banner, faults.random_bytes,
    faults.short_body, faults.chunked_cut_off, faults.bad_chunk_size, faults.stalled_body, faults.endless_body,
    faults.gzip_bomb(1 << 22),
]  # fmt: skip


def of_ours(garbage: object) -> bool:
    code = garbage.f_code.co_filename if isinstance(garbage, FrameType) else ""
    return "/monitor/" in code or type(garbage).__module__.startswith("monitor.")


def left_behind(scheme: str, place: str, script: Script, **over: Any) -> list[object]:
    """What three runs against a server leave to the collector."""

    async def run() -> None:
        async with Server(script) as server:
            url = f"{scheme}://{place or f'127.0.0.1:{server.port}'}/"
            resources, spec = Resources(), make_spec(url, limits=SHORT, expect=expecting_body(contains="ok"), **over)
            await check(spec, resources)
            gc.collect()
            gc.set_debug(gc.DEBUG_SAVEALL)
            for _ in range(3):
                await check(spec, resources)
            await asyncio.sleep(0.01)  # what was only just given up ends
            gc.collect()
            gc.set_debug(0)

    gc.disable()
    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(run())
        return [one for one in gc.garbage if of_ours(one)]
    finally:
        gc.set_debug(0)
        gc.enable()
        gc.garbage.clear()


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("script", FAULTS, ids=range(len(FAULTS)))
def test_a_server_that_misbehaves_leaves_nothing_to_the_collector(scheme: str, script: Script) -> None:
    assert left_behind(scheme, "", script) == []


@pytest.mark.parametrize("place", ["127.0.0.1:1", "[::1]:1", "no.such.invalid", "localhost:1"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_place_that_cannot_be_reached_leaves_nothing_to_the_collector(scheme: str, place: str) -> None:
    assert left_behind(scheme, place, faults.silent) == []


def test_a_proxy_that_cannot_be_reached_leaves_nothing_to_the_collector() -> None:
    assert left_behind("http", "example.invalid", faults.silent, proxy="http://127.0.0.1:1") == []
