"""Reads the messages of a handshake in which certificates come; a server may send anything in them."""

from __future__ import annotations

from collections.abc import Iterator

MOST_CERTIFICATES = 20
"""Longest chain that is read, in certificates; real servers send two to five."""
_STATUS_REQUEST = 5
"""RFC 6066, 8: the extension with an OCSP answer."""
_OCSP = 1


def certificate_list(message: bytes) -> tuple[bytes, ...]:
    """The DER certificates in a Certificate message of TLS 1.2 (RFC 5246, 7.4.2) or 1.3 (RFC 8446, 4.4.2).

    1.3 puts a context before the list (empty from a server) and extensions behind every certificate.
    """
    return tuple(der for der, _ in _entries(message))


def staple_of_leaf(message: bytes) -> bytes:
    """The OCSP answer that TLS 1.3 sends behind the first certificate; empty if there is none."""
    _, rest = next(_entries(message), (b"", b""))
    while len(rest) >= 4:
        end = 4 + int.from_bytes(rest[2:4])
        if int.from_bytes(rest[:2]) == _STATUS_REQUEST:
            return staple_in_status(rest[4:end])
        rest = rest[end:]
    return b""


def staple_in_status(status: bytes) -> bytes:
    """The OCSP answer in a CertificateStatus (RFC 6066, 8); empty if it is another kind of one."""
    return status[4 : 4 + int.from_bytes(status[1:4])] if status[:1] == bytes([_OCSP]) else b""


def _entries(message: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Certificates, each with its extensions."""
    body = message[4:]  # type and length of the message
    has_extensions = int.from_bytes(body[:3]) != len(body) - 3
    data = body[3:] if not has_extensions else body[1 + int.from_bytes(body[:1]) + 3 :]
    for _ in range(MOST_CERTIFICATES):
        if len(data) <= 3:
            return
        end = 3 + int.from_bytes(data[:3])
        more = end + 2 + int.from_bytes(data[end : end + 2]) if has_extensions else end
        if end > 3:
            yield data[3:end], data[end + 2 : more]
        data = data[more:]
