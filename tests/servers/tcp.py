"""TCP on loopback: a server that counts and runs a script per connection, and ports where nothing answers."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from types import TracebackType
from typing import Self

Script = Callable[["Connection"], Awaitable[None]]
"""What a server does with one connection; when it returns, the connection is closed."""

PATIENCE = 5.0
"""Seconds after which `Server.until` gives up: far more than loopback ever needs."""


class Connection:
    """One accepted connection, as a script sees it."""

    def __init__(self, server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server = server
        self.reader = reader
        self.writer = writer
        self.number = server.connections

    async def read_head(self) -> bytes:
        """A request up to its blank line, recorded in `server.heads`; what came, if the peer ended before."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as cut:
            head = cut.partial
        if head:
            self.server.record(head)
        return head

    async def send(self, data: bytes) -> None:
        """Send all of it, as fast as the peer takes it."""
        if self.writer.is_closing():  # uvloop raises RuntimeError in this place
            raise ConnectionResetError
        self.writer.write(data)
        await self.writer.drain()

    async def drip(self, data: bytes, interval: float) -> None:
        """Send it byte by byte, `interval` seconds apart."""
        for position in range(len(data)):
            await self.send(data[position : position + 1])
            await asyncio.sleep(interval)

    async def hold(self) -> None:
        """Read and say nothing, until the peer has gone."""
        while await self.reader.read(65536):
            pass

    async def freeze(self) -> None:
        """Neither read nor say anything, until the server is stopped."""
        await asyncio.Event().wait()

    def reset(self) -> None:
        """End with an RST instead of a FIN."""
        with socket.socket(fileno=os.dup(self.writer.get_extra_info("socket").fileno())) as twin:
            twin.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def close(self) -> None:
        """End with a FIN, after all that was sent."""
        self.writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            await self.writer.wait_closed()


class Server:
    """Accepts connections on loopback, counts them, and gives each to the script.

    `connections` counts TCP connections, so also those whose TLS handshake fails (these are in `handshake_failures`);
    `heads` holds each request as it came. A script's own exceptions, other than the peer's going away, are raised
    when the server is left, so that a broken script cannot pass for a fault.
    """

    def __init__(
        self,
        script: Script,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        receive_buffer: int | None = None,
    ) -> None:
        self.script = script
        self.host = host
        self.port = port
        self.scheme = "http" if tls is None else "https"
        self.connections = 0
        self.peers: list[str] = []
        self.heads: list[bytes] = []
        self.handshake_failures: list[OSError] = []
        self._tls = tls
        self._receive_buffer = receive_buffer
        self._errors: list[Exception] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._unserved: set[socket.socket] = set()
        self._news = asyncio.Event()

    @property
    def address(self) -> str:
        """Where it listens: «127.0.0.1:4711», «[::1]:4711»."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def open(self) -> int:
        """How many connections are open now."""
        return len(self._tasks)

    def url(self, path: str = "/", *, host: str | None = None, scheme: str | None = None) -> str:
        """The URL of a path here, under another host name or scheme if wanted."""
        authority = self.address if host is None else f"{host}:{self.port}"
        return f"{scheme or self.scheme}://{authority}{path}"

    def record(self, head: bytes) -> None:
        """Note a request."""
        self.heads.append(head)
        self._news.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Return once the condition holds, looked at whenever something happens here."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def __aenter__(self) -> Self:
        self._listener = _listen(self.host, self.port, self._receive_buffer)
        self.port = self._listener.getsockname()[1]
        asyncio.get_running_loop().add_reader(self._listener, self._accept)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.get_running_loop().remove_reader(self._listener)
        self._listener.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._errors and error is None:
            raise ExceptionGroup("the script of a server failed", self._errors)

    def _accept(self) -> None:
        try:
            sock, peer = self._listener.accept()
        except OSError:  # gone again before it was taken
            return
        sock.setblocking(False)
        self.connections += 1
        self.peers.append(peer[0])
        task = asyncio.create_task(self._serve(sock))
        self._tasks.add(task)
        self._unserved.add(sock)
        task.add_done_callback(functools.partial(self._ended, sock))
        self._news.set()

    def _ended(self, sock: socket.socket, task: asyncio.Task[None]) -> None:
        if sock in self._unserved:  # cancelled before its first step
            self._unserved.discard(sock)
            sock.close()
        self._tasks.discard(task)
        self._news.set()

    async def _serve(self, sock: socket.socket) -> None:
        self._unserved.discard(sock)
        try:
            connection = await self._open(sock)
        except OSError as error:  # ssl.SSLError among them
            self.handshake_failures.append(error)
            sock.close()
            return
        except asyncio.CancelledError:
            sock.close()
            raise
        try:
            await self.script(connection)
            await connection.close()
        except (OSError, asyncio.IncompleteReadError):
            pass  # the peer went away, which is its right
        except Exception as error:  # noqa: BLE001 - raised when the server is left
            self._errors.append(error)
        finally:
            connection.writer.transport.abort()

    async def _open(self, sock: socket.socket) -> Connection:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        limits = {} if self._tls is None else {"ssl_handshake_timeout": 30.0, "ssl_shutdown_timeout": 1.0}
        transport, _ = await loop.connect_accepted_socket(lambda: protocol, sock, ssl=self._tls, **limits)
        return Connection(self, reader, asyncio.StreamWriter(transport, protocol, reader, loop))


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _listen(host: str, port: int, receive_buffer: int | None, backlog: int = 1024) -> socket.socket:
    listener = socket.socket(_family(host), socket.SOCK_STREAM, socket.IPPROTO_TCP)  # else asyncio sets no TCP_NODELAY
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if receive_buffer is not None:  # inherited by what is accepted
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    listener.bind((host, port))
    listener.listen(backlog)
    listener.setblocking(False)
    return listener


def free_port() -> int:
    """Returns a port that was free a moment ago, for programs that do not take port 0."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def closed_port(host: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """A port that refuses: held, so that no one else takes it, and not listening."""
    with socket.socket(_family(host), socket.SOCK_STREAM) as holder:
        holder.bind((host, port))
        yield holder.getsockname()[1]


@contextlib.asynccontextmanager
async def hanging_port(host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[int]:
    """A port whose SYNs stay unanswered, because its accept queue is full; proved before it is handed out."""
    with contextlib.ExitStack() as sockets:
        listener = sockets.enter_context(_listen(host, port, None, backlog=0))
        for _ in range(16):
            if await _hangs(listener.getsockname(), sockets):
                break
        else:
            raise RuntimeError("this kernel answers SYNs for a full accept queue")
        yield listener.getsockname()[1]


async def _hangs(address: tuple[str, int], sockets: contextlib.ExitStack, wait: float = 0.05) -> bool:
    """Whether one more connection gets no answer; one that does is kept, and fills the queue."""
    filler = sockets.enter_context(socket.socket(_family(address[0]), socket.SOCK_STREAM))
    filler.setblocking(False)
    filler.connect_ex(address)
    loop, connected = asyncio.get_running_loop(), asyncio.Event()
    loop.add_writer(filler, connected.set)
    try:
        await asyncio.wait_for(connected.wait(), wait)
    except TimeoutError:
        return True
    finally:
        loop.remove_writer(filler)
    return False
