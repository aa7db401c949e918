"""One booted container per kind of systemd, with the monitor's sources, its wheels and something to check."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.systemd.container import Container
from tests.systemd.trees import CACHE, ROOT, SUITES, missing, tree, wheels

SECRET = "s3cret-of-the-shop"

TARGET = f"""
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Target(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/slow":
            time.sleep(3)
        known = self.headers.get("Authorization") == "Bearer {SECRET}"
        self.send_response(200 if known or self.path == "/slow" else 401)
        self.end_headers()
        self.wfile.write(str(self.headers).encode())  # it echoes the secret

ThreadingHTTPServer(("127.0.0.1", 8000), Target).serve_forever()
"""

TARGET_UNIT = """
[Service]
ExecStart=/usr/bin/python3 /srv/target.py
[Install]
WantedBy=multi-user.target
"""

_SOURCES = (".ci", "Makefile", "README.md", "checks.toml", "deploy", "monitor", "pyproject.toml")


@pytest.fixture(scope="session", params=SUITES)
def container(request: pytest.FixtureRequest) -> Iterator[Container]:
    """A container that runs; whatever a test leaves behind, the next one meets: they stand in the order of a life."""
    if reason := missing():
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    root = CACHE / f"{request.param}.running"
    shutil.rmtree(root, ignore_errors=True)
    subprocess.run(["cp", "-a", tree(request.param), root], check=True)  # owners and devices too
    _furnish(root, wheels(request.param))
    running = Container(root)
    try:
        running.boot()
        running.run("systemctl", "enable", "-q", "--now", "target.service")
        yield running
    finally:
        running.remove()


def _furnish(root: Path, wheels: Path) -> None:
    sources = root / "srv" / "monitor"
    sources.mkdir(parents=True)
    for name in _SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, sources / name)
    shutil.copytree(wheels, root / "srv" / "wheels")
    (root / "srv" / "target.py").write_text(TARGET)
    (root / "etc" / "systemd" / "system" / "target.service").write_text(TARGET_UNIT)
