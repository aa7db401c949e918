"""TLS contexts, one per distinct setting, and the certificates that a server sent, also when they were refused."""

from __future__ import annotations

import functools
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from monitor.expect import Finding
from monitor.outcome import Certificate, Reason
from monitor.spec import TlsSpec

_VERSIONS = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}
_CERTIFICATE_MESSAGE = 11
"""RFC 8446, B.3: HandshakeType certificate."""


class Recording(ssl.SSLObject):
    """One connection's TLS, which keeps the certificates that came."""

    certificate_message = b""

    @property
    def chain(self) -> list[bytes]:
        """The DER certificates that the peer sent, leaf first, also if they were refused."""
        return certificate_list(self.certificate_message) if self.certificate_message else []


class TlsContexts:
    """Contexts by what makes them differ; loading the system's CAs takes 35 ms, so never one per check."""

    def __init__(self) -> None:
        self._contexts: dict[tuple[object, ...], ssl.SSLContext] = {}

    def get(self, spec: TlsSpec) -> ssl.SSLContext:
        """The context for these settings. Raises OSError (ssl.SSLError too) if its files cannot be used."""
        key = (
            spec.verify,
            spec.ca_file,
            spec.cert_file,
            spec.key_file,
            spec.min_version,
        )
        context = self._contexts.get(key)
        if context is None:
            context = self._contexts[key] = _context(spec)
        return context


def _context(spec: TlsSpec) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if spec.ca_file is not None:
        context.load_verify_locations(spec.ca_file.path)
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # an intermediate in ca_file is trusted as it is
    elif spec.verify:
        context.load_default_certs()
    if not spec.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if spec.cert_file is not None:
        context.load_cert_chain(spec.cert_file.path, spec.key_file.path if spec.key_file else None)
    if spec.min_version in ("1.0", "1.1"):
        context.set_ciphers("DEFAULT:@SECLEVEL=0")  # OpenSSL 3 speaks these versions at no higher level
    context.minimum_version = _VERSIONS[spec.min_version]
    context.set_alpn_protocols(["http/1.1"])
    context.sslobject_class = Recording
    # A failed handshake leaves no certificate behind in `ssl`, and a second connection would be a second load on the
    # target. CPython's own hook for handshake messages sees the one that carries the chain, in every version of TLS.
    # It is set past ssl.SSLContext, which would make enums of four numbers forty times a handshake.
    ssl._SSLContext._msg_callback.__set__(context, _on_message)  # type: ignore[attr-defined]  # noqa: SLF001
    return context


def _on_message(
    connection: Recording,
    direction: str,
    _version: object,
    _content: object,
    kind: Any,
    data: bytes,
) -> None:
    if kind == _CERTIFICATE_MESSAGE and direction == "read":
        connection.certificate_message = data


def certificate_list(message: bytes) -> list[bytes]:
    """The DER certificates in a Certificate message of TLS 1.2 (RFC 5246, 7.4.2) or 1.3 (RFC 8446, 4.4.2).

    1.3 puts a context before the list (empty from a server) and extensions behind every certificate.
    """
    body = message[4:]  # type and length of the message
    if int.from_bytes(body[:3]) == len(body) - 3:
        return list(_entries(body[3:], has_extensions=False))
    context = body[0]
    return list(_entries(body[1 + context + 3 :], has_extensions=True))


def _entries(data: bytes, *, has_extensions: bool) -> Iterator[bytes]:
    while len(data) > 3:
        end = 3 + int.from_bytes(data[:3])
        yield data[3:end]
        data = data[end:]
        if has_extensions:
            data = data[2 + int.from_bytes(data[:2]) :]


@functools.lru_cache(maxsize=8192)
def read_certificate(der: bytes) -> Certificate | None:
    """What a certificate says of itself; None if it cannot be read. Remembered: most runs see the same ones."""
    from monitor.checks.certificates import parsed  # eight mebibytes, which a monitor of plain HTTP does without

    return parsed(der)


_EXPIRED, _NOT_YET_VALID, _HOSTNAME, _IP_ADDRESS = 10, 9, 62, 64
"""X509_V_ERR_CERT_HAS_EXPIRED, _CERT_NOT_YET_VALID, _HOSTNAME_MISMATCH, _IP_ADDRESS_MISMATCH (openssl/x509_vfy.h)."""


def refused_certificate(error: ssl.SSLCertVerificationError, host: str, leaf: Certificate | None) -> Finding:
    """Why OpenSSL did not accept the certificate."""
    code = error.verify_code
    if code == _EXPIRED:
        return Finding(
            Reason.TLS_CERTIFICATE_EXPIRED,
            f"the certificate of {host} has expired{_on(leaf, 'after')}",
        )
    if code == _NOT_YET_VALID:
        return Finding(
            Reason.TLS_CERTIFICATE_NOT_YET_VALID,
            f"the certificate of {host} is not valid yet{_on(leaf, 'before')}",
        )
    if code in (_HOSTNAME, _IP_ADDRESS) or code is None:
        names = f"; it is for {', '.join(leaf.names[:4])}" if leaf is not None and leaf.names else ""
        return Finding(Reason.TLS_HOSTNAME_MISMATCH, f"the certificate is not for {host}{names}")
    return Finding(
        Reason.TLS_UNTRUSTED,
        f"the certificate of {host} is not trusted: {error.verify_message}",
    )


def _on(leaf: Certificate | None, which: str) -> str:
    if leaf is None:
        return ""
    ends = which == "after"
    day = datetime.fromtimestamp(leaf.not_after if ends else leaf.not_before, UTC)
    return f", on {day:%Y-%m-%d %H:%M} UTC" if ends else f", only from {day:%Y-%m-%d %H:%M} UTC"
