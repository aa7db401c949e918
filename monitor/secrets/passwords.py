"""Passwords as they are kept: hashed with scrypt (RFC 7914) and a salt, in one line of text.

`scrypt:N:R:P:SALT:HASH`, the last two in base64 for URLs without padding.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

PATTERN = r"^scrypt:[0-9]{5}:8:[1-4]:[A-Za-z0-9_-]{22,86}:[A-Za-z0-9_-]{43}$"

_COST = (1 << 14, 8, 1)
"""N, r and p: 16 MiB and some 50 ms for each guess, as scrypt's author proposes for logins."""
_LENGTH = 32
_COSTS = (1 << 14, 1 << 15, 1 << 16)
_LANES = range(1, 5)
_LARGEST = 80 << 20
"""Bytes of memory that a hash may take; the largest allowed here takes 64 MiB, and OpenSSL's own limit is lower."""


@dataclass(frozen=True, slots=True)
class Hashed:
    """A hash that passwords can be held against."""

    cost: tuple[int, int, int]
    salt: bytes = field(repr=False)
    digest: bytes = field(repr=False)

    def matches(self, password: str) -> bool:
        """True if the password is right; takes as long as the hash costs, so it belongs in a thread."""
        return hmac.compare_digest(_digest(password, self.salt, self.cost), self.digest)


def hashed(password: str) -> str:
    """The text to keep of a password, with a salt of its own."""
    salt = secrets.token_bytes(16)
    parts = (*map(str, _COST), _text(salt), _text(_digest(password, salt, _COST)))
    return ":".join(("scrypt", *parts))


def parse(text: str) -> Hashed | None:
    """Parses a hash; None if the text is no hash, or if its costs are too low to be safe or too high to compute."""
    if not re.fullmatch(PATTERN, text):
        return None
    _, *numbers, salt, digest = text.split(":")
    n, r, p = map(int, numbers)
    if n not in _COSTS or r != _COST[1] or p not in _LANES:
        return None
    try:
        return Hashed((n, r, p), _bytes(salt), _bytes(digest))
    except ValueError:
        return None


def dummy(others: Iterable[Hashed] = ()) -> Hashed:
    """Returns a hash without a password, at the highest cost, so that unknown users are not refused sooner."""
    cost = max((other.cost for other in others), default=_COST)
    return Hashed(cost, secrets.token_bytes(16), secrets.token_bytes(_LENGTH))


def _digest(password: str, salt: bytes, cost: tuple[int, int, int]) -> bytes:
    n, r, p = cost
    # Browsers and terminals may compose a letter in different ways (RFC 7617, 2.1).
    composed = unicodedata.normalize("NFC", password).encode("utf-8", "surrogateescape")
    return hashlib.scrypt(composed, salt=salt, n=n, r=r, p=p, maxmem=_LARGEST, dklen=_LENGTH)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
