"""Listening: binding the address, taking connections, and letting them go again."""

from __future__ import annotations

import errno
import socket
from ipaddress import ip_address

from aiohttp import web

from monitor.model.errors import StartError
from monitor.web.limits import DEFAULT_LIMITS, Guard, Limits
from monitor.web.listener import Listener, listen
from monitor.web.site import SITE, Site
from monitor.web.tls import Tls

_BACKLOG = 128
_LAST_ANSWERS = 3.0
"""Seconds that answers under way may still take when the server closes."""
_WHY = {
    errno.EADDRINUSE: "another process listens there already",
    errno.EACCES: "permission denied; ports below 1024 need a privilege",
    errno.EPERM: "permission denied",
    errno.EADDRNOTAVAIL: "no interface of this machine has that address",
    errno.EAFNOSUPPORT: "this machine does not speak that address family",
    errno.EMFILE: "too many open files",
}


class Server:
    """A bound address that answers; made by `serve`."""

    def __init__(self, runner: web.AppRunner, listening: Listener) -> None:
        self._runner = runner
        self._listening = listening
        self.address = _shown(listening.sockets[0].getsockname())
        """«HOST:PORT» as bound; for port 0 the port that the kernel chose."""
        self.loopback = all(ip_address(bound.getsockname()[0]).is_loopback for bound in listening.sockets)
        """True if only this machine can reach the server."""

    async def close(self) -> None:
        """Take no more connections, let answers under way finish for some seconds, then hang up."""
        self._listening.close()
        await self._runner.cleanup()


async def serve(
    app: web.Application, host: str, port: int, limits: Limits = DEFAULT_LIMITS, tls: Tls | None = None
) -> Server:
    """Answer on an address (port 0: any free one), in TLS if it is given; StartError says in a sentence why that cannot
    be.
    """
    if not 0 <= port <= 65535:  # uvloop would take it modulo 65536
        raise StartError(f"cannot listen on {_shown((host, port))}: a port is at most 65535")
    runner = web.AppRunner(app, handle_signals=False, access_log=None, shutdown_timeout=_LAST_ANSWERS)
    await runner.setup()
    assert runner.server is not None
    site = app.get(SITE, Site())
    runner.server.request_factory = site.within(runner.server.request_factory)
    guard = Guard(runner.server, limits)
    try:
        listening = await listen(guard, host, port, _BACKLOG, (lambda: tls.context) if tls else None)
    except (OSError, UnicodeError) as problem:
        await runner.cleanup()
        raise StartError(f"cannot listen on {_shown((host, port))}: {_why(problem)}") from problem
    server = Server(runner, listening)
    site.opened(host, loopback=server.loopback)
    return server


def _why(problem: OSError | UnicodeError) -> str:
    if isinstance(problem, socket.gaierror):
        return "this host name has no address"
    if isinstance(problem, OSError):
        return _WHY.get(problem.errno or 0, problem.strerror or str(problem))
    return "this is no valid host name"


def _shown(address: tuple[object, ...]) -> str:
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"
