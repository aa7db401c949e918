"""Opens the connection of one hop step by step (resolve, policy, TCP, tunnel, TLS), each with its own clock."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.connector import BaseConnector
from yarl import URL

from monitor.checks.classify import is_local
from monitor.checks.listener import Listener
from monitor.checks.net import Net
from monitor.checks.policy import is_numeric
from monitor.checks.resolve import resolve
from monitor.checks.run import Run, Stage, Stop, tried
from monitor.checks.tls import read_certificate, recorded_chain
from monitor.checks.tunnel import open_tunnel
from monitor.outcome import Attempt, Reason
from monitor.secret import reveal
from monitor.state import seconds

Opened = TypeVar("Opened")
Opener = Callable[[str, int], Awaitable[Opened]]


class Dialer(BaseConnector):
    """The connector of one run: a new connection for every hop, nothing pooled, nothing remembered."""

    def __init__(self, run: Run, net: Net, proxy_authorization: str | None) -> None:
        super().__init__(force_close=True, limit=0)
        self._run = run
        self._net = net
        self._proxy_authorization = proxy_authorization
        self._vouched = False
        """Whether this hop may connect to any address that is not denied: its host is allowed by name."""

    def _release(self, key: ConnectionKey, protocol: ResponseHandler, *, should_close: bool = False) -> None:
        """Hang up at once: a polite TLS goodbye waits for the target's, up to half a minute, with the socket open."""
        protocol.abort()
        super()._release(key, protocol, should_close=should_close)

    async def _create_connection(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Any],  # noqa: ARG002 - aiohttp's signature
        timeout: aiohttp.ClientTimeout,  # noqa: ARG002, ASYNC109
    ) -> ResponseHandler:
        run = self._run
        url = req.url
        through = req.proxy
        self._forbid_host(url, resolved_here=through is None)
        if through is None:
            host, port = self._place(url)
            self._vouched = self._net.policy.vouches(host)
        else:
            self._vouched = True  # the proxy's own address is the operator's word
            host, port = through.raw_host or "", through.port or 80
        try:
            addresses = await self._addresses(host)
        except Stop as stop:
            if through is None or stop.finding.reason is Reason.ADDRESS_DENIED:
                raise
            raise Stop(
                Reason.PROXY_FAILED,
                f"the proxy could not be used: {stop.finding.detail}",
            ) from stop
        run.enter(Stage.CONNECT)
        protocol = await self._talk(url, through, addresses, port)
        run.enter(Stage.HEAD)
        return protocol

    async def _talk(self, url: URL, through: URL | None, addresses: list[str], port: int) -> ResponseHandler:
        """TCP and what goes on top; the protocol that it returns is ready for the request."""
        try:
            if url.scheme != "https":
                return await self._first(addresses, port, self._open_plain)
            sock = await self._first(addresses, port, self._open_socket)
        except OSError as error:
            raise (_proxy_trouble(error, self._run) if through is not None else error) from error
        try:
            if through is not None:
                await self._tunnel(sock, url)
            return await self._secure(sock, url)
        except BaseException:
            sock.close()
            raise

    def _place(self, url: URL) -> tuple[str, int]:
        """Where to connect: `connect_to` stands for the origin that was asked for, and for no other."""
        instead = self._run.spec.connect_to
        if instead is not None and self._asked_for(url):
            return instead[0], instead[1] or url.port or 80
        return url.raw_host or "", url.port or 80

    def _asked_for(self, url: URL) -> bool:
        """Whether this is the origin that was asked for, and not another one that a redirect led to."""
        return url.origin() == URL(reveal(self._run.spec.url), encoded=True).origin()

    async def _addresses(self, host: str) -> list[str]:
        """The addresses of a host that the policy allows."""
        spec = self._run.spec
        if is_numeric(host):
            found = [host]
            if spec.ip_version not in ("any", 6 if ":" in host else 4):
                raise Stop(Reason.DNS_NOT_FOUND, f"{host} is not an IPv{spec.ip_version} address")
        else:
            found = await resolve(host, spec.ip_version, spec.resolver, spec.limits.connect)
        verdicts = {a: self._net.policy.forbids(a, vouched=self._vouched) for a in found}
        allowed = [a for a, why in verdicts.items() if why is None]
        if not allowed:
            self._deny(verdicts[found[0]])
        return allowed

    def _forbid_host(self, url: URL, *, resolved_here: bool) -> None:
        """A proxy must not be asked for an address that we may not ask for ourselves, and no resolver for a name."""
        host = url.raw_host or ""
        if resolved_here and self._run.spec.connect_to is not None and self._place(url)[0] != host:
            return  # connect_to: what is connected to is judged
        self._deny(self._net.policy.forbids_host(host, resolved_here=resolved_here))

    def _deny(self, sentence: str | None) -> None:
        """End the run if there is a reason to."""
        if sentence is None:
            return
        if self._run.redirects:
            raise Stop(
                Reason.FORBIDDEN_REDIRECT,
                f"redirected to a forbidden address: {sentence}",
            )
        raise Stop(Reason.ADDRESS_DENIED, sentence)

    async def _first(self, addresses: list[str], port: int, opener: Opener[Opened]) -> Opened:
        """The first address that accepts; each gets an equal share of what is left of the connect limit."""
        errors: list[OSError] = []
        for position, address in enumerate(addresses):
            try:
                return await self._attempt(address, port, opener, len(addresses) - position)
            except OSError as error:
                errors.append(error)
        raise _most_telling(errors)

    async def _attempt(self, address: str, port: int, opener: Opener[Opened], left: int) -> Opened:
        run = self._run
        began = time.monotonic()
        share = None if left == 1 else began + (run.connect_at - began) / left
        place = endpoint(address, port)
        error: str | None = None
        try:
            async with asyncio.timeout_at(share):
                return await opener(address, port)
        except OSError as exc:  # a share that passed is one too: TimeoutError
            error = error_words(exc, time.monotonic() - began)
            raise
        except asyncio.CancelledError:
            error = f"no answer in {seconds(time.monotonic() - began)}"
            raise
        finally:
            run.attempts.append(Attempt(place, error, time.monotonic() - began))

    async def _open_plain(self, address: str, port: int) -> ResponseHandler:
        """A TCP connection with the HTTP protocol on it, the way that costs uvloop least."""
        loop = self._loop
        source = self._run.spec.source_address
        transport, protocol = await loop.create_connection(
            lambda: Listener(loop, self._run),
            address,
            port,
            local_addr=(source, 0) if source else None,
        )
        try:
            self._arrived(transport.get_extra_info("peername"))
        except BaseException:
            transport.abort()
            raise
        return protocol

    async def _open_socket(self, address: str, port: int) -> socket.socket:
        """A bare TCP connection. uvloop's start_tls loses what a server sends, or that it closes, before it is called;
        TLS over a connected socket loses nothing.
        """
        place = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)[0]
        sock = socket.socket(place[0], socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._run.spec.source_address:
                sock.bind((self._run.spec.source_address, 0))
            await self._loop.sock_connect(sock, place[4])
            self._arrived(sock.getpeername())
        except BaseException:
            sock.close()
            raise
        return sock

    def _arrived(self, peer: tuple[str, int] | None) -> None:
        """Note where the socket really is, and refuse what the policy forbids there (0.0.0.0 leads to loopback)."""
        if peer is None:  # reset before it could be asked
            raise ConnectionResetError
        self._deny(self._net.policy.forbids(peer[0], vouched=self._vouched))
        self._run.remote_address = endpoint(peer[0], peer[1])

    async def _tunnel(self, sock: socket.socket, url: URL) -> None:
        self._run.enter(Stage.TUNNEL)
        try:
            await open_tunnel(sock, endpoint(*self._place(url)), self._proxy_authorization, self._run)
        except ConnectionError as error:
            raise _proxy_trouble(error, self._run) from error

    async def _secure(self, sock: socket.socket, url: URL) -> ResponseHandler:
        run = self._run
        run.enter(Stage.TLS)
        loop = self._loop
        name = run.spec.tls.server_name
        run.server_name = name if name is not None and self._asked_for(url) else url.raw_host or ""
        with recorded_chain() as chain:
            try:
                transport, protocol = await loop.create_connection(
                    lambda: Listener(loop, run),
                    sock=sock,
                    ssl=self._net.tls.get(run.spec.tls),
                    server_hostname=reveal(run.server_name),
                    ssl_handshake_timeout=run.spec.limits.total + 60,  # never the first to pass
                )
            finally:
                run.certificates = tuple(c for c in map(read_certificate, chain) if c is not None)
        tls: ssl.SSLObject = transport.get_extra_info("ssl_object")
        run.tls_version = tls.version()
        return protocol


def endpoint(host: str, port: int) -> str:
    """«192.0.2.7:443», «[2001:db8::7]:443»."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def error_words(error: OSError, took: float) -> str:
    """A failure to connect in a word or two."""
    if isinstance(error, TimeoutError) and error.errno is None:
        return f"no answer in {seconds(took)}"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    return (error.strerror or type(error).__name__).lower()


def _most_telling(errors: list[OSError]) -> OSError:
    """An address that answered, if only by refusing, says more than one that was out of reach."""
    return min(
        errors,
        key=lambda e: (not isinstance(e, ConnectionError), isinstance(e, TimeoutError)),
    )


def _proxy_trouble(error: OSError, run: Run) -> Exception:
    """A proxy that cannot be used is not the target's refusal; what this machine lacks stays what it is."""
    if is_local(error):
        return error
    where = tried(run.attempts) if any(a.error for a in run.attempts) else f"{run.remote_address} hung up"
    return Stop(Reason.PROXY_FAILED, f"the proxy could not be used: {where}")
