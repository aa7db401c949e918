"""The shipped checks.toml: valid, its examples too, and everything in it is up on a machine without a network."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from pathlib import Path

import aiohttp
import pytest

from monitor.config import load
from tests.project.conftest import ROOT

SHIPPED = ROOT / "checks.toml"


def test_is_valid_and_listens_where_it_says() -> None:
    configuration = load(SHIPPED)
    assert configuration.monitor.listen == ("127.0.0.1", 8420)
    assert configuration.checks


def test_asks_nobody_but_this_machine() -> None:
    assert {re.sub(r"^http://(127\.0\.0\.1|localhost):8420/.*", "here", c.target) for c in load(SHIPPED).checks} == {
        "here"
    }


def test_its_examples_are_valid_once_uncommented(tmp_path: Path) -> None:
    text = SHIPPED.read_text()
    uncommented = re.sub(r"^#(?=\S)", "", text, flags=re.MULTILINE)
    path = tmp_path / "checks.toml"
    path.write_text(uncommented)
    examples = {c.name for c in load(path, {"SHOP_TOKEN": "t0ken"}).checks} - {c.name for c in load(SHIPPED).checks}
    assert len(examples) == len(re.findall(r"^#name = ", text, flags=re.MULTILINE)) > 0


@pytest.mark.timeout(60)
async def test_everything_in_it_is_up(tmp_path: Path, unused_port: int) -> None:
    """On a free port, and more often than it says, so that the test need not wait."""
    here = f"127.0.0.1:{unused_port}"
    text = SHIPPED.read_text().replace('interval = "10s"', 'interval = "1s"')
    text = text.replace('read = "2s", total = "3s"', 'total = "1s"').replace(":8420", f":{unused_port}")
    (tmp_path / "checks.toml").write_text(text)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "monitor", "run", "-c", str(tmp_path / "checks.toml")),
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=asyncio.subprocess.PIPE,
    )
    ended = asyncio.create_task(process.communicate())
    up = asyncio.create_task(_until_up(f"http://{here}/status.json"))
    await asyncio.wait((ended, up), timeout=30, return_when=asyncio.FIRST_COMPLETED)
    came_up = up.done()
    up.cancel()
    if process.returncode is None:
        process.terminate()
    _, err = await ended
    assert came_up, err.decode()
    assert process.returncode == 0, err.decode()
    lines = [json.loads(line) for line in err.splitlines()]
    assert [line for line in lines if line["level"] in ("warning", "error")] == []


async def _until_up(url: str) -> None:
    async with aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(url) as answer:
                    summary = (await answer.json())["summary"]
            except aiohttp.ClientConnectionError:
                summary = {}
            if summary.get("up") == len(load(SHIPPED).checks):
                return
            await asyncio.sleep(0.05)


@pytest.fixture
def unused_port() -> int:
    """A port that was free a moment ago."""
    import socket

    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
