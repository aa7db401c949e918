"""Certificates that are odd in any one way, and HTTPS servers that send whatever chain they are given."""

from __future__ import annotations

import ssl
import tempfile
import warnings
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.servers.certs import whole_second
from tests.servers.tls import TlsServer

PEM = serialization.Encoding.PEM
NAMES = ("127.0.0.1", "localhost")
_KEYS = {
    "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
    "RSA 1024": lambda: rsa.generate_private_key(65537, 1024),
    "RSA 2048": lambda: rsa.generate_private_key(65537, 2048),
}
CLIENT_ONLY = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
MUST_STAPLE = x509.TLSFeature([x509.TLSFeatureType.status_request])
UNKNOWN_EXTENSION = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")


@dataclass(frozen=True)
class Issued:
    """A certificate with its key; it may issue others."""

    certificate: x509.Certificate
    key: Any

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(PEM)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def issue(
    subject: str,
    by: Issued | None = None,
    *,
    names: tuple[str, ...] | None = NAMES,
    key: str | Issued = "P-256",
    days: tuple[float, float] = (-1, 90),
    authority: bool | None = None,
    sha1: bool = False,
    serial: int | None = None,
    more: tuple[tuple[x509.ExtensionType, bool], ...] = (),
    path_length: int | None = None,
) -> Issued:
    """A certificate by this issuer, or by itself; `authority` says what basicConstraints has, None for none of them."""
    private = key.key if isinstance(key, Issued) else _KEYS[key]()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    issuer = name if by is None else by.certificate.subject
    builder = x509.CertificateBuilder(issuer, name, private.public_key(), serial or x509.random_serial_number())
    builder = builder.not_valid_before(whole_second(days[0])).not_valid_after(whole_second(days[1]))
    if authority is not None:
        builder = builder.add_extension(x509.BasicConstraints(authority, path_length if authority else None), True)
    if names is not None and not authority:
        builder = builder.add_extension(x509.SubjectAlternativeName([*map(_general, names)]), False)
    for extension, critical in more:
        builder = builder.add_extension(extension, critical)
    signing = by.key if by is not None else private
    made = Issued(
        builder.sign(signing, None if isinstance(signing, ed25519.Ed25519PrivateKey) else hashes.SHA256()), private
    )
    return _signed_with_sha1(made, by) if sha1 and by is not None else made


def _signed_with_sha1(made: Issued, by: Issued) -> Issued:
    """The same, signed as `cryptography` no longer signs; the issuer's key has to be RSA."""
    sha256, sha1 = (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01" + last for last in (b"\x0b", b"\x05"))
    old = made.certificate
    signature = by.key.sign(old.tbs_certificate_bytes.replace(sha256, sha1), padding.PKCS1v15(), hashes.SHA1())
    der = old.public_bytes(serialization.Encoding.DER).replace(sha256, sha1).replace(old.signature, signature)
    return Issued(x509.load_der_x509_certificate(der), made.key)


def _general(name: str) -> x509.GeneralName:
    if name.startswith("dns:"):
        return x509.DNSName(name[4:])
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def root(subject: str = "Root of the tests", **more: Any) -> Issued:
    """An authority that nobody is above."""
    return issue(subject, authority=True, **more)


def context(
    leaf: Issued,
    *others: Issued,
    only: ssl.TLSVersion | None = None,
    ciphers: str = "ALL",
    client_ca: Issued | None = None,
) -> ssl.SSLContext:
    """A server's context that sends these certificates in this order; weak ones too."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write(leaf.key_pem + leaf.pem + b"".join(one.pem for one in others))
        file.flush()
        made.load_cert_chain(file.name)
    with warnings.catch_warnings(action="ignore"):
        if only is not None:
            made.minimum_version = made.maximum_version = only
    if client_ca is not None:
        made.verify_mode = ssl.CERT_REQUIRED
        made.load_verify_locations(cadata=client_ca.pem.decode())
    return made


def served(leaf: Issued, *others: Issued, **more: Any) -> TlsServer:
    """An HTTPS server with these certificates."""
    return TlsServer(context(leaf, *others, **more))


def written(folder: Path, name: str, *content: bytes) -> Path:
    """A file of PEM."""
    path = folder / name
    path.write_bytes(b"".join(content))
    return path
