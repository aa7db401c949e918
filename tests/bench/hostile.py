"""Targets that misbehave in every way the tests know, in a process of their own (`python -m tests.bench.hostile`).

The first line that it prints is a JSON list of URLs; it ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvloop

from tests.servers import faults, tls
from tests.servers.http import HttpServer, answer, ok, redirect
from tests.servers.replies import REPLIES
from tests.servers.tcp import Connection, Script, Server

_SCRIPTS: list[Script] = [
    faults.reset_on_accept, faults.reset_after_request, faults.close_without_a_byte, faults.silent,
    faults.never_reads, faults.close_in_head, faults.reset_in_head, faults.dripped_head,
    faults.endless_head_line, faults.huge_header(2 << 20, lines=True), faults.endless_informational,
    faults.dripped_informational, faults.ssh_banner, faults.http_0_9, faults.random_bytes, faults.short_body,
    faults.chunked_cut_off, faults.chunked_without_end, faults.bad_chunk_size, faults.reset_in_body,
    faults.stalled_body, faults.stalled_chunk, faults.dripped_body, faults.endless_body, faults.single_bytes,
    faults.gzip_bomb(16 << 20),
]  # fmt: skip
_BELOW_TLS: list[Script] = [tls.silent, tls.closes, tls.resets, tls.plain_http, tls.garbage, tls.noise, tls.alert(40)]


async def _any_reply(connection: Connection) -> None:
    """One of the odd replies, another one each time, in two pieces."""
    await connection.read_head()
    reply = random.choice(list(REPLIES.values()))
    cut = random.randrange(len(reply) + 1)
    await connection.send(reply[:cut])
    await asyncio.sleep(0)
    await connection.send(reply[cut:])


def _servers() -> list[Server]:
    good = HttpServer(lambda _: ok(b'{"status": "ok"}', ("Set-Cookie", f"a={random.random()}")))
    ill = HttpServer(lambda _: answer(503, random.randbytes(5000), [("X-Odd", "?" * 5000)]))
    changing = HttpServer(lambda _: redirect(f"/{random.random()}?{'&amp;' * 500}"))
    secure = [tls.https(), tls.expired(), tls.wrong_host(), tls.self_signed(), tls.intermediate_missing()]
    return [good, ill, changing, Server(_any_reply), *map(Server, _SCRIPTS), *map(tls.Bare, _BELOW_TLS), *secure]


async def _serve() -> None:
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # of clients that went away
    async with contextlib.AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(server) for server in _servers()]
        sys.stdout.write(json.dumps([server.url() for server in servers]) + "\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


@contextmanager
def hostile() -> Iterator[list[str]]:
    """Their URLs, for as long as the context lasts."""
    command = [sys.executable, "-m", "tests.bench.hostile"]
    process = subprocess.Popen(
        command, cwd=Path(__file__).parents[2], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        assert process.stdout is not None
        urls: list[str] = json.loads(process.stdout.readline())
        yield urls
    finally:
        process.kill()
        process.communicate()


if __name__ == "__main__":
    uvloop.run(_serve())
