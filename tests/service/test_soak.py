"""Two thousand runs of every kind leave nothing behind: no descriptor, no thread, no memory."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from tests.servers import faults, tls
from tests.servers.http import HttpServer, answer, redirect
from tests.servers.tcp import Server, closed_port
from tests.service.conftest import Serve, Start
from tests.service.daemon import eventually


@pytest.mark.timeout(100)
async def test_thousands_of_runs_leave_nothing_behind(
    start: Start, serve: Serve, target: HttpServer, ca_path: Path
) -> None:
    ill = await serve(HttpServer(lambda _: answer(503, b"x" * 5000)))
    looping = await serve(HttpServer(lambda _: redirect("/")))
    secure = await serve(tls.https())
    cut = await serve(Server(faults.short_body))
    resetting = await serve(Server(faults.reset_after_request))
    noisy = await serve(Server(faults.random_bytes))
    with closed_port() as closed:
        urls = [
            *[target.url()] * 20,
            *[ill.url()] * 6,
            looping.url(),
            *[secure.url()] * 4,
            *[cut.url()] * 4,
            *[resetting.url()] * 4,
            noisy.url(),
            *[f"http://127.0.0.1:{closed}/"] * 4,
            *["http://missing.invalid/"] * 2,
        ]
        daemon = await start(
            *({"name": f"c-{n}", "url": url, "tls": {"ca_file": str(ca_path)}} for n, url in enumerate(urls)),
            defaults={
                "interval": "300ms",
                "max_redirects": 3,
                "timeout": {"connect": "200ms", "read": "200ms", "total": "250ms"},
            },
        )
        process = psutil.Process(daemon.pid)

        async def attempts() -> float:
            return (await daemon.metrics()).total("probe_attempts_total")

        await eventually(attempts, lambda n: n >= 700, within=40)
        memory = process.memory_info().rss
        threads = process.num_threads()
        await eventually(attempts, lambda n: n >= 2200, within=60)
        grown = process.memory_info().rss - memory
        assert grown < 6 << 20, f"{grown / (1 << 20):.1f} MiB more after 1,500 runs"
        assert process.num_threads() <= threads + 1

        async def descriptors() -> int:
            return process.num_fds()

        await eventually(descriptors, lambda n: n < 60)
        (await daemon.metrics()).assert_adds_up()
        assert not daemon.lines("internal error in a check")
