"""TLS between buffers: what comes goes in, what has to be sent comes out, and no transport of its own in between."""

from __future__ import annotations

import ssl
from typing import cast

from monitor.checks.tls import Recording

_RECORD = 16 * 1024
"""RFC 8446, 5.1: more is in no record; OpenSSL gives one at a time."""


class Secured:
    """One connection's TLS, client side. The event loops' own transports cost more than all else but OpenSSL itself,
    and lose what a server sends before they are in place.
    """

    def __init__(self, context: ssl.SSLContext, name: str) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        made = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        self._object = cast("Recording", made)  # its context says so
        self.closed = False
        """Whether the peer said that it will send no more."""

    @property
    def version(self) -> str | None:
        """«TLSv1.3»."""
        return self._object.version()

    @property
    def chain(self) -> list[bytes]:
        """The DER certificates that the peer sent, leaf first, also if they were refused."""
        return self._object.chain

    @property
    def holds_more(self) -> bool:
        """Whether something came that was not decrypted yet."""
        return self._incoming.pending > 0

    def to_send(self) -> bytes:
        """What has to go to the peer now."""
        return self._outgoing.read()

    def shake_hands(self, data: bytes) -> bool:
        """Go on with the handshake; whether it is done. Raises ssl.SSLError."""
        self._incoming.write(data)
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def decrypted(self, data: bytes) -> bytes:
        """What the peer says with this, all of it. Raises ssl.SSLError."""
        self._incoming.write(data)
        said: list[bytes] = []
        try:
            while piece := self._object.read(_RECORD):
                said.append(piece)
            self.closed = True
        except ssl.SSLWantReadError:
            pass
        return b"".join(said)

    def encrypt(self, data: bytes | memoryview) -> int:
        """Say this to the peer; how much of it could be said, none while it wants to shake hands anew (TLS 1.2)."""
        try:
            return self._object.write(data)
        except ssl.SSLWantReadError:
            return 0
