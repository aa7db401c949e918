"""Where there is no uvloop the daemon runs on asyncio's own event loop, with probe workers and without."""

from __future__ import annotations

import os
from pathlib import Path

from tests.servers import tls
from tests.servers.http import HttpServer
from tests.service.conftest import Serve, Start

WORKERS = (0, 1)
"""Each test is run with so many probe workers."""


async def test_everything_works_on_the_loop_of_asyncio(
    start: Start, serve: Serve, target: HttpServer, tmp_path: Path, ca_path: Path
) -> None:
    (tmp_path / "uvloop.py").write_text("raise ImportError('not on this platform')\n")
    secure = await serve(tls.https())
    daemon = await start(
        {"name": "plain", "url": target.url()},
        {"name": "secure", "url": secure.url(), "tls": {"ca_file": str(ca_path)}},
        {"name": "refused", "url": "http://127.0.0.1:9/", "down_after": 1},
        env={"PYTHONPATH": os.pathsep.join([str(tmp_path), str(Path(__file__).parents[2])])},
    )
    checks = await daemon.until_checks(lambda c: {n: x["state"] for n, x in c.items()}.get("refused") == "down")
    checks = await daemon.until_all_ran()
    assert {name: check["last"]["reason"] for name, check in checks.items()} == {
        "plain": "ok",
        "secure": "ok",
        "refused": "refused",
    }
    (await daemon.metrics()).assert_adds_up()
    assert await daemon.stop() == 0
