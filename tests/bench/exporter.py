"""blackbox_exporter under load: its process, and a driver that asks it for probes over kept connections.

The driver's own CPU is not counted, and it asks for no compression, which spares the exporter some work.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from tests.bench.figures import NotMeasured
from tests.bench.target import HOST, Target, ended, wait_for_port
from tests.servers.tcp import free_port

PROGRAM = "prometheus-blackbox-exporter"
_LANES = 8
"""Probes in flight when it goes as fast as it can."""

_MODULES = """
modules:
  http:
    prober: http
    timeout: 5s
  https:
    prober: http
    timeout: 5s
    http: {{ tls_config: {{ ca_file: {ca_file} }} }}
"""


@contextmanager
def exporter(target: Target) -> Iterator[tuple[int, int]]:
    """A running exporter: its process id and its port."""
    if shutil.which(PROGRAM) is None:
        raise NotMeasured(f"{PROGRAM} is not installed; it is what the daemon is measured against")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="bench-exporter-") as folder:
        modules = Path(folder, "modules.yml")
        modules.write_text(_MODULES.format(ca_file=target.ca_file))
        command = [PROGRAM, f"--config.file={modules}", f"--web.listen-address={HOST}:{port}"]
        with ended(subprocess.Popen(command, stderr=subprocess.DEVNULL)) as process:
            wait_for_port(port, process)
            yield process.pid, port


@dataclass
class Driver:
    """Asks for probes of one URL, and counts those that succeeded and those that did not."""

    port: int
    url: str
    succeeded: int = 0
    failed: int = 0
    _idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=list)

    async def paced(self, rate: float, seconds: float) -> None:
        """So many probes per second for so many seconds, evenly, however long each takes."""
        begin = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for n in range(round(rate * seconds)):
                await asyncio.sleep(begin + n / rate - time.monotonic())
                group.create_task(self._probe())

    async def saturated(self, seconds: float) -> None:
        """One probe after the other on every lane, for so many seconds."""
        until = time.monotonic() + seconds

        async def lane() -> None:
            while time.monotonic() < until:
                await self._probe()

        await asyncio.gather(*(lane() for _ in range(_LANES)))

    def run(self, load: Awaitable[None]) -> int:
        """Put a load on the exporter to its end; how many probes succeeded, which all should."""
        before = self.succeeded

        async def loaded() -> None:
            await load
            for _, writer in self._idle:
                writer.close()
            self._idle.clear()

        asyncio.run(loaded())
        if self.failed:
            raise NotMeasured(f"{self.failed} probes of blackbox_exporter failed; no figure means anything then")
        return self.succeeded - before

    async def _probe(self) -> None:
        reader, writer = self._idle.pop() if self._idle else await asyncio.open_connection(HOST, self.port)
        module = self.url.partition(":")[0]
        path = f"/probe?module={module}&target={quote(self.url, safe='')}"
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        answer = await _whole_answer(reader)
        if b"\nprobe_success 1\n" in answer:
            self.succeeded += 1
        else:
            self.failed += 1
        self._idle.append((reader, writer))


async def _whole_answer(reader: asyncio.StreamReader) -> bytes:
    """Head and body of an answer; Go sends a short one with its length and a long one in chunks."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    _, named, rest = head.partition(b"content-length:")
    if named:
        return await reader.readexactly(int(rest.split(b"\r\n")[0]))
    body = b""
    while size := int(await reader.readline(), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readline()
    return body
