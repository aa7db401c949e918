"""Names to addresses by c-ares: limits that hold, no threads, and nothing remembered from one run to the next."""

from __future__ import annotations

import asyncio
import errno
import math
import os
import socket
from collections.abc import Callable, Sequence
from typing import Literal

import pycares

from monitor.model.outcome import Reason
from monitor.net.run import Stop
from monitor.system.supervision import Turn

_RETRY_SECONDS = 1.0
"""Seconds until the resolver repeats a query without an answer; doubled each time, as packets can be lost."""

_RESOLUTION_DELAY = 0.05
"""Seconds that one family's addresses wait for the other's (RFC 8305, sections 3 and 8)."""

_Answered = Callable[[pycares.AddrInfoResult | None, int | None], None]
_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6, "any": socket.AF_UNSPEC}

_NOT_FOUND = {
    pycares.errno.ARES_ENOTFOUND,
    pycares.errno.ARES_ENONAME,
    pycares.errno.ARES_EBADNAME,
}
_SAID = {
    pycares.errno.ARES_ESERVFAIL: "the resolver answered SERVFAIL",
    pycares.errno.ARES_EREFUSED: "the resolver answered REFUSED",
    pycares.errno.ARES_ECONNREFUSED: "no resolver could be reached",
    pycares.errno.ARES_ETIMEOUT: "no resolver answered",
    pycares.errno.ARES_ENOTIMP: "the resolver answered NOTIMP",
    pycares.errno.ARES_EFORMERR: "the resolver answered FORMERR",
    pycares.errno.ARES_EBADRESP: "the resolver's answer made no sense",
}


async def resolve(host: str, version: Literal[4, 6, "any"], servers: Sequence[str], limit: float) -> list[str]:
    """The addresses of a host in the order to try them (RFC 6724), at least one.

    `servers` are «192.0.2.53:53», the system's if empty. `limit` (seconds) only tells c-ares how often to ask again;
    the caller ends the wait. Raises Stop with dns_not_found or dns_failed, OSError if sockets have run out.
    """
    lookup = _Lookup(servers, limit)
    try:
        found, code = await lookup.ask(host, _FAMILIES[version])
    finally:
        lookup.close()
    if code is None and found is not None and found.nodes:
        return [node.addr[0].decode() for node in found.nodes]
    raise _failure(host, version, code)


def _failure(host: str, version: Literal[4, 6, "any"], code: int | None) -> Stop:
    if code in _NOT_FOUND:
        return Stop(Reason.DNS_NOT_FOUND, f"the name {host} does not exist")
    if code is None or code == pycares.errno.ARES_ENODATA:
        family = "" if version == "any" else f"IPv{version} "
        return Stop(Reason.DNS_NOT_FOUND, f"the name {host} has no {family}address")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM):
        pass  # c-ares calls a failure to open a socket "connection refused"; here it raises as what it is
    said = _SAID.get(code) or f"the resolver failed (c-ares error {code})"
    return Stop(Reason.DNS_FAILED, f"{said} when asked for {host}")


class _Lookup:
    """One question on a channel of its own: c-ares caches answers per channel, and reads resolv.conf and hosts at
    its start, so a new channel sees every change. It costs a tenth of a millisecond.
    """

    def __init__(self, servers: Sequence[str], limit: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._fds: set[int] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._delay: asyncio.TimerHandle | None = None
        tries = max(2, math.ceil(math.log2(limit / _RETRY_SECONDS + 1)) + 1)
        try:
            self._channel = pycares.Channel(
                sock_state_cb=self._watch, servers=servers or None, timeout=_RETRY_SECONDS, tries=tries
            )
        except pycares.AresError as error:  # it could not read its files or get memory
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE)) from error

    async def ask(self, host: str, family: socket.AddressFamily) -> tuple[pycares.AddrInfoResult | None, int | None]:
        answer: asyncio.Future[tuple[pycares.AddrInfoResult | None, int | None]] = self._loop.create_future()

        def done(result: pycares.AddrInfoResult | None, code: int | None) -> None:
            if not answer.done():
                answer.set_result((result, code))

        try:
            self._channel.getaddrinfo(host, None, family=family, type=socket.SOCK_STREAM, callback=done)
        except pycares.AresError as error:  # a name that no query can contain, such as one with an empty label
            return None, error.args[0]
        self._tick()
        if family is socket.AF_UNSPEC:
            self._delay = self._loop.call_later(_RESOLUTION_DELAY, self._ask_for_ipv4, host, done)
        return await answer

    def _ask_for_ipv4(self, host: str, done: _Answered) -> None:
        """Asks once more, for IPv4 alone: c-ares waits for both families, and some resolvers never answer for IPv6."""

        def found(result: pycares.AddrInfoResult | None, code: int | None) -> None:
            if code is None and result is not None and result.nodes:
                self._delay = self._loop.call_later(_RESOLUTION_DELAY, done, result, code)

        self._channel.getaddrinfo(host, None, family=socket.AF_INET, type=socket.SOCK_STREAM, callback=found)

    def close(self) -> None:
        for timer in filter(None, (self._timer, self._delay)):
            timer.cancel()
        self._timer = self._delay = None
        for fd in self._fds:
            self._loop.remove_reader(fd)
            self._loop.remove_writer(fd)
        self._fds.clear()
        self._channel.close()
        del self._channel  # which refers to this in turn

    def _watch(self, fd: int, readable: bool, writable: bool) -> None:
        self._fds.add(fd)
        if readable:
            self._loop.add_reader(fd, self._channel.process_fd, fd, pycares.ARES_SOCKET_BAD)
        else:
            self._loop.remove_reader(fd)
        if writable:
            self._loop.add_writer(fd, self._channel.process_fd, pycares.ARES_SOCKET_BAD, fd)
        else:
            self._loop.remove_writer(fd)
        if not (readable or writable):
            self._fds.discard(fd)

    def _tick(self) -> None:
        """Lets c-ares repeat queries that received no answer in time."""
        with Turn("lookup"):
            self._channel.process_fd(pycares.ARES_SOCKET_BAD, pycares.ARES_SOCKET_BAD)
        self._timer = self._loop.call_later(_RETRY_SECONDS / 4, self._tick)
