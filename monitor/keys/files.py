"""The files that a configuration names: found, read once per load, and proved to be what they should be."""

from __future__ import annotations

import contextlib
import hashlib
import ssl
import time
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from monitor.keys.bad_value import BadValueError, quoted
from monitor.model.route import FileRef
from monitor.net.der import validity
from monitor.secrets.secret import Text, reveal

T = TypeVar("T")

LARGEST_FILE = 4 << 20
_CREDENTIALS = "%d/"
"""systemd's own shorthand for the directory of a unit's credentials."""


class Files:
    """The files of one configuration; relative paths start at its directory."""

    def __init__(self, directory: Path, environ: Mapping[str, str], *, strict: bool = False) -> None:
        self._strict = strict
        self._directory = directory
        self._environ = environ
        self._contents: dict[Path, bytes] = {}
        self.sources: dict[str, str | None] = {}
        """Digest of each file's content, by path; None if the file could not be read."""
        self._proved: set[tuple[str, ...]] = set()

    def whole(self, place: Path) -> bytes:
        """The content of the configuration itself; raises OSError, or ValueError for an impossible path."""
        return self._noted(place, place.read_bytes)

    def text(self, name: str) -> str:
        """The content of a secret's file, without the line ends at its end; raises `BadValueError`."""
        try:
            text = self._read(name).decode()
        except UnicodeDecodeError:
            raise BadValueError(f"the file {quoted(name)} is not UTF-8 text") from None
        if not text.rstrip("\r\n"):
            raise BadValueError(f"the file {quoted(name)} is empty")
        return text.rstrip("\r\n")

    def ca(self, name: Text) -> FileRef:
        """A PEM file of certificates to trust."""
        ref = self._pem(name, b"CERTIFICATE-----", "certificate")
        self._prove((ref.path,), lambda: _trust(ref.path, name))
        return ref

    def cert(self, name: Text) -> FileRef:
        """A PEM file of a client certificate, with its chain."""
        return self._pem(name, b"CERTIFICATE-----", "certificate")

    def key(self, name: Text) -> FileRef:
        """A PEM file of a private key without a passphrase."""
        return self._pem(name, b"PRIVATE KEY-----", "private key")

    def prove_pair(self, cert: FileRef, key: FileRef) -> None:
        """Raise `BadValueError` unless certificate and key can be loaded and belong together."""
        self._prove((cert.path, key.path), lambda: _pair(cert.path, key.path))

    def out_of_date(self, cert: FileRef) -> str | None:
        """Returns why a file's first certificate is not valid now; None if valid, unreadable, or not `strict`."""
        mark = b"-----BEGIN CERTIFICATE-----"
        try:
            dates = validity(b64decode(self._contents[Path(cert.path)].partition(mark)[2].partition(b"-----END")[0]))
        except ValueError:
            return None
        now = time.time()
        if not self._strict or dates is None or dates.not_before <= now < dates.not_after:
            return None
        begins = dates.not_before > now
        at = datetime.fromtimestamp(dates.not_before if begins else dates.not_after, UTC)
        return f"the client certificate {'begins' if begins else 'ended'} on {at:%Y-%m-%d %H:%M} UTC"

    def _pem(self, name: Text, mark: bytes, what: str) -> FileRef:
        content = self._read(name)
        if mark not in content:
            raise BadValueError(f"there is no PEM {what} in {quoted(name)}")
        return FileRef(str(self._place(reveal(name))), hashlib.sha256(content).hexdigest())

    def _read(self, name: Text) -> bytes:
        place = self._place(reveal(name))
        if place not in self._contents:
            self._contents[place] = self._noted(place, lambda: _content(place, name))
        return self._contents[place]

    def _noted(self, place: Path, read: Callable[[], bytes]) -> bytes:
        self.sources[str(place)] = None
        content = read()
        self.sources[str(place)] = hashlib.sha256(content).hexdigest()
        return content

    def _place(self, name: str) -> Path:
        if not name.startswith(_CREDENTIALS):
            return self._directory / name
        directory = self._environ.get("CREDENTIALS_DIRECTORY")
        if not directory:
            raise BadValueError(
                '"%d/" stands for $CREDENTIALS_DIRECTORY, which is not set', "systemd sets it with LoadCredential="
            )
        return Path(directory, name.removeprefix(_CREDENTIALS))

    def _prove(self, paths: tuple[str, ...], proof: Callable[[], None]) -> None:
        if paths not in self._proved:
            proof()
            self._proved.add(paths)


def _content(place: Path, name: Text) -> bytes:
    try:
        with place.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        why = (error.strerror if isinstance(error, OSError) else None) or "the path is not valid"
        advice = "`~` is not expanded; write the whole path" if reveal(name).startswith("~") else None
        raise BadValueError(f"the file {quoted(name)} cannot be read: {why[0].lower()}{why[1:]}", advice) from None
    if len(content) > LARGEST_FILE:
        raise BadValueError(f"the file {quoted(name)} is larger than 4MiB")
    return content


def _trust(path: str, name: Text) -> None:
    with _translated(f"no certificate can be loaded from {quoted(name)}"):
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)


def _pair(cert: str, key: str) -> None:
    asked = False

    def passphrase() -> str:
        nonlocal asked
        asked = True
        return ""  # without this, OpenSSL would ask on the terminal

    try:
        with _translated("certificate and key cannot be loaded"):
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(cert, key, password=passphrase)
    except BadValueError:
        if asked:
            raise BadValueError(
                "the key is encrypted", "a daemon cannot type a passphrase; decrypt it with `openssl pkey`"
            ) from None
        raise


@contextlib.contextmanager
def _translated(message: str) -> Iterator[None]:
    try:
        yield
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise BadValueError("the key does not belong to the certificate") from None
        raise BadValueError(message, "is the PEM complete?") from None
    except (OSError, ValueError):
        raise BadValueError(message) from None
