"""Memory: whatever a server sends, and however it is packed, a check stays small."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from monitor.model.outcome import Reason
from tests.protocols.harness import alone
from tests.servers import faults
from tests.servers.http import HttpServer
from tests.servers.tcp import Script, Server

BOUND = 40 << 20
"""A check of a bounded body may grow the process by so much; what it is sent is many times that."""

MIB = 1 << 20

FLOODS: list[tuple[Callable[[], Script], bool, set[Reason]]] = [
    (lambda: faults.endless_body, False, {Reason.OK}),
    (lambda: faults.endless_body, True, {Reason.BODY_TOO_LARGE}),
    (lambda: faults.gzip_bomb(1 << 30), False, {Reason.OK}),
    (lambda: faults.gzip_bomb(1 << 30), True, {Reason.BODY_TOO_LARGE}),
    (lambda: faults.huge_header(100 * MIB, lines=False), True, {Reason.INVALID_RESPONSE}),
    (lambda: faults.huge_header(100 * MIB, lines=True), True, {Reason.INVALID_RESPONSE}),
    (lambda: faults.endless_head_line, True, {Reason.INVALID_RESPONSE}),
    (lambda: faults.endless_informational, True, {Reason.INVALID_RESPONSE, Reason.TOTAL_TIMEOUT}),
    (lambda: faults.single_bytes, True, {Reason.OK}),
]

NAMES = [
    "endless body", "endless body that matters", "gzip bomb", "gzip bomb that matters", "100 MB header line",
    "100 MB of header lines", "endless status line", "endless interim answers", "a body of single bytes",
]  # fmt: skip


@pytest.mark.parametrize(("make", "needs_body", "reasons"), FLOODS, ids=NAMES)
async def test_flood_does_not_fill_the_memory(
    make: Callable[[], Script], needs_body: bool, reasons: set[Reason]
) -> None:
    async with HttpServer() as warm, Server(make()) as server:
        found = await alone("memory", {"warm": warm.url(), "url": server.url(), "needs_body": needs_body})
        assert server.connections == 1
    assert found["reason"] in reasons
    assert found["growth"] < BOUND, f"grew by {found['growth'] / MIB:.0f} MiB"
    if found["reason"] is not Reason.TOTAL_TIMEOUT:
        assert found["seconds"] < 2.5
