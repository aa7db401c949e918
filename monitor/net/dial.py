"""Opens the connection of one hop step by step (resolve, policy, TCP, tunnel, TLS), each with its own clock."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeVar

from monitor.model.outcome import Reason
from monitor.model.result import Attempt
from monitor.net.chain import revoked
from monitor.net.classify import is_local
from monitor.net.connection import Connection
from monitor.net.der import demands_staple
from monitor.net.policy import AddressPolicy, is_numeric
from monitor.net.proxy import Proxy, open_tunnel
from monitor.net.race import by_turns, race
from monitor.net.resolve import resolve
from monitor.net.run import Run, Stop, tried
from monitor.net.secure import TlsStream
from monitor.net.stage import Stage
from monitor.net.stapling import asked
from monitor.net.tls import TlsContexts, server_name
from monitor.rules.state import seconds
from monitor.secrets.secret import reveal

C = TypeVar("C", bound=Connection)


class Egress(Protocol):
    """The address policy and the TLS contexts, which all dialers of a process share."""

    policy: AddressPolicy
    tls: TlsContexts


@dataclass(frozen=True, slots=True)
class Destination:
    """One end of a connection.

    `own` is True for the check's own target, which `connect_to` and `tls.server_name` are about, not for one that a
    redirect leads to; `tunnel` is True if a proxy has to open a tunnel to it.
    """

    host: str
    port: int
    own: bool = True
    secure: bool = False
    tunnel: bool = True


class Dialer(Generic[C]):
    """Opens the connections of one run: a new one for every hop, nothing pooled, nothing remembered."""

    def __init__(
        self, run: Run, way: Egress, make: Callable[[], C], proxy: Proxy | None = None, alpn: tuple[str, ...] = ()
    ) -> None:
        self._run = run
        self._way = way
        self._make = make
        self._proxy = proxy
        self._alpn = alpn
        self._vouched = False
        """True if the allow-list names the host of this hop: any address that is not denied is allowed."""

    async def connect(self, to: Destination) -> C:
        """A connection that is ready for the request. Raises Stop, Disconnected or OSError (ssl.SSLError too)."""
        run, proxy = self._run, self._proxy
        self._forbid_host(to)
        if proxy is None:
            host, port = self._place(to)
            self._vouched = self._way.policy.vouches(host)
        else:
            self._vouched = True  # the proxy's own address is the operator's word
            host, port = proxy.host, proxy.port
        try:
            addresses = await self._addresses(host)
        except Stop as stop:
            if proxy is None or stop.finding.reason is Reason.ADDRESS_DENIED:
                raise
            raise Stop(Reason.PROXY_FAILED, f"the proxy could not be used: {stop.finding.detail}") from stop
        run.enter(Stage.CONNECT)
        connection = await self._reach(addresses, port)
        try:
            if proxy is not None and to.tunnel:
                await self._tunnel(connection, to, proxy)
            if to.secure:
                await self.secure(connection, to)
        except BaseException:
            connection.close()
            raise
        return connection

    async def _reach(self, addresses: list[str], port: int) -> C:
        try:
            return await self._first(addresses, port)
        except OSError as error:
            if self._proxy is None:
                raise
            raise _proxy_trouble(error, self._run) from error

    def _place(self, to: Destination) -> tuple[str, int]:
        """Returns host and port to connect to; `connect_to` replaces only those of the check's own target."""
        instead = self._run.spec.route.connect_to
        if instead is not None and to.own:
            return instead[0], instead[1] or to.port
        return to.host, to.port

    async def _addresses(self, host: str) -> list[str]:
        """The addresses of a host that the policy allows."""
        route, version = self._run.spec.route, self._version()
        if is_numeric(host):
            found = [host]
            if version not in ("any", _family(host)):
                raise Stop(Reason.DNS_NOT_FOUND, f"{host} is not an IPv{version} address")
        else:
            found = await resolve(host, version, route.resolver, self._run.spec.limits.connect)
        forbids = self._way.policy.forbids
        allowed = [address for address in found if forbids(address, vouched=self._vouched) is None]
        if not allowed:
            self._deny(forbids(found[0], vouched=self._vouched))
        return allowed

    def _version(self) -> Literal[4, 6, "any"]:
        """The family of addresses to connect to, which is that of the one to connect from."""
        route = self._run.spec.route
        return route.ip_version if route.source_address is None else _family(route.source_address)

    def _forbid_host(self, to: Destination) -> None:
        """Raises Stop if the policy forbids the host, so that neither a proxy nor a resolver receives its name."""
        resolved_here = self._proxy is None
        if resolved_here and self._place(to)[0] != to.host:
            return  # connect_to: what is connected to is judged
        self._deny(self._way.policy.forbids_host(to.host, resolved_here=resolved_here))

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

    async def _first(self, addresses: list[str], port: int) -> C:
        """The connection to the first address that accepts."""
        run = self._run
        if len(addresses) == 1:
            connection, run.remote_address = await self._attempt(addresses[0], port)
            return connection
        attempt = functools.partial(self._attempt, port=port)
        left = run.connect_at - time.monotonic()
        won: tuple[C, str] = await race(by_turns(addresses), attempt, _close, left)
        connection, run.remote_address = won
        return connection

    async def _attempt(self, address: str, port: int) -> tuple[C, str]:
        """Connects to an address; returns the connection and its peer. Records the attempt, also if it fails."""
        attempts = self._run.attempts
        place, name, began = len(attempts), endpoint(address, port), time.monotonic()
        attempts.append(Attempt(name, "no answer yet", 0.0))
        error: str | None = None
        try:
            return await self._open(address, port)
        except OSError as exc:
            error = error_words(exc, time.monotonic() - began)
            raise
        except asyncio.CancelledError:
            overtaken = any(attempt.error is None for attempt in attempts)
            error = f"no answer {'yet after' if overtaken else 'in'} {seconds(time.monotonic() - began)}"
            raise
        finally:
            attempts[place] = Attempt(name, error, time.monotonic() - began)

    async def _open(self, address: str, port: int) -> tuple[C, str]:
        source = self._run.spec.route.source_address
        transport, connection = await asyncio.get_running_loop().create_connection(
            self._make, address, port, local_addr=(source, 0) if source else None
        )
        try:
            peer = transport.get_extra_info("peername")
            return connection, endpoint(address, port) if peer == (address, port) else self._arrived(peer)
        except BaseException:
            connection.close()
            raise

    def _arrived(self, peer: tuple[str, int] | None) -> str:
        """Returns the socket's peer; raises Stop if the policy forbids that (0.0.0.0 leads to loopback)."""
        if peer is None:  # reset before getpeername
            raise ConnectionResetError
        self._deny(self._way.policy.forbids(peer[0], vouched=self._vouched))
        return endpoint(peer[0], peer[1])

    async def secure(self, connection: C, to: Destination) -> None:
        """Speaks TLS over the connection from here on. Raises as `connect` does."""
        run = self._run
        name = run.spec.route.tls.server_name
        run.enter(Stage.TLS)
        run.server_name = name if name is not None and to.own else to.host
        run.tls = tls = self._tls(server_name(reveal(run.server_name)))
        await connection.secure(tls)
        run.tls_version = tls.version
        self._heed_staple(tls)

    def _tls(self, name: str) -> TlsStream:
        try:
            return TlsStream(self._way.tls.get(self._run.spec.route.tls, self._alpn), name)
        except ValueError:  # a label that is empty or too long, which a redirect may name and a proxy may know
            raise Stop(Reason.TLS_HANDSHAKE_FAILED, "TLS cannot be spoken with a host of such a name") from None

    def _heed_staple(self, tls: TlsStream) -> None:
        """Refuse a certificate that the server's own OCSP answer calls revoked, as far as certificates matter."""
        run, leaf, staple = self._run, tls.seen.chain[:1], tls.seen.staple
        if not run.spec.route.tls.verify or not leaf:
            return
        if staple and (when := revoked(staple, leaf[0])):
            raise Stop(Reason.TLS_UNTRUSTED, f"the certificate of {run.server_name} was revoked on {when}")
        if not staple and demands_staple(leaf[0]) and asked():
            run.note("the certificate demands a stapled OCSP answer (must-staple), and the server sent none")

    async def _tunnel(self, connection: C, to: Destination, proxy: Proxy) -> None:
        self._run.enter(Stage.TUNNEL)
        try:
            await open_tunnel(connection, endpoint(*self._place(to)), proxy.authorization, self._run)
        except ConnectionError as error:
            raise _proxy_trouble(error, self._run) from error


def _family(address: str) -> Literal[4, 6]:
    return 6 if ":" in address else 4


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


def _close(made: tuple[Connection, str]) -> None:
    made[0].close()


def _proxy_trouble(error: OSError, run: Run) -> Exception:
    """A proxy that cannot be used is not the target's refusal; what this machine lacks stays what it is."""
    if is_local(error):
        return error
    where = tried(run.attempts) if any(a.error for a in run.attempts) else f"{run.remote_address} hung up"
    return Stop(Reason.PROXY_FAILED, f"the proxy could not be used: {where}")
