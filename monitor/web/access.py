"""Checks the rights of every request: one middleware around all handlers, so that new paths are guarded by default."""

from __future__ import annotations

import asyncio
import math
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import structlog
from aiohttp import web

from monitor.model.settings import AccessSpec, ForwardedSpec, Right
from monitor.web.access_failures import Failures, address_of, counted_as
from monitor.web.access_logins import NOBODY, Caller, Logins, TooManyLogins, basic
from monitor.web.csrf import foreign, from_elsewhere
from monitor.web.middleware import LOGIN, MAY, USER, Handler, error, route_of
from monitor.web.negotiation import HTML, JSON, TEXT, accepted

_log = structlog.get_logger("monitor.web")

OPEN = frozenset(
    {
        "/-/healthy",
        "/-/ready",
        "/static/{file}",
        "/favicon.ico",
        "/icon/{icon}",
        "/public",
        "/public.json",
        "/public/feed.atom",
    }
)
"""Routes for everybody: what a service manager asks, which has no login, what is in every copy of the program, and what
the operator has made public, if anything."""
ASKING = frozenset({"/badge/{check}.svg"})
"""Routes for everybody that show more to those who may view, which they find in `request[MAY]`."""
METRICS = frozenset({"/metrics", "/probe"})
"""Routes for Prometheus. All others are for those who may view, if they only read, and else for those who may write."""
LOGIN_PATH = "/login"
"""Opens the browser's login dialog for readers who can view the pages without a login."""
_READING = ("GET", "HEAD")
_LONGEST_NAME = 200
_WRONG = "the login is wrong"


@dataclass(frozen=True, slots=True)
class LoginRefusal:
    """A login that is not believed; `wait` is the seconds until another one is listened to."""

    status: int
    sentence: str
    wait: float = 0.0


class Access:
    """The middleware and its rules; `use` replaces the rules and forgets all logins."""

    def __init__(self, spec: AccessSpec | None = None) -> None:
        self._failures = Failures()
        self._thread = ThreadPoolExecutor(1, "login")  # one: however many try, no check loses more than one core
        self._spec = spec or AccessSpec()
        self._logins = Logins(self._spec, self._thread)

    def use(self, spec: AccessSpec) -> None:
        """Applies these rules."""
        if spec != self._spec:
            self._spec, self._logins = spec, Logins(spec, self._thread)

    @property
    def stated(self) -> bool:
        """True if the configuration has [monitor.access]."""
        return self._spec.stated

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Passes a request on if the caller has the right; handlers find the caller's name in `request[USER]`."""
        request[USER], request[MAY], request[LOGIN] = None, frozenset(), False
        needed = needed_right(request)
        if needed is None:
            return await handler(request)
        if needed == "write" and (why := await foreign(request)):
            return error(request, 403, why)
        if route_of(request) == "/probe" and from_elsewhere(request):
            return error(request, 403, "a page of another site may not have anything probed")
        spec = self._spec
        caller = await self._caller(request, spec)
        request[MAY] = spec.anonymous | (caller.may if isinstance(caller, Caller) else frozenset())
        if isinstance(caller, Caller):
            request[USER] = caller.name
        request[LOGIN] = bool(spec.users) and request[USER] is None
        if route_of(request) == LOGIN_PATH and request[LOGIN]:
            return _refusal(request, spec, "view", caller)
        if needed in request[MAY] or route_of(request) in ASKING:
            return await handler(request)
        return _refusal(request, spec, needed, caller)

    async def _caller(self, request: web.Request, spec: AccessSpec) -> Caller | LoginRefusal:
        """Returns the caller: the user that a trusted proxy names, else the user who logs in."""
        peer = request.transport.get_extra_info("peername") if request.transport else None
        address = address_of(peer[0] if peer else None)
        if spec.forwarded and address and any(address in network for network in spec.forwarded.networks):
            named = _forwarded(request, spec.forwarded)
            if named is not None:
                return named
        scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and spec.tokens:
            return self._bearer(credentials.strip(), counted_as(address))
        if scheme.lower() == "basic" and spec.users:
            return await self._basic(credentials.strip(), counted_as(address))
        return NOBODY

    def _bearer(self, token: str, address: str) -> Caller | LoginRefusal:
        """A right token is right also for an address that failed too often: it is too long to be guessed."""
        found = self._logins.tokens.caller(token)
        return found or self._limited(address) or self._failed(address)

    async def _basic(self, credentials: str, address: str) -> Caller | LoginRefusal:
        """Too many failures hold for right passwords too, or the answer would tell a guesser which one is right.

        They do not hold for one who logged in from this address lately: somebody else's guesses, through the same
        proxy, would lock him out.
        """
        login, passwords = basic(credentials), self._logins.passwords
        known = passwords.known(*login, address) if login else None
        if isinstance(known, Caller):
            return known
        if limited := self._limited(address):
            return limited
        if login is None:
            return self._failed(address)
        if known is not None:
            return await asyncio.shield(known) or LoginRefusal(401, _WRONG)  # counted by the first request
        try:
            attempt = passwords.attempt(*login, address)
        except TooManyLogins:
            return LoginRefusal(503, "too many logins at once, try again soon", 2.0)
        self._failures.count(address, time.monotonic())  # now, or many at once would all be let in
        found = await asyncio.shield(attempt)
        if found is None:
            return self._told(address)
        self._failures.take_back(address)
        return found

    def _failed(self, address: str) -> LoginRefusal:
        self._failures.count(address, time.monotonic())
        return self._told(address)

    def _told(self, address: str) -> LoginRefusal:
        if self._failures.wait(address, time.monotonic()):
            _log.warning("too many failed logins", client=address)
        return LoginRefusal(401, _WRONG)

    def _limited(self, address: str) -> LoginRefusal | None:
        wait = self._failures.wait(address, time.monotonic())
        return LoginRefusal(429, "too many failed logins from this address", wait) if wait else None


