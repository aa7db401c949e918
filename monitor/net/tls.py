"""TLS contexts, one per distinct setting, and what a handshake tells of the server, also when it fails."""

from __future__ import annotations

import functools
import ssl
import warnings
from pathlib import Path
from typing import Any

import idna

from monitor.model.route import FileRef, TlsSpec
from monitor.net import stapling
from monitor.net.messages import certificate_list, staple_in_status, staple_of_leaf

_VERSIONS = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}
_OBSOLETE = ("1.0", "1.1")
"""OpenSSL 3 speaks these at no higher security level than 0: their signatures are of SHA-1 and MD5."""
_ALERT, _HANDSHAKE = 21, 22
"""RFC 8446, B.1: ContentType."""
_CERTIFICATE, _CERTIFICATE_REQUEST, _CERTIFICATE_STATUS = 11, 13, 22
"""RFC 8446, B.3, and RFC 6066, 8: HandshakeType."""
_NO_COMPRESSED_CERTIFICATE = 1 << 33
"""SSL_OP_NO_RX_CERTIFICATE_COMPRESSION (OpenSSL 3.2): a compressed chain would come in another message."""
_DER = 2
"""_ssl.ENCODING_DER."""


class RecordingTls(ssl.SSLObject):
    """One connection's TLS, which keeps what the server said in its handshake."""

    certificate_message = status_message = b""
    alert: int | None = None
    """The fatal alert that the server sent, as RFC 8446 numbers it."""
    wants_certificate = False
    """True if the server requested a client certificate."""

    @functools.cached_property
    def chain(self) -> tuple[bytes, ...]:
        """The DER certificates that the server sent, leaf first, also if refused; known when the handshake ended."""
        return certificate_list(self.certificate_message) or self._built("get_unverified_chain")

    @functools.cached_property
    def path(self) -> tuple[bytes, ...]:
        """The DER certificates from the leaf to its root as OpenSSL put them together, the root from our own store.

        Also after a verification that failed: then it goes as far as OpenSSL came.
        """
        return self._built("get_verified_chain")

    @property
    def staple(self) -> bytes:
        """The OCSP answer that the server sent along; empty if none."""
        return staple_in_status(self.status_message[4:]) or staple_of_leaf(self.certificate_message)

    def _built(self, name: str) -> tuple[bytes, ...]:
        """Public from Python 3.13 on, as methods that copy once more."""
        read = getattr(self._sslobj, name, None)  # type: ignore[attr-defined]
        return tuple(one.public_bytes(_DER) for one in (read and read()) or ())


class TlsContexts:
    """Contexts by what makes them differ; loading the system's CAs takes 35 ms, so never one per check."""

    def __init__(self) -> None:
        self._contexts: dict[tuple[object, ...], ssl.SSLContext] = {}
        self._clients: dict[FileRef, bytes] = {}

    def get(self, spec: TlsSpec, alpn: tuple[str, ...] = ()) -> ssl.SSLContext:
        """The context for these settings, which offers the protocols `alpn`.

        Raises OSError (ssl.SSLError too) if its files cannot be used.
        """
        key = (
            alpn,
            spec.verify,
            spec.ca_file,
            spec.cert_file,
            spec.key_file,
            spec.min_version,
            spec.max_version,
            spec.ciphers,
        )
        context = self._contexts.get(key)
        if context is None:
            if spec.cert_file is not None:
                self._clients[spec.cert_file] = _first_certificate(spec.cert_file)
            context = self._contexts[key] = _context(spec, alpn)
        return context

    def client_certificate(self, spec: TlsSpec) -> bytes | None:
        """The DER of the client certificate; None without one. Known once `get` made its context."""
        return None if spec.cert_file is None else self._clients.get(spec.cert_file)


def _first_certificate(ref: FileRef) -> bytes:
    """The first of a PEM file, which is the client's own, as DER."""
    mark = "-----BEGIN CERTIFICATE-----"
    found = Path(ref.path).read_text("utf-8", "replace").partition(mark)[2].partition("-----END")[0]
    try:
        return ssl.PEM_cert_to_DER_cert(f"{mark}{found}-----END CERTIFICATE-----")
    except ValueError:  # what else OpenSSL reads (TRUSTED CERTIFICATE) says nothing of its end
        return b""


def _context(spec: TlsSpec, alpn: tuple[str, ...]) -> ssl.SSLContext:
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
    set_versions(context, spec)
    context.hostname_checks_common_name = False  # RFC 9525, 2; browsers and Go read subjectAltName alone
    if ssl.OPENSSL_VERSION_INFO >= (3, 2):
        context.options |= _NO_COMPRESSED_CERTIFICATE
    if alpn:
        context.set_alpn_protocols(alpn)
    stapling.ask(context)
    context.sslobject_class = RecordingTls
    # A failed handshake leaves no certificate behind in `ssl`, and a second connection would be a second load on the
    # target. CPython's own hook for handshake messages sees the one that carries the chain, in every version of TLS.
    # It is set past ssl.SSLContext, which would make enums of four numbers forty times a handshake.
    ssl._SSLContext._msg_callback.__set__(context, _on_message)  # type: ignore[attr-defined]  # noqa: SLF001
    return context


def set_versions(context: ssl.SSLContext, spec: TlsSpec) -> None:
    """Sets versions, cipher suites and security level. Raises ssl.SSLError if OpenSSL knows no cipher of the list.

    The default is OpenSSL's list, which curl uses too: the build of Python must not limit what a server may offer.
    """
    ciphers = spec.ciphers or "DEFAULT"
    if "@SECLEVEL" not in ciphers:
        ciphers += f":@SECLEVEL={0 if spec.min_version in _OBSOLETE else 2}"
    context.set_ciphers(ciphers)
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # the check asks for old versions
        context.minimum_version = _VERSIONS[spec.min_version]
        if spec.max_version != "1.3":
            context.maximum_version = _VERSIONS[spec.max_version]


def _on_message(
    connection: RecordingTls, direction: str, _version: object, content: int, kind: Any, data: bytes
) -> None:
    if direction != "read":
        return
    if content == _HANDSHAKE:
        if kind == _CERTIFICATE:
            connection.certificate_message = data
        elif kind == _CERTIFICATE_STATUS:
            connection.status_message = data
        elif kind == _CERTIFICATE_REQUEST:
            connection.wants_certificate = True
    elif content == _ALERT and data[:1] == b"\x02":  # the level: fatal
        connection.alert = kind


@functools.lru_cache(maxsize=4096)
def server_name(name: str) -> str:
    """A host as SNI and certificates have it: in ASCII as URLs have it (IDNA 2008), without the dot at its end."""
    name = name.removesuffix(".")
    if name.isascii():
        return name
    try:
        return idna.encode(name, uts46=True).decode()
    except idna.IDNAError:
        return name
