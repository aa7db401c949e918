"""Hashes of passwords: scrypt (RFC 7914) as a PHC string, and bcrypt as `htpasswd -B` and exporter-toolkit have it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import string
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

_SCRYPT = r"\$scrypt\$ln=(1[4-6]),r=8,p=([1-4])\$([A-Za-z0-9+/]{22,86})\$([A-Za-z0-9+/]{43})"
_FORMER = r"scrypt:(16384|32768|65536):8:([1-4]):([A-Za-z0-9_-]{22,86}):([A-Za-z0-9_-]{43})"
_BCRYPT = r"\$2[aby]\$(0[5-9]|1[0-4])\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31}"
PATTERN = f"^(?:{_SCRYPT}|{_FORMER}|{_BCRYPT})$"

_LENGTH = 32
_LARGEST = 80 << 20
"""Bytes of memory that a hash may take; the largest allowed here takes 64 MiB, and OpenSSL's own limit is lower."""
_BCRYPT_READS = 72
"""Bytes of a password; htpasswd and Go ignore the rest, the library refuses it."""
_BCRYPT_LETTERS = "./" + string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class Scrypt:
    """A hash by scrypt; the default is 16 MiB and some 50 ms for each guess, as its author proposes for logins."""

    salt: bytes = field(repr=False)
    digest: bytes = field(repr=False)
    log_n: int = 14
    p: int = 1

    @property
    def effort(self) -> int:
        """Time to verify a password, in rounds of bcrypt as measured: 1024 of them take some 25 ms."""
        return (self.p << self.log_n) // 8

    def matches(self, password: str) -> bool:
        """True if the password is right; takes as long as the hash costs, so it belongs in a thread."""
        return hmac.compare_digest(_scrypt(password, self.salt, self.log_n, self.p), self.digest)

    def dummy(self) -> Scrypt:
        """Returns a hash of the same cost, of no password."""
        return Scrypt(secrets.token_bytes(16), secrets.token_bytes(_LENGTH), self.log_n, self.p)


@dataclass(frozen=True, slots=True)
class Bcrypt:
    """A hash by bcrypt."""

    log_rounds: int
    text: str = field(repr=False)

    @property
    def effort(self) -> int:
        """Time to verify a password, in rounds."""
        return 1 << self.log_rounds

    def matches(self, password: str) -> bool:
        """True if the password is right; takes as long as the hash costs, so it belongs in a thread."""
        import bcrypt  # half a mebibyte, which a monitor without such a hash does without

        return bcrypt.checkpw(_bytes(password)[:_BCRYPT_READS], self.text.encode())

    def dummy(self) -> Bcrypt:
        """Returns a hash of the same cost, of no password. The dot ends the salt, whose last letter has two bits."""
        salt, digest = ("".join(secrets.choice(_BCRYPT_LETTERS) for _ in range(length)) for length in (21, 31))
        return Bcrypt(self.log_rounds, f"$2b${self.log_rounds:02}${salt}.{digest}")


Hashed = Scrypt | Bcrypt
"""A hash that passwords can be held against."""


def hashed(password: str) -> str:
    """Returns the PHC string to keep of a password, with a salt of its own."""
    salt = secrets.token_bytes(16)
    return f"$scrypt$ln=14,r=8,p=1${_base64(salt)}${_base64(_scrypt(password, salt, 14, 1))}"


def parse(text: str) -> Hashed | None:
    """Parses a hash; None if the text is no hash, or if its costs are too low to be safe or too high to compute."""
    if bcrypt := re.fullmatch(_BCRYPT, text):
        return Bcrypt(int(bcrypt[1]), text)
    found = re.fullmatch(_SCRYPT, text) or re.fullmatch(_FORMER, text)
    if found is None:
        return None
    cost, p, *parts = found.groups()
    try:
        salt, digest = map(_decoded, parts)
    except ValueError:
        return None
    return Scrypt(salt, digest, int(cost) if len(cost) == 2 else int(cost).bit_length() - 1, int(p))


def dummy(others: Iterable[Hashed] = ()) -> Hashed:
    """Returns a hash without a password, of the slowest kind, so that unknown users are not refused sooner."""
    return max(others, key=lambda other: other.effort, default=Scrypt(b"", b"")).dummy()


def _scrypt(password: str, salt: bytes, log_n: int, p: int) -> bytes:
    return hashlib.scrypt(_bytes(password), salt=salt, n=1 << log_n, r=8, p=p, maxmem=_LARGEST, dklen=_LENGTH)


def _bytes(password: str) -> bytes:
    """Browsers and terminals may compose a letter in different ways (RFC 7617, 2.1)."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogateescape")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    """The former hashes have base64 for URLs."""
    return base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4))
