"""TLS between buffers: what comes goes in, what has to be sent comes out, and no transport of its own in between."""

from __future__ import annotations

import ssl
from typing import cast

from monitor.net.ciphers import standard_name
from monitor.net.tls import RecordingTls

_RECORD = 16 * 1024
"""RFC 8446, 5.1: more is in no record; OpenSSL gives one at a time."""

_BEGINNING = 8
"""Bytes that tell plain HTTP from TLS."""


class TlsStream:
    """One connection's TLS, client side. The event loops' own transports cost more than all else but OpenSSL itself,
    and lose what a server sends before they are in place.
    """

    def __init__(self, context: ssl.SSLContext, name: str) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        made = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        self.seen = cast("RecordingTls", made)  # its context says so
        """The TLS object, which records the server's handshake messages."""
        self.beginning = b""
        """The first bytes that came."""
        self.closed = False
        """True if the peer announced that it will send no more."""

    @property
    def version(self) -> str | None:
        """«TLSv1.3»."""
        return self.seen.version()

    @property
    def cipher(self) -> str | None:
        """The cipher suite by its name in IANA's list, as blackbox_exporter writes it."""
        chosen = self.seen.cipher()
        return None if chosen is None else standard_name(chosen[0])

    @property
    def holds_more(self) -> bool:
        """True if received bytes still wait to be decrypted."""
        return self._incoming.pending > 0

    def to_send(self) -> bytes:
        """Returns the bytes that have to be sent to the peer now."""
        return self._outgoing.read()

    def shake_hands(self, data: bytes) -> bool:
        """Continues the handshake; returns True once it is complete. Raises ssl.SSLError."""
        self._incoming.write(data)
        self.beginning = self.beginning or data[:_BEGINNING]
        try:
            self.seen.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def decrypted(self, data: bytes) -> bytes:
        """Decrypts the data and returns all plain bytes that are complete. Raises ssl.SSLError."""
        self._incoming.write(data)
        said: list[bytes] = []
        try:
            while (
                self._incoming.pending or self.seen.pending()
            ):  # asking for more than there is raises, which takes time
                piece = self.seen.read(_RECORD)
                said.append(piece)
                if not piece:
                    self.closed = True
                    break
        except ssl.SSLWantReadError:
            pass
        return b"".join(said)

    def encrypt(self, data: bytes | memoryview) -> int:
        """Encrypts the data and returns the number of bytes taken; 0 while the peer renegotiates (TLS 1.2)."""
        try:
            return self.seen.write(data)
        except ssl.SSLWantReadError:
            return 0
