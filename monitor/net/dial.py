"""Opens the connection of one hop step by step (resolve, policy, TCP, tunnel, TLS), each with its own clock."""

from __future__ import annotations

import asyncio
import functools
import time
from typing import Literal

from yarl import URL

from monitor.model.outcome import Reason
from monitor.model.result import Attempt
from monitor.net.chain import revoked
from monitor.net.classify import is_local
from monitor.net.der import demands_staple
from monitor.net.policy import is_numeric
from monitor.net.race import by_turns, race
from monitor.net.resolve import resolve
from monitor.net.run import Run, Stop, tried
from monitor.net.secure import Secured
from monitor.net.stage import Stage
from monitor.net.stapling import asked
from monitor.net.tls import server_name
from monitor.net.tunnel import open_tunnel
from monitor.net.urls import origin
from monitor.protocols.http.exchange import Exchange
from monitor.protocols.http.plan import Plan
from monitor.protocols.resources import Net
from monitor.rules.state import seconds
from monitor.secrets.secret import reveal


class Dialer:
    """Opens the connections of one run: a new one for every hop, nothing pooled, nothing remembered."""

    def __init__(self, run: Run, net: Net, plan: Plan) -> None:
        self._run = run
        self._net = net
        self._plan = plan
        self._vouched = False
        """True if the allow-list names the host of this hop: any address that is not denied is allowed."""

    async def connect(self, url: URL) -> Exchange:
        """A connection that is ready for the request. Raises Stop, Disconnected or OSError (ssl.SSLError too)."""
        run = self._run
        through = self._plan.proxy
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
            raise Stop(Reason.PROXY_FAILED, f"the proxy could not be used: {stop.finding.detail}") from stop
        run.enter(Stage.CONNECT)
        exchange = await self._reach(addresses, port)
        if url.scheme == "https":
            await self._secure(exchange, url)
        run.enter(Stage.HEAD)
        return exchange

    async def _reach(self, addresses: list[str], port: int) -> Exchange:
        try:
            return await self._first(addresses, port)
        except OSError as error:
            if self._plan.proxy is None:
                raise
            raise _proxy_trouble(error, self._run) from error

    def _place(self, url: URL) -> tuple[str, int]:
        """Returns host and port to connect to; `connect_to` replaces only the origin of the check."""
        instead = self._run.spec.connect_to
        if instead is not None and self._asked_for(url):
            return instead[0], instead[1] or url.port or 80
        return url.raw_host or "", url.port or 80

    def _asked_for(self, url: URL) -> bool:
        """True if the URL has the origin of the check, not one that a redirect leads to."""
        return origin(url) == self._plan.origin

    async def _addresses(self, host: str) -> list[str]:
        """The addresses of a host that the policy allows."""
        spec, version = self._run.spec, self._version()
        if is_numeric(host):
            found = [host]
            if version not in ("any", _family(host)):
                raise Stop(Reason.DNS_NOT_FOUND, f"{host} is not an IPv{version} address")
        else:
            found = await resolve(host, version, spec.resolver, spec.limits.connect)
        forbids = self._net.policy.forbids
        allowed = [address for address in found if forbids(address, vouched=self._vouched) is None]
        if not allowed:
            self._deny(forbids(found[0], vouched=self._vouched))
        return allowed

    def _version(self) -> Literal[4, 6, "any"]:
        """The family of addresses to connect to, which is that of the one to connect from."""
        spec = self._run.spec
        return spec.ip_version if spec.source_address is None else _family(spec.source_address)

    def _forbid_host(self, url: URL, *, resolved_here: bool) -> None:
        """Raises Stop if the policy forbids the host, so that neither a proxy nor a resolver receives its name."""
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

    async def _first(self, addresses: list[str], port: int) -> Exchange:
        """The connection to the first address that accepts."""
        run = self._run
        if len(addresses) == 1:
            exchange, run.remote_address = await self._attempt(addresses[0], port)
            return exchange
        attempt = functools.partial(self._attempt, port=port)
        left = run.connect_at - time.monotonic()
        exchange, run.remote_address = await race(by_turns(addresses), attempt, _close, left)
        return exchange

    async def _attempt(self, address: str, port: int) -> tuple[Exchange, str]:
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

    async def _open(self, address: str, port: int) -> tuple[Exchange, str]:
        loop = asyncio.get_running_loop()
        source = self._run.spec.source_address
        transport, exchange = await loop.create_connection(
            lambda: Exchange(loop, self._run), address, port, local_addr=(source, 0) if source else None
        )
        try:
            return exchange, self._arrived(transport.get_extra_info("peername"))
        except BaseException:
            exchange.close()
            raise

    def _arrived(self, peer: tuple[str, int] | None) -> str:
        """Returns the socket's peer; raises Stop if the policy forbids that (0.0.0.0 leads to loopback)."""
        if peer is None:  # reset before getpeername
            raise ConnectionResetError
        self._deny(self._net.policy.forbids(peer[0], vouched=self._vouched))
        return endpoint(peer[0], peer[1])

    async def _secure(self, exchange: Exchange, url: URL) -> None:
        """TLS with the target, through the proxy's tunnel if there is one."""
        run = self._run
        name = run.spec.tls.server_name
        try:
            if self._plan.proxy is not None:
                await self._tunnel(exchange, url)
            run.enter(Stage.TLS)
            run.server_name = name if name is not None and self._asked_for(url) else url.raw_host or ""
            run.tls = tls = self._tls(server_name(reveal(run.server_name)))
            await exchange.secure(tls)
            run.tls_version = tls.version
            self._heed_staple(tls)
        except BaseException:
            exchange.close()
            raise

    def _tls(self, name: str) -> Secured:
        try:
            return Secured(self._net.tls.get(self._run.spec.tls), name)
        except ValueError:  # a label that is empty or too long, which a redirect may name and a proxy may know
            raise Stop(Reason.TLS_HANDSHAKE_FAILED, "TLS cannot be spoken with a host of such a name") from None

    def _heed_staple(self, tls: Secured) -> None:
        """Refuse a certificate that the server's own OCSP answer calls revoked, as far as certificates matter."""
        run, leaf, staple = self._run, tls.seen.chain[:1], tls.seen.staple
        if not run.spec.tls.verify or not leaf:
            return
        if staple and (when := revoked(staple, leaf[0])):
            raise Stop(Reason.TLS_UNTRUSTED, f"the certificate of {run.server_name} was revoked on {when}")
        if not staple and demands_staple(leaf[0]) and asked():
            run.note("the certificate demands a stapled OCSP answer (must-staple), and the server sent none")

    async def _tunnel(self, exchange: Exchange, url: URL) -> None:
        self._run.enter(Stage.TUNNEL)
        try:
            await open_tunnel(exchange, endpoint(*self._place(url)), self._plan.proxy_authorization, self._run)
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


def _close(connection: tuple[Exchange, str | None]) -> None:
    connection[0].close()


def _proxy_trouble(error: OSError, run: Run) -> Exception:
    """A proxy that cannot be used is not the target's refusal; what this machine lacks stays what it is."""
    if is_local(error):
        return error
    where = tried(run.attempts) if any(a.error for a in run.attempts) else f"{run.remote_address} hung up"
    return Stop(Reason.PROXY_FAILED, f"the proxy could not be used: {where}")
