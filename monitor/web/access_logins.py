"""Holds what a client presents against what the operator allowed, in constant time and off the event loop."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from monitor.model.settings import AccessSpec, Right, TokenSpec, UserSpec
from monitor.secrets.passwords import Hashed, dummy, parse

_KEPT = 60.0
"""Seconds for which a password need not be hashed again."""
_WAITING = 32
"""Passwords that may wait for the one thread, in which each takes some 50 ms."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller's name, None if anonymous, and rights."""

    name: str | None
    may: frozenset[Right]


NOBODY = Caller(None, frozenset())


class TooManyLogins(Exception):
    """More passwords wait to be tried than can be tried soon."""


class Passwords:
    """The users of one configuration; who was right lately is remembered by a digest that only this object can make."""

    def __init__(self, users: Iterable[UserSpec], thread: ThreadPoolExecutor) -> None:
        self._users = {user.name: (_hash(user), Caller(user.name, user.may)) for user in users}
        self._nobody = dummy(kept for kept, _ in self._users.values())
        self._thread = thread
        self._key = secrets.token_bytes(32)
        self._right: dict[bytes, tuple[float, Caller]] = {}
        self._trying: dict[bytes, asyncio.Task[Caller | None]] = {}

    def known(self, name: str, password: str, address: str) -> asyncio.Task[Caller | None] | Caller | None:
        """Returns the caller of a recent login from this address, the task of an attempt under way, or None."""
        digest = self._digest(name, password, address)
        until, caller = self._right.get(digest, (0.0, NOBODY))
        return caller if time.monotonic() < until else self._trying.get(digest)

    def attempt(self, name: str, password: str, address: str) -> asyncio.Task[Caller | None]:
        """Starts to verify a password; the task returns None if it is wrong. Raises TooManyLogins."""
        if len(self._trying) >= _WAITING:
            raise TooManyLogins
        digest = self._digest(name, password, address)
        task = asyncio.get_running_loop().create_task(self._tried(name, password, digest))
        self._trying[digest] = task
        task.add_done_callback(lambda _: self._trying.pop(digest, None))
        return task

    async def _tried(self, name: str, password: str, digest: bytes) -> Caller | None:
        kept, caller = self._users.get(name, (self._nobody, NOBODY))
        right = await asyncio.get_running_loop().run_in_executor(self._thread, kept.matches, password)
        if not right or caller is NOBODY:
            return None
        now = time.monotonic()
        self._right = {key: entry for key, entry in self._right.items() if now < entry[0]}
        self._right[digest] = (now + _KEPT, caller)
        return caller

    def _digest(self, name: str, password: str, address: str) -> bytes:
        """Includes the address: otherwise guesses from elsewhere could test a remembered password without a delay."""
        all_of_it = f"{address}\n{name}:{password}".encode("utf-8", "surrogateescape")  # no name has a colon
        return hashlib.blake2b(all_of_it, key=self._key).digest()


class Tokens:
    """The bearer tokens of one configuration."""

    def __init__(self, tokens: Iterable[TokenSpec]) -> None:
        self._key = secrets.token_bytes(32)
        self._tokens = [(self._digest(token.token.reveal()), Caller(token.name, token.may)) for token in tokens]

    def caller(self, token: str) -> Caller | None:
        """Returns the caller of a token; compares all digests, so that timing shows neither length nor position."""
        digest, found = self._digest(token), None
        for known, caller in self._tokens:
            if hmac.compare_digest(known, digest):
                found = caller
        return found

    def _digest(self, token: str) -> bytes:
        return hashlib.blake2b(token.encode("utf-8", "surrogateescape"), key=self._key).digest()


class Logins:
    """All who can log in here by themselves."""

    def __init__(self, spec: AccessSpec, thread: ThreadPoolExecutor) -> None:
        self.passwords = Passwords(spec.users, thread)
        self.tokens = Tokens(spec.tokens)


def basic(credentials: str) -> tuple[str, str] | None:
    """Name and password of basic authentication (RFC 7617); None if that is none."""
    try:
        name, colon, password = base64.b64decode(credentials, validate=True).decode().partition(":")
    except ValueError:
        return None
    return (name, password) if colon else None


def _hash(user: UserSpec) -> Hashed:
    found = parse(user.password.reveal())
    assert found is not None, "the configuration was validated"
    return found