def needed_right(request: web.Request) -> Right | None:
    """Returns the right that a request needs; None if the route is open to everyone.

    The route decides, not the spelling of the path. Browsers send OPTIONS without a login.
    """
    route = route_of(request)
    if route in OPEN or request.method == "OPTIONS":
        return None
    if request.method not in _READING:
        return "write"
    return "metrics" if route in METRICS else "view"


def _forwarded(request: web.Request, spec: ForwardedSpec) -> Caller | None:
    """Returns the user that the proxy names; None for two names, as one of them may come from the client."""
    names = request.headers.getall(spec.header, [])
    if len(names) != 1 or not 0 < len(names[0]) <= _LONGEST_NAME or not names[0].isprintable():
        return None
    return Caller(names[0], spec.may)


def _refusal(request: web.Request, spec: AccessSpec, needed: Right, caller: Caller | LoginRefusal) -> web.Response:
    if isinstance(caller, LoginRefusal):
        headers = {"Retry-After": str(math.ceil(caller.wait))} if caller.wait else {}
        if caller.status == 401:
            headers = _challenge(request, spec)
        return error(request, caller.status, caller.sentence, headers=headers)
    if caller.name is not None:
        return error(request, 403, f"{caller.name} may not do this: it needs the right {needed!r}")
    if spec.users or spec.tokens:
        return error(request, 401, "this needs a login", headers=_challenge(request, spec))
    if spec.forwarded:
        return error(request, 403, "only who comes through the proxy in front may do this")
    return error(request, 403, f"nobody may do this: `monitor.access` gives nobody the right {needed!r}")


def _challenge(request: web.Request, spec: AccessSpec) -> dict[str, str]:
    """Returns the header that requests a login: a dialog for page loads only, not for requests of an open page."""
    navigates = request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
    prefers_json = accepted(request.headers.get("Accept"), HTML, TEXT, JSON) == JSON
    dialog = spec.users and navigates and not prefers_json
    scheme = 'Basic realm="monitor", charset="UTF-8"' if dialog else 'Bearer realm="monitor"'
    return {"WWW-Authenticate": scheme}
