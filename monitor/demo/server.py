"""Plays targets: a port for each, whose connections meet the script of the act that is on."""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Iterator

from monitor.demo.script import End, Script, Target

HOST = "127.0.0.1"

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_SPREAD = 0.2
"""Pauses are spread as latencies of real services are: a few are much longer than the rest."""
_FILLERS = 4


@contextlib.asynccontextmanager
async def playing(target: Target, tls: ssl.SSLContext | None) -> AsyncIterator[int]:
    """The port of a target, which is played until the context is left."""
    with contextlib.ExitStack() as opened:
        port = opened.enter_context(_held_port())
        if target.full:
            opened.enter_context(_full(port))
        elif target.acts[0][1] is not None:
            opened.callback((await _listen(target, tls, port)).close)
        yield port


async def _listen(target: Target, tls: ssl.SSLContext | None, port: int) -> asyncio.Server:
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        script = target.script(loop.time() - began)
        try:
            if script is not None:
                await _play(script, reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the client went away, which is its right
        except asyncio.CancelledError:
            pass  # the demo ends; Python 3.11 would print a traceback for a conversation that was cancelled
        finally:
            writer.close()

    server = await asyncio.start_server(converse, HOST, port, ssl=tls, reuse_address=True)
    if target.acts[-1][1] is None:
        loop.call_later(sum(lasts for lasts, _ in target.acts if lasts < math.inf), server.close)
    return server


async def _play(script: Script, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    if script.asked:
        await reader.readuntil(b"\r\n\r\n")
    for step in script.steps:
        if isinstance(step, bytes):
            writer.write(step)
            await writer.drain()
        else:
            await asyncio.sleep(step * random.lognormvariate(0, _SPREAD))
    if script.end is End.RESET:
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        writer.transport.abort()
    elif script.end is End.HOLD:
        while await reader.read(65536):
            pass


@contextlib.contextmanager
def _held_port() -> Iterator[int]:
    """Reserves a port without listening, so that it refuses connections and no other process takes it."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind((HOST, 0))
        yield holder.getsockname()[1]


@contextlib.contextmanager
def _full(port: int) -> Iterator[None]:
    """Listen with an accept queue that is full: the kernel leaves further connections unanswered."""
    with contextlib.ExitStack() as opened:
        listener = opened.enter_context(socket.socket())
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(0)
        for _ in range(_FILLERS):
            filler = opened.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex((HOST, port))
        yield
